"""The embedded chain: the library, the journal before it and the coin index behind it.

Reads: serialised blocks.  Gives: what each changed in the active chain.
Never: loses a block that `submit` returned for, whenever the process is killed.  Spec: docs/spec/bitcoin.md#client
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bedroll.primitives import BlockHash, Corrupt, Invalid, L1Height, Unavailable

from ..block import Block
from ..client import RejectedBlock
from .index import CoinIndex
from .journal import Journal
from .kernel import Kernel

JOURNAL_BLOCKS_MAX: Final = 2_000
"""Blocks in the journal at which the library is made to write its state."""
JOURNAL_SIZE_MAX_BYTES: Final = 256 << 20
"""The same by size: replay reads it all."""

RECENT_SIZE_MAX_BYTES: Final = 32 << 20
"""Blocks kept in memory: the library serialises field by field, which is slow where there are many transactions."""
FOLLOW_BLOCKS_MAX: Final = 1_000
"""Blocks the index catches up by in one transaction when the chain is opened."""


@dataclass
class Change:
    """What happened to the active chain.

    Attributes:
        disconnected: Blocks that left it, last first.
        connected: Blocks that joined it, first first.
        refused: Why a block of the call was refused; those before it stand.
    """

    disconnected: list[Block] = field(default_factory=list)
    connected: list[Block] = field(default_factory=list)
    refused: RejectedBlock | None = None


class Chain:
    """A regtest chain in one folder; one thread uses it.

    Attributes:
        replayed: Blocks that the journal gave back when it was opened.
        is_behind: Whether the index could not be written: `follow` before anything else.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.is_behind = False
        self._recent: dict[BlockHash, bytes] = {}
        self._recent_size_bytes = 0
        self.kernel = Kernel(folder / "regtest")
        try:
            self.journal = Journal(folder / "journal.sqlite")
            self.index = CoinIndex(folder / "coins.sqlite")
            self.replayed = self._replay()
            self._catch_up()
        except sqlite3.DatabaseError as failure:
            self.kernel.close()
            text = "the files beside the chain are damaged; without coins.sqlite the index is built anew"
            raise Corrupt(text, folder=str(folder), reason=str(failure)) from failure
        except BaseException:
            self.kernel.close()
            raise

    def tip(self) -> tuple[L1Height, BlockHash]:
        """Height and hash of the last block."""
        return self.kernel.tip()

    def read(self, block_hash: BlockHash) -> bytes:
        """A serialised block. Invalid if unknown."""
        return self._recent.get(block_hash) or self.kernel.read(block_hash)

    def submit(self, blocks: Sequence[bytes]) -> Change:
        """Validate blocks in order until one is refused. Those taken survive a kill once this returns.

        Raises:
            Invalid: One does not parse; none was taken.
        """
        parsed = [Block.parse(raw) for raw in blocks]
        added = self.journal.append([(block.hash, block.raw) for block in parsed])
        taken: dict[BlockHash, Block] = {}
        refused: RejectedBlock | None = None
        for block in parsed:
            if refused is None:
                try:
                    if self.kernel.submit(block.raw):
                        taken[block.hash] = block
                        self._remember(block)
                    continue
                except RejectedBlock as failure:
                    refused = failure
            # A block that was in the journal before was taken once, whatever its copy with other witnesses met now.
            if block.hash in added and block.hash not in taken:
                self.journal.remove(block.hash)
        change = self._follow(taken)
        change.refused = refused
        if self.journal.count >= JOURNAL_BLOCKS_MAX or self.journal.size_bytes >= JOURNAL_SIZE_MAX_BYTES:
            self.checkpoint()
        return change

    def checkpoint(self) -> None:
        """Make the library write its state, then forget the journal."""
        self.kernel.close()
        self.kernel.open()
        self.journal.clear()

    def close(self) -> None:
        """Write everything and let go."""
        self.kernel.close()
        self.journal.clear()
        self.journal.close()
        self.index.close()

    def _replay(self) -> int:
        replayed = 0
        for _, raw in self.journal.replay():
            try:
                replayed += self.kernel.submit(raw)
            except RejectedBlock:
                # A kill came between keeping the block and learning that it is invalid.
                continue
            except Invalid as failure:
                raise Corrupt("the journal holds what is no block", reason=str(failure)) from failure
        return replayed

    def follow(self) -> Change:
        """Bring the index to the library's tip after it could not be written."""
        return self._follow({})

    def _catch_up(self) -> None:
        """Bring the index to the library's tip after a restart."""
        tip = self.index.tip()
        if tip is not None and not self.kernel.knows(tip[1]):
            self.index.clear()  # The library's files were taken away: it is another chain now.
        while self._follow({}, FOLLOW_BLOCKS_MAX).connected:
            pass

    def _follow(self, parsed: dict[BlockHash, Block], blocks_max: int | None = None) -> Change:
        """Bring the index to the library's tip, or so many blocks nearer to it."""
        change = Change()
        goal, goal_hash = self.kernel.tip()
        tip = self.index.tip()
        if tip == (goal, goal_hash):
            return change
        height = -1 if tip is None else tip[0]
        self.index.begin()
        try:
            while height >= 0 and self.kernel.hash_at(height) != self.index.hash_at(height):
                left = self.index.hash_at(height)
                assert left is not None
                change.disconnected.append(parsed.get(left) or self._read(left))
                self.index.disconnect(height)
                height -= 1
            last = goal if blocks_max is None else min(goal, height + blocks_max)
            for joining in range(height + 1, last + 1):
                block_hash = self.kernel.hash_at(joining)
                assert block_hash is not None
                block = parsed.get(block_hash) or self._read(block_hash)
                self.index.connect(joining, block)
                change.connected.append(block)
            self.index.commit()
        except sqlite3.OperationalError as failure:
            self.index.rollback()
            # The block is safe: the index catches up later.
            self.is_behind = True
            raise Unavailable("the coin index cannot be written", reason=str(failure)) from failure
        except BaseException:
            self.index.rollback()
            raise
        self.is_behind = False
        return change

    def _read(self, block_hash: BlockHash) -> Block:
        return Block.parse(self.read(block_hash))

    def _remember(self, block: Block) -> None:
        self._recent[block.hash] = block.raw
        self._recent_size_bytes += len(block.raw)
        while self._recent_size_bytes > RECENT_SIZE_MAX_BYTES:
            self._recent_size_bytes -= len(self._recent.pop(next(iter(self._recent))))
