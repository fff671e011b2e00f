"""Permit2 at its address of every other chain: a signature alone moves an owner's tokens, once."""

import pytest

from tests.framework.ledger import Ledger
from tests.framework.market import FOREVER, PERMIT_FUNCTION, permit_of, permit_signed, token_of
from tests.framework.official import shown


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.engine.close()


def test_a_signature_moves_tokens_once(ledger):
    payer, spender, receiver, _ = ledger.keys
    permit = permit_of(ledger, payer)
    token = token_of(ledger, payer, 1_000)
    ledger.send(payer, token, "approve(address,uint256)", permit.hex, 2**256 - 1)
    signature = permit_signed(payer, spender, token, 70, 3)
    call = (((shown(token), 70), 3, FOREVER), (receiver.address, 50), payer.address, signature)
    for wrong in (
        (((shown(token), 71), 3, FOREVER), *call[1:]),
        (call[0], (receiver.address, 71), *call[2:]),
    ):
        assert permit.try_send(spender, PERMIT_FUNCTION, *wrong).status == 0
    permit.send(spender, PERMIT_FUNCTION, *call)
    assert ledger.read(token, "balanceOf(address)", receiver.address, gives="uint256") == 50
    assert permit.try_send(spender, PERMIT_FUNCTION, *call).status == 0
