"""The light client predeploy knows the origins and proves inclusion in them, and in nothing else."""

from hashlib import sha256

import pytest

from bedroll.protocol import LIGHT_CLIENT
from tests.framework.ledger import Ledger, address_of, revert_text

CLIENT = bytes(LIGHT_CLIENT)
INCLUDES = "includes(uint256,bytes,uint256,bytes32[],bytes,bytes32[])"


def _hash(data):
    return sha256(sha256(data).digest()).digest()


def _tree(leaves):
    """All levels of Bitcoin's Merkle tree, an odd tail paired with itself."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        level = levels[-1]
        padded = [*level, level[-1]] if len(level) % 2 else level
        levels.append([_hash(padded[i] + padded[i + 1]) for i in range(0, len(padded), 2)])
    return levels


def _path(levels, index):
    path = []
    for level in levels[:-1]:
        sibling = index ^ 1
        path.append(level[sibling] if sibling < len(level) else level[index])
        index >>= 1
    return path


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.engine.close()


@pytest.fixture
def mined(ledger):
    """An origin whose block holds a coinbase and four transactions; the second transaction has 64 bytes."""
    transactions = [b"coinbase" * 20, b"\x02" * 64, *(bytes([n]) * (100 + n) for n in range(3))]
    levels = _tree([_hash(transaction) for transaction in transactions])
    header = bytes(36) + levels[-1][0] + (1_700_000_123).to_bytes(4, "little") + bytes(8)
    ledger.block(origin=ledger.next_origin(header=header))
    return transactions, levels, header


def _includes(ledger, transaction, index, path, coinbase, coinbase_path):
    return ledger.ask(CLIENT, INCLUDES, 1, transaction, index, path, coinbase, coinbase_path)


def test_it_takes_in_each_origin(ledger, mined):
    header = mined[2]
    assert ledger.read(CLIENT, "height()", gives="uint256") == 1
    assert ledger.read(CLIENT, "height_of(bytes32)", _hash(header), gives="uint256") == 1
    block = ledger.read(CLIENT, "block_at(uint256)", 1, gives="(bytes32,bytes32,bytes32,uint256,uint256,uint256)")
    assert block[0] == _hash(header)
    assert block[1] == mined[1][-1][0]
    assert block[3] == 1_700_000_123


def test_only_the_system_sets_an_origin(ledger, mined):
    outcome = ledger.ask(
        CLIENT,
        "set_origin(bytes,uint256,bytes32,uint256,uint256)",
        bytes(80),
        2,
        bytes(32),
        1,
        1,
        sender=address_of(ledger.keys[0]),
    )
    assert revert_text(outcome) == "caller is not the system"


def test_every_transaction_of_the_block_is_included(ledger, mined):
    transactions, levels, _ = mined
    for index in (0, 2, 3, 4):
        outcome = _includes(ledger, transactions[index], index, _path(levels, index), transactions[0], _path(levels, 0))
        assert outcome.status == "success"
        assert int.from_bytes(outcome.output) == 1


def test_a_changed_transaction_is_not_included(ledger, mined):
    transactions, levels, _ = mined
    outcome = _includes(ledger, transactions[2] + b"x", 2, _path(levels, 2), transactions[0], _path(levels, 0))
    assert outcome.status == "success"
    assert int.from_bytes(outcome.output) == 0


def test_a_transaction_of_64_bytes_is_refused(ledger, mined):
    transactions, levels, _ = mined
    outcome = _includes(ledger, transactions[1], 1, _path(levels, 1), transactions[0], _path(levels, 0))
    assert revert_text(outcome) == "64-byte transaction"


def test_an_inner_node_does_not_pass_for_a_transaction_below_the_leaves(ledger, mined):
    transactions, levels, _ = mined
    inner = transactions[1]
    path = [inner[32:], *_path(levels, 1)]
    outcome = _includes(ledger, inner[:32] * 3, 2, path, transactions[0], _path(levels, 0))
    assert revert_text(outcome) == "paths of unequal depth"


def test_an_index_beyond_the_tree_is_refused(ledger, mined):
    transactions, levels, _ = mined
    outcome = _includes(ledger, transactions[2], 2 + 8, _path(levels, 2), transactions[0], _path(levels, 0))
    assert revert_text(outcome) == "index beyond the tree"


def test_the_copy_of_an_odd_tail_is_refused(ledger, mined):
    transactions, levels, _ = mined
    outcome = _includes(ledger, transactions[4], 5, _path(levels, 4), transactions[0], _path(levels, 0))
    assert revert_text(outcome) == "duplicated tail"


def test_a_height_that_was_no_origin_is_refused(ledger, mined):
    transactions, levels, _ = mined
    path = _path(levels, 2)
    outcome = ledger.ask(CLIENT, INCLUDES, 9, transactions[2], 2, path, transactions[0], _path(levels, 0))
    assert revert_text(outcome) == "no origin at this height"
