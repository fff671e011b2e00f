"""Derivation's executor over the engine: the leader's blocks are kept where Bitcoin says the same.

Reads: orders for blocks.  Gives: blocks in the engine, `ChainChanged` reports.
Never: decides whether a batch counts (derivation does).  Spec: docs/spec/derivation.md#executor

The engine may hold blocks beyond the derived ones: the leader's, not yet on L1. A candidate is compared with them
first, block by block. Where they are the same nothing is executed. Where they differ, those blocks are set aside, and
put back if the candidate proves invalid.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass

from bedroll.da import BatchForm
from bedroll.da.codec import DecodedBatch, decode_batch
from bedroll.derivation.port import BlockOrder, Built, Decoded, OriginBlock
from bedroll.execution.engine import Block, Engine, Origin, Transaction
from bedroll.primitives import Corrupt, Invalid, L1Height, L2Height

_BASE_FEES: int = 11
"""Base fees that a body's columns refer to: of the block itself and ten before (protocol.md 4.3)."""


@dataclass(frozen=True, slots=True)
class ChainChanged:
    """Blocks left the chain, or came without the sequencer.

    Attributes:
        fork: Height of the last block that stays.
        removed: What stood above it, newest first.
        tip: Height of the tip now.
    """

    fork: L2Height
    removed: Sequence[Block]
    tip: L2Height


class EngineExecutor:
    """Gives `derivation.port.Executor` over one engine.

    Args:
        engine: The chain. Derivation's calls and the sequencer's must not overlap where they change it: `lock`.
        keep_unsafe: Whether leader's blocks outlive the batch that a reorganisation took away (as `latest`). A node
            that shows nothing but what Bitcoin holds says no.
        on_change: Told of every change that is not the sequencer's own.
        archive: Whether the engine keeps everything; else it forgets what no reorganisation that is kept can need.
        keep_blocks: Newest blocks whose state is kept anyway.
        lock: Entered while the engine is changed; re-entry by one thread must be possible.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        keep_unsafe: bool = False,
        on_change: Callable[[ChainChanged], None] | None = None,
        archive: bool = False,
        keep_blocks: int = 0,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self._engine = engine
        self._keep_unsafe = keep_unsafe
        self._on_change = on_change
        self._archive = archive
        self._keep_blocks = keep_blocks
        self._lock = nullcontext() if lock is None else lock
        self._origin: Callable[[int], OriginBlock] | None = None
        self._parent = 0
        self._cursor = 0
        self._fork = 0
        self._own = False
        self._aside: list[Block] = []
        self._fees: deque[int] = deque(maxlen=_BASE_FEES - 1)
        self._held = ExitStack()

    def use_origins(self, origin: Callable[[int], OriginBlock]) -> None:
        """Say where origins come from (`Pipeline.origin`): blocks set aside need them when they are put back."""
        self._origin = origin

    def hash_at(self, height: L2Height) -> bytes | None:
        """Hash of a stored block."""
        header = self._engine.header(height)
        return None if header is None else header.hash

    def rules(self) -> bytes:
        """Digest of the rules, as statements name it."""
        return self._engine.rules_digest()

    def facts(self, height: L2Height) -> bytes:
        """Digest of what the header of a derived block does not say."""
        return self._engine.facts_digest(height)

    def decode(self, parent: L2Height, block_count: int, body: bytes, form: BatchForm) -> Decoded:
        """Decode a body upon the AddressBook of block `parent`.

        Raises:
            Invalid: It is no encoding of any blocks, or goes beyond a limit.
        """
        return decode_batch(self._engine, parent, block_count, body, form=int(form))

    def begin(self, parent: L2Height) -> None:
        """Begin a candidate on block `parent`."""
        self._parent = parent
        self._cursor = parent
        self._own = False
        self._aside = []
        self._fees.clear()
        for height in range(max(0, parent - _BASE_FEES + 2), parent + 1):
            header = self._engine.header(height)
            if header is None:
                raise Corrupt("a derived block is missing", height=height)
            self._fees.appendleft(header.base_fee_per_gas)

    def block(self, order: BlockOrder) -> Built:
        """Take the next block of the candidate: the stored one if it is the same, else by executing it.

        Raises:
            Invalid: The block breaks a rule; the candidate can only be rejected now.
        """
        if not self._own:
            stored = self._engine.block(self._cursor + 1)
            if stored is not None and self._is_same(stored, order):
                return self._took(stored)
            self._take_over()
        base_fee = self._engine.next_base_fee(None if order.origin is None else order.origin.l1_rate)
        transactions = self._transactions(order, [base_fee, *self._fees])
        origin = None if order.origin is None else native_origin(order.origin)
        return self._took(self._make(order.timestamp, origin, order.automatic, transactions))

    def accept(self) -> None:
        """Keep the candidate; make it durable."""
        self._engine.commit()
        if self._own:
            self._release()
            removed = tuple(reversed(self._aside))
            self._aside = []
            self._tell(self._fork, removed, self._cursor)

    def reject(self) -> None:
        """Put back what was there before the candidate."""
        if not self._own:
            return
        self._engine.abandon()
        self._engine.unwind_to(self._fork)
        for block in self._aside:
            origin = None
            if block.origin_step:
                if self._origin is None:
                    raise Corrupt("nobody said where origins come from", height=block.header.number)
                origin = native_origin(self._origin(block.origin_height))
            again = self._make(block.header.timestamp, origin, block.automatic, block.own_transactions())
            if again.header.hash != block.header.hash:
                raise Corrupt("a block set aside came back different", height=block.header.number)
        self._aside = []
        self._release()

    def unwind(self, height: L2Height, fork: L1Height) -> None:
        """The derived chain ends at `height` now; drop what cannot stand without the L1 blocks above `fork`."""
        keep = self._standing(height, fork) if self._keep_unsafe else height
        tip = self._engine.tip().number
        if tip <= keep and not self._keep_unsafe:
            return
        with self._lock:
            removed = tuple(self._block(above) for above in range(tip, keep, -1))
            # An open block may have taken an origin that died, even where every sealed one stands.
            self._engine.abandon()
            if removed:
                self._engine.unwind_to(keep)
                self._engine.commit()
        self._tell(keep, removed, keep)

    def forget(self, below: L2Height) -> None:
        """Let the engine drop what only an unwinding below `below` would need."""
        kept = min(below - 1, self._engine.durable_height() - self._keep_blocks)
        if kept > 0 and not self._archive:
            self._engine.prune(kept)

    def oldest(self) -> L2Height:
        """Lowest height that can be unwound to."""
        return L2Height(self._engine.oldest_state())

    def _is_same(self, stored: Block, order: BlockOrder) -> bool:
        origin = order.origin
        if (
            stored.header.timestamp != order.timestamp
            or stored.automatic != order.automatic
            or stored.origin_step != (origin is not None)
            or (origin is not None and stored.header.origin_hash != origin.hash)
        ):
            return False
        if order.body is None:
            return not stored.own_raws()
        proven = order.body.form == BatchForm.PROVEN
        raws = stored.own_attested() if proven else stored.own_raws()
        fees = [stored.header.base_fee_per_gas, *self._fees]
        try:
            return raws == order.body.transactions(order.index, fees)
        except Invalid:
            # The fees are those of the candidate so far, so that executing it will find the same.
            return False

    def _take_over(self) -> None:
        """From here on the candidate differs: set aside what stands above it."""
        self._held.enter_context(self._lock)
        self._engine.abandon()
        self._aside = [self._block(height) for height in range(self._cursor + 1, self._engine.tip().number + 1)]
        self._fork = self._cursor
        if self._aside:
            self._engine.unwind_to(self._fork)
        self._own = True

    @staticmethod
    def _transactions(order: BlockOrder, fees: list[int]) -> Sequence[bytes | Transaction]:
        """What a block of a body holds. On the word of a proof senders are taken as the body names them."""
        if order.body is None:
            return ()
        if isinstance(order.body, DecodedBatch) and order.body.form == BatchForm.PROVEN:
            return order.body.attested(order.index, fees)
        return order.body.transactions(order.index, fees)

    def _make(
        self, timestamp: int, origin: Origin | None, automatic: bool, transactions: Sequence[bytes | Transaction]
    ) -> Block:
        self._engine.begin(timestamp, origin, automatic=automatic)
        for index, receipt in enumerate(self._engine.add_many(transactions) if transactions else ()):
            if isinstance(receipt, str):
                self._engine.abandon()
                raise Invalid("a transaction does not fit", index=index, reason=receipt)
        return self._engine.seal()

    def _took(self, block: Block) -> Built:
        self._cursor = block.header.number
        self._fees.appendleft(block.header.base_fee_per_gas)
        return Built(
            height=L2Height(block.header.number),
            hash=block.header.hash,
            queue_waiting=block.queue_enqueued - block.queue_done,
            forced=tuple((id, status, transaction_hash) for _, id, status, transaction_hash in block.forced),
        )

    def _standing(self, height: L2Height, fork: L1Height) -> L2Height:
        """Highest block that the leader made and whose origin stands, with all between."""
        standing = int(height)
        while (block := self._engine.block(standing + 1)) is not None:
            if block.automatic or block.origin_height > fork:
                break
            standing += 1
        return L2Height(standing)

    def _block(self, height: int) -> Block:
        block = self._engine.block(height)
        if block is None:
            raise Corrupt("a stored block is missing", height=height)
        return block

    def _tell(self, fork: int, removed: tuple[Block, ...], tip: int) -> None:
        if self._on_change is not None:
            self._on_change(ChainChanged(L2Height(fork), removed, L2Height(tip)))

    def _release(self) -> None:
        self._own = False
        self._held.close()


def native_origin(origin: OriginBlock) -> Origin:
    """The engine's own type of an origin."""
    return Origin(
        height=origin.height,
        hash=origin.hash,
        header=origin.header,
        witness_root=origin.witness_root,
        median_time=origin.median_time,
        l1_rate=origin.l1_rate,
        forced=[(message.id, message.payload, message.paid) for message in origin.forced],
    )
