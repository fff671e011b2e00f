"""Work in stages: each leaves files and, last, a record with their hashes; one with a sound record is not run again.

Reads: a folder.  Gives: `Stage`, `Record`, `run_stages`.
Never: takes a file that is not as its record says.  Spec: docs/spec/groth16.md#stages
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from bedroll.primitives import Corrupt, Invalid, Unavailable
from bedroll.storage.durable_file import write_durably

from .budget import free_bytes
from .tool import Progress

_RECORD_BYTES_MAX: Final = 1 << 16


class FileRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stage's file as it was when the stage ended."""

    size_bytes: int
    sha256: str


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a stage left.

    Attributes:
        stage: Its name.
        files: By name, relative to the folder.
        told: What its program said at the end.
    """

    stage: str
    files: dict[str, FileRecord]
    told: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """A step that leaves files.

    Attributes:
        name: One word.
        what: For a person.
        files: Names of what it leaves.
        memory_bytes: Most memory that it was seen to hold.
        disk_bytes: What its files take.
        seconds: Processor time that it was seen to take.
        work: Does it, in the folder.
    """

    name: str
    what: str
    files: tuple[str, ...]
    memory_bytes: int
    disk_bytes: int
    seconds: int
    work: Callable[[Path, Progress], Mapping[str, Any]]


def record_of(folder: Path, stage: Stage) -> Record | None:
    """A stage's record, if the stage has ended.

    Raises:
        Corrupt: The record cannot be read, or a file is not as it says.
    """
    path = _record_path(folder, stage)
    if not path.exists():
        return None
    raw = path.read_bytes()[:_RECORD_BYTES_MAX]
    try:
        record = msgspec.json.decode(raw, type=Record)
    except msgspec.DecodeError as error:
        raise Corrupt("a stage's record cannot be read", path=path, reason=str(error)) from error
    for name in stage.files:
        expected, file = record.files.get(name), folder / name
        found = _measure(file) if file.is_file() else None
        if expected is None or found != expected:
            raise Corrupt(
                "a file is not as its stage left it; remove the record to run the stage again",
                path=file,
                record=path,
                value=found.sha256 if found else None,
                limit=expected.sha256 if expected else None,
            )
    return record


def run_stages(folder: Path, stages: Iterable[Stage], begin: Callable[[Stage, bool], Progress]) -> list[Record]:
    """Run what is not done yet, in order.

    Args:
        folder: Made if it is not there.
        stages: Each may read what those before it left.
        begin: Told each stage and whether it is done already; gives who is told its steps.

    Raises:
        Corrupt: As for `record_of`.
        Unavailable: A stage needs more memory or disk than is free, or was ended from outside.
        Invalid: A program refuses, or left no file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    records = []
    for stage in stages:
        record = record_of(folder, stage)
        progress = begin(stage, record is not None)
        if record is None:
            for what, free, need in (
                ("memory", free_bytes(), stage.memory_bytes),
                ("space on the disk", shutil.disk_usage(folder).free, stage.disk_bytes),
            ):
                if need > free:
                    raise Unavailable(f"not enough {what} is free", stage=stage.name, value=free, limit=need)
            record = _run(folder, stage, progress)
        records.append(record)
    return records


def _run(folder: Path, stage: Stage, progress: Progress) -> Record:
    told = stage.work(folder, progress)
    missing = [name for name in stage.files if not (folder / name).is_file()]
    if missing:
        raise Invalid("a stage left no file", stage=stage.name, files=missing)
    record = Record(stage.name, {name: _measure(folder / name) for name in stage.files}, dict(told))
    write_durably(_record_path(folder, stage), msgspec.json.format(msgspec.json.encode(record)) + b"\n")
    return record


def _record_path(folder: Path, stage: Stage) -> Path:
    return folder / f"{stage.name}.stage.json"


def _measure(path: Path) -> FileRecord:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return FileRecord(path.stat().st_size, digest.hexdigest())
