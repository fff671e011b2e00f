"""A store that the last program of an earlier schema left opens, says what that program said, and goes on."""

import gzip
import json
from pathlib import Path

import pytest

from bedroll.execution.engine import Engine
from bedroll.primitives import Invalid
from tests.framework.ledger import MAP_SIZE_BYTES, Ledger, accounts

VECTORS = Path(__file__).parents[2] / "vectors" / "store"
WANTED = json.loads((VECTORS / "schema_1.json").read_text())
GENESIS = gzip.decompress((VECTORS / "schema_1.genesis.json.gz").read_bytes()).decode()
SENDER, RECIPIENT, CREATED = 1, 2, 4


def opened(folder):
    return Engine.open(str(folder), GENESIS, map_size_bytes=MAP_SIZE_BYTES, sync=False)


@pytest.fixture(params=[1, 2, 3, 4, 5, 6])
def old(request, tmp_path):
    """The folder of the store as the last program of a schema left it."""
    folder = tmp_path / "chain"
    folder.mkdir()
    unpacked = {"data.mdb": f"schema_{request.param}.mdb.gz"}
    if request.param >= 5:
        (folder / "accounts").mkdir()
        unpacked["accounts/00000001"] = f"schema_{request.param}.accounts.gz"
    for name, packed in unpacked.items():
        (folder / name).write_bytes(gzip.decompress((VECTORS / packed).read_bytes()))
    return folder


def same_answers(engine, tip):
    """Compare all that was written down, up to a height."""
    for height, block in enumerate(WANTED["blocks"][: tip + 1]):
        found = engine.block(height)
        assert found.header.hash.hex() == block["hash"]
        assert [one.hash.hex() for one in found.transactions] == block["transactions"]
        for index, name in enumerate(block["transactions"]):
            assert engine.find_transaction(bytes.fromhex(name)) == (height, index)
            transaction, receipt = engine.transaction(height, index)
            assert transaction.hash.hex() == receipt.transaction_hash.hex() == name
    logs = [row for row in WANTED["logs"] if row[0] <= tip]
    found = engine.logs(0, tip, [], [], 1_000)
    rows = [
        [*row[:3], row[3].address.hex(), [topic.hex() for topic in row[3].topics], row[3].data.hex()] for row in found
    ]
    assert rows == logs
    for address in {row[3] for row in logs}:
        by_address = [list(row[:3]) for row in engine.logs(0, tip, [bytes.fromhex(address)], [], 1_000)]
        assert by_address == [row[:3] for row in logs if row[3] == address]
    for topic in {row[4][1] for row in logs if len(row[4]) > 1}:
        by_topic = [list(row[:3]) for row in engine.logs(0, tip, [], [[], [bytes.fromhex(topic)]], 1_000)]
        assert by_topic == [row[:3] for row in logs if len(row[4]) > 1 and row[4][1] == topic]
    for height, state in WANTED["state"].items():
        if int(height) <= tip:
            view = engine.view(int(height))
            assert {who: str(view.balance(bytes.fromhex(who))) for who in state["balances"]} == state["balances"]
            maker = bytes.fromhex(WANTED["maker"])
            assert {slot: view.storage(maker, int(slot)).hex() for slot in state["slots"]} == state["slots"]


def appearances_by_scan(engine, address, tip):
    rows = []
    for height in range(tip + 1):
        for index, transaction in enumerate(engine.block(height).transactions):
            receipt = engine.block(height).receipts[index]
            roles = SENDER * (transaction.sender == address) + RECIPIENT * (transaction.to == address)
            roles += CREATED * (receipt.status == 1 and receipt.contract == address)
            if roles:
                rows.append((height, index, roles))
    return rows


def test_a_store_of_an_earlier_schema_says_what_it_said(old):
    engine = opened(old)
    tip = WANTED["tip"]
    assert (engine.tip().number, engine.oldest_state()) == (tip, WANTED["oldest"])
    assert [[index, id.hex()] for index, id, _ in engine.forced_pending()] == WANTED["forced_pending"]
    same_answers(engine, tip)
    engine.close()
    engine = opened(old)
    same_answers(engine, tip)
    engine.close()


def test_addresses_of_its_transactions_are_found(old):
    engine, tip = opened(old), WANTED["tip"]
    maker = bytes.fromhex(WANTED["maker"])
    for address in [bytes.fromhex(who) for who in WANTED["state"]["6"]["balances"]] + [maker]:
        assert engine.appearances(address, limit=1_000) == (appearances_by_scan(engine, address, tip), False)
    height, index, creator = engine.creation_of(maker)
    transaction, receipt = engine.transaction(height, index)
    assert (receipt.contract, transaction.sender) == (maker, creator)
    assert engine.transaction_by_nonce(creator, transaction.nonce) == (height, index)
    engine.close()


def test_it_unwinds_and_grows_as_if_it_were_new(old):
    engine = opened(old)
    engine.unwind_to(9)
    same_answers(engine, 9)
    with pytest.raises(Invalid):
        engine.view(10)
    ledger = Ledger(engine, accounts(4), engine.block(9).origin_height)
    maker = bytes.fromhex(WANTED["maker"])
    data = b"".join(number.to_bytes(32, "big") for number in (1, 99, 5))
    ledger.block()
    ledger.block(ledger.sign(ledger.keys[0], to=maker, data=data))
    engine.commit()
    assert [row[:3] for row in engine.logs(10, 99, [maker], [], 9)] == [(11, 0, 0)]
    assert engine.logs(10, 10, [], [], 9) == []
    engine.unwind_to(6)
    same_answers(engine, 6)
    engine.close()
