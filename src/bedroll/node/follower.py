"""Follows a leader's stream: verifies each block's signature, executes it, and holds the result against the hash.

Reads: a stream of strangers until a signature says otherwise.  Gives: `Follower`.
Never: takes a block whose signature or hash is wrong, or one that Bitcoin contradicts.
Spec: docs/spec/node.md#following
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

import aiohttp

from bedroll.crypto import schnorr
from bedroll.execution.engine import Block, Engine
from bedroll.primitives import Corrupt, Invalid, L1Height, L2Height, Unavailable
from bedroll.protocol import Network
from bedroll.sequencer.signer import block_digest
from bedroll.sequencer.stream import PATH
from bedroll.sequencer.wire import (
    MESSAGE_BYTES_MAX,
    Hello,
    Message,
    Refusal,
    StreamedBlock,
    Unwound,
    Welcome,
    parse_message,
)

from .deriver import Deriver
from .engine_thread import EngineThread
from .store import NodeStore

_BACKOFF_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
GROUP_MAX: Final = 256
"""Messages taken together; beyond it the leader's socket waits."""
UNSIGNED_MAX: Final = 100_000
"""Unsigned blocks that wait for a signed descendant."""
_LOG: Final = logging.getLogger("bedroll.node.follower")


class BadStream(Invalid):
    """The leader, or whoever speaks for him, sent something that cannot be; `.height` says where."""


class Listener(Protocol):
    """Who is told of blocks; on the event loop, while the gate is held."""

    def sealed(self, block: Block) -> None:
        """A block became the tip."""
        ...

    def removed(self, blocks: list[Block]) -> None:
        """Blocks left the chain, newest first."""
        ...

    def durable(self) -> None:
        """Sealed blocks are on disk."""
        ...


class Follower:
    """One stream.

    Attributes:
        reason: Why nothing is followed now; empty otherwise.
        refused: Blocks that were refused, since the start.
    """

    def __init__(
        self,
        url: str,
        engine: Engine,
        thread: EngineThread,
        gate: asyncio.Lock,
        deriver: Deriver,
        store: NodeStore,
        network: Network,
        listener: Listener,
    ) -> None:
        self.reason = "not connected yet"
        self.refused = 0
        self._url = url if url.endswith(PATH) else url.rstrip("/") + PATH
        self._engine = engine
        self._thread = thread
        self._gate = gate
        self._deriver = deriver
        self._store = store
        self._network = network
        self._listener = listener
        self._highest_signed = store.highest_signature()
        self._waiting: list[StreamedBlock] = []
        self._l1_moved = asyncio.Event()

    def l1_changed(self, is_disturbed: bool) -> None:
        """Derivation made a step; where it changed the chain, what waits may no longer fit."""
        if is_disturbed:
            self._waiting.clear()
        self._l1_moved.set()

    async def run(self) -> None:
        """Follow until cancelled; a broken stream is opened again."""
        failures = 0
        while True:
            try:
                await self._follow()
                self.reason = "the leader ended the stream"
            except* (aiohttp.ClientError, OSError, TimeoutError, Unavailable) as errors:
                self.reason = f"the stream cannot be read: {_first(errors)}"
            except* Invalid as errors:
                self.refused += 1
                self.reason = f"refused: {_first(errors)}"
                _LOG.warning("refused the stream", extra={"reason": self.reason})
            wait_seconds = _BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS) - 1)]
            failures = failures + 1 if self.reason else 0
            await asyncio.sleep(wait_seconds)

    async def _follow(self) -> None:
        self._waiting.clear()
        tip, genesis = self._engine.tip(), self._engine.header(0)
        if genesis is None:
            raise Corrupt("block 0 is missing")
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(self._url, max_msg_size=MESSAGE_BYTES_MAX, heartbeat=30.0, compress=0) as socket,
        ):
            await socket.send_bytes(Hello(self._network.number, genesis.hash, tip.number, tip.hash).encode())
            arrived: asyncio.Queue[Message | None] = asyncio.Queue(GROUP_MAX)
            async with asyncio.TaskGroup() as group:
                group.create_task(_read(socket, arrived))
                while (message := await arrived.get()) is not None:
                    messages: list[Message | None] = [message]
                    while not arrived.empty():
                        messages.append(arrived.get_nowait())
                    await self.take([each for each in messages if each is not None])
                    if messages[-1] is None:
                        break

    async def take(self, messages: Sequence[Message]) -> None:
        """Act upon messages in order; runs of blocks share one write to disk.

        Raises:
            Invalid: One of them cannot be; the stream is left.
        """
        blocks: list[StreamedBlock] = []
        for message in messages:
            if isinstance(message, StreamedBlock):
                blocks.append(message)
                continue
            await self._take_blocks(blocks)
            blocks = []
            match message:
                case Welcome() | Unwound():
                    await self._unwind(message.height)
                    self.reason = ""
                case Refusal():
                    raise BadStream(f"the leader refuses: {message.reason}")
                case Hello():
                    raise BadStream("a leader does not say hello")
        await self._take_blocks(blocks)

    async def _take_blocks(self, blocks: Sequence[StreamedBlock]) -> None:
        for block in blocks:
            self._verify(block)
        ready: list[StreamedBlock] = []
        for block in blocks:
            if block.signature is None and block.height > self._highest_signed and not self._has(block):
                # Nobody vouches for it yet: it waits for a signed descendant, which vouches for all below it.
                if len(self._waiting) >= UNSIGNED_MAX:
                    raise BadStream("too many unsigned blocks", height=block.height, limit=UNSIGNED_MAX)
                self._waiting.append(block)
                continue
            ready += [*self._waiting, block]
            self._waiting = []
            if block.signature is not None:
                self._highest_signed = max(self._highest_signed, L2Height(block.height))
        while ready:
            await self._origin_is_deep(ready[0])
            count = 1
            while count < len(ready) and self._is_deep(ready[count]):
                count += 1
            await self._execute(ready[:count])
            ready = ready[count:]

    def _has(self, block: StreamedBlock) -> bool:
        stored = self._engine.header(block.height)
        return stored is not None and stored.hash == block.hash

    def _verify(self, block: StreamedBlock) -> None:
        if block.signature is None:
            return
        if block.automatic:
            raise BadStream("nobody signs an automatic block", height=block.height)
        digest = block_digest(self._network.number, L2Height(block.height), block.hash)
        if not schnorr.is_valid(self._deriver.leader, digest, block.signature):
            raise BadStream("a block is not signed by the leader", height=block.height, hash=block.hash)

    def _is_deep(self, block: StreamedBlock) -> bool:
        """Whether its origin is deep enough in our own view of L1, whatever the leader's is."""
        depth = self._network.parameters.finality_depth
        return not block.step or self._deriver.height - depth >= block.origin_height

    async def _origin_is_deep(self, block: StreamedBlock) -> None:
        while not self._is_deep(block):
            self._l1_moved.clear()
            await self._l1_moved.wait()

    async def _execute(self, blocks: Sequence[StreamedBlock]) -> None:
        async with self._gate:
            made, refusal = await self._thread.run(self._make_all, blocks)
            for block in made:
                self._listener.sealed(block)
            if made:
                self._listener.durable()
        if refusal is not None:
            raise refusal

    def _make_all(self, blocks: Sequence[StreamedBlock]) -> tuple[list[Block], Invalid | None]:
        """On the engine's thread: blocks that were made, and why the next one was not."""
        made: list[Block] = []
        refusal: Invalid | None = None
        signatures: list[tuple[L2Height, bytes, bytes]] = []
        try:
            for block in blocks:
                if not self._has(block):
                    # Derivation may have brought the same block meanwhile, or another one.
                    if block.height <= self._deriver.safe.height:
                        raise BadStream("the leader contradicts Bitcoin", height=block.height, hash=block.hash)
                    made.append(self._make(block))
                if block.signature is not None:
                    signatures.append((L2Height(block.height), block.hash, block.signature))
        except Invalid as error:
            refusal = error
        self._engine.commit()
        self._store.put_signatures(signatures)
        return made, refusal

    def _make(self, block: StreamedBlock) -> Block:
        tip = self._engine.tip().number
        if block.height != tip + 1:
            raise BadStream("a block does not follow the tip", height=block.height, tip=tip)
        origin = None
        if block.step:
            origin = self._deriver.native_origin(L1Height(block.origin_height))
        try:
            self._engine.begin(block.timestamp, origin, automatic=block.automatic)
            receipts = self._engine.add_many(block.transactions) if block.transactions else []
            for index, receipt in enumerate(receipts):
                if isinstance(receipt, str):
                    raise BadStream("a transaction does not fit", height=block.height, index=index, reason=receipt)
            made = self._engine.seal()
        except Invalid:
            self._engine.abandon()
            raise
        if made.header.hash != block.hash:
            self._engine.unwind_to(block.height - 1)
            raise BadStream(
                "executing a block gives another hash", height=block.height, hash=made.header.hash, signed=block.hash
            )
        return made

    async def _unwind(self, height: int) -> None:
        self._waiting = [block for block in self._waiting if block.height <= height]
        async with self._gate:
            keep = max(height, self._deriver.safe.height)
            tip = self._engine.tip().number
            if tip <= keep:
                return
            gone = await self._thread.run(self._remove, keep)
            self._listener.removed(gone)
            self._listener.durable()

    def _remove(self, keep: int) -> list[Block]:
        gone = []
        for height in range(self._engine.tip().number, keep, -1):
            block = self._engine.block(height)
            if block is not None:
                gone.append(block)
        self._engine.abandon()
        self._engine.unwind_to(keep)
        self._engine.commit()
        return gone


async def _read(socket: aiohttp.ClientWebSocketResponse, arrived: asyncio.Queue[Message | None]) -> None:
    """Parse messages into a bounded queue; None ends it."""
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.BINARY:
            raise BadStream("a message is not binary", kind=message.type.name)
        await arrived.put(parse_message(message.data))
    await arrived.put(None)


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
