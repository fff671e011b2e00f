"""How a prover looks on a terminal: its jobs, their stages and shards, and what runs.

Reads: `Status`.  Gives: `Picture`, `show_status`.  Never: knows more than the status says.
Spec: docs/spec/prover.md#progress
"""

import time
from collections.abc import Collection, Iterator
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from bedroll.prover.job import GROTH16, NO_SHARDS, NODE, WRAP
from bedroll.prover.status import JobStatus, Status, TaskStatus

from .output import Output, escape

_DONE: Final = "■"
_RUNS: Final = "▶"
_WAITS: Final = "□"
_MARKS_MAX: Final = 24
_TASKS_MAX: Final = 8
_STATES: Final = {
    "waiting": "queued",
    "planned": "begun",
    "proved": "proved, not handed over yet",
    "handed": "handed over",
    "failed": "failed",
}
"""States as a person reads them."""


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


def show_status(output: Output, status: Status | None, folder: Path) -> None:
    """Say once what a prover does."""
    if status is None:
        output.result({"state": "no prover has run here", "folder": str(folder)})
        output.hint("`bedroll prover run` follows a node; `bedroll prover prove FILE` proves one input")
    elif output.as_json:
        output.line(msgspec.to_builtins(status) | {"alive": status.is_alive})
    else:
        output.console.print(drawn(status, time.time()))


def drawn(status: Status, now: float) -> RenderableType:
    """The picture: a headline, and some lines a job, so that nothing is folded on a narrow terminal."""
    lines = [_line(_headline(status), "bold")]
    for job in status.jobs:
        lines.append(Text(""))
        lines += _job(job, status, now)
    hidden = sum(status.counts.values()) - len(status.jobs)
    if hidden > 0:
        lines += [Text(""), _line(f"and {hidden:,} more; in all {_counted(status.counts)}")]
    if status.alarm:
        lines += [Text(""), _line(status.alarm, "bold red")]
    if status.is_alive and status.remark:
        lines += [Text(""), _line(status.remark, "dim")]
    return Group(*lines)


def _headline(status: Status) -> str:
    if not status.is_alive:
        open_jobs = sum(status.counts.get(state, 0) for state in ("waiting", "planned", "proved"))
        jobs = "1 job goes" if open_jobs == 1 else f"{open_jobs:,} jobs go"
        rest = f"{jobs} on when it is started again" if open_jobs else "nothing is left to do"
        return f"prover: not running; {rest}"
    waiting = status.counts.get("waiting") or status.counts.get("planned")
    at_work = status.workers > 1 and (status.running or waiting)
    workers = f"{status.able} of {status.workers} workers have memory" if at_work else ""
    held = f"{_size(status.resident_bytes)} of {_size(status.memory_bytes)} held" if status.resident_bytes else ""
    doing = "working" if status.running else "waiting for memory or a worker" if waiting else "idle"
    return f"prover: {doing}" + "".join(f", {part}" for part in (workers, held) if part)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{counts[state]:,} {word}" for state, word in _STATES.items() if counts.get(state))


def _job(job: JobStatus, status: Status, now: float) -> Iterator[Text]:
    """One job: its name and state, what it took, its tasks, what is done for it now or why it failed."""
    running = {each.name: now - each.since for each in status.running if each.job == job.id and status.is_alive}
    state = "running" if running else _STATES.get(job.state, job.state)
    yield _line(f"{job.id[:12]}  {job.title}: {state}", "red" if job.state == "failed" else "")
    spent = sum(task.seconds for task in job.tasks) + sum(running.values())
    peak = max((task.peak_bytes for task in job.tasks), default=0)
    facts = (
        f"{job.cycles:,} cycles" if job.cycles else "",
        f"worked {_time(spent)}" if spent else "",
        f"peak {_size(peak)}" if peak else "",
    )
    if any(facts):
        yield _line("  " + ", ".join(filter(None, facts)))
    shards = [task for task in job.tasks if task.kind not in NO_SHARDS]
    if shards:
        kinds = groupby(sorted(shards, key=lambda task: task.kind), key=lambda task: task.kind)
        yield _line("  shards  " + "  ".join(_cells(kind, list(group), running) for kind, group in kinds))
        yield _line("  merges  " + _cells("", [task for task in job.tasks if task.kind == NODE], running))
    last = [task for task in job.tasks if task.kind in (WRAP, GROTH16)]
    if last:
        yield _line("  short   " + "  ".join(_cells(task.kind, [task], running) for task in last))
    if status.is_alive:
        yield from _doing(job, status, now)
    if job.reason:
        yield _line(f"  {job.reason}", "red")


def _doing(job: JobStatus, status: Status, now: float) -> Iterator[Text]:
    """What is done for a job now, and how long it takes still."""
    kinds = {task.name: task.kind for task in job.tasks if task.kind not in NO_SHARDS}
    running = [each for each in status.running if each.job == job.id]
    for each in running[:_TASKS_MAX]:
        what = f"{each.name} ({kinds[each.name]})" if each.name in kinds else each.name
        where = f" on {each.worker}" if status.workers > 1 else ""
        yield _line(f"  {_RUNS} {what}{where}, {_time(now - each.since)} so far")
    if len(running) > _TASKS_MAX:
        yield _line(f"  and {len(running) - _TASKS_MAX:,} more tasks")
    if job.left_seconds is not None:
        yield _line(f"  about {_time(job.left_seconds)} to the proof", "green")


def _line(text: str, style: str = "") -> Text:
    return Text.from_markup(escape(text), style=style)


def _cells(kind: str, tasks: list[TaskStatus], running: Collection[str]) -> str:
    """One mark a task; numbers where there are many."""
    done = sum(task.state == "done" for task in tasks)
    if len(tasks) > _MARKS_MAX:
        marks = f"{done} of {len(tasks)}"
    else:
        marks = "".join(_DONE if task.state == "done" else _RUNS if task.name in running else _WAITS for task in tasks)
    return f"{kind} {marks}".strip()


def _time(seconds: float) -> str:
    whole = max(int(seconds), 0)
    return (
        f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}" if whole >= 3600 else f"{whole // 60}:{whole % 60:02}"
    )


def _size(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 30):.1f} GiB" if size_bytes else ""
