"""EntryPoint v0.8 as published, at its address of every other chain: an operation makes an account and acts by it."""

import pytest
from eth_account import Account

from tests.framework.ledger import Ledger
from tests.framework.official import Official, creation, deploy_at_salt, shown

ONE = 10**18
SALT = bytes.fromhex("0a59dbff790c23c976a548690c27297883cc66b4c67024f9117b0238995e35e9")
ADDRESS = bytes.fromhex("4337084d9e255ff0702461cf8895ce9e3b5ff108")
RECEIVER = b"\x66" * 20


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.engine.close()


@pytest.fixture
def entry(ledger):
    code = creation("account_abstraction/EntryPoint")
    assert deploy_at_salt(ledger, ledger.keys[0], SALT, code) == ADDRESS
    return Official.at(ledger, "account_abstraction/EntryPoint", ADDRESS)


def pair(high, low):
    """Two numbers of 16 bytes in a word."""
    return high.to_bytes(16, "big") + low.to_bytes(16, "big")


def signed(entry, owner, operation):
    """The operation with its owner's signature over its typed hash."""
    digest = entry.ask("getUserOpHash", operation)
    return (*operation[:8], Account.unsafe_sign_hash(digest, owner.key).signature)


def test_an_operation_makes_an_account_and_pays_from_it(ledger, entry):
    bundler, owner, beneficiary, stranger = ledger.keys
    factory = Official.deploy(ledger, bundler, "account_abstraction/SimpleAccountFactory", entry.hex)
    account = bytes.fromhex(factory.ask("getAddress", owner.address, 0)[2:])
    assert not ledger.engine.view().code(account)
    ledger.block(ledger.sign(bundler, to=account, value=2 * ONE, gas=100_000))
    entry.send(bundler, "depositTo", shown(account), value=ONE // 10)

    act = published_account(ledger, factory).encode_abi("execute", [shown(RECEIVER), ONE, b""])
    price = 2 * ledger.engine.next_base_fee()
    operation = (
        shown(account), 0, factory.address + factory.data("createAccount", owner.address, 0), bytes.fromhex(act[2:]),
        pair(1_000_000, 200_000), 100_000, pair(price // 10, price), b"", b"",
    )  # fmt: skip
    forged = entry.try_send(bundler, "handleOps", [signed(entry, stranger, operation)], beneficiary.address)
    assert forged.status == 0
    assert b"AA24" in forged.output
    before = ledger.engine.view().balance(bytes.fromhex(beneficiary.address[2:]))
    done = entry.send(bundler, "handleOps", [signed(entry, owner, operation)], beneficiary.address)
    (told,) = entry.events(done, "UserOperationEvent")
    assert told["success"]
    assert ledger.engine.view().balance(RECEIVER) == ONE
    assert ledger.engine.view().code(account)
    assert ledger.engine.view().balance(bytes.fromhex(beneficiary.address[2:])) - before == told["actualGasCost"]
    assert entry.ask("getNonce", shown(account), 0) == 1


def published_account(ledger, factory):
    """Interface of the account, which stands behind a proxy that does not exist yet."""
    implementation = bytes.fromhex(factory.ask("accountImplementation")[2:])
    return Official.at(ledger, "account_abstraction/SimpleAccount", implementation).contract
