"""EntryPoint v0.8 as published, at its address of every other chain: an operation makes an account and acts by it."""

import pytest

from tests.framework.ledger import Ledger, address_of
from tests.framework.market import ONE, entry_point, operation_of, operation_signed
from tests.framework.official import Official, shown

RECEIVER = b"\x66" * 20


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.engine.close()


def test_an_operation_makes_an_account_and_pays_from_it(ledger):
    bundler, owner, beneficiary, stranger = ledger.keys
    entry = entry_point(ledger, bundler)
    factory = Official.deploy(ledger, bundler, "account_abstraction/SimpleAccountFactory", entry.hex)
    account = bytes.fromhex(factory.ask("getAddress", owner.address, 0)[2:])
    assert not ledger.engine.view().code(account)
    ledger.block(ledger.sign(bundler, to=account, value=2 * ONE, gas=100_000))
    entry.send(bundler, "depositTo", shown(account), value=ONE // 10)

    implementation = bytes.fromhex(factory.ask("accountImplementation")[2:])
    pay = Official.at(ledger, "account_abstraction/SimpleAccount", implementation).data(
        "execute", shown(RECEIVER), ONE, b""
    )
    create = factory.address + factory.data("createAccount", owner.address, 0)
    operation = operation_of(entry, account, pay, create=create)
    forged = entry.try_send(bundler, "handleOps", [operation_signed(entry, stranger, operation)], beneficiary.address)
    assert forged.status == 0
    assert b"AA24" in forged.output
    before = ledger.engine.view().balance(address_of(beneficiary))
    done = entry.send(bundler, "handleOps", [operation_signed(entry, owner, operation)], beneficiary.address)
    (told,) = entry.events(done, "UserOperationEvent")
    assert told["success"]
    assert ledger.engine.view().balance(RECEIVER) == ONE
    assert ledger.engine.view().code(account)
    assert ledger.engine.view().balance(address_of(beneficiary)) - before == told["actualGasCost"]
    assert entry.ask("getNonce", shown(account), 0) == 1
