"""xBTC is bitcoin, 1:1, as an ERC-20 token with permit."""

import pytest
from eth_account.messages import encode_typed_data

from bedroll.protocol import REGTEST, WRAPPED_BITCOIN
from tests.framework.ledger import TIMESTAMP_FIRST, Ledger, address_of, revert_text

TOKEN = bytes(WRAPPED_BITCOIN)
FOREVER = TIMESTAMP_FIRST + 10**9


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.engine.close()


def _balance(ledger, key):
    return ledger.read(TOKEN, "balanceOf(address)", "0x" + address_of(key).hex(), gives="uint256")


def test_it_introduces_itself(ledger):
    assert ledger.read(TOKEN, "name()", gives="string") == "Wrapped bitcoin"
    assert ledger.read(TOKEN, "symbol()", gives="string") == "xBTC"
    assert ledger.read(TOKEN, "decimals()", gives="uint8") == 18


def test_supply_equals_the_bitcoin_it_holds(ledger):
    alice, bob, *_ = ledger.keys
    assert ledger.send(alice, TOKEN, "deposit()", value=7 * 10**18).status == 1
    assert ledger.block(ledger.sign(bob, to=TOKEN, value=10**18)).receipts[-1].status == 1
    assert ledger.send(alice, TOKEN, "withdraw(uint256)", 2 * 10**18).status == 1
    supply = ledger.read(TOKEN, "totalSupply()", gives="uint256")
    assert supply == ledger.engine.view().balance(TOKEN) == 6 * 10**18
    assert _balance(ledger, alice) + _balance(ledger, bob) == supply


def test_a_transfer_moves_tokens_and_logs_it(ledger):
    alice, bob, *_ = ledger.keys
    ledger.send(alice, TOKEN, "deposit()", value=10**18)
    receipt = ledger.send(alice, TOKEN, "transfer(address,uint256)", bob.address, 4 * 10**17)
    assert receipt.status == 1
    assert receipt.logs[0].topics[1:] == [address_of(alice).rjust(32, b"\0"), address_of(bob).rjust(32, b"\0")]
    assert _balance(ledger, bob) == 4 * 10**17


@pytest.mark.parametrize("receiver", ["0x" + "00" * 20, "0x" + TOKEN.hex()])
def test_a_transfer_that_would_lose_the_tokens_is_refused(ledger, receiver):
    alice = ledger.keys[0]
    ledger.send(alice, TOKEN, "deposit()", value=10**18)
    outcome = ledger.ask(TOKEN, "transfer(address,uint256)", receiver, 1, sender=address_of(alice))
    assert revert_text(outcome) == "receiver would lose the tokens"


def test_nobody_spends_more_than_he_has_or_may(ledger):
    alice, bob, *_ = ledger.keys
    ledger.send(alice, TOKEN, "deposit()", value=10)
    over = ledger.ask(TOKEN, "transfer(address,uint256)", bob.address, 11, sender=address_of(alice))
    assert revert_text(over) == "insufficient balance"
    stolen = ledger.ask(
        TOKEN, "transferFrom(address,address,uint256)", alice.address, bob.address, 1, sender=address_of(bob)
    )
    assert revert_text(stolen) == "insufficient allowance"
    assert revert_text(ledger.ask(TOKEN, "withdraw(uint256)", 1, sender=address_of(bob))) == "insufficient balance"


def test_an_allowance_is_used_up_unless_it_is_endless(ledger):
    alice, bob, *_ = ledger.keys
    ledger.send(alice, TOKEN, "deposit()", value=100)
    for granted, left in ((60, 20), (2**256 - 1, 2**256 - 1)):
        ledger.send(alice, TOKEN, "approve(address,uint256)", bob.address, granted)
        moved = ledger.send(bob, TOKEN, "transferFrom(address,address,uint256)", alice.address, bob.address, 40)
        assert moved.status == 1
        assert ledger.read(TOKEN, "allowance(address,address)", alice.address, bob.address, gives="uint256") == left


def _permit(owner, spender, amount, nonce, deadline):
    return owner.sign_message(
        encode_typed_data(
            {
                "name": "Wrapped bitcoin",
                "version": "1",
                "chainId": REGTEST.chain_id,
                "verifyingContract": "0x" + TOKEN.hex(),
            },
            {
                "Permit": [
                    {"name": "owner", "type": "address"},
                    {"name": "spender", "type": "address"},
                    {"name": "value", "type": "uint256"},
                    {"name": "nonce", "type": "uint256"},
                    {"name": "deadline", "type": "uint256"},
                ]
            },
            {"owner": owner.address, "spender": spender.address, "value": amount, "nonce": nonce, "deadline": deadline},
        )
    )


PERMIT = "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"


def test_a_permit_works_once_and_only_for_its_signer(ledger):
    alice, bob, carol, *_ = ledger.keys
    signed = _permit(alice, bob, 55, 0, FOREVER)
    r, s = signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
    forged = ledger.ask(TOKEN, PERMIT, carol.address, bob.address, 55, FOREVER, signed.v, r, s)
    assert revert_text(forged) == "invalid signature"
    assert ledger.send(carol, TOKEN, PERMIT, alice.address, bob.address, 55, FOREVER, signed.v, r, s).status == 1
    assert ledger.read(TOKEN, "allowance(address,address)", alice.address, bob.address, gives="uint256") == 55
    replayed = ledger.ask(TOKEN, PERMIT, alice.address, bob.address, 55, FOREVER, signed.v, r, s)
    assert revert_text(replayed) == "invalid signature"


def test_a_permit_expires_and_has_one_signature_only(ledger):
    alice, bob, *_ = ledger.keys
    late = _permit(alice, bob, 1, 0, TIMESTAMP_FIRST - 1)
    arguments = (late.v, late.r.to_bytes(32, "big"), late.s.to_bytes(32, "big"))
    expired = ledger.ask(TOKEN, PERMIT, alice.address, bob.address, 1, TIMESTAMP_FIRST - 1, *arguments)
    assert revert_text(expired) == "permit expired"
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    good = _permit(alice, bob, 1, 0, FOREVER)
    twin = (55 - good.v, good.r.to_bytes(32, "big"), (order - good.s).to_bytes(32, "big"))
    malleated = ledger.ask(TOKEN, PERMIT, alice.address, bob.address, 1, FOREVER, *twin)
    assert revert_text(malleated) == "signature not canonical"
