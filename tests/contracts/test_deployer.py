"""What others put on chains by transactions signed once for all stands from genesis, byte for byte, and works."""

import pytest
from eth_utils import keccak

from bedroll._core._native import decode_transaction
from bedroll.protocol import CREATE2_DEPLOYER, MULTICALL, REGTEST, SAFE_DEPLOYER, SINGLETON_FACTORY
from tests.framework.ledger import Ledger, address_of
from tests.framework.official import Official, create2_address, deploy_at_salt, presigned

ANSWER = bytes.fromhex("600a600c600039600a6000f3602a60005260206000f3")
"""Code that makes a contract which answers 42."""


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.engine.close()


def creation_of(ledger, code):
    """What a creation would leave behind, and its gas; by somebody else, for its own place is taken."""
    return ledger.engine.view().call(
        sender=address_of(ledger.keys[0]),
        to=None,
        data=code,
        value=0,
        gas_limit=30_000_000,
        gas_price=0,
        access_list=[],
        overrides="",
    )


@pytest.mark.parametrize(
    ("name", "address"),
    [("create2", CREATE2_DEPLOYER), ("singleton", SINGLETON_FACTORY), ("multicall3", MULTICALL)],
    ids=["create2", "singleton", "multicall3"],
)
def test_genesis_holds_what_the_presigned_transaction_would_leave(ledger, name, address):
    transaction = decode_transaction(presigned(name))
    outcome = creation_of(ledger, transaction.input)
    assert outcome.status == "success"
    assert ledger.engine.view().code(address) == outcome.output
    # Its own address: the first contract of whoever signed it.
    assert address == created_first(transaction.sender)


def data_gas_at_the_floor(transaction):
    """21,000 gas pays for `transfer_bytes` there."""
    known = REGTEST.parameters.transfer_bytes
    return (transaction.size - known) * 21_000 // known


def created_first(sender):
    """Address of an account's first creation: keccak(rlp([sender, 0]))."""
    return keccak(b"\xd6\x94" + sender + b"\x80")[12:]


def test_the_presigned_limit_of_multicall3_does_not_cover_its_data(ledger):
    """Why it stands from genesis: docs/design/preinstalls.md."""
    transaction = decode_transaction(presigned("multicall3"))
    outcome = creation_of(ledger, transaction.input)
    extra = data_gas_at_the_floor(transaction)
    assert transaction.gas_limit < outcome.gas_used + extra
    assert transaction.gas_limit > transaction.intrinsic_gas + extra, "so that it would be taken, and fail"


def test_a_presigned_transaction_changes_nothing_any_more(ledger):
    transaction = decode_transaction(presigned("create2"))
    payer = ledger.keys[0]
    code = ledger.engine.view().code(CREATE2_DEPLOYER)
    cost = transaction.gas_limit * transaction.max_fee_per_gas
    receipt = ledger.block(ledger.sign(payer, to=transaction.sender, value=cost), transaction.raw).receipts[-1]
    assert receipt.status == 0
    assert ledger.engine.view().code(CREATE2_DEPLOYER) == code


@pytest.mark.parametrize("deployer", [CREATE2_DEPLOYER, SAFE_DEPLOYER], ids=["everybody's", "Safe's"])
def test_a_contract_is_deployed_by_its_salt(ledger, deployer):
    address = deploy_at_salt(ledger, ledger.keys[0], b"\x01" * 32, ANSWER, deployer)
    assert address == create2_address(deployer, b"\x01" * 32, ANSWER)
    assert ledger.read(address, "anything()", gives="uint256") == 42


def test_the_factory_of_erc_2470_deploys_by_salt(ledger):
    receipt = ledger.send(ledger.keys[1], SINGLETON_FACTORY, "deploy(bytes,bytes32)", ANSWER, b"\x02" * 32)
    assert receipt.status == 1
    assert ledger.engine.view().code(create2_address(SINGLETON_FACTORY, b"\x02" * 32, ANSWER))


def test_multicall3_answers_many_calls_in_one(ledger):
    calls = Official.at(ledger, "multicall3/Multicall3", MULTICALL)
    holder = ledger.keys[0]
    balance = calls.data("getEthBalance", holder.address)
    rows = calls.ask("aggregate3", [(calls.hex, False, balance), (calls.hex, True, b"\xde\xad\xbe\xef")])
    assert rows[0] == (True, ledger.engine.view().balance(address_of(holder)).to_bytes(32, "big"))
    assert rows[1] == (False, b"")
    assert calls.refusal("aggregate3", [(calls.hex, False, b"\xde\xad\xbe\xef")]) == "Multicall3: call failed"
