"""A prover's picture reads well in each of its states: nothing, queued, running, failed, handed over, gone."""

import io
import json
import os
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from bedroll.cli.output import Output
from bedroll.cli.prover_picture import drawn, show_status
from bedroll.prover.status import JobStatus, RunningStatus, Status, TaskStatus

ID = "ab" * 32
NOW = 1_090.0


def shown(status):
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(drawn(status, NOW))
    return console.export_text()


def job(**fields):
    tasks = (
        TaskStatus(name="shard-0000", kind="keccak_permute", state="done", seconds=60, peak_bytes=3 << 30),
        TaskStatus(name="shard-0001", kind="core", state="done", seconds=70, peak_bytes=15 << 30),
        TaskStatus(name="shard-0002", kind="core", state="waiting"),
        TaskStatus(name="shard-0003", kind="memory", state="waiting"),
        TaskStatus(name="node-0000", kind="node", state="waiting"),
    )
    plan = {"id": ID, "title": "batch 1 to 9", "state": "planned", "cycles": 3_885_275, "tasks": tasks}
    return JobStatus(**(plan | fields))


def status(*jobs, **fields):
    counts = {state: sum(each.state == state for each in jobs) for state in {each.state for each in jobs}}
    plain = {"process": os.getpid(), "written": NOW, "memory_bytes": 18 << 30, "jobs": jobs, "counts": counts}
    return Status(**(plain | fields))


def running(name="shard-0002", worker="17"):
    return RunningStatus(job=ID, name=name, worker=worker, since=1_000.0)


def test_each_task_has_its_mark():
    text = shown(status(job(left_seconds=275.0), running=(running(),), resident_bytes=9 << 30))
    assert "shards  core ■▶  keccak_permute ■  memory □" in text
    assert "merges  □" in text
    assert "3,885,275" in text
    assert "shard-0002 (core), 1:30 so far" in text
    assert "about 4:35 to the proof" in text
    assert "9.0 GiB of 18.0 GiB held" in text
    assert "15.0 GiB" in text


def test_each_of_many_workers_is_shown_with_its_place():
    works = (running(worker="east/17"), running("shard-0003", "west/18"))
    text = shown(status(job(left_seconds=100.0), running=works, workers=4, able=2))
    assert "2 of 4 workers have memory" in text
    assert "core ■▶  keccak_permute ■  memory ▶" in text
    assert "shard-0002 (core) on east/17" in text
    assert "shard-0003 (memory) on west/18" in text


def test_of_a_crowd_of_workers_a_few_are_named_and_the_others_counted():
    works = tuple(running(f"shard-{place:04}", f"east/{place}") for place in range(30))
    text = shown(status(job(), running=works, workers=30))
    assert "shard-0007" in text
    assert "shard-0008" not in text
    assert "and 22 more tasks" in text


def test_what_a_process_that_is_gone_was_doing_is_not_shown_as_running():
    text = shown(status(job(left_seconds=275.0), running=(running(),), remark="a node", process=2**22 + 1))
    assert "not running; 1 job goes on when it is started again" in text
    assert "▶" not in text
    assert "to the proof" not in text
    assert "a node" not in text


def test_a_prover_without_work_says_what_it_waits_for():
    text = shown(status(alarm="program and node differ", process=2**22 + 1))
    assert "program and node differ" in text, "also after it has ended"
    text = shown(status(remark="block 7 is not derived yet"))
    assert text.split("\n")[:3] == ["prover: idle", "", "block 7 is not derived yet"]


def test_a_prover_whose_tasks_nobody_has_begun_waits_for_a_worker():
    assert "waiting for memory or a worker" in shown(status(job()))


def test_queued_jobs_beyond_those_shown_are_counted():
    text = shown(status(job(state="waiting", tasks=(), cycles=0), counts={"waiting": 1_200, "handed": 3}))
    assert "queued" in text
    assert "and 1,202 more; in all 1,200 queued, 3 handed over" in text


def test_a_job_that_is_being_planned_is_running():
    text = shown(status(job(state="waiting", tasks=(), cycles=0), running=(running("plan"),)))
    assert "running" in text
    assert "plan, 1:30 so far" in text


def test_a_failure_shows_its_reason():
    text = shown(status(job(state="failed", tasks=(), reason="shard-0001: it held more memory than it may")))
    assert "failed" in text
    assert "abababababab  batch 1 to 9: failed" in text
    assert "shard-0001: it held more memory than it may" in text


def test_a_proof_that_was_handed_over_is_told_from_one_that_waits_for_its_taker():
    assert "handed over" in shown(status(job(state="handed")))
    assert "proved, not handed over yet" in shown(status(job(state="proved")))


def test_a_title_cannot_draw():
    assert "[red]x" in shown(status(job(title="[red]x")))


@pytest.mark.parametrize("as_json", [False, True])
def test_a_folder_without_a_prover_is_named(as_json, capsys):
    show_status(Output(as_json=as_json), None, Path("some/prover"))
    said = capsys.readouterr().out
    assert "no prover has run here" in said
    assert "some/prover" in said
    assert not as_json or json.loads(said)


def test_programs_get_every_field(capsys):
    given = status(job(), running=(running(),))
    show_status(Output(as_json=True), given, Path("some/prover"))
    assert json.loads(capsys.readouterr().out) == json.loads(msgspec.json.encode(given)) | {"alive": True}
