"""A batch with transfers, a token's transfer, a deployment and a forced message becomes a compressed proof here, is
inscribed, and moves a node that never saw the signatures.

The worker is killed once in mid-shard: what was finished before stays finished. What it took is printed: cycles by
part of the program, shards, time, and the most memory that was held.
"""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from scripts.guest_profile import PERIOD, parts_of, profile, table

from bedroll.da import Proof, ProofSystem, StatementKind, split
from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.protocol import REGTEST
from bedroll.prover import Core, JobState, Prover, TaskState
from bedroll.prover.budget import checked_budget
from bedroll.prover.core import find_worker
from bedroll.prover.executor import find_executor
from tests.costs.guest import executed
from tests.framework.proof_batch import proof_batch
from tests.framework.site import Site

pytestmark = pytest.mark.prove
PROGRAM = Path(__file__).parents[2] / "crates/guest/elf/batch.elf"
MEMORY_BYTES = 20 << 30
"""Most that a machine of 24 GiB gives."""


async def kill_in_mid_shard(prover, core, job):
    """Wait until a shard is done and the next one runs; then kill the worker as the system would."""
    while not any(task.state is TaskState.DONE for task in prover.queue.tasks(job.id)):
        await asyncio.sleep(1)
    await asyncio.sleep(2)
    process = core._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)


@pytest.mark.timeout(1_800)
def test_the_cycles_of_the_run_are_told_by_part(tmp_path):
    """The program with its symbols is the one that is proved, as it takes the same cycles. It may have to be built."""
    with proof_batch(tmp_path) as posted:
        cycles, samples = profile(posted.given)
        assert cycles == executed(find_executor(None), posted.given)[0]
    print("\n" + "\n".join(table(cycles, samples)))
    parts = parts_of(samples)
    assert parts.total() == pytest.approx(cycles / PERIOD, rel=0.01)
    assert {"signatures", "codec", "evm", "roots of state", "witness"} <= parts.keys()
    assert parts["rest"] < parts.total() / 10


@pytest.mark.timeout(7_200)
async def test_a_batch_of_ten_is_proved_within_the_budget_and_believed(tmp_path):
    with proof_batch(tmp_path / "chain", Sp1Verifier.of_network(REGTEST)) as posted:
        proof = await prove(tmp_path / "prover", posted.given)
        assert proof.values == posted.stated
        shown = Proof(
            statement=StatementKind.BATCH, system=ProofSystem.COMPRESSED, public_values=proof.values, proof=proof.proof
        )
        posted.leader.post(*split(shown.encode()), fee=REGTEST.parameters.proof_fee)
        other = Site(tmp_path / "other", posted.leader.genesis, posted.leader.chain, verifier=posted.leader.verifier)
        other.follow()
        assert other.pipeline.safe.height == posted.leader.engine.tip().number
        assert set(other.blocks()[-1].own_signatures()) == {None}
        other.close()


async def prove(folder, given):
    """The finished proof; what it took is printed, and is within the budget."""
    taken = []

    async def take(finished):
        taken.append(finished)

    core = Core(find_worker(None), checked_budget(MEMORY_BYTES))
    prover = Prover(folder, core, PROGRAM.read_bytes(), take, memory_bytes=MEMORY_BYTES)
    begun = time.monotonic()
    job = prover.add(given, "ten transactions")
    killer = asyncio.create_task(kill_in_mid_shard(prover, core, job))
    job = await prover.finish(job)
    await killer
    wall = time.monotonic() - begun
    tasks = prover.queue.tasks(job.id)
    await prover.close()
    assert job.state is JobState.HANDED, job.reason
    (proof,) = taken
    print(f"\n{job.cycles:,} cycles, {len(proof.proof):,} bytes of proof, {wall:,.0f} s in all")
    peak_bytes = max(task.peak_bytes for task in tasks)
    print(f"{sum(task.kind != 'node' for task in tasks)} shards, at most {peak_bytes / 2**30:.1f} GiB")
    for task in tasks:
        print(f"  {task.name:<12} {task.kind:<18} {task.seconds:7.1f} s  {task.peak_bytes / 2**30:5.1f} GiB")
    assert peak_bytes <= MEMORY_BYTES
    return proof
