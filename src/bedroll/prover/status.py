"""What a prover does now, as a file that anyone may read while it works.

Reads: `status.json` in the prover's folder.  Gives: `Status`, `write_status`, `read_status`.
Never: is needed for going on: the queue is.  Spec: docs/spec/prover.md#progress
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from bedroll.primitives import Corrupt

FILE: Final = "status.json"
_BYTES_MAX: Final = 1 << 24


class TaskStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One task: its name, what it holds, whether it is done, how long it took."""

    name: str
    kind: str
    state: str
    seconds: float = 0.0
    peak_bytes: int = 0


class JobStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One job with its tasks; `left_seconds` until its proof while it is worked at."""

    id: str
    title: str
    state: str
    added: int = 0
    cycles: int = 0
    reason: str = ""
    left_seconds: float | None = None
    tasks: tuple[TaskStatus, ...] = ()


class RunningStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A task that somebody does: its job's id, its name, who does it, since when (Unix seconds)."""

    job: str
    name: str
    worker: str
    since: float


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A prover at one moment.

    Attributes:
        process: Of the prover that wrote it.
        written: Unix seconds.
        memory_bytes: What a worker may hold.
        resident_bytes: What the workers on the prover's machine hold.
        workers: How many there are.
        able: How many of them have memory to work in.
        remark: What it waits for, for a person.
        alarm: Why it has stopped for good, where program and node contradict each other.
        running: Tasks that are being done.
        jobs: Those that are worked at or are next, and those that ended last.
        counts: How many jobs there are in each state.
    """

    process: int
    written: float
    memory_bytes: int
    resident_bytes: int = 0
    workers: int = 1
    able: int = 1
    remark: str = ""
    alarm: str = ""
    running: tuple[RunningStatus, ...] = ()
    jobs: tuple[JobStatus, ...] = ()
    counts: dict[str, int] = {}

    @property
    def is_alive(self) -> bool:
        """Whether the process that wrote it is there."""
        return Path(f"/proc/{self.process}").exists()


def write_status(folder: Path, status: Status) -> None:
    """Replace the file at once; it need not survive loss of power."""
    draft = folder / f"{FILE}.draft"
    draft.write_bytes(msgspec.json.encode(status))
    os.replace(draft, folder / FILE)


def read_status(folder: Path) -> Status | None:
    """What the prover wrote last; None where none ever ran here.

    Raises:
        Corrupt: The file is not a prover's.
    """
    try:
        content = (folder / FILE).read_bytes()[:_BYTES_MAX]
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(content, type=Status)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Corrupt("not a prover's status", path=str(folder / FILE), reason=str(error)) from error
