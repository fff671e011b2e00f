"""The vaults hold every fee and pay only the recipient that genesis names."""

import pytest

from bedroll.protocol import BASE_FEE_VAULT, TIP_VAULT
from tests.framework.ledger import Ledger, address_of

RECIPIENT = b"\xfe" * 20


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.engine.close()


@pytest.mark.parametrize("vault", [bytes(BASE_FEE_VAULT), bytes(TIP_VAULT)])
def test_anyone_sends_what_the_vault_holds_to_its_recipient(ledger, vault):
    alice, stranger, *_ = ledger.keys
    ledger.block(ledger.sign(alice, to=stranger and address_of(stranger), value=1, maxPriorityFeePerGas=1_000))
    held = ledger.engine.view().balance(vault)
    assert held > 0
    before = ledger.engine.view().balance(RECIPIENT)
    receipt = ledger.send(stranger, vault, "withdraw()")
    assert receipt.status == 1
    assert ledger.engine.view().balance(RECIPIENT) - before >= held
    assert ledger.read(vault, "paid()", gives="uint256") >= held
