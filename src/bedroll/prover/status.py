"""What a prover does now, as a file that anyone may read while it works.

Reads: `status.json` in the prover's folder.  Gives: `Status`, `write_status`, `read_status`.
Never: is needed for going on: the queue is.  Spec: docs/spec/prover.md#progress
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from bedroll.primitives import Corrupt

FILE: Final = "status.json"
_BYTES_MAX: Final = 1 << 24


class TaskStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One task: its name, what it holds, whether it is done, how long it took or has run."""

    name: str
    kind: str
    state: str
    seconds: float = 0.0
    peak_bytes: int = 0


class JobStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One job with its tasks."""

    id: str
    title: str
    state: str
    cycles: int = 0
    reason: str = ""
    tasks: tuple[TaskStatus, ...] = ()


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A prover at one moment.

    Attributes:
        process: Of the prover that wrote it.
        written: Unix seconds.
        running: Name of the task that runs, "" where none does.
        job: Id of its job.
        since: When it began, Unix seconds.
        left_seconds: Until the job's proof, by the means so far.
        resident_bytes: What the worker holds.
        memory_bytes: What it may hold.
        jobs: Newest ones.
    """

    process: int
    written: float
    memory_bytes: int
    running: str = ""
    job: str = ""
    since: float = 0.0
    left_seconds: float = 0.0
    resident_bytes: int = 0
    jobs: tuple[JobStatus, ...] = ()

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


def newest(jobs: Sequence[JobStatus], count: int = 20) -> tuple[JobStatus, ...]:
    """The last few, which is what people look at."""
    return tuple(jobs[-count:])
