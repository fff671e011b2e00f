"""A prover's picture shows each task as done, running or waiting, and why a job failed."""

import os
from io import StringIO

from rich.console import Console

from bedroll.cli.prover_picture import drawn
from bedroll.prover.status import JobStatus, Status, TaskStatus


def shown(status):
    console = Console(width=200, record=True, file=StringIO())
    console.print(drawn(status, now=1_090.0))
    return console.export_text()


def status(**fields):
    tasks = [
        TaskStatus(name="shard-0000", kind="keccak_permute", state="done", seconds=60, peak_bytes=3 << 30),
        TaskStatus(name="shard-0001", kind="core", state="done", seconds=70, peak_bytes=15 << 30),
        TaskStatus(name="shard-0002", kind="core", state="waiting"),
        TaskStatus(name="shard-0003", kind="memory", state="waiting"),
        TaskStatus(name="node-0000", kind="node", state="waiting"),
    ]
    job = JobStatus(id="ab" * 32, title="batch 1 to 9", state="planned", cycles=3_885_275, tasks=tuple(tasks))
    return Status(process=os.getpid(), written=1_090.0, memory_bytes=18 << 30, jobs=(job,), **fields)


def test_each_task_has_its_mark():
    text = shown(status(running="shard-0002", job="ab" * 32, since=1_000.0, left_seconds=275.0, resident_bytes=9 << 30))
    assert "keccak_permute ■  core ■▶  memory □" in text
    assert "3,885,275" in text
    assert "shard-0002, 1:30 so far; about 4:35 to the proof; 9.0 GiB of 18.0 GiB held" in text
    assert "15.0 GiB" in text


def test_what_a_process_that_is_gone_was_doing_is_not_shown_as_running():
    gone = status(running="shard-0002", job="ab" * 32, since=1_000.0)
    text = shown(Status(**{name: getattr(gone, name) for name in gone.__struct_fields__} | {"process": 2**22 + 1}))
    assert "not running" in text
    assert "▶" not in text


def test_a_failure_shows_its_reason():
    job = JobStatus(id="cd" * 32, title="x", state="failed", reason="shard-0001: it held more memory than it may")
    text = shown(Status(process=os.getpid(), written=0.0, memory_bytes=1, jobs=(job,)))
    assert "cdcdcdcdcdcd: shard-0001: it held more memory than it may" in text
