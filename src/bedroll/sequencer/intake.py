"""Where transactions come in: many at once are decoded, judged, logged and answered together.

Reads: raw transactions.  Gives: `Intake`.
Never: answers before the kernel has the transaction.  Spec: docs/spec/sequencer.md#intake
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from bedroll.execution.desk import Desk
from bedroll.execution.engine import Block, Transaction, View, decode_transactions
from bedroll.execution.fee import FeeRule
from bedroll.execution.mempool import Mempool, add_many
from bedroll.primitives import Hash32, Invalid, Unavailable
from bedroll.storage.crash_point import crash_point
from bedroll.storage.record_log import LogEnd, RecordLog

from .port import Announcer

GROUP_MAX: Final = 2_000
"""Transactions decoded at a time."""
WAITING_MAX: Final = 50_000
"""Transactions that wait to be decoded; beyond it callers are told to come again."""
_REWRITE_BYTES_MIN: Final = 8 << 20


class Pending:
    """The newest state transactions are judged by: inside the open block."""

    def __init__(self, view: View, fee: FeeRule) -> None:
        self.view = view
        self.fee = fee


class Intake:
    """The mempool behind a log.

    Attributes:
        desk: Puts into the pool what comes by JSON-RPC, and executes what is in it.
        arrived: Set when the mempool took something; the producer clears it.
        is_urgent: Whether what is taken is to be in a block at once.
        on_throttle: Called when `throttled` changes.
    """

    def __init__(self, pool: Mempool, desk: Desk, log: RecordLog, pending: Pending, announcer: Announcer) -> None:
        self.pool = pool
        self.desk = desk
        self.pending = pending
        self.arrived = asyncio.Event()
        self.is_urgent = False
        self.on_throttle: Callable[[], None] = lambda: None
        self._throttled = ""
        self._log = log
        self._announcer = announcer
        self._queue: deque[tuple[bytes, asyncio.Future[Hash32 | Invalid]]] = deque()
        self._wake = asyncio.Event()

    @property
    def throttled(self) -> str:
        """Why nothing is taken now; empty otherwise."""
        return self._throttled

    @throttled.setter
    def throttled(self, reason: str) -> None:
        self._throttled = reason
        self.on_throttle()

    @property
    def log_end(self) -> LogEnd:
        """Where the core writes what it takes by itself; it then says so to `took`."""
        return self._log.end

    async def submit(self, raws: Sequence[bytes]) -> list[Hash32 | Invalid]:
        """Take transactions; one answer each, in order.

        Raises:
            Unavailable: Too many wait, or the sequencer is throttled.
        """
        if self.throttled:
            raise Unavailable(f"the sequencer takes no transactions now: {self.throttled}")
        if len(self._queue) + len(raws) > WAITING_MAX:
            raise Unavailable("too many transactions wait", waiting=len(self._queue), limit=WAITING_MAX)
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[Hash32 | Invalid]] = [loop.create_future() for _ in raws]
        self._queue.extend(zip(raws, answers, strict=True))
        self._wake.set()
        return list(await asyncio.gather(*answers))

    async def run(self) -> None:
        """Serve until cancelled; then whoever still waits is told."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    await self._group()
        finally:
            while self._queue:
                with contextlib.suppress(asyncio.InvalidStateError):
                    self._queue.popleft()[1].set_exception(Unavailable("the sequencer is stopping"))

    async def _group(self) -> None:
        group = [self._queue.popleft() for _ in range(min(len(self._queue), GROUP_MAX))]
        raws = [raw for raw, _ in group]
        decoded = await asyncio.to_thread(decode_transactions, raws)
        try:
            answers = self._take(decoded)
        except OSError as error:
            for _, answer in group:
                if not answer.done():
                    answer.set_exception(Unavailable("the mempool's log cannot be written", reason=str(error)))
            return
        for (_, answer), result in zip(group, answers, strict=True):
            if not answer.done():
                answer.set_result(result)

    def _take(self, decoded: Sequence[Transaction | str]) -> list[Hash32 | Invalid]:
        asked: list[Transaction | str] = [
            "already known" if isinstance(each, Transaction) and self.pool.kept(each.hash) else each for each in decoded
        ]
        answers = add_many(self.pool, asked, self.pending.view, self.pending.fee)
        taken = [
            each
            for each, answer in zip(decoded, answers, strict=True)
            if isinstance(each, Transaction) and not isinstance(answer, Invalid)
        ]
        if taken:
            self.write_down(taken, [each.raw for each in taken])
        return answers

    def write_down(self, taken: Iterable[Transaction], raws: Sequence[bytes]) -> None:
        """The pool took these: they go into the log, and then whoever waits for them is told.

        Raises:
            OSError: The log cannot be written; the pool has let go of them.
        """
        try:
            self._log.append(raws)
        except OSError:
            for each in taken:
                self.pool.refused(each)
            raise
        crash_point("mempool.after_append")
        self.took(taken)

    def took(self, taken: Iterable[Transaction]) -> None:
        """These are in the pool and in the log."""
        self._announcer.pending(taken)
        self.arrived.set()

    def find(self, hash: bytes) -> Transaction | None:
        """A transaction that waits, or that is in a block which is not sealed or not durable."""
        return self.pool.get(hash) or self.pool.kept(hash)

    # --- the log ---------------------------------------------------------------------------------

    def restore(self) -> int:
        """Take back what the log holds; what is in the chain already is left out.

        Returns:
            How many transactions wait again.
        """
        decoded = decode_transactions(self._log.take_records())
        add_many(self.pool, decoded, self.pending.view, self.pending.fee)
        return len(self.pool)

    def settle(self, blocks: Iterable[Block]) -> None:
        """These are durable; the log shrinks once most of it is in durable blocks."""
        for block in blocks:
            self.pool.settle(block)
        live_bytes = self.pool.size_bytes + self.pool.kept_bytes
        if self._log.size_bytes > max(_REWRITE_BYTES_MIN, 4 * live_bytes):
            self._log.rewrite(lambda: [each.raw for each in (*self.pool.all_kept(), *self.pool.transactions())])

    def take_back(self, transactions: Iterable[Transaction]) -> None:
        """These were in blocks that left the chain: they wait again where they still can."""
        back = list(transactions)
        for each in back:
            self.pool.forget_kept(each.hash)
        add_many(self.pool, back, self.pending.view, self.pending.fee)
        self.arrived.set()
