"""Leaves with real signatures in real taproot spends: Bitcoin Core's code accepts them, relay's rules hold, costs stay.

One leaf of each kind, T = 26 as on the chain; each is refused with any signature swapped for another message's.
"""

import pytest

from bedroll.bitcoin.builder import Input, LeafPath
from bedroll.bitcoin.policy import check_standard
from bedroll.bitcoin.transaction import TxOut
from bedroll.bitvm.interpreter import Cost
from bedroll.primitives import Satoshi
from tests.costs.script_price import recorded_leaf
from tests.framework.chain import spend
from tests.framework.leaf_play import LEAVES, play
from tests.framework.signed_leaf import judged
from tests.framework.tapscript import SECRET

POLICY_WU = 400_000


QUICK = {"add", "xor", "mulh", "div", "sll", "lb", "sb", "beq", "jalr", "ecall"}
"""Instructions whose leaves are always spent; the others with the slow tests."""


def marked(name):
    slow = name.startswith("execute_") and name != "execute_2" and name.removeprefix("execute_") not in QUICK
    return pytest.param(name, marks=pytest.mark.slow) if slow else name


@pytest.mark.parametrize("name", [marked(name) for name in LEAVES])
def test_a_leaf_is_spent_by_consensus_and_policy_at_its_recorded_cost(name):
    leaf, spent, items = play(name)
    cost = judged(spent, items)
    assert isinstance(cost, Cost), cost
    assert spent.is_valid(items)
    transaction = spent.filled(items)
    check_standard(transaction, [spent.spent])
    assert len(spent.script) == leaf.size_bytes
    assert len(items) == leaf.items
    assert transaction.weight < POLICY_WU
    assert cost.peak_items <= 1_000
    assert recorded_leaf(name) == [leaf.size_bytes, len(items), cost.peak_items]


def test_another_message_of_the_same_key_does_not_verify():
    for name in ("digit_1_1", "opening_1", "opcode_chunk_0", "uninitialized_read_1"):
        _, spent, items = play(name)
        for at in range(len(items) - 1):
            swapped = list(items)
            swapped[at] = bytes(20) if len(items[at]) == 20 else b"\x01" if items[at] == b"" else b""
            assert not spent.is_valid(swapped), (name, at)
            assert isinstance(judged(spent, tuple(swapped)), str)


def test_a_leaf_needs_the_movers_signature():
    _, spent, items = play("digit_1_1")
    wrong = bytes(64)
    assert judged(spent, (*items[:-1], wrong)) == "SCHNORR_SIG"
    assert not spent.is_valid((*items[:-1], wrong))
    assert not spent.is_valid((*items[:-1], b""))


async def test_leaves_are_funded_and_spent_on_a_chain(embedded_chain):
    """Standardness as a node has it, and a block that holds the spends."""
    chain = embedded_chain
    for name in ("trace_hash", "execute_div", "hashes_1_1", "input", "opcode_chunk_0"):
        _, prepared, items = play(name)
        (point,) = await chain.fund(prepared.output.script, Satoshi(200_000))
        await chain.mine(1)
        path = LeafPath(prepared.script, prepared.control, SECRET, items[:-1])
        given = Input(point, TxOut(Satoshi(200_000), prepared.output.script), path)
        transaction = spend([given], [TxOut(Satoshi(150_000), chain.miner.script)])
        (verdict,) = await chain.client.test_accept([transaction.raw])
        assert verdict.accepted, (name, verdict)
        await chain.client.broadcast([transaction.raw])
        await chain.mine(1)
        assert await chain.client.coin(*point) is None
        assert await chain.client.coin(transaction.txid, 0) is not None
