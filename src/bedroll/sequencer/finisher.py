"""From sealed to signed: makes blocks durable, signs those that may be signed, hands them to the stream.

Reads: sealed blocks.  Gives: `Finisher`.
Never: lets a signature out before block and height are on disk.  Spec: docs/spec/sequencer.md#finisher
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from bedroll.execution.engine import Block, Engine
from bedroll.primitives import L2Height
from bedroll.storage.crash_point import crash_point

from .intake import Intake
from .port import Announcer, EngineThread
from .signer import BlockSigner
from .wire import StreamedBlock

PACE_SECONDS: Final = 0.01
"""Between the beginnings of two rounds: where a block comes every millisecond, ten share a write and a signature
file's sync, and whoever waits for receipts has the interpreter."""


class SignatureStore(Protocol):
    """Where signatures are kept for followers that come later."""

    def put_signatures(self, signatures: Sequence[tuple[L2Height, bytes, bytes]]) -> None:
        """Keep (height, block hash, signature) of each."""
        ...

    def signature(self, height: L2Height, block_hash: bytes) -> bytes | None:
        """Signature of a block, if it has one."""
        ...


class Outlet(Protocol):
    """Where signed blocks go: the stream."""

    @property
    def followers(self) -> int:
        """How many listen."""
        ...

    def passed(self, height: int) -> None:
        """Blocks up to here may be given to whoever comes; nobody listens now."""
        ...

    def publish(self, blocks: Sequence[StreamedBlock]) -> None:
        """Send blocks to all followers."""
        ...


class Finisher:
    """Works on all blocks that were sealed since it last looked: under load many share one write to disk.

    The write has a thread of its own: the next block is executed meanwhile.
    """

    def __init__(
        self,
        engine: Engine,
        thread: EngineThread,
        signer: BlockSigner,
        store: SignatureStore,
        intake: Intake,
        announcer: Announcer,
        outlet: Outlet,
    ) -> None:
        self._engine = engine
        self._thread = thread
        self._signer = signer
        self._store = store
        self._intake = intake
        self._announcer = announcer
        self._outlet = outlet
        self._sealed: list[Block] = []
        self._wake = asyncio.Event()

    @property
    def signed_height(self) -> L2Height:
        """Newest height that was ever signed with this key."""
        return self._signer.highest

    def add(self, block: Block) -> None:
        """A block was sealed."""
        crash_point("sequencer.after_seal")
        self._sealed.append(block)
        self._wake.set()

    def removed(self, fork: int) -> None:
        """Blocks above a height left the chain: those not yet signed never will be."""
        self._sealed = [block for block in self._sealed if block.header.number <= fork]

    async def run(self) -> None:
        """Serve until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._sealed:
                begun = loop.time()
                await self.finish()
                await asyncio.sleep(max(0.0, begun + PACE_SECONDS - loop.time()))

    async def finish(self) -> None:
        """Finish what is sealed now."""
        blocks, self._sealed = self._sealed, []
        await self._thread.run(self._engine.commit)
        crash_point("sequencer.after_commit")
        # A reorganisation may have removed some of them meanwhile; a removed block is not signed.
        standing = [block for block in blocks if self._engine.height_of(block.header.hash) is not None]
        to_sign = [
            (L2Height(block.header.number), block.header.hash)
            for block in standing
            if not block.automatic and self._signer.may_sign(L2Height(block.header.number))
        ]
        signatures = await asyncio.to_thread(self._signer.sign, to_sign)
        signed = dict(zip((height for height, _ in to_sign), signatures, strict=True))
        crash_point("sequencer.after_sign")
        await asyncio.to_thread(
            self._store.put_signatures,
            [(height, block_hash, signed[height]) for height, block_hash in to_sign],
        )
        self._intake.settle(blocks)
        self._announcer.durable()
        if self._outlet.followers:
            self._outlet.publish([streamed(block, signed.get(L2Height(block.header.number))) for block in standing])
        elif standing:
            self._outlet.passed(standing[-1].header.number)
        crash_point("sequencer.after_publish")


def streamed(block: Block, signature: bytes | None) -> StreamedBlock:
    """A block as the stream carries it."""
    return StreamedBlock(
        height=block.header.number,
        hash=block.header.hash,
        timestamp=block.header.timestamp,
        origin_height=block.origin_height,
        step=block.origin_step,
        automatic=block.automatic,
        signature=signature,
        transactions=tuple(block.own_raws()),
    )
