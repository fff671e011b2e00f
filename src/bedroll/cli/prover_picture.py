"""How a prover looks on a terminal: its jobs, their stages and shards, and what runs.

Reads: `Status`.  Gives: `Picture`, `show_status`.  Never: knows more than the status says.
Spec: docs/spec/prover.md#progress
"""

import time
from collections.abc import Iterator
from itertools import groupby
from types import TracebackType
from typing import Final

import msgspec
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bedroll.prover.status import JobStatus, Status, TaskStatus

from .output import Output

_DONE: Final = "■"
_RUNS: Final = "▶"
_WAITS: Final = "□"
_STAGES: Final = ("plan", "shards", "merge")


class Picture:
    """A picture of a prover that changes while it works; nothing where results are JSON."""

    def __init__(self, output: Output) -> None:
        self._live = Live(console=output.aside, refresh_per_second=2, transient=True)
        self._silent = output.as_json or not output.aside.is_terminal

    def __enter__(self) -> "Picture":
        if not self._silent:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._silent:
            self._live.stop()

    def show(self, status: Status) -> None:
        """Draw a status."""
        if not self._silent:
            self._live.update(drawn(status, time.time()))


def show_status(output: Output, status: Status | None) -> None:
    """Say once what a prover does."""
    if status is None:
        output.result({"state": "no prover has run here"})
    elif output.as_json:
        output.line(msgspec.to_builtins(status) | {"alive": status.is_alive})
    else:
        output.console.print(drawn(status, time.time()))


def drawn(status: Status, now: float) -> RenderableType:
    """The picture."""
    table = Table(title="prover" if status.is_alive else "prover (not running)", title_justify="left")
    for column in ("job", "what", "state", "cycles", "plan", "shards", "merge", "time", "peak"):
        table.add_column(column, overflow="fold")
    for job in status.jobs:
        table.add_row(*_row(job, status, now))
    parts: list[RenderableType] = [table]
    if status.running and status.is_alive:
        held, may = _size(status.resident_bytes), _size(status.memory_bytes)
        text = f"{_RUNS} {status.running}, {_time(now - status.since)} so far; "
        parts.append(Text(text + f"about {_time(status.left_seconds)} to the proof; {held} of {may} held"))
    parts += [Text(f"{job.id[:12]}: {job.reason}", style="red") for job in status.jobs if job.reason]
    return Group(*parts)


def _row(job: JobStatus, status: Status, now: float) -> Iterator[str]:
    running = status.running if status.job == job.id and status.is_alive else ""
    shards = [task for task in job.tasks if task.kind not in ("plan", "node")]
    nodes = [task for task in job.tasks if task.kind == "node"]
    spent = sum(task.seconds for task in job.tasks) + (now - status.since if running else 0.0)
    yield job.id[:12]
    yield job.title
    yield job.state
    yield f"{job.cycles:,}" if job.cycles else ""
    yield _DONE if job.tasks else _RUNS if running else _WAITS
    yield "  ".join(_cells(kind, list(group), running) for kind, group in groupby(shards, key=lambda task: task.kind))
    yield _cells("", nodes, running)
    yield _time(spent) if spent else ""
    yield _size(max((task.peak_bytes for task in job.tasks), default=0))


def _cells(kind: str, tasks: list[TaskStatus], running: str) -> str:
    """One mark a task; numbers where there are many."""
    done = sum(task.state == "done" for task in tasks)
    if len(tasks) > 12:
        marks = f"{done} of {len(tasks)}"
    else:
        marks = "".join(_DONE if task.state == "done" else _RUNS if task.name == running else _WAITS for task in tasks)
    return f"{kind} {marks}".strip()


def _time(seconds: float) -> str:
    whole = max(int(seconds), 0)
    return (
        f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}" if whole >= 3600 else f"{whole // 60}:{whole % 60:02}"
    )


def _size(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 30):.1f} GiB" if size_bytes else ""
