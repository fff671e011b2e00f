"""A job goes from input to proof once, whatever dies on the way."""

import asyncio
import json
import shutil
from collections import Counter
from hashlib import sha256
from types import SimpleNamespace

import pytest

from bedroll.primitives import Invalid, Misconfigured, Unavailable
from bedroll.prover import Job, JobState, ProgramDiverged, TaskState, read_status
from bedroll.prover.budget import MEMORY_BYTES_MIN, checked_budget, machine_bytes
from bedroll.prover.executor import Ran
from bedroll.prover.service import LOST_MAX, ROOM_BYTES_MIN
from bedroll.storage.crash_point import arm
from tests.unit.prover.conftest import KINDS, given

ELSE = b"what the node states"
KILLS = [
    ("prover.after_plan", 1),
    *(("prover.after_task", passage) for passage in range(1, 6)),
    ("prover.after_hand_over", 1),
]


class Died(BaseException):
    """What a kill is in one process: nothing above catches it."""


def die(_name):
    raise Died


def made(prover, job):
    """How often the worker made each task."""
    return Counter(line.split()[0] for line in (prover.folder_of(job) / "made").read_text().splitlines())


async def finished(prover, content):
    job = await prover.finish(prover.add(content, "test"))
    await prover.close()
    return job


async def test_a_job_becomes_a_proof_that_is_handed_over_once(opened):
    prover = opened()
    job = await finished(prover, given())
    (proof,) = opened.taken
    assert job.state is JobState.HANDED
    assert (proof.job.id, proof.values) == (job.id, job.values)
    assert len(proof.proof) == 32
    assert set(made(prover, job)) == {"plan", *(f"shard-{place:04}" for place in range(4)), "node-0000"}


async def test_traces_of_a_handed_proof_are_gone_and_its_proof_is_not(opened):
    prover = opened()
    job = await finished(prover, given())
    left = {file.name for file in prover.folder_of(job).glob("*.proof")}
    assert left == {"node-0000.proof"}


async def test_the_same_input_is_the_same_job(opened):
    prover = opened()
    job = await prover.finish(prover.add(given(), "first"))
    again = prover.add(given(), "second")
    await prover.close()
    assert again.id == job.id
    assert len(prover_jobs(opened)) == 1


def prover_jobs(opened):
    prover = opened()
    jobs = prover.queue.jobs()
    prover.queue.close()
    return jobs


@pytest.mark.parametrize(("point", "passage"), KILLS)
async def test_what_was_finished_before_a_kill_is_not_done_again(opened, point, passage):
    prover = opened()
    job = prover.add(given(), "test")
    arm(point, die, passage)
    with pytest.raises(Died):
        await prover.finish(job)
    await prover.close()
    again = opened()
    job = await finished(again, given())
    assert job.state is JobState.HANDED
    assert set(made(again, job).values()) == {1}
    assert len({proof.proof for proof in opened.taken}) == 1


async def test_a_job_that_failed_is_tried_again_when_asked(opened):
    prover = opened()
    job = await prover.finish(prover.add(given(die="shard-0001"), "test"))
    assert job.state is JobState.HANDED, "a worker that dies once costs nothing"
    prover.queue.move(job.id, JobState.FAILED, "the disk was full")
    again = await prover.finish(prover.reopen(prover.add(given(die="shard-0001"), "test")))
    await prover.close()
    assert (again.state, again.reason) == (JobState.HANDED, "")
    assert set(made(prover, job).values()) == {1}


async def test_a_proof_is_handed_over_again_when_asked(opened):
    prover = opened()
    job = await prover.finish(prover.add(given(), "test"))
    await prover.finish(prover.reopen(job))
    await prover.close()
    assert [each.job.id for each in opened.taken] == [job.id, job.id]
    assert set(made(prover, job).values()) == {1}


async def test_a_kill_before_the_queue_knows_the_job_loses_nothing_but_the_job(opened):
    prover = opened()
    arm("prover.after_job_files", die)
    with pytest.raises(Died):
        prover.add(given(), "test")
    await prover.close()
    assert (await finished(opened(), given())).state is JobState.HANDED


async def test_a_worker_that_dies_costs_its_running_task_only(opened):
    prover = opened()
    job = await finished(prover, given(die="shard-0002"))
    assert job.state is JobState.HANDED
    assert set(made(prover, job).values()) == {1}


async def test_a_task_that_always_ends_its_worker_is_given_up(opened):
    prover = opened()
    job = await finished(prover, given(die_always="shard-0001"))
    assert job.state is JobState.FAILED
    assert job.reason.startswith("shard-0001")
    assert LOST_MAX == 2


async def test_an_input_that_the_worker_refuses_fails_with_its_reason(opened):
    prover = opened()
    bad = prover.add(given(fail="plan"), "bad")
    found = await prover.finish(bad)
    assert found.state is JobState.FAILED
    assert "this cannot be proved" in found.reason
    good = await finished(prover, given())
    assert good.state is JobState.HANDED


@pytest.mark.parametrize("trouble", [{"fail": "shard-0002"}, {"die_always": "shard-0002"}])
async def test_a_full_disk_ends_the_prover_and_no_job(opened, monkeypatch, trouble):
    prover = opened()
    job = prover.add(given(**trouble), "test")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=ROOM_BYTES_MIN - 1))
        with pytest.raises(Unavailable) as caught:
            await prover.finish(job)
    assert caught.value.fields["value"] == ROOM_BYTES_MIN - 1
    await prover.close()
    prover = opened()
    now = prover.queue.job(job.id)
    assert now.state is JobState.PLANNED
    left = {task.name for task in prover.queue.tasks(job.id) if task.state is not TaskState.DONE}
    assert left == {"shard-0002", "node-0000"}
    await prover.close()


async def refused(prover, job):
    """The prover ends, and the job stays where it is."""
    before = prover.queue.job(job.id)
    with pytest.raises(ProgramDiverged) as caught:
        await prover.run()
    await prover.close()
    assert prover_status(prover).alarm == str(caught.value)
    assert caught.value.found != caught.value.stated == ELSE
    return before


def prover_status(prover):
    return read_status(prover.folder_of(Job(id="", title="", state=JobState.WAITING)).parent)


async def test_a_plan_that_states_something_else_than_the_node_ends_the_prover_each_time(opened):
    for _ in range(2):
        prover = opened()
        job = prover.add(given(), "batch 1 to 2", stated=ELSE)
        assert (await refused(prover, job)).state is JobState.WAITING
        assert set(made(prover, job)) == {"plan"}
    assert opened.taken == []


async def test_a_run_is_looked_at_before_it_is_planned_where_it_can_be(opened):
    async def execute(_program, _given):
        return Ran(7, b"what the machine states")

    prover = opened(execute=execute)
    job = prover.add(given(), "batch 1 to 2", stated=ELSE)
    await refused(prover, job)
    assert not (prover.folder_of(job) / "made").exists()


async def test_a_job_whose_statement_is_known_later_is_not_handed_over(opened):
    prover = opened()
    job = prover.add(given(), "by hand")
    arm("prover.after_task", die, passage=len(KINDS) + 1)
    with pytest.raises(Died):
        await prover.finish(job)
    await prover.close()
    prover = opened()
    assert (await refused(prover, prover.add(given(), "batch 1 to 2", stated=ELSE))).state is JobState.PLANNED
    assert opened.taken == []


async def test_a_job_that_states_what_the_node_does_is_proved(opened):
    stated = sha256(json.dumps(KINDS).encode()).digest()
    prover = opened()
    job = await prover.finish(prover.add(given(), "batch 1 to 2", stated=stated))
    await prover.close()
    assert (job.state, job.values) == (JobState.HANDED, stated)
    assert prover_status(prover).alarm == ""


async def test_finishing_a_job_leaves_others_waiting(opened):
    prover = opened()
    other = prover.add(given(first=True), "other")
    job = await finished(prover, given())
    assert [taken.job.id for taken in opened.taken] == [job.id]
    assert {each.id: each.state for each in prover_jobs(opened)}[other.id] is JobState.WAITING


async def test_steps_finish_all_jobs_oldest_first(opened):
    prover = opened()
    jobs = [prover.add(given(first=place), "test") for place in range(3)]
    while await prover.step():
        pass
    await prover.close()
    assert [taken.job.id for taken in opened.taken] == [job.id for job in jobs]


async def test_a_worker_beyond_its_memory_is_ended_and_says_so(opened):
    prover = opened(memory_bytes=48 << 20)
    job = await finished(prover, given(swell="shard-0000"))
    assert job.state is JobState.FAILED
    assert "more memory than it may" in job.reason


async def test_a_proof_that_nobody_took_is_offered_again(opened):
    prover = opened()
    refused = []

    async def refuse(proof):
        refused.append(proof)
        raise Unavailable("no poster")

    prover._hand_over = refuse
    job = prover.add(given(), "test")
    with pytest.raises(Unavailable):
        await prover.finish(job)
    await prover.close()
    assert (await finished(opened(), given())).state is JobState.HANDED
    assert len(refused) == len(opened.taken) == 1


async def test_a_second_prover_of_a_folder_is_refused(opened):
    prover = opened()
    with pytest.raises(Unavailable, match="another process"):
        opened()
    await prover.close()


async def test_the_status_shows_every_task_while_it_works_and_after(opened, tmp_path):
    prover = opened()
    seen = []
    prover._on_change = seen.append
    job = await finished(prover, given())
    (shown,) = read_status(tmp_path / "prover").jobs
    assert [task.kind for task in shown.tasks] == [*KINDS, "node"]
    assert {task.state for task in shown.tasks} == {TaskState.DONE}
    running = {each.name for status in seen for each in status.running if each.job == job.id}
    assert {"plan", "shard-0003", "node-0000"} <= running
    assert any(shown.left_seconds for status in seen for shown in status.jobs)


async def test_a_service_that_is_cancelled_leaves_no_worker(opened):
    prover = opened()
    prover.add(given(swell="shard-0000"), "test")
    running = asyncio.create_task(prover.run())
    while not prover._crew.resident_bytes:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await prover.close()
    assert prover._crew.resident_bytes == 0


def test_an_input_beyond_the_limit_is_refused(opened, monkeypatch):
    monkeypatch.setattr("bedroll.prover.service.INPUT_BYTES_MAX", 10)
    prover = opened()
    with pytest.raises(Invalid) as caught:
        prover.add(bytes(11), "large")
    assert (caught.value.value, caught.value.limit) == (11, 10)


@pytest.mark.parametrize("memory", [0, -1, MEMORY_BYTES_MIN - 1, 1 << 60])
def test_a_budget_that_cannot_do_is_refused_with_the_range(memory):
    with pytest.raises(Misconfigured) as caught:
        checked_budget(memory)
    assert caught.value.option == "prover.memory_bytes"
    assert f"{machine_bytes():,}" in caught.value.allowed


async def test_proofs_that_a_run_verifies_lie_in_its_folder_and_make_it_another_job(opened):
    prover = opened()
    plain, job = prover.add(given(), "plain"), prover.add(given(), "settlement", [b"first", b"second"])
    assert plain.id != job.id == prover.add(given(), "again", [b"first", b"second"]).id
    folder = prover.folder_of(job)
    assert [(folder / f"given-{place:04}.proof").read_bytes() for place in range(2)] == [b"first", b"second"]
    with pytest.raises(Invalid, match="too many proofs"):
        prover.add(given(), "many", [b""] * 4_097)
    await prover.close()
