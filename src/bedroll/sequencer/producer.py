"""Makes blocks: opens one, executes what arrives, seals it when its time is over.

Reads: the mempool, L1 as derived, a clock.  Gives: `Producer`.
Never: changes the engine while derivation does: both hold the gate.  Spec: docs/spec/sequencer.md#producer
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from bedroll.derivation.head import Head
from bedroll.execution.desk import Step
from bedroll.execution.engine import Block, Engine, Origin, Receipt, Transaction
from bedroll.execution.fee import FeeRule
from bedroll.primitives import L1Height
from bedroll.protocol import Network

from .intake import Intake
from .opened import Opened
from .port import Announcer, EngineThread, L1View
from .schedule import NoSlot, next_origin, seconds_ahead, slot

EXECUTE_MAX: Final = 2_000
"""Transactions handed to the engine at a time: bounds how long a derived L1 block waits for the gate."""
GATHER_SECONDS: Final = 0.02
"""How long what arrives is gathered before it is executed: what `pending` may lie behind."""
INSTANT_MAX: Final = 64
"""Blocks of one transaction made at a time, for the same reason."""
WAITS: Final = "waits for another base fee"
_LOG: Final = logging.getLogger("bedroll.sequencer")

Made = tuple[Block | None, Transaction | None, Receipt | str | None]
"""A block, the transaction that was to be in it, and what became of that."""


class Producer:
    """The open block of the leader.

    Attributes:
        stalled: Why no block can be made now; empty otherwise.
        gate: Held by whoever changes the chain.
    """

    def __init__(
        self,
        engine: Engine,
        thread: EngineThread,
        l1: L1View,
        intake: Intake,
        announcer: Announcer,
        network: Network,
        *,
        block_time_seconds: float,
        manual: bool,
        gate: asyncio.Lock,
        native_origin: Callable[[L1Height], Origin],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Tie the parts together.

        Args:
            engine: The chain.
            thread: Where it is changed.
            l1: What derivation knows of L1.
            intake: Mempool and its log.
            announcer: Told of sealed blocks.
            network: Rules.
            block_time_seconds: Between blocks; 0 seals after each transaction.
            manual: No block is made but by `make_block`.
            gate: Shared with derivation.
            native_origin: Makes the engine's own type of an origin.
            clock: Seconds; only timestamps come from it.
        """
        self.stalled = ""
        self.gate = gate
        self._engine = engine
        self._thread = thread
        self._l1 = l1
        self._intake = intake
        self._announcer = announcer
        self._network = network
        self._block_time_seconds = block_time_seconds
        self._is_manual = manual
        self._native_origin = native_origin
        self._clock = clock
        self._head: Head | None = None
        self._l1_rate = 0
        self._fee = FeeRule(0, 0, network.parameters.transfer_bytes)
        self._open: Opened | None = None
        self._next_head: Head
        self._is_full = False
        self._gas_promised = 0
        self._l1_moved = asyncio.Event()

    @property
    def origin_blocks(self) -> int:
        """Blocks with the tip's origin so far."""
        return self._head.origin_blocks if self._head is not None else 0

    @property
    def opened(self) -> Opened:
        """What the open block holds already."""
        return self._open if self._open is not None else Opened()

    # --- told by the node --------------------------------------------------------------------------

    def l1_changed(self) -> None:
        """Derivation has read an L1 block: there may be a new origin."""
        self._l1_moved.set()
        self._intake.arrived.set()

    def disturbed(self, removed: Sequence[Block]) -> None:
        """Derivation changed the chain, and the open block with it. Called while it holds the gate.

        Args:
            removed: Blocks that are gone, newest first.
        """
        own = (each for block in reversed(removed) for each in block.transactions[block.forced_count :])
        # Without its signature a transaction can only be had from Bitcoin again.
        back = [each for each in own if not each.is_attested]
        back += self._open or ()
        self._open, self._head, self._is_full = None, None, False
        self._refresh()
        self._intake.pool.reset(self._intake.pending.view)
        self._intake.take_back(back)
        self._intake.pool.refresh()

    async def make_block(self) -> Block | None:
        """Make one block of all that is ready, for whoever drives step by step; None where none can be made."""
        async with self.gate:
            opened = await self._thread.run(self._begin_block)
            self._intake.pool.refresh()
        if not opened:
            return None
        while await self._execute_ready():
            continue
        async with self.gate:
            return await self._seal()

    # --- loops -------------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Look at the chain anew, before anything is judged by it."""
        await self._thread.run(self._refresh)

    async def run(self) -> None:
        """Make blocks until cancelled; the open block is then given up, its transactions stay in the log."""
        try:
            if self._is_manual:
                await asyncio.Event().wait()
            elif self._block_time_seconds:
                await self._run_timed()
            else:
                await self._run_instant()
        finally:
            await self._thread.run(self._engine.abandon)

    async def _run_timed(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            async with self.gate:
                opened = await self._thread.run(self._begin_block)
                self._intake.pool.refresh()
            if not opened:
                await self._wait(None, self._l1_moved)
                due = loop.time()
                continue
            # A late block does not make the next one early by more than half of its time, nor an early one it late.
            now, whole = loop.time(), self._block_time_seconds
            due = min(max(due + whole, now + whole / 2), now + whole)
            while self._open is not None and not self._is_full and loop.time() < due:
                self._intake.arrived.clear()
                if not await self._execute_ready() and not self._is_full:
                    await self._wait(due - loop.time(), self._intake.arrived)
                    # One step for many: each makes the open block's view anew.
                    await asyncio.sleep(max(0.0, min(GATHER_SECONDS, due - loop.time())))
            if self._is_full:
                await self._keep_pace()
            async with self.gate:
                if self._open is not None:
                    await self._seal()

    async def _run_instant(self) -> None:
        while True:
            self._intake.arrived.clear()
            self._l1_moved.clear()
            async with self.gate:
                throttled = bool(self._intake.throttled)
                ready = [] if throttled else self._intake.pool.take_ready(self._fee, 1 << 62, INSTANT_MAX)
                made = await self._thread.run(self._make_each, ready)
                for block, transaction, receipt in made:
                    if transaction is not None and receipt is not None:
                        self._note([transaction], [receipt])
                    if block is not None:
                        self._sealed(block)
            if not made:
                await self._wait(1.0 if self.stalled else None, self._intake.arrived)

    async def _keep_pace(self) -> None:
        """A full block is sealed early, but no timestamp runs ahead of the clock for it, where the network minds."""
        head = self._head
        if head is not None and self._network.parameters.timestamp_lead_max is not None:
            wait_seconds = seconds_ahead(head, self._network.parameters, self._clock())
            if wait_seconds > 0:
                await asyncio.sleep(min(wait_seconds, 1.0))

    @staticmethod
    async def _wait(seconds: float | None, event: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return

    # --- one block -----------------------------------------------------------------------------------

    async def _execute_ready(self) -> bool:
        """Execute what is ready; whether there was any."""
        async with self.gate:
            if self._open is None or self._intake.throttled:
                return False
            # The open block must fit a batch, where limits count and not gas used.
            left = max(0, self._network.parameters.batch_gas_limit - self._gas_promised)
            step = await self._thread.run(self._execute, left)
            self._is_full |= step.is_full
            self._gas_promised += step.batch_gas
            if len(step.transactions):
                self._open.append(step.transactions)
            for dropped, reason in step.dropped:
                _LOG.info("dropped", extra={"transaction": dropped.hex(), "reason": reason})
            return step.is_busy

    async def _seal(self) -> Block:
        block = await self._thread.run(self._seal_block)
        self._sealed(block)
        return block

    def _sealed(self, block: Block) -> None:
        forced = set(block.forced_senders())
        if forced:
            self._intake.pool.reset(self._intake.pending.view, forced)
        self._intake.pool.refresh()
        self._announcer.sealed(block)

    def _note(self, ready: Sequence[Transaction], receipts: Sequence[Receipt | str]) -> None:
        for transaction, receipt in zip(ready, receipts, strict=True):
            if not isinstance(receipt, str):
                self._intake.pool.executed(transaction)
            elif receipt is WAITS:
                self._intake.pool.wait(transaction)
            else:
                _LOG.info("dropped", extra={"transaction": transaction.hash.hex(), "reason": receipt})
                self._intake.pool.refused(transaction)

    # --- on the engine thread ------------------------------------------------------------------------

    def _refresh(self) -> None:
        self._intake.pending.view = self._engine.pending()
        self._intake.pending.fee = self._fee
        self._intake.desk.refresh(self._fee)

    def _begin_block(self) -> bool:
        """Open a block that will be open for a while: transactions are judged inside it."""
        opened = self._open_block()
        if opened:
            self._refresh()
        return opened

    def _open_block(self) -> bool:
        head = self._head = self._head or self._l1.head_of_tip()
        parameters = self._network.parameters
        origin_height = next_origin(parameters, head, self._l1.height)
        own = head.origin_height if origin_height is None else origin_height
        frame = slot(
            parameters,
            head,
            step=origin_height is not None,
            median_time=self._median_time(own),
            now_seconds=int(self._clock()),
        )
        if isinstance(frame, NoSlot):
            if self.stalled != frame.reason:
                _LOG.warning("no block can be made", extra={"reason": frame.reason})
            self.stalled = frame.reason
            self._l1_moved.clear()
            return False
        self.stalled = ""
        origin = self._native_origin(origin_height) if origin_height is not None else None
        if origin is not None or not self._l1_rate:
            self._l1_rate = self._l1.origin(L1Height(own)).l1_rate
        base_fee = self._engine.next_base_fee(None if origin is None else origin.l1_rate)
        self._engine.begin(frame.timestamp, origin)
        self._fee = FeeRule(base_fee, self._l1_rate, parameters.transfer_bytes)
        self._open, self._is_full, self._gas_promised = Opened(), False, 0
        self._next_head = head.child(hash=b"", timestamp=frame.timestamp, step=frame.step)
        return True

    def _median_time(self, height: int) -> int:
        return self._l1.origin(L1Height(height)).median_time

    def _execute(self, batch_gas_left: int) -> Step:
        step = self._intake.desk.execute(self._fee, EXECUTE_MAX, batch_gas_left)
        self._intake.pending.view = self._engine.pending()
        return step

    def _seal_block(self) -> Block:
        block = self._engine.seal()
        self._head = self._next_head_with(block)
        self._open = None
        self._refresh()
        return block

    def _next_head_with(self, block: Block) -> Head:
        after = self._next_head
        return Head(
            height=after.height,
            hash=block.header.hash,
            timestamp=after.timestamp,
            origin_height=after.origin_height,
            second_blocks=after.second_blocks,
            origin_blocks=after.origin_blocks,
        )

    def _make_each(self, ready: Sequence[Transaction]) -> list[Made]:
        """A block for each transaction, and one for each new origin that comes without any."""
        made: list[Made] = []
        waiting = deque(ready)
        while True:
            head = self._head = self._head or self._l1.head_of_tip()
            step = next_origin(self._network.parameters, head, self._l1.height) is not None
            if not (step or waiting) or not self._open_block():
                return made
            transaction = waiting.popleft() if waiting else None
            receipt: Receipt | str | None = None
            if transaction is not None:
                (receipt,) = self._engine.add_many([transaction])
                if isinstance(receipt, str) and not self._fee.is_executable(transaction):
                    receipt = WAITS
            if isinstance(receipt, Receipt) or step:
                made.append((self._seal_block(), transaction, receipt))
            else:
                self._engine.abandon()
                self._open = None
                made.append((None, transaction, receipt))
