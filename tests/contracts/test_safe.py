"""Safe 1.4.1 as published, at its addresses of every other chain: two of a wallet's three owners move its bitcoin."""

import pytest
from eth_account import Account

from bedroll.protocol import SAFE_DEPLOYER
from tests.framework.ledger import Ledger
from tests.framework.official import Official, creation, deploy_at_salt, shown

ONE = 10**18
NOBODY = shown(bytes(20))
FACTORY = bytes.fromhex("4e1dcf7ad4e460cfd30791ccc4f9c8a4f820ec67")
SINGLETON = bytes.fromhex("29fcb43b46531bca003ddc8fcb67ffe91900c762")


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.engine.close()


def wallet_of(ledger, owners, threshold):
    """A wallet through the factory, as Safe's own front end makes it."""
    key = ledger.keys[0]
    parts = [
        Official.at(
            ledger, f"safe/{name}", deploy_at_salt(ledger, key, bytes(32), creation(f"safe/{name}"), SAFE_DEPLOYER)
        )
        for name in ("SafeL2", "CompatibilityFallbackHandler", "SafeProxyFactory")
    ]
    single, handler, factory = parts
    assert (single.address, factory.address) == (SINGLETON, FACTORY)
    setup = single.data(
        "setup", [owner.address for owner in owners], threshold, NOBODY, b"", handler.hex, NOBODY, 0, NOBODY
    )
    made = factory.send(key, "createProxyWithNonce", single.hex, setup, 7)
    proxy = factory.events(made, "ProxyCreation")[0]["proxy"]
    return Official.at(ledger, "safe/SafeL2", bytes.fromhex(proxy[2:]))


def signed(wallet, owners, call):
    """Signatures over a transaction in the order of their addresses, as the contract wants them."""
    digest = wallet.ask("getTransactionHash", *call, wallet.ask("nonce"))
    rows = sorted(owners, key=lambda owner: int(owner.address, 16))
    return b"".join(Account.unsafe_sign_hash(digest, owner.key).signature for owner in rows)


def test_two_of_three_owners_move_the_wallets_bitcoin(ledger):
    payer, *owners = ledger.keys
    wallet = wallet_of(ledger, owners, 2)
    assert wallet.ask("getThreshold") == 2
    ledger.block(ledger.sign(payer, to=wallet.address, value=3 * ONE, gas=200_000))
    receiver = b"\x77" * 20
    call = (shown(receiver), ONE, b"", 0, 0, 0, 0, NOBODY, NOBODY)
    assert wallet.refusal("execTransaction", *call, signed(wallet, owners[:1], call), sender=payer) == "GS020"
    done = wallet.send(payer, "execTransaction", *call, signed(wallet, owners[:2], call))
    assert wallet.events(done, "ExecutionSuccess")
    assert ledger.engine.view().balance(receiver) == ONE
    assert ledger.engine.view().balance(wallet.address) == 2 * ONE
    assert wallet.ask("nonce") == 1


def test_a_signature_of_the_wallet_is_valid_for_others(ledger):
    _, *owners = ledger.keys
    wallet = wallet_of(ledger, owners, 2)
    handler = Official.at(ledger, "safe/CompatibilityFallbackHandler", wallet.address)
    message = b"\x05" * 32
    digest = handler.ask("getMessageHash", message)
    rows = sorted(owners[:2], key=lambda owner: int(owner.address, 16))
    signatures = b"".join(Account.unsafe_sign_hash(digest, owner.key).signature for owner in rows)
    assert handler.ask("isValidSignature(bytes32,bytes)", message, signatures).hex() == "1626ba7e"
