"""Permit2 at its address of every other chain: a signature alone moves an owner's tokens, once."""

import pytest
from eth_account import Account

from bedroll.protocol import REGTEST
from tests.framework.ledger import TIMESTAMP_FIRST, Ledger
from tests.framework.official import Official, creation, deploy_at_salt, shown

SALT = bytes.fromhex("0000000000000000000000000000000000000000d3af2663da51c10215000000")
ADDRESS = bytes.fromhex("000000000022d473030f116ddee9f6b43ac78ba3")
FOREVER = TIMESTAMP_FIRST + 10**9
TYPES = {
    "PermitTransferFrom": [
        {"name": "permitted", "type": "TokenPermissions"},
        {"name": "spender", "type": "address"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ],
    "TokenPermissions": [{"name": "token", "type": "address"}, {"name": "amount", "type": "uint256"}],
}


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.engine.close()


def test_a_signature_moves_tokens_once(ledger):
    payer, spender, receiver, _ = ledger.keys
    assert deploy_at_salt(ledger, payer, SALT, creation("permit2/Permit2")) == ADDRESS
    permit = Official.at(ledger, "permit2/Permit2", ADDRESS)
    token = ledger.deploy(payer, "demo_token", (1_000).to_bytes(32, "big"))
    ledger.send(payer, token, "approve(address,uint256)", permit.hex, 2**256 - 1)
    domain = {"name": "Permit2", "chainId": REGTEST.chain_id, "verifyingContract": permit.hex}
    order = {
        "permitted": {"token": shown(token), "amount": 70},
        "spender": spender.address,
        "nonce": 3,
        "deadline": FOREVER,
    }
    signature = Account.sign_typed_data(payer.key, domain, TYPES, order).signature
    call = (((shown(token), 70), 3, FOREVER), (receiver.address, 50), payer.address, signature)
    for wrong in (
        (((shown(token), 71), 3, FOREVER), *call[1:]),
        (call[0], (receiver.address, 71), *call[2:]),
    ):
        assert permit.try_send(spender, PERMIT, *wrong).status == 0
    permit.send(spender, PERMIT, *call)
    assert ledger.read(token, "balanceOf(address)", receiver.address, gives="uint256") == 50
    assert permit.try_send(spender, PERMIT, *call).status == 0


PERMIT = "permitTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes)"
