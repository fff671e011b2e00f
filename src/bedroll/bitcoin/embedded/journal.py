"""Blocks that the library has not written yet, kept where a crash does not reach them.

Reads: serialised blocks.  Gives: them again, in the order they came.
Never: lets a block count as handed in before it is on disk.  Spec: docs/spec/bitcoin.md#client

The library writes its state only when it is closed: after a kill, every block since it was opened is gone.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from bedroll.primitives import Unavailable


class Journal:
    """An append-only list of blocks in SQLite, durable when `append` returns."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = full")
        self._database.execute(
            "create table if not exists block (position integer primary key, hash blob unique, raw blob) strict"
        )
        sums = self._database.execute("select count(*), coalesce(sum(length(raw)), 0) from block")
        self.count, self.size_bytes = sums.fetchone()

    def append(self, blocks: Sequence[tuple[bytes, bytes]]) -> set[bytes]:
        """Keep blocks, each by its hash, with one write to disk.

        Returns:
            The hashes that were not there before.

        Raises:
            Unavailable: The disk does not take them; none is kept.
        """
        new: dict[bytes, int] = {}
        try:
            self._database.execute("begin")
            for block_hash, raw in blocks:
                values = (block_hash, raw)
                if self._database.execute("insert or ignore into block (hash, raw) values (?, ?)", values).rowcount:
                    new[block_hash] = len(raw)
            self._database.execute("commit")
        except sqlite3.OperationalError as failure:
            if self._database.in_transaction:
                self._database.execute("rollback")
            raise Unavailable("the journal of blocks cannot be written", reason=str(failure)) from failure
        self.count += len(new)
        self.size_bytes += sum(new.values())
        return set(new)

    def remove(self, block_hash: bytes) -> None:
        """Forget a block that was refused."""
        row = self._database.execute("delete from block where hash = ? returning length(raw)", (block_hash,)).fetchone()
        if row is not None:
            self.count -= 1
            self.size_bytes -= row[0]

    def replay(self) -> Iterator[tuple[bytes, bytes]]:
        """All blocks with their hashes, oldest first."""
        yield from self._database.execute("select hash, raw from block order by position")

    def clear(self) -> None:
        """Forget everything: the library has written its state."""
        self._database.execute("delete from block")
        self.count = self.size_bytes = 0

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
