"""A chain in one file: its blocks and newest state, compressed, with a hash over all of it.

Reads: a chain's folder, or such a file.  Gives: `export_snapshot`, `import_snapshot`, `read_allocation`, `read_head`.
Never: makes a folder that can be opened before every root in it was compared.  Spec: docs/spec/node.md#snapshots
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import zstandard

from bedroll.execution.engine import ChainImport, ChainStore
from bedroll.primitives import Corrupt, Invalid, Misconfigured, Unavailable
from bedroll.protocol import ADDRESS_BOOK

MAGIC: Final = b"BEDROLL\x00snapshot"
VERSION: Final = 1
HEAD_BYTES_MAX: Final = 64 << 20
"""A head has the genesis file in it."""
CHUNK_BYTES_MAX: Final = 64 << 20
"""Rows of one chunk: 4 MiB and a last row, a block's body being the longest."""
_INDEX_BLOCKS: Final = 500
_LEVEL: Final = 6
_ACCOUNTS: Final = 1_000

Report = Callable[[str, int, int], None]
"""Told what is being done, how far it is, and of how much (0: not known)."""


class SnapshotHead(msgspec.Struct, forbid_unknown_fields=True):
    """What a snapshot says of itself.

    Attributes:
        genesis_hash: Hash by which a store names the chain.
        genesis: The genesis file, empty if the exporter had none.
        height, block_hash: Of the newest block; blocks 0 to `height` are in the file, and the state after the newest.
        secret: What the postings were made with.
    """

    genesis_hash: bytes
    genesis: str
    height: int
    block_hash: bytes
    secret: bytes


class _Hashed:
    """A file, and the SHA-256 of what went through it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def write(self, part: bytes) -> None:
        self.digest.update(part)
        self.file.write(part)

    def read(self, size: int) -> bytes:
        part = self.file.read(size)
        if len(part) != size:
            raise Invalid("the snapshot ends too early", wanted_bytes=size, found_bytes=len(part))
        self.digest.update(part)
        return part


def _ignore(_what: str, _done: int, _of: int) -> None:
    """Report to nobody."""


def export_snapshot(folder: Path, target: Path, *, genesis: str = "", report: Report = _ignore) -> bytes:
    """Write a chain's blocks and newest state into a file.

    Args:
        folder: Of the chain's store; nobody else may hold it.
        target: Written whole or not at all; must not exist.
        genesis: The genesis file, so that whoever imports needs nothing else.
        report: Told of the progress.

    Returns:
        SHA-256 of the file without its last 32 bytes, which are this hash.

    Raises:
        Misconfigured: The target is there already.
        Unavailable: The folder is held, or cannot be read or written.
    """
    if target.exists():
        raise Misconfigured("the file is there already", option="target", value=str(target), allowed="a new file")
    store = ChainStore.open(str(folder))
    partial = target.with_name(target.name + ".partial")
    try:
        height, block_hash, _, tables = store.facts()
        rows = dict(tables)
        head = SnapshotHead(store.genesis(), genesis, height, block_hash, store.secret())
        with partial.open("wb") as file:
            digest = _write(
                _Hashed(file), store, head, report, sum(rows[name] for name in ("header", "account", "slot"))
            )
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise Unavailable("the snapshot cannot be written", path=str(target), why=error.strerror) from error
    finally:
        store.close()
        partial.unlink(missing_ok=True)
    return digest


def _write(file: _Hashed, store: ChainStore, head: SnapshotHead, report: Report, rows: int) -> bytes:
    compressor = zstandard.ZstdCompressor(level=_LEVEL)
    file.write(MAGIC + bytes([VERSION]))
    for part in _parts(store, head):
        squeezed = compressor.compress(part)
        file.write(len(part).to_bytes(4, "big") + len(squeezed).to_bytes(4, "big") + squeezed)
        report("writing", file.file.tell(), 0)
    file.write(bytes(8))
    digest = file.digest.digest()
    file.file.write(digest)
    report("writing", rows, rows)
    return digest


def _parts(store: ChainStore, head: SnapshotHead) -> Iterator[bytes]:
    yield msgspec.msgpack.encode(head)
    after: bytes | None = None
    while True:
        chunk, after = store.chunk(after)
        if chunk:
            yield chunk
        if after is None:
            return


def _read_parts(file: _Hashed) -> Iterator[bytes]:
    """Parts of a snapshot, each bounded before memory is taken for it; ends only where the hash is right."""
    if file.read(len(MAGIC)) != MAGIC:
        raise Invalid("not a snapshot of a chain")
    version = file.read(1)[0]
    if version != VERSION:
        raise Misconfigured("the snapshot has another version", option="version", value=version, allowed=str(VERSION))
    decompressor = zstandard.ZstdDecompressor()
    limit = HEAD_BYTES_MAX
    while True:
        sizes = file.read(8)
        size, squeezed_size = int.from_bytes(sizes[:4], "big"), int.from_bytes(sizes[4:], "big")
        if size == squeezed_size == 0:
            break
        if max(size, squeezed_size) > limit:
            raise Invalid("a part of the snapshot is too long", size_bytes=max(size, squeezed_size), limit=limit)
        squeezed = file.read(squeezed_size)
        try:
            part = decompressor.decompress(squeezed, max_output_size=size, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise Invalid("a part of the snapshot cannot be unpacked", why=str(error)) from error
        if len(part) != size:
            raise Invalid("a part of the snapshot has another length", size_bytes=len(part), stated_bytes=size)
        yield part
        limit = CHUNK_BYTES_MAX
    stated, digest = file.file.read(33), file.digest.digest()
    if stated != digest:
        raise Invalid("the snapshot is damaged: its hash differs", stated=stated.hex(), found=digest.hex())


def _decode_head(part: bytes) -> SnapshotHead:
    try:
        head = msgspec.msgpack.decode(part, type=SnapshotHead)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid("the head of the snapshot cannot be read", why=str(error)) from error
    if (len(head.genesis_hash), len(head.block_hash), len(head.secret)) != (32, 32, 16) or head.height < 0:
        raise Invalid("the head of the snapshot cannot be read", why="a field has another length")
    return head


def read_head(source: Path) -> SnapshotHead:
    """What a snapshot says of itself; nothing of it is verified."""
    try:
        with source.open("rb") as file:
            for part in _read_parts(_Hashed(file)):
                return _decode_head(part)
    except OSError as error:
        raise Unavailable("the snapshot cannot be read", path=str(source), why=error.strerror) from error
    raise Invalid("the snapshot is empty")


def import_snapshot(
    source: Path, folder: Path, *, block_hash: bytes | None = None, report: Report = _ignore
) -> SnapshotHead:
    """Make a chain's folder from a snapshot: whole and verified, or not at all.

    Everything is done in a folder beside it, which gets its name at the end: a process that dies on the way leaves
    nothing that could be taken for a chain, and the next import begins anew.

    Args:
        source: The file.
        folder: Of the chain's store; must not exist.
        block_hash: Newest block that the snapshot must have, known from elsewhere.
        report: Told of the progress.

    Raises:
        Misconfigured: The folder is there already.
        Invalid: The file is no snapshot, is damaged, or is of another block.
        Corrupt: Blocks, state or postings are not what their roots say.
    """
    if folder.exists():
        raise Misconfigured("the folder is there already", option="folder", value=str(folder), allowed="a new folder")
    making = folder.with_name(folder.name + ".importing")
    try:
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        head = _fill(source, making, block_hash, report)
        _check_postings(making, head.height, report)
        making.rename(folder)
        _sync_folder(folder.parent)
    except OSError as error:
        raise Unavailable("the snapshot cannot be imported", path=str(source), why=error.strerror) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return head


class Entry(msgspec.Struct, frozen=True):
    """An account of a state: its balance in wei, nonce, code, and slots that are not 0."""

    balance: int
    nonce: int
    code: bytes
    storage: dict[int, int]


def read_allocation(
    source: Path, scratch: Path, *, block_hash: bytes | None = None, report: Report = _ignore
) -> tuple[SnapshotHead, dict[bytes, Entry]]:
    """A snapshot's newest state by address, verified as an import is; for a chain that begins with it.

    Args:
        source: The file.
        scratch: A folder with room for the chain; nothing stays in it.
        block_hash: Newest block that the snapshot must have, known from elsewhere.
        report: Told of the progress.

    Raises:
        Invalid, Corrupt: As `import_snapshot`.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as held:
        head = import_snapshot(source, Path(held) / "chain", block_hash=block_hash, report=report)
        store = ChainStore.open(str(Path(held) / "chain"))
        try:
            found: dict[bytes, Entry] = {}
            last: bytes | None = None
            while rows := store.accounts(last, _ACCOUNTS):
                for address, nonce, balance, code, slots in rows:
                    found[address] = Entry(balance, nonce, code, dict(slots))
                last = rows[-1][0]
                report("accounts", len(found), 0)
        finally:
            store.close()
    return head, found


def _fill(source: Path, making: Path, block_hash: bytes | None, report: Report) -> SnapshotHead:
    with source.open("rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        parts = _read_parts(_Hashed(opened))
        head = _decode_head(next(parts, b""))
        if block_hash is not None and head.block_hash != block_hash:
            raise Invalid("the snapshot is of another block", found=head.block_hash, wanted=block_hash)
        newest = (head.height, head.block_hash)
        filling = ChainImport.begin(str(making), head.genesis_hash, head.secret, *newest, ADDRESS_BOOK)
        try:
            for part in parts:
                filling.put_chunk(part)
                report("reading", opened.tell(), size)
            while (height := filling.index_blocks(_INDEX_BLOCKS)) is not None:
                report("blocks", height, head.height + 1)
            report("blocks", head.height + 1, head.height + 1)
            while (slots := filling.build_tries()) is not None:
                report("state", slots, 0)
            filling.finish()
        finally:
            filling.close()
    return head


def _check_postings(making: Path, height: int, report: Report) -> None:
    store = ChainStore.open(str(making))
    try:
        first: int | None = 0
        while first is not None:
            report("postings", first, height + 1)
            first = store.check_postings(first)
        problems = store.problems()
    finally:
        store.close()
    if problems:
        raise Corrupt("the snapshot's postings are not those of its blocks", problem=problems[0])


def _sync_folder(folder: Path) -> None:
    """A new name is durable when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
