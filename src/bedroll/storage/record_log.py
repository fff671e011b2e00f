"""An append-only file of byte records that survives being cut off at any byte.

Reads: a file.  Gives: `RecordLog`.  Never: answers before the kernel has the bytes.
Spec: docs/spec/storage-services.md#record-log

Record: `length u32 big-endian ‖ crc32(bytes) u32 big-endian ‖ bytes`. On opening, the first record that is
cut off or does not match its checksum ends the log: what follows was never acknowledged.
"""

import os
import threading
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

from bedroll.primitives import Corrupt, Invalid

from .crash_point import crash_point

RECORD_SIZE_MAX: Final = 16 << 20
"""Bytes of one record; a length above it can only be damage."""
_HEAD_BYTES: Final = 8


class LogEnd(Protocol):
    """The end of an open log, where records are appended: by this process alone, by one thread at a time."""

    @property
    def size_bytes(self) -> int:
        """Length of the file."""
        ...

    def append(self, records: Sequence[bytes], *, sync: bool) -> None:
        """Write records with one call.

        Raises:
            OSError: The disk is full or broken; the log is as before.
        """
        ...

    def replace(self, descriptor: int, size_bytes: int, aside: Path, path: Path, start: int) -> None:
        """Put the file `aside` in the log's place, durably, with what the log got behind `start` meanwhile.

        Raises:
            OSError: The disk is full or broken; the log is as before.
        """
        ...


class PlainEnd:
    """The end of a log that the interpreter alone appends to."""

    def __init__(self, descriptor: int, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._descriptor = descriptor
        self._turn = threading.Lock()

    def append(self, records: Sequence[bytes], *, sync: bool) -> None:
        """Write records; see `LogEnd`."""
        content = _encode(records)
        with self._turn:
            _write_whole(self._descriptor, content, self.size_bytes)
            self.size_bytes += len(content)
            if sync:
                os.fdatasync(self._descriptor)

    def replace(self, descriptor: int, size_bytes: int, aside: Path, path: Path, start: int) -> None:
        """Put another file in the log's place; see `LogEnd`."""
        with self._turn:
            late = os.pread(self._descriptor, self.size_bytes - start, start)
            if late:
                _write_whole(descriptor, late, size_bytes)
                os.fsync(descriptor)
            os.replace(aside, path)
            sync_folder(path.parent)
            self._descriptor, self.size_bytes = descriptor, size_bytes + len(late)


class RecordLog:
    """Records in the order of writing. One process; its threads take turns.

    Attributes:
        end: Where records are appended.
    """

    def __init__(self, path: Path, end: Callable[[int, int], LogEnd] = PlainEnd) -> None:
        """Open or make the log; a tail that was cut off is removed.

        Args:
            path: The file.
            end: Makes the end of a log from its descriptor and length.

        Raises:
            Corrupt: The file is there and cannot be read.
        """
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            content = path.read_bytes()
        except OSError as error:
            raise Corrupt(f"cannot read {path}: {error.strerror}", path=str(path)) from error
        self._records, size_bytes = _scan(content)
        if size_bytes != len(content):
            os.ftruncate(self._descriptor, size_bytes)
        self.end = end(self._descriptor, size_bytes)

    @property
    def size_bytes(self) -> int:
        """Length of the file."""
        return self.end.size_bytes

    def take_records(self) -> list[bytes]:
        """What the file held when it was opened; given once, so that memory is freed."""
        records, self._records = self._records, []
        return records

    def append(self, records: Sequence[bytes], *, sync: bool = False) -> None:
        """Write records with one call. When it returns they survive kill -9; with `sync`, power loss.

        Raises:
            Invalid: A record is larger than `RECORD_SIZE_MAX`.
            OSError: The disk is full or broken; the log is as before.
        """
        for record in records:
            _check(record)
        self.end.append(records, sync=sync)

    def rewrite(self, records: Callable[[], Iterable[bytes]]) -> None:
        """Replace the content, atomically and durably; what others append meanwhile stays behind it.

        Args:
            records: Gives all that is still wanted of what was appended so far.
        """
        start = self.end.size_bytes
        aside = self._path.with_suffix(self._path.suffix + ".new")
        descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        content = _encode(list(records()))
        _write_whole(descriptor, content, 0)
        os.fsync(descriptor)
        crash_point("log.in_rewrite")
        self.end.replace(descriptor, len(content), aside, self._path, start)
        os.close(self._descriptor)
        self._descriptor = descriptor

    def close(self) -> None:
        """Close the file, durably."""
        os.fsync(self._descriptor)
        os.close(self._descriptor)


def sync_folder(path: Path) -> None:
    """Make a rename inside a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(record: bytes) -> None:
    if len(record) > RECORD_SIZE_MAX:
        raise Invalid("record is too large for the log", size=len(record), limit=RECORD_SIZE_MAX)


def _encode(records: Sequence[bytes]) -> bytes:
    parts: list[bytes] = []
    for record in records:
        _check(record)
        parts += [len(record).to_bytes(4, "big"), zlib.crc32(record).to_bytes(4, "big"), record]
    return b"".join(parts)


def _write_whole(descriptor: int, content: bytes, size_before: int) -> None:
    written = 0
    try:
        while written < len(content):
            written += os.write(descriptor, content[written:])
    except OSError:
        os.ftruncate(descriptor, size_before)
        raise


def _scan(content: bytes) -> tuple[list[bytes], int]:
    records: list[bytes] = []
    position = 0
    while position + _HEAD_BYTES <= len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        start = position + _HEAD_BYTES
        record = content[start : start + length]
        if length > RECORD_SIZE_MAX or len(record) != length:
            break
        if zlib.crc32(record) != int.from_bytes(content[position + 4 : start], "big"):
            break
        records.append(record)
        position = start + length
    return records, position
