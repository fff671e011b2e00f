"""A leader's batch is cut where the executor counts more cycles than a proof may cover: there, and one below."""

import os
from pathlib import Path

import pytest

from bedroll.da import BatchForm
from bedroll.node.batch_cycles import BatchCycles, ProofLimit
from bedroll.node.proof_source import batch_input
from bedroll.prover.executor import Ran, execute
from bedroll.sequencer.proof_size import longest_within
from tests.costs.guest import PROGRAM, executed
from tests.framework.devnet import open_rollup

pytestmark = pytest.mark.guest


@pytest.fixture
def executor():
    return Path(os.environ["BEDROLL_EXECUTOR"])


async def test_cycles_of_a_batch_are_counted_and_cut_exactly_at_the_limit(embedded_chain, tmp_path, executor):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        for _ in range(4):
            await rollup.send(*(rollup.transfer(0) for _ in range(5)))
            await rollup.block()
        node, build = rollup.node, rollup.leader.batcher._build
        limit = ProofLimit(executor=executor, program=PROGRAM, cycles_max=1)
        cycles = BatchCycles(node.engine, node._thread, node.deriver.native_origin, limit)

        async def count(last):
            batch, _ = await node._thread.run(build, 1, last, BatchForm.PROVEN)
            return await cycles.of(batch)

        whole, _ = build(1, 4, BatchForm.PROVEN)
        given, stated = batch_input(node.engine, node.deriver.native_origin, whole)
        counted, code, values = executed(executor, given)
        assert (code, values) == (0, stated)
        assert await count(4) == counted
        three = await count(3)
        assert three < counted
        assert await longest_within(1, 4, counted, count) == 4
        assert await longest_within(1, 4, counted - 1, count) == 3
        assert await longest_within(1, 4, three, count) == 3
        assert await longest_within(1, 4, three - 1, count) == 2
        assert await longest_within(1, 4, await count(1) - 1, count) is None
        (tmp_path / "input.bin").write_bytes(given)
        assert await execute(executor, PROGRAM, tmp_path / "input.bin") == Ran(counted, stated)
        print(f"{counted:,} cycles for {whole.header.block_count} blocks of 5 transfers")
