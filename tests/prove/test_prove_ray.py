"""The same batch is proved by workers of a Ray cluster of this machine: one, and four with one permit between them.

A worker is killed in mid-shard: the shard is proved again, by another worker where there is one, and what was finished
stays as it was.
"""

import importlib.util
import os
import signal
from pathlib import Path

import pytest

from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.protocol import REGTEST
from bedroll.prover import Core, JobState, Prover, TaskState
from bedroll.prover.core import find_worker
from bedroll.prover.permit import Permits
from bedroll.prover.ray_crew import LOCAL, RayCrew
from bedroll.prover.verifier import WorkerVerifier
from tests.framework.proof_batch import proof_batch

HAS_RAY = importlib.util.find_spec("ray") is not None
pytestmark = [pytest.mark.prove, pytest.mark.skipif(not HAS_RAY, reason="Ray: pip install 'bedroll[ray]'")]
PROGRAM = Path(__file__).parents[2] / "crates/guest/elf/batch.elf"
MEMORY_BYTES = 18 << 30


class Watch:
    """Sees each status; kills the worker of the second shard, and remembers what was finished then."""

    def __init__(self, folder):
        self.folder = folder
        self.killed = ""
        self.workers = set()
        self.finished = {}

    def __call__(self, status):
        self.workers.update(each.worker for each in status.running)
        assert len(status.running) <= 1, "one permit lets one worker prove"
        for each in status.running:
            done = [task.name for job in status.jobs for task in job.tasks if task.state == TaskState.DONE]
            if not self.killed and done and each.name.startswith("shard") and status.written - each.since > 5:
                self.killed = each.name
                files = (self.folder / "jobs" / each.job).glob("*.proof")
                self.finished = {file.name: file.stat().st_mtime_ns for file in files}
                os.kill(int(each.worker.rpartition("/")[2]), signal.SIGKILL)


@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("workers", [1, 4])
async def test_workers_of_a_cluster_make_a_proof_that_holds_whatever_is_killed(tmp_path, workers):
    taken = []

    async def take(finished):
        taken.append(finished)
        for name, made in watch.finished.items():
            assert (folder / "jobs" / finished.job.id / name).stat().st_mtime_ns == made

    folder = tmp_path / "prover"
    watch = Watch(folder)
    with proof_batch(tmp_path / "chain", Sp1Verifier.of_network(REGTEST)) as posted:
        crew = RayCrew(LOCAL, workers, None, MEMORY_BYTES, permits=Permits(1))
        prover = Prover(folder, crew, PROGRAM.read_bytes(), take, memory_bytes=MEMORY_BYTES, on_change=watch)
        try:
            job = await prover.finish(prover.add(posted.given, "ten transactions"))
            tasks = prover.queue.tasks(job.id)
        finally:
            await prover.close()
        assert job.state is JobState.HANDED, job.reason
        (proof,) = taken
        assert proof.values == posted.stated
    assert watch.killed
    assert watch.killed + ".proof" not in watch.finished
    assert len(watch.workers) >= 2
    core = Core(find_worker(None), MEMORY_BYTES)
    names = (await core.ask({"do": "key", "program": str(PROGRAM)}))["key"]
    await core.close()
    with WorkerVerifier(find_worker(None)) as verifier:
        assert verifier.reason(proof.proof, proof.values, bytes.fromhex(names["program"])) is None
    print(f"\n{workers} workers; {watch.killed} was killed; {job.cycles:,} cycles")
    for task in tasks:
        print(f"  {task.name:<12} {task.kind:<18} {task.seconds:7.1f} s  {task.peak_bytes / 2**30:5.1f} GiB")
