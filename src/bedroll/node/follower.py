"""Follows a leader's stream: verifies each block's signature, executes it, and holds the result against the hash.

Reads: a stream of strangers until a signature says otherwise.  Gives: `Follower`.
Never: takes a block whose signature or hash is wrong, or one that Bitcoin contradicts.
Spec: docs/spec/node.md#following
"""

import asyncio
import logging
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
            except (aiohttp.ClientError, OSError, TimeoutError, Unavailable) as error:
                self.reason = f"the stream cannot be read: {error}"
            except Invalid as error:
                self.refused += 1
                self.reason = f"refused: {error}"
                _LOG.warning("refused the stream", extra={"reason": str(error)})
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
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.BINARY:
                    raise BadStream("a message is not binary", kind=message.type.name)
                await self.take(parse_message(message.data))

    async def take(self, message: Message) -> None:
        """Act upon one message.

        Raises:
            Invalid: It cannot be; the stream is left.
        """
        match message:
            case StreamedBlock():
                await self._take_block(message)
            case Welcome() | Unwound():
                await self._unwind(message.height)
                self.reason = ""
            case Refusal():
                raise BadStream(f"the leader refuses: {message.reason}")
            case Hello():
                raise BadStream("a leader does not say hello")

    async def _take_block(self, block: StreamedBlock) -> None:
        stored = self._engine.header(block.height)
        if stored is not None and stored.hash == block.hash:
            self._keep_signature(block)
            return
        if block.height <= self._deriver.safe.height:
            raise BadStream("the leader contradicts Bitcoin", height=block.height, hash=block.hash)
        if not block.automatic:
            self._verify(block)
        if block.signature is None and block.height > self._highest_signed:
            # Nobody vouches for it yet: it waits for a signed descendant, which vouches for all below it.
            if len(self._waiting) >= UNSIGNED_MAX:
                raise BadStream("too many unsigned blocks", height=block.height, limit=UNSIGNED_MAX)
            self._waiting.append(block)
            return
        ready, self._waiting = [*self._waiting, block], []
        for each in ready:
            await self._execute(each)

    def _verify(self, block: StreamedBlock) -> None:
        if block.signature is None:
            return
        digest = block_digest(self._network.number, L2Height(block.height), block.hash)
        if not schnorr.is_valid(self._deriver.leader, digest, block.signature):
            raise BadStream("a block is not signed by the leader", height=block.height, hash=block.hash)

    def _keep_signature(self, block: StreamedBlock) -> None:
        if block.signature is not None and self._store.signature(L2Height(block.height), block.hash) is None:
            self._verify(block)
            self._store.put_signatures([(L2Height(block.height), block.hash, block.signature)])
            self._highest_signed = max(self._highest_signed, L2Height(block.height))

    async def _execute(self, block: StreamedBlock) -> None:
        # An origin must be deep enough in our own view of L1, whatever the leader's is.
        depth = self._network.parameters.finality_depth
        while block.step and self._deriver.height - depth < block.origin_height:
            self._l1_moved.clear()
            await self._l1_moved.wait()
        async with self._gate:
            tip = self._engine.tip()
            if block.height != tip.number + 1:
                raise BadStream("a block does not follow the tip", height=block.height, tip=tip.number)
            made = await self._thread.run(self._make, block)
            self._listener.sealed(made)
            self._listener.durable()
        self._keep_signature(block)

    def _make(self, block: StreamedBlock) -> Block:
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
        self._engine.commit()
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
