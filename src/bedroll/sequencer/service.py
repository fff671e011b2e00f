"""The sequencer: its parts, tied together and run as tasks.

Reads: a node's ports, keys, options.  Gives: `Sequencer`.
Never: outlives one of its tasks: if one fails, all end.  Spec: docs/spec/sequencer.md#service
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bedroll.crypto.secp256k1 import SecretKey
from bedroll.da import BatchForm
from bedroll.da.writer import Writer
from bedroll.execution.desk import Desk, LogEnd
from bedroll.execution.engine import Block, Engine, Origin
from bedroll.execution.fee import FeeRule
from bedroll.execution.mempool import Mempool, PoolLimit
from bedroll.primitives import L1Height, L2Height
from bedroll.protocol import Network
from bedroll.storage.record_log import RecordLog

from .backlog import Backlog
from .batcher import Batcher, RateSource
from .finisher import Finisher, SignatureStore
from .intake import Intake, Pending
from .policy import BatchPolicy
from .port import Announcer, CycleCount, EngineThread, L1View
from .producer import Producer
from .signer import BlockSigner
from .stream import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencerOption:
    """The operator's choice.

    Attributes:
        block_time_seconds: Between blocks; 0 seals after each transaction (regtest).
        manual: Blocks are made when `Producer.make_block` is called, and not otherwise (regtest).
        batch: When batches and commitments are posted.
        pool: What may wait.
        stream_host, stream_port: Where followers connect; port 0: any free one, None: no stream.
        resume_above: For a restored signer file: nothing above this height was signed.
    """

    block_time_seconds: float = 2.0
    manual: bool = False
    batch: BatchPolicy = field(default_factory=BatchPolicy)
    pool: PoolLimit = field(default_factory=PoolLimit)
    stream_host: str = "127.0.0.1"
    stream_port: int | None = 0
    resume_above: L2Height | None = None


class Sequencer:
    """One leader.

    Attributes:
        intake: Takes transactions.
        producer: Makes blocks.
        stream: Serves followers.
        backlog: What Bitcoin does not hold yet.
        is_manual: Whether blocks are made only when somebody asks.
    """

    def __init__(
        self,
        engine: Engine,
        thread: EngineThread,
        disk: EngineThread,
        l1: L1View,
        announcer: Announcer,
        signatures: SignatureStore,
        writer: Writer,
        rates: RateSource,
        network: Network,
        key: SecretKey,
        folder: Path,
        option: SequencerOption,
        *,
        gate: asyncio.Lock,
        native_origin: Callable[[L1Height], Origin],
        encode: Callable[[Engine, int, int, BatchForm], bytes],
        cycles: CycleCount | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Tie the parts together; `folder` holds the mempool's log and the signer's file.

        Raises:
            Misconfigured: The signer's file was restored from a backup.
        """
        self.is_manual = option.manual
        self._engine = engine
        self._folder = folder
        self._is_closed = False
        self._l1 = l1
        self._option = option
        self._announcer = announcer
        fee = FeeRule(engine.next_base_fee(), 0, network.parameters.transfer_bytes)
        self._log = RecordLog(folder / "mempool.log", LogEnd)
        pool = Mempool(network.chain_id, option.pool)
        self.intake = Intake(pool, Desk(engine, pool), self._log, Pending(engine.view(), fee), announcer)
        self.intake.is_urgent = not option.manual and not option.block_time_seconds
        self._signer = BlockSigner(folder / "signer.log", key, network.number, option.resume_above)
        self.stream = Stream(engine, signatures, network)
        self.finisher = Finisher(engine, disk, self._signer, signatures, self.intake, announcer, self.stream)
        self.backlog = Backlog(monotonic)
        self.producer = Producer(
            engine, thread, l1, self.intake, self, network,
            block_time_seconds=option.block_time_seconds, manual=option.manual, gate=gate,
            native_origin=native_origin, clock=clock,
        )  # fmt: skip
        self.batcher = Batcher(
            engine,
            thread,
            l1,
            writer,
            rates,
            self.intake,
            self.backlog,
            signatures,
            network,
            key,
            option.batch,
            encode,
            cycles,
        )
        self._writer = writer

    async def begin(self) -> None:
        """Take back what the last run left: once, before anything else is done."""
        unsafe = self._unsafe_blocks()
        self.backlog.refill(unsafe)
        await self.producer.refresh()
        self.intake.restore()
        for block in unsafe:
            # Durable, but the process died before it was signed.
            if self._signer.may_sign(L2Height(block.header.number)):
                self.finisher.add(block)

    async def run(self) -> None:
        """Run until cancelled."""
        await self.begin()
        if self._option.stream_port is not None:
            await self.stream.start(self._option.stream_host, self._option.stream_port)
        try:
            async with asyncio.TaskGroup() as group:
                for part in (self._writer, self.intake, self.finisher, self.producer, self.batcher):
                    group.create_task(part.run(), name=type(part).__name__.lower())
        finally:
            await self.stream.stop()
            self.close()

    def close(self) -> None:
        """Close both files, durably; a second call does nothing."""
        if not self._is_closed:
            self._signer.close()
            self._log.close()
            self._is_closed = True

    # --- told by the node --------------------------------------------------------------------------

    def l1_changed(self) -> None:
        """Derivation has taken in an L1 block, or gone back."""
        self.backlog.settled(self._l1.safe.height)
        self.producer.l1_changed()
        self.batcher.wake()

    def unsafe_may_change(self) -> None:
        """Derivation is about to change the chain under blocks that Bitcoin does not hold: keep their transactions.

        Called on the engine's thread.
        """
        self.write_down(signed_raws(self._unsafe_blocks()))

    def write_down(self, raws: Sequence[bytes]) -> None:
        """Put transactions into the mempool's log, whether or not they are in blocks. After `run` has ended, too."""
        if raws and not self._is_closed:
            self._log.append(raws, sync=True)
        elif raws:
            log = RecordLog(self._folder / "mempool.log")
            log.append(raws, sync=True)
            log.close()

    def disturbed(self, fork: int, removed: Sequence[Block]) -> None:
        """Derivation changed the chain; what was removed waits again."""
        self.finisher.removed(fork)
        self.backlog.removed(fork)
        self.producer.disturbed(removed)
        self.stream.unwound(fork)

    def derived(self, blocks: Sequence[Block]) -> None:
        """Blocks came from Bitcoin that the sequencer did not make."""
        for block in blocks:
            # Whoever follows needs signatures; a block that came without is had from Bitcoin.
            if not any(each.is_attested for each in block.own_transactions()):
                self.finisher.add(block)

    # --- told by the producer ------------------------------------------------------------------------

    def sealed(self, block: Block) -> None:
        """A block is the tip."""
        self.backlog.add(block)
        self.finisher.add(block)
        self._announcer.sealed(block)

    def durable(self) -> None:
        """Part of the port; the finisher tells the node itself."""

    def pending(self, transactions: Iterable[object]) -> None:
        """Part of the port; the intake tells the node itself."""

    def _unsafe_blocks(self) -> list[Block]:
        found = []
        for height in range(self._l1.safe.height + 1, self._engine.tip().number + 1):
            block = self._engine.block(height)
            if block is not None:
                found.append(block)
        return found


def signed_raws(blocks: Iterable[Block | None]) -> list[bytes]:
    """Signed bytes of the leader's transactions, as far as they are known."""
    own = (each for block in blocks if block is not None for each in block.own_transactions())
    return [each.raw for each in own if not each.is_attested]
