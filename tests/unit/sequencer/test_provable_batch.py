"""A leader who posts without signatures makes no batch that one proof may not cover, counted by running the proved
program upon the batch that he would post; a block that is too long alone goes out with signatures.

The count is a stand-in, a thousand a block; what it counts is run by the program itself.
"""

from dataclasses import replace

import pytest

from bedroll._core._native import Statement, run_program
from bedroll.da import BatchForm, parse_object
from bedroll.node.proof_source import batch_input
from bedroll.primitives import Invalid
from tests.framework.devnet import OPTION, open_rollup
from tests.unit.sequencer.test_leader import postings

CYCLES = 1_000


class Count:
    """As the executor would count, with what it is asked."""

    def __init__(self, node, limit):
        self.node, self.limit, self.asked = node, limit, []

    async def of(self, batch):
        given, stated = batch_input(self.node.engine, self.node.deriver.native_origin, batch)
        assert run_program(given) == stated
        assert Statement.decode(stated).tip == batch.header.tip_l2_hash
        self.asked.append(batch.header.block_count)
        return CYCLES * batch.header.block_count


def proven(rollup, limit):
    batcher = rollup.leader.batcher
    batcher._policy = replace(OPTION.sequencer.batch, form=BatchForm.PROVEN)
    batcher._cycles = Count(rollup.node, limit)
    return batcher._cycles


async def blocks(rollup, count):
    for _ in range(count):
        await rollup.send(rollup.transfer(0))
        await rollup.block()


async def posted(rollup):
    """Heights and form of each batch after the first."""
    for _ in range(4):
        await rollup.post()
        await rollup.mine()
    raws = [rollup.node.writer._queue.object_of(each) for each in postings(rollup, "batch")[1:]]
    headers = [parse_object(raw).header for raw in raws]
    return [(each.first_height, each.first_height + each.block_count - 1, each.form) for each in headers]


@pytest.mark.parametrize(
    ("limit", "ends"),
    [(5 * CYCLES, [6]), (5 * CYCLES - 1, [5, 6]), (2 * CYCLES, [3, 5, 6])],
)
async def test_batches_end_where_a_proof_may_not_cover_more(embedded_chain, tmp_path, limit, ends):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await rollup.block()
        await rollup.settle()
        count = proven(rollup, limit)
        await blocks(rollup, 5)
        firsts = [2, *(end + 1 for end in ends[:-1])]
        assert await posted(rollup) == [
            (first, last, BatchForm.PROVEN) for first, last in zip(firsts, ends, strict=True)
        ]
        assert count.asked[0] == 5


async def test_a_block_that_is_too_long_alone_is_posted_with_signatures(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await rollup.block()
        await rollup.settle()
        proven(rollup, CYCLES - 1)
        await blocks(rollup, 2)
        assert (await posted(rollup))[0] == (2, 2, BatchForm.SIGNED)


async def test_a_batch_that_cannot_be_counted_is_posted_whole(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await rollup.block()
        await rollup.settle()
        count = proven(rollup, CYCLES)

        async def refuse(_batch):
            raise Invalid("the state before it is not kept")

        count.of = refuse
        await blocks(rollup, 3)
        assert await posted(rollup) == [(2, 4, BatchForm.PROVEN)]
