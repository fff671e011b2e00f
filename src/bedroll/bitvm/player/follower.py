"""Following the chain: who spent the outputs of our games, in which block.

Reads: blocks of the best chain.  Gives: spends and heights; those of blocks that left the chain are forgotten.
Never: believes the mempool.  Spec: docs/spec/dispute.md#players
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bedroll.bitcoin.block import Block
from bedroll.bitcoin.client import BitcoinClient, BlockRef
from bedroll.bitcoin.transaction import OutPoint, Transaction
from bedroll.primitives import BlockHash, L1Height

PREVIOUS: Final = slice(4, 36)
"""Where a block names the one before."""


@dataclass(frozen=True, slots=True)
class Spend:
    """A confirmed spend of a watched output.

    Attributes:
        transaction: The spender.
        input: Which of its inputs.
        height: Of its block.
    """

    transaction: Transaction
    input: int
    height: L1Height


class Follower:
    """Spends of watched outputs since a height. In memory only: a restart reads the blocks again.

    Attributes:
        spends: Confirmed, by output.
        changes: Grows whenever `spends` changes.
    """

    def __init__(self, client: BitcoinClient, start: L1Height) -> None:
        """Follow from a height on; everything watched must be younger."""
        self._client = client
        self._start = start
        self._hashes: list[BlockHash] = []
        self._points: set[OutPoint] = set()
        self._names: tuple[bytes, ...] = ()
        self.spends: dict[OutPoint, Spend] = {}
        self.changes = 0

    def watch(self, points: Iterable[OutPoint]) -> None:
        """Watch more outputs for spends. What was scanned is scanned again."""
        self._points.update(points)
        self._names = tuple({bytes(point.txid) for point in self._points})
        self._hashes.clear()
        self.spends.clear()
        self.changes += 1

    async def sync(self) -> BlockRef:
        """Take in what is new, and let go of what left the chain.

        Raises:
            Unavailable: The node does not answer; a later call goes on.
        """
        while True:
            while self._hashes and await self._client.block_hash(self._next(-1)) != self._hashes[-1]:
                self._drop()
            found = await self._client.block_hash(self._next(0))
            if found is None:
                break
            raw = await self._client.block(found)
            self._take(raw, found)
        if not self._hashes:
            return await self._client.tip()
        return BlockRef(self._next(-1), self._hashes[-1])

    def _next(self, offset: int) -> L1Height:
        return L1Height(self._start + len(self._hashes) + offset)

    def _drop(self) -> None:
        height = self._next(-1)
        self._hashes.pop()
        kept = {point: spend for point, spend in self.spends.items() if spend.height != height}
        self.changes += len(kept) != len(self.spends)
        self.spends = kept

    def _take(self, raw: bytes, found: BlockHash) -> None:
        height = self._next(0)
        if self._hashes and raw[PREVIOUS] != self._hashes[-1]:
            # The best chain changed between two questions; the next round walks back to the fork.
            return
        # A block that spends what is watched contains the bytes of its name. Parsing is a hundred times dearer.
        if any(name in raw for name in self._names):
            for transaction in Block.parse(raw).transactions:
                self._look(transaction, height)
        self._hashes.append(found)

    def _look(self, transaction: Transaction, height: L1Height) -> None:
        for index, each in enumerate(transaction.inputs):
            if each.previous in self._points:
                self.spends[each.previous] = Spend(transaction, index, height)
                self.changes += 1
