"""A prover's tasks on a Ray cluster of this machine: the same results by one worker and by four, and what kills cost.

The cluster, its workers and the kills are real; the program that they run is the tests' own, whose proof is a hash of
all that it stands on, so that a lost, swapped or foreign part would show.
"""

import asyncio
import importlib.util
import json
import os
import secrets
import signal
import socket
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bedroll.primitives import Misconfigured
from bedroll.prover import Core, JobState, Prover
from bedroll.prover.permit import Permits
from bedroll.prover.ray_crew import LOCAL, RayCrew

# Not imported here: Ray reads its environment, which the cluster sets, when it is.
HAS_RAY = importlib.util.find_spec("ray") is not None
pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not HAS_RAY, reason="Ray: pip install 'bedroll[ray]'"),
]
WORKER = Path(__file__).parents[1] / "framework/prover_worker.py"
KINDS = ["keccak_permute", "uint256_mul", *["core"] * 6, "memory"]
SHARDS, NODES = len(KINDS), 3
MEMORY_BYTES = 1 << 30


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster as `ray start` makes one, with a token of its own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = tmp_path_factory.mktemp("ray") / "token"
    token.write_text(secrets.token_hex(32))
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory(prefix="ray-") as folder:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
        patch.setenv("RAY_ADDRESS", "")
        begin = [Path(sys.executable).with_name("ray"), "start", "--head", "--block", "--disable-usage-stats"]
        begin += [f"--port={port}", "--include-dashboard=false", f"--temp-dir={folder}", "--node-ip-address=127.0.0.1"]
        begin += [f"--object-store-memory={128 << 20}"]
        with subprocess.Popen(begin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as head:
            said = []
            while not said or "To terminate the Ray runtime" not in said[-1]:
                said.append(head.stdout.readline())
                assert said[-1], said
            yield f"127.0.0.1:{port}"
            head.terminate()
            head.communicate()


class Bench:
    """Provers of one folder each, and what their workers tell."""

    def __init__(self, folder, cluster):
        self.folder = folder
        self.cluster = cluster
        self.worker = folder / "worker"
        self.worker.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{WORKER}"\n')
        self.worker.chmod(self.worker.stat().st_mode | stat.S_IXUSR)
        self.pipe = folder / "told"
        os.mkfifo(self.pipe)
        self.open_end = os.open(self.pipe, os.O_RDWR)
        self.told = []
        self.changed = asyncio.Event()
        self.taken = []
        self.seen = []

    def given(self, **fields):
        """An input; what happens once is noted beside the folder of its job."""
        marks = self.folder / "marks"
        marks.mkdir(exist_ok=True)
        return json.dumps({"shards": KINDS, "tell": str(self.pipe), "marks": str(marks)} | fields).encode()

    def crew(self, count, permits):
        return RayCrew(
            self.cluster, count, self.worker, MEMORY_BYTES, permits=Permits(permits, self.folder / "permits")
        )

    def prover(self, name, crew):
        async def take(finished):
            self.taken.append(finished)

        return Prover(self.folder / name, crew, b"\x7fELF", take, memory_bytes=MEMORY_BYTES, on_change=self.seen.append)

    def listen(self):
        """Take in what workers tell, as it comes."""
        buffer = b""

        def ready():
            nonlocal buffer
            buffer += os.read(self.open_end, 1 << 16)
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                name, process, parent, what = line.decode().split()
                self.told.append((name, int(process), int(parent), what))
            self.changed.set()

        asyncio.get_running_loop().add_reader(self.open_end, ready)

    async def halts(self, count):
        """Wait until so many tasks stand still; each with its process and the actor above it."""
        while len(found := [each for each in self.told if each[3] == "halts"]) < count:
            self.changed.clear()
            await self.changed.wait()
        return [each[:3] for each in found]

    def made(self):
        return Counter(name for name, _, _, what in self.told if what == "made")

    async def proved(self, name, crew, content, verified=()):
        prover = self.prover(name, crew)
        job = prover.add(content, "test")
        for place, proof in enumerate(verified):
            (prover.folder_of(job) / f"given-{place:04}.proof").write_bytes(proof)
        try:
            return await prover.finish(job)
        finally:
            await prover.close()


@pytest.fixture
async def bench(tmp_path, cluster):
    made = Bench(tmp_path, cluster)
    made.listen()
    yield made
    asyncio.get_running_loop().remove_reader(made.open_end)
    os.close(made.open_end)


EVERY_TASK_ONCE = Counter(
    ["plan", *(f"shard-{place:04}" for place in range(SHARDS)), *(f"node-{place:04}" for place in range(NODES))]
)


@pytest.mark.parametrize(("workers", "permits"), [(1, 1), (4, 4), (4, 1)])
async def test_workers_of_any_number_make_what_one_process_makes(bench, workers, permits):
    verified = (b"a proof", b"another")
    alone = await bench.proved("alone", Core(bench.worker, MEMORY_BYTES), bench.given(), verified)
    assert bench.made() == EVERY_TASK_ONCE
    bench.told.clear()
    shared = await bench.proved("shared", bench.crew(workers, permits), bench.given(), verified)
    first, second = bench.taken
    assert alone.state is shared.state is JobState.HANDED
    assert (first.values, first.proof) == (second.values, second.proof)
    assert bench.made() == EVERY_TASK_ONCE
    await bench.proved("other", Core(bench.worker, MEMORY_BYTES), bench.given(), verified[:1])
    assert bench.taken[-1].proof != first.proof


async def test_four_workers_prove_four_shards_at_once_and_one_permit_lets_one_prove(bench):
    first = [f"shard-{place:04}" for place in range(SHARDS)]
    working = asyncio.create_task(bench.proved("shared", bench.crew(4, 4), bench.given(halt=first)))
    halts = await bench.halts(4)
    assert len({process for _, process, _ in halts}) == 4
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert not [process for _, process, _ in halts if Path(f"/proc/{process}").exists()]
    bench.told.clear()
    job = await bench.proved("again", bench.crew(4, 1), bench.given())
    assert job.state is JobState.HANDED
    assert len({process for _, process, _, _ in bench.told}) == 1
    assert max(len(status.running) for status in bench.seen if status.workers == 4) <= 4


@pytest.mark.parametrize("killed", ["worker", "actor"])
@pytest.mark.parametrize("permits", [1, 4])
async def test_a_worker_killed_in_mid_shard_costs_that_shard_only(bench, killed, permits):
    working = asyncio.create_task(bench.proved("shared", bench.crew(4, permits), bench.given(halt=["shard-0003"])))
    ((name, process, actor),) = await bench.halts(1)
    os.kill(process if killed == "worker" else actor, signal.SIGKILL)
    job = await working
    assert job.state is JobState.HANDED
    assert name == "shard-0003"
    assert bench.made() == EVERY_TASK_ONCE
    assert len(bench.taken) == 1


async def test_a_prover_that_starts_again_asks_for_what_was_not_finished_only(bench):
    working = asyncio.create_task(bench.proved("shared", bench.crew(2, 2), bench.given(halt=["node-0002"])))
    await bench.halts(1)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    job = await bench.proved("shared", bench.crew(2, 2), bench.given(halt=["node-0002"]))
    assert job.state is JobState.HANDED
    assert bench.made() == EVERY_TASK_ONCE


async def test_an_input_that_a_worker_refuses_fails_with_its_reason(bench):
    job = await bench.proved("shared", bench.crew(1, 1), bench.given(fail="shard-0001"))
    assert job.state is JobState.FAILED
    assert "this cannot be proved" in job.reason


async def test_a_machine_without_the_worker_is_named(bench):
    bench.worker = bench.folder / "absent"
    with pytest.raises(Misconfigured, match="no worker can prove") as caught:
        await bench.proved("shared", bench.crew(2, 2), bench.given())
    assert "worker is not there" in caught.value.allowed


async def test_a_cluster_of_this_machine_alone_begins_and_ends_with_the_prover(bench, monkeypatch):
    bench.cluster = LOCAL
    before = signal.getsignal(signal.SIGTERM)
    crew = bench.crew(2, 2)
    assert signal.getsignal(signal.SIGTERM) is before
    job = await bench.proved("shared", crew, bench.given())
    assert job.state is JobState.HANDED
    assert not crew._ray.is_initialized()
