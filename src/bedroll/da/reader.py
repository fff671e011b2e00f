"""Follows Bitcoin's best chain block by block, and goes back where it reorganises.

Reads: a `BitcoinClient`.  Gives: `Connect` and `Disconnect` in an order that never skips a block.
Never: parses a block beyond its header; keeps more than a few blocks in memory.  Spec: docs/spec/derivation.md#reader
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from bedroll.bitcoin.client import BitcoinClient
from bedroll.primitives import BlockHash, Invalid, L1Height, Reorg

PREFETCH_BLOCKS: Final = 4
"""Blocks asked for ahead of the one being worked on; 4 MB each at most."""
_PREVIOUS: Final = slice(4, 36)
"""Where a header holds the hash of its parent."""


@dataclass(frozen=True, slots=True)
class Connect:
    """The next block of the best chain.

    Attributes:
        raw: Serialised with witnesses.
        tip_height: Of the best chain when it was fetched, so that a consumer knows how far behind it is.
    """

    height: L1Height
    hash: BlockHash
    raw: bytes
    tip_height: L1Height


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Blocks above `height` left the best chain."""

    height: L1Height


L1Event: TypeAlias = Connect | Disconnect
"""What a reader gives."""


class Reader:
    """Walks along the best chain from where the consumer stands.

    Args:
        client: The node.
        height: L1 height the consumer stands at.
        block: Hash of that block.
        known: Hash the consumer has at a lower height, None below what it can return to.
        prefetch: Blocks asked for ahead.
    """

    def __init__(
        self,
        client: BitcoinClient,
        height: L1Height,
        block: BlockHash,
        known: Callable[[L1Height], bytes | None],
        prefetch: int = PREFETCH_BLOCKS,
    ) -> None:
        self._client = client
        self._height = height
        self._hash = block
        self._known = known
        self._prefetch = prefetch

    async def events(self, wait_seconds: float) -> AsyncIterator[L1Event]:
        """All events from here on, for ever.

        After `Unavailable` a new call goes on where the last event left off.

        Args:
            wait_seconds: Longest single wait for a new tip.

        Raises:
            Unavailable: The node does not answer.
            Reorg: The fork lies deeper than the consumer can return to.
        """
        while True:
            tip = await self._client.tip()
            if tip.hash == self._hash:
                await self._client.wait_for_tip(tip.hash, wait_seconds)
                continue
            fork = await self._fork(tip.height)
            if fork is not None:
                yield fork
                continue
            async for event in self._ahead(tip.height):
                yield event

    async def caught_up(self) -> AsyncIterator[L1Event]:
        """Events up to the present tip, then an end."""
        while (tip := await self._client.tip()).hash != self._hash:
            fork = await self._fork(tip.height)
            if fork is not None:
                yield fork
                continue
            async for event in self._ahead(tip.height):
                yield event

    async def _fork(self, tip_height: L1Height) -> Disconnect | None:
        """Go back to a block of the best chain; None if we stand on one with blocks above or at the tip."""
        height = self._height
        block: bytes | None = self._hash
        while block is not None and await self._client.block_hash(height) != block:
            height = L1Height(height - 1)
            block = self._known(height)
        if block is None:
            raise Reorg("the best chain forks off below what is kept", height=height, tip_height=tip_height)
        if height == self._height:
            return None
        self._height, self._hash = height, BlockHash(block)
        return Disconnect(height)

    async def _ahead(self, tip_height: L1Height) -> AsyncIterator[L1Event]:
        """Blocks above ours up to `tip_height`; ends early where the chain changes under way."""
        fetches: deque[asyncio.Task[tuple[BlockHash, bytes] | None]] = deque()
        upcoming = self._height + 1
        try:
            while upcoming <= tip_height or fetches:
                while upcoming <= tip_height and len(fetches) < self._prefetch:
                    fetches.append(asyncio.create_task(self._fetch(L1Height(upcoming))))
                    upcoming += 1
                fetched = await fetches.popleft()
                if fetched is None or fetched[1][_PREVIOUS] != self._hash:
                    return
                self._height, self._hash = L1Height(self._height + 1), fetched[0]
                yield Connect(self._height, fetched[0], fetched[1], tip_height)
        finally:
            for fetch in fetches:
                fetch.cancel()
            await asyncio.gather(*fetches, return_exceptions=True)

    async def _fetch(self, height: L1Height) -> tuple[BlockHash, bytes] | None:
        block = await self._client.block_hash(height)
        if block is None:
            return None
        try:
            return block, await self._client.block(block)
        except Invalid:
            # Known a moment ago, unknown now: the node forgot a branch. The caller looks at the tip again.
            return None
