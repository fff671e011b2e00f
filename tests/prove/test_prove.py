"""A batch with transfers, a token's transfer, a deployment and a forced message becomes a compressed proof here.

The worker is killed once in mid-shard: what was finished before stays finished. What it took is printed.
"""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from bedroll._core._native import Statement
from bedroll.prover import Core, JobState, Prover, TaskState
from bedroll.prover.budget import checked_budget
from bedroll.prover.core import find_worker
from bedroll.prover.verifier import WorkerVerifier
from tests.framework.proof_batch import proof_batch
from tests.framework.scene import Scene

pytestmark = pytest.mark.prove
PROGRAM = Path(__file__).parents[2] / "crates/guest/elf/batch.elf"
MEMORY_BYTES = 20 << 30
"""What row 8 of the plan allows on this kind of machine."""


async def kill_in_mid_shard(prover, job):
    """Wait until a shard is done and the next one runs; then kill the worker as the system would."""
    while not any(task.state is TaskState.DONE for task in prover.queue.tasks(job.id)):
        await asyncio.sleep(1)
    await asyncio.sleep(2)
    process = prover._crew._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)


@pytest.mark.timeout(7_200)
async def test_a_batch_of_ten_is_proved_within_the_budget(tmp_path):
    batch = proof_batch(Scene(tmp_path / "scene"))
    worker = find_worker(None)
    taken = []

    async def take(finished):
        taken.append(finished)

    core = Core(worker, checked_budget(MEMORY_BYTES))
    prover = Prover(tmp_path / "prover", core, PROGRAM.read_bytes(), take, memory_bytes=MEMORY_BYTES)
    begun = time.monotonic()
    job = prover.add(batch.given, "ten transactions")
    killer = asyncio.create_task(kill_in_mid_shard(prover, job))
    job = await prover.finish(job)
    await killer
    wall = time.monotonic() - begun
    names = (await core.ask({"do": "key", "program": str(PROGRAM)}))["key"]
    tasks = prover.queue.tasks(job.id)
    await prover.close()
    assert job.state is JobState.HANDED, job.reason
    (proof,) = taken
    assert proof.values == batch.stated
    assert Statement.decode(proof.values).tip is not None
    with WorkerVerifier(worker) as verifier:
        assert verifier.reason(proof.proof, proof.values, bytes.fromhex(names["program"])) is None
    print(f"\n{job.cycles:,} cycles, {len(proof.proof):,} bytes of proof, {wall:,.0f} s in all")
    for task in tasks:
        print(f"  {task.name:<12} {task.kind:<18} {task.seconds:7.1f} s  {task.peak_bytes / 2**30:5.1f} GiB")
    assert max(task.peak_bytes for task in tasks) <= MEMORY_BYTES
