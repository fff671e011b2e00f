"""An append-only file of byte records that survives being cut off at any byte.

Reads: a file.  Gives: `RecordLog`.  Never: answers before the kernel has the bytes.
Spec: docs/spec/storage-services.md#record-log

Record: `length u32 big-endian ‖ crc32(bytes) u32 big-endian ‖ bytes`. On opening, the first record that is
cut off or does not match its checksum ends the log: what follows was never acknowledged.
"""

import os
import threading
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bedroll.primitives import Corrupt, Invalid

from .crash_point import crash_point

RECORD_SIZE_MAX: Final = 16 << 20
"""Bytes of one record; a length above it can only be damage."""
_HEAD_BYTES: Final = 8


class RecordLog:
    """Records in the order of writing. One process; its threads take turns."""

    def __init__(self, path: Path) -> None:
        """Open or make the log; a tail that was cut off is removed.

        Raises:
            Corrupt: The file is there and cannot be read.
        """
        self._path = path
        self._turn = threading.Lock()
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            content = path.read_bytes()
        except OSError as error:
            raise Corrupt(f"cannot read {path}: {error.strerror}", path=str(path)) from error
        self._records, end = _scan(content)
        if end != len(content):
            os.ftruncate(self._descriptor, end)
        self._size_bytes = end

    @property
    def size_bytes(self) -> int:
        """Length of the file."""
        return self._size_bytes

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
        content = _encode(records)
        with self._turn:
            _write_whole(self._descriptor, content, self._size_bytes)
            self._size_bytes += len(content)
            if sync:
                os.fdatasync(self._descriptor)

    def rewrite(self, records: Iterable[bytes]) -> None:
        """Replace the whole content, atomically and durably."""
        aside = self._path.with_suffix(self._path.suffix + ".new")
        descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        content = _encode(list(records))
        _write_whole(descriptor, content, 0)
        os.fsync(descriptor)
        crash_point("log.in_rewrite")
        with self._turn:
            os.replace(aside, self._path)
            sync_folder(self._path.parent)
            os.close(self._descriptor)
            self._descriptor, self._size_bytes = descriptor, len(content)

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


def _encode(records: Sequence[bytes]) -> bytes:
    parts: list[bytes] = []
    for record in records:
        if len(record) > RECORD_SIZE_MAX:
            raise Invalid("record is too large for the log", size=len(record), limit=RECORD_SIZE_MAX)
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
