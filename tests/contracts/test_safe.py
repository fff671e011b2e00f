"""Safe 1.4.1 as published, at its addresses of every other chain: two of a wallet's three owners move its bitcoin."""

import pytest

from tests.framework.ledger import Ledger
from tests.framework.market import ONE, safe_call, safe_of, safe_signed
from tests.framework.official import Official

FACTORY = bytes.fromhex("4e1dcf7ad4e460cfd30791ccc4f9c8a4f820ec67")
SINGLETON = bytes.fromhex("29fcb43b46531bca003ddc8fcb67ffe91900c762")


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.engine.close()


def test_two_of_three_owners_move_the_wallets_bitcoin(ledger):
    payer, *owners = ledger.keys
    wallet = safe_of(ledger, payer, owners, 2)
    assert ledger.engine.view().code(FACTORY)
    assert ledger.engine.view().code(SINGLETON)
    assert wallet.ask("getThreshold") == 2
    ledger.block(ledger.sign(payer, to=wallet.address, value=3 * ONE, gas=200_000))
    receiver = b"\x77" * 20
    call = safe_call(receiver, ONE)
    digest = wallet.ask("getTransactionHash", *call, wallet.ask("nonce"))
    alone = safe_signed(digest, owners[:1])
    assert wallet.refusal("execTransaction", *call, alone, sender=payer) == "GS020"
    done = wallet.send(payer, "execTransaction", *call, safe_signed(digest, owners[:2]))
    assert wallet.events(done, "ExecutionSuccess")
    assert ledger.engine.view().balance(receiver) == ONE
    assert ledger.engine.view().balance(wallet.address) == 2 * ONE
    assert wallet.ask("nonce") == 1


def test_a_signature_of_the_wallet_is_valid_for_others(ledger):
    payer, *owners = ledger.keys
    wallet = safe_of(ledger, payer, owners, 2)
    handler = Official.at(ledger, "safe/CompatibilityFallbackHandler", wallet.address)
    message = b"\x05" * 32
    signatures = safe_signed(handler.ask("getMessageHash", message), owners[:2])
    assert handler.ask("isValidSignature(bytes32,bytes)", message, signatures).hex() == "1626ba7e"
