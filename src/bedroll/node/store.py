"""What a node remembers beside the chain: checkpoints of derivation, its history, the leader's signatures.

Reads: one SQLite file.  Gives: `NodeStore`.
Never: holds what derivation could not make again, but signatures.  Spec: docs/spec/node.md#store
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from bedroll.derivation.checkpoint import Checkpoint
from bedroll.derivation.record import (
    AutomaticBlocks,
    BatchAccepted,
    CommitmentSeen,
    EvidenceFound,
    ForcedDone,
    ForcedEnqueued,
    L1Unwound,
    ObjectJudged,
    ObjectSeen,
    Record,
    SettlementAdvanced,
)
from bedroll.primitives import Corrupt, L1Height, L2Height
from bedroll.storage import Database

_MIGRATIONS: Final = [
    """
    create table checkpoint (height integer primary key, hash blob not null, state blob not null, refs blob not null);
    create table object (reference blob primary key, body blob not null, newest integer not null) without rowid;
    create table record (
        l1_height integer not null, number integer not null, key blob, first_height integer, last_height integer,
        body blob not null, primary key (l1_height, number)) without rowid;
    create index record_key on record (key) where key is not null;
    create index record_blocks on record (first_height) where first_height is not null;
    create table signature (height integer primary key, hash blob not null, signature blob not null)
    """,
]
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(Record).decode


class NodeStore:
    """One node's file."""

    def __init__(self, path: Path) -> None:
        """Open or make it.

        Raises:
            Unavailable: Another process holds it.
        """
        self._database = Database.open(path, _MIGRATIONS)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    # --- checkpoints -------------------------------------------------------------------------------

    def put_step(
        self,
        checkpoint: Checkpoint,
        records: Sequence[Record],
        load: Callable[[bytes], bytes],
        needed_from: L1Height,
    ) -> None:
        """Write down one derived L1 block: where every stage stands, and what happened."""
        execute = self._database.execute
        with self._database.transaction():
            self._drop_above(L1Height(checkpoint.height - 1))
            execute(
                "insert or replace into checkpoint values (?, ?, ?, ?)",
                (checkpoint.height, checkpoint.hash, checkpoint.state, b"".join(checkpoint.references)),
            )
            known = {row[0] for row in execute("select reference from object")}
            for reference in checkpoint.references:
                if reference not in known:
                    execute("insert into object values (?, ?, ?)", (reference, load(reference), checkpoint.height))
            self._database.execute_many(
                "update object set newest = ? where reference = ?",
                [(checkpoint.height, reference) for reference in checkpoint.references],
            )
            execute("delete from checkpoint where height < ?", (needed_from,))
            execute("delete from object where newest < ?", (needed_from,))
            self._put_records(checkpoint.height, records)

    def unwind(self, height: L1Height) -> None:
        """L1 blocks above a height left the best chain."""
        with self._database.transaction():
            self._drop_above(height)

    def checkpoints(self) -> list[Checkpoint]:
        """All that are kept, oldest first: of consecutive heights."""
        rows = self._database.execute("select height, hash, state, refs from checkpoint order by height")
        return [
            Checkpoint(height, block, state, tuple([refs[at : at + 32] for at in range(0, len(refs), 32)]))
            for height, block, state, refs in rows
        ]

    def object_bytes(self, reference: bytes) -> bytes:
        """Bytes that a checkpoint refers to.

        Raises:
            Corrupt: They are not there.
        """
        rows = self._database.execute("select body from object where reference = ?", (reference,))
        if not rows:
            raise Corrupt("an object that a checkpoint refers to is missing", reference=reference)
        body: bytes = rows[0][0]
        return body

    def clear(self) -> None:
        """Forget everything that derivation makes; signatures stay."""
        with self._database.transaction():
            for table in ("checkpoint", "object", "record"):
                self._database.execute(f"delete from {table}")

    # --- history -----------------------------------------------------------------------------------

    def records_of(self, key: bytes) -> list[Record]:
        """Everything that happened to an object or a forced message, or speaks against a leader, oldest first."""
        rows = self._database.execute("select body from record where key = ? order by l1_height, number", (key,))
        return [_DECODE(row[0]) for row in rows]

    def batch_at(self, height: L2Height) -> BatchAccepted | AutomaticBlocks | None:
        """What brought a block into the derived chain."""
        rows = self._database.execute(
            "select body from record where first_height <= ? and last_height >= ?"
            " order by first_height desc, l1_height desc limit 1",
            (height, height),
        )
        found = _DECODE(rows[0][0]) if rows else None
        return found if isinstance(found, BatchAccepted | AutomaticBlocks) else None

    # --- signatures --------------------------------------------------------------------------------

    def put_signatures(self, signatures: Sequence[tuple[L2Height, bytes, bytes]]) -> None:
        """Keep (height, block hash, signature) of each."""
        with self._database.transaction():
            self._database.execute_many("insert or replace into signature values (?, ?, ?)", signatures)

    def signature(self, height: L2Height, block_hash: bytes) -> bytes | None:
        """Signature of a block, if it has one."""
        rows = self._database.execute(
            "select signature from signature where height = ? and hash = ?", (height, block_hash)
        )
        return rows[0][0] if rows else None

    def prune_signatures(self, below: int) -> None:
        """Drop signatures of blocks that every follower has from Bitcoin."""
        self._database.execute("delete from signature where height < ?", (below,))

    def highest_signature(self) -> L2Height:
        """Newest height with a signature; 0 if there is none."""
        rows = self._database.execute("select max(height) from signature")
        return L2Height(rows[0][0] or 0)

    # --- inside ------------------------------------------------------------------------------------

    def _drop_above(self, height: L1Height) -> None:
        self._database.execute("delete from checkpoint where height > ?", (height,))
        self._database.execute("delete from record where l1_height > ?", (height,))

    def _put_records(self, height: int, records: Sequence[Record]) -> None:
        rows: list[tuple[Any, ...]] = []
        for number, record in enumerate(records):
            if isinstance(record, L1Unwound):
                continue
            first, last = None, None
            if isinstance(record, BatchAccepted | AutomaticBlocks):
                first, last = record.first, record.last
            rows.append((height, number, _key(record), first, last, _ENCODE(record)))
        self._database.execute_many("insert into record values (?, ?, ?, ?, ?, ?)", rows)


def _key(record: Record) -> bytes | None:
    if isinstance(record, ObjectSeen | ObjectJudged | CommitmentSeen | BatchAccepted | SettlementAdvanced):
        return record.object_id
    if isinstance(record, ForcedEnqueued | ForcedDone):
        return record.id
    if isinstance(record, EvidenceFound):
        return record.leader
    return None
