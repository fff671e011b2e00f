"""Jobs whose network takes Groth16 alone: wrapped and made short by tasks like all others, once, whatever dies.

The worker is the tests'; the programs of the pairing circuit are scripts that give a stored proof, which is judged.
"""

import asyncio
import json
import os
import stat
import sys
from collections import Counter
from pathlib import Path

import pytest

from bedroll.cli.output import Output
from bedroll.cli.prover_groth16 import shortener_of
from bedroll.cli.prover_submit import proof_object
from bedroll.config import load
from bedroll.da import ProofSystem
from bedroll.primitives import Invalid, Misconfigured
from bedroll.prover import CoreLost, Finished, JobState, TaskState
from bedroll.prover.groth16 import Keys
from bedroll.prover.groth16_task import Groth16Task
from bedroll.prover.permit import Permits
from bedroll.riscv import gnark
from bedroll.storage.crash_point import arm
from tests.unit.prover.conftest import given

VECTOR = Path(__file__).parents[2] / "vectors/proofs/small.json"
STORED = {name: bytes.fromhex(text) for name, text in json.loads(VECTOR.read_text()).items()}
WORK = ["plan", *(f"shard-{place:04}" for place in range(4)), "node-0000", "wrap"]
TASKS = [*WORK[1:], "groth16"]
KILLS = [*(("prover.after_task", passage) for passage in range(1, 8)), ("prover.after_hand_over", 1)]


class Died(BaseException):
    """What a kill is in one process: nothing above catches it."""


def die(_name):
    raise Died


class Shortener:
    """Takes what a wrapped proof ends with for the short one; `looks` is called while it works."""

    def __init__(self):
        self.made = 0
        self.looks = lambda: None

    async def work(self, folder, begun):
        begun("a stand-in")
        self.looks()
        if not (folder / "groth16.proof").exists():
            self.made += 1
            (folder / "groth16.proof").write_bytes(b"short" + (folder / "wrapped.proof").read_bytes())
        return {"seconds": 3.0, "peak_bytes": 5}


def made(prover, job):
    lines = (prover.folder_of(job) / "made").read_text().splitlines()
    return Counter(line.split()[0] for line in lines)


async def finished(prover, wraps=True):
    job = await prover.finish(prover.add(given(), "test", wraps=wraps))
    tasks = prover.queue.tasks(job.id)
    await prover.close()
    return job, tasks


async def test_a_job_that_wraps_is_handed_over_in_both_forms(opened):
    job, tasks = await finished(opened(shortener=Shortener()))
    (proof,) = opened.taken
    assert job.state is JobState.HANDED
    assert len(proof.proof) == 32
    assert proof.groth16 == proof.posted == b"shortwrapped" + proof.proof
    assert [task.name for task in tasks] == TASKS
    assert (tasks[-1].state, tasks[-1].seconds, tasks[-1].peak_bytes) == (TaskState.DONE, 3.0, 5)


async def test_other_jobs_are_not_wrapped(opened):
    prover = opened(shortener=Shortener())
    job, _ = await finished(prover, wraps=False)
    (proof,) = opened.taken
    assert (proof.groth16, proof.posted) == (b"", proof.proof)
    assert "wrap" not in made(prover, job)


@pytest.mark.parametrize(("point", "passage"), KILLS)
async def test_what_was_finished_before_a_kill_is_not_done_again(opened, point, passage):
    shortener = Shortener()
    prover = opened(shortener=shortener)
    job = prover.add(given(), "test", wraps=True)
    arm(point, die, passage)
    with pytest.raises(Died):
        await prover.finish(job)
    await prover.close()
    again = opened(shortener=shortener)
    job, _ = await finished(again)
    assert job.state is JobState.HANDED
    assert made(again, job) == Counter(WORK)
    assert shortener.made == 1
    assert len({proof.groth16 for proof in opened.taken}) == 1


async def test_the_short_form_can_be_asked_for_afterwards_and_costs_no_more(opened):
    shortener = Shortener()
    job, _ = await finished(opened(shortener=shortener), wraps=False)
    prover = opened(shortener=shortener)
    job, tasks = await finished(prover)
    assert (job.state, job.wraps) == (JobState.HANDED, True)
    assert made(prover, job) == Counter(WORK)
    assert [task.name for task in tasks] == TASKS
    assert [bool(proof.groth16) for proof in opened.taken] == [False, True]


async def test_the_short_form_can_be_asked_for_while_the_proof_is_handed_over(opened):
    prover = opened(shortener=Shortener())
    take, asked = prover._hand_over, []

    async def hand_over(proof):
        await take(proof)
        asked.append(prover.add(given(), "test", wraps=True))

    prover._hand_over = hand_over
    job = await prover.finish(prover.add(given(), "test"))
    await prover.close()
    assert job.state is JobState.HANDED
    assert [bool(proof.groth16) for proof in opened.taken] == [False, True]


async def test_no_worker_holds_memory_while_a_proof_is_made_short(opened):
    shortener = Shortener()
    prover = opened(shortener=shortener)
    held = []
    shortener.looks = lambda: held.append(prover.status().resident_bytes)
    await finished(prover)
    assert held == [0]


async def test_a_prover_without_keys_says_what_such_a_job_waits_for_and_keeps_it(opened):
    prover = opened()
    job = prover.add(given(), "test", wraps=True)
    with pytest.raises(Misconfigured) as caught:
        await prover.finish(job)
    assert caught.value.option == "prover.groth16_keys"
    await prover.close()
    shortener = Shortener()
    job, _ = await finished(opened(shortener=shortener))
    assert (job.state, shortener.made) == (JobState.HANDED, 1)


def test_the_short_form_is_what_a_node_is_given():
    values = bytes([1]) + bytes(386)
    both = Finished(job=None, proof=bytes(1_000), values=values, groth16=bytes(356))
    assert proof_object(values, both.posted).system == ProofSystem.GROTH16


# --- the pairing circuit's programs ----------------------------------------------------------------


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Writes both programs, the second as told; gives the keys."""
    folder = tmp_path / "cache/bedroll/groth16/tools"
    folder.mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "job").mkdir()
    (tmp_path / "job/wrapped.proof").write_bytes(b"wrapped")
    (tmp_path / "verifying").write_bytes(STORED["key"])

    def write(name, text):
        (folder / name).write_text(f"#!{sys.executable}\nimport json, os, pathlib, signal, sys\n{text}\n")
        (folder / name).chmod(0o755 | stat.S_IXUSR)

    def make(gnark):
        write("bedroll-groth16", "print(json.dumps({'constraints_sha256': 'ab'}))")
        write("bedroll-gnark", gnark)
        return Keys(tmp_path / "circuit", tmp_path / "proving", tmp_path / "verifying", None)

    return make


def proof_of(stored):
    _, parsed = gnark.parse_sp1(stored["key"], stored["proof"])
    inputs = [str(number) for number in parsed.public_inputs(stored["program_key"], stored["public_values"])]
    told = {"inputs": inputs, "proof": stored["proof"][-256:].hex()}
    return f"""
pathlib.Path(sys.argv[sys.argv.index('-proof') + 1]).write_text({json.dumps(told)!r})
print(json.dumps({{'step': 'prove', 'done': 1, 'all': 1, 'peak_bytes': 7}}))
"""


def permits(tmp_path):
    return Permits(1, tmp_path / "permits")


async def test_the_programs_make_a_proof_that_is_verified_and_kept(tools, tmp_path):
    task = Groth16Task(tools(proof_of(STORED)), permits(tmp_path))
    begun = []
    answer = await task.work(tmp_path / "job", begun.append)
    assert (tmp_path / "job/groth16.proof").read_bytes() == STORED["proof"]
    assert answer["peak_bytes"] == 7
    assert len(begun) == 1
    tools("sys.exit(1)")
    assert (await task.work(tmp_path / "job", begun.append))["peak_bytes"] == 0, "it is not made again"
    assert len(begun) == 1


async def test_a_proof_that_does_not_hold_is_not_kept(tools, tmp_path):
    false = STORED | {"public_values": STORED["public_values"] + b"\0"}
    with pytest.raises(Invalid, match="does not hold"):
        await Groth16Task(tools(proof_of(false)), permits(tmp_path)).work(tmp_path / "job", str)
    assert not (tmp_path / "job/groth16.proof").exists()


async def test_a_program_that_is_ended_from_outside_is_a_lost_worker(tools, tmp_path):
    task = Groth16Task(tools("os.kill(os.getpid(), signal.SIGKILL)"), permits(tmp_path))
    with pytest.raises(CoreLost):
        await task.work(tmp_path / "job", str)


async def test_a_prover_that_is_stopped_ends_the_program_and_frees_its_memory(tools, tmp_path):
    told = tmp_path / "told"
    os.mkfifo(told)
    keys = tools(f"open({str(told)!r}, 'w').write(str(os.getpid()))\nsignal.pause()")
    working = asyncio.create_task(Groth16Task(keys, permits(tmp_path)).work(tmp_path / "job", str))
    process = int(await asyncio.to_thread(told.read_text))
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert not Path(f"/proc/{process}").exists()
    os.close(await asyncio.wait_for(permits(tmp_path).take(), 5))


# --- as a service ----------------------------------------------------------------------------------


def config_of(tmp_path, network, **options):
    flags = {"network": network, "folder": tmp_path} | {f"prover.{name}": value for name, value in options.items()}
    return load(environment={}, flags=flags).config


async def test_a_network_that_takes_compressed_proofs_needs_no_keys(tmp_path):
    assert await shortener_of(config_of(tmp_path, "regtest", key="k"), Output(as_json=False)) is None


async def test_a_service_on_another_network_needs_keys_before_it_begins(tmp_path):
    with pytest.raises(Misconfigured) as caught:
        await shortener_of(config_of(tmp_path, "mainnet", key="k"), Output(as_json=False))
    assert "prover.groth16_keys" in caught.value.option
    assert "https://" in caught.value.allowed


async def test_without_a_node_to_give_them_to_proofs_stay_compressed_files(tmp_path, capsys):
    assert await shortener_of(config_of(tmp_path, "mainnet"), Output(as_json=False)) is None
    assert "takes Groth16 alone" in "".join(capsys.readouterr())
