"""Posts batches and commitments when the policy says so, and throttles when too much waits.

Reads: the backlog, L1 as derived, the writer's queue.  Gives: `Batcher`.
Never: posts blocks twice: what the writer still works on is not posted again.  Spec: docs/spec/sequencer.md#batcher
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from bedroll.crypto import schnorr, sha256
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.da import Batch, BatchForm, BatchHeader, Commitment
from bedroll.da.writer import Posting, PostingState, Writer
from bedroll.execution.engine import Engine
from bedroll.primitives import FeeRate, Invalid, L1Height, L2Height, Unavailable
from bedroll.protocol import Network
from bedroll.storage.crash_point import crash_point

from .backlog import Backlog
from .finisher import SignatureStore
from .intake import Intake
from .policy import BatchPolicy, batch_due, commitment_due, proofs_are_late, room_bytes
from .port import CycleCount, EngineThread, L1View
from .proof_size import longest_within

_TICK_SECONDS: Final = 1.0
_LOG: Final = logging.getLogger("bedroll.sequencer.batcher")


class _ChainChanged(Unavailable):
    """Blocks that were to be posted are of the chain no more."""


class RateSource(Protocol):
    """Where fee rates come from."""

    async def fee_rate(self, blocks: int) -> FeeRate:
        """Estimate for confirmation within some blocks."""
        ...


class Batcher:
    """One leader's batches and commitments."""

    def __init__(
        self,
        engine: Engine,
        thread: EngineThread,
        l1: L1View,
        writer: Writer,
        rates: RateSource,
        intake: Intake,
        backlog: Backlog,
        signatures: SignatureStore,
        network: Network,
        key: SecretKey,
        policy: BatchPolicy,
        encode: Callable[[Engine, int, int, BatchForm], bytes],
        cycles: CycleCount | None = None,
    ) -> None:
        """Tie the parts together.

        Args:
            engine: The chain.
            thread: Where it is read while a batch is encoded.
            l1: What derivation knows of L1.
            writer: Takes objects.
            rates: Fee rates of L1.
            intake: Throttled where too much waits.
            backlog: What is not on Bitcoin yet.
            signatures: Only signed blocks are promised.
            network: Rules.
            key: The leader's.
            policy: The operator's choice.
            encode: Makes the body of a batch: (engine, first, last, form).
            cycles: Counts what proving a batch takes; without it proven batches are cut by the other limits alone.
        """
        self._engine = engine
        self._thread = thread
        self._l1 = l1
        self._writer = writer
        self._rates = rates
        self._intake = intake
        self._backlog = backlog
        self._signatures = signatures
        self._network = network
        self._key = key
        self._policy = policy
        self._encode = encode
        self._cycles = cycles
        self._last_commitment_l1: L1Height | None = None
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something changed: look now."""
        self._wake.set()

    async def run(self) -> None:
        """Look once a second and whenever woken, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self.step()
            except Unavailable as error:
                _LOG.debug("Bitcoin does not answer", extra={"reason": str(error)})

    async def step(self) -> None:
        """Throttle or not; post what is due."""
        self._throttle()
        if self._writer.tip() != (self._l1.height, self._l1.hash):
            # The writer and derivation speak of different L1 blocks: whether a batch is in the chain is open.
            return
        posted = self._posted_height()
        if posted is None:
            return
        rate = await self._rates.fee_rate(2)
        batch = self._writer.last_of("batch")
        if batch is None or not self._is_under_way(batch):
            form = self._policy.form
            if form is BatchForm.PROVEN and self._are_proofs_late():
                # What waits for proofs is posted again from the derived tip on, and ends the wait.
                form, posted = BatchForm.SIGNED, L2Height(self._l1.safe.height)
            reason = batch_due(
                self._policy,
                self._network.parameters,
                self._backlog.unposted(posted),
                rate=rate,
                l1_tip=self._l1.height,
                silent_since=self._l1.silent_since,
            )
            if reason is not None:
                await self._post_batch(posted, reason, form)
                posted = self._posted_height() or posted
        self._commit(posted)

    def _throttle(self) -> None:
        room = room_bytes(self._network.parameters, l1_tip=self._l1.height, silent_since=self._l1.silent_since)
        waiting = self._backlog.size_bytes
        was, self._intake.throttled = self._intake.throttled, ""
        if waiting >= room:
            self._intake.throttled = f"{waiting} bytes wait for Bitcoin, which has room for {room} before silence ends"
        if was != self._intake.throttled:
            _LOG.warning("throttled" if self._intake.throttled else "no longer throttled", extra={"bytes": waiting})
            self._intake.arrived.set()

    # --- batches -----------------------------------------------------------------------------------

    def _is_under_way(self, posting: Posting) -> bool:
        """Whether a batch may still become part of the chain as it is now."""
        if posting.state not in (PostingState.QUEUED, PostingState.SENT):
            return False
        if self._is_of_chain(posting):
            return True
        self._writer.cancel(posting, "the chain went another way")
        return False

    def _is_of_chain(self, posting: Posting) -> bool:
        return posting.l2_tip is not None and self._engine.height_of(posting.l2_tip) == posting.last_height

    def _posted_height(self) -> L2Height | None:
        """Newest block that a batch on its way or in the chain holds."""
        safe = L2Height(self._l1.safe.height)
        batch = self._writer.last_of("batch")
        if batch is None or batch.last_height is None:
            return safe
        return max(safe, batch.last_height) if self._is_under_way(batch) or self._is_unproven(batch) else safe

    def _is_unproven(self, posting: Posting) -> bool:
        """Whether a batch of the chain as it is now lies on Bitcoin and waits for its proof."""
        return posting.object_id in self._l1.pending_bodies and self._is_of_chain(posting)

    def _are_proofs_late(self) -> bool:
        return proofs_are_late(self._network.parameters, l1_tip=self._l1.height, silent_since=self._l1.silent_since)

    async def _post_batch(self, posted: L2Height, reason: str, form: BatchForm) -> None:
        last = self._backlog.batch_end(posted, self._network.parameters)
        if last is None:
            return
        if form is BatchForm.PROVEN and self._cycles is not None:
            built = await self._provable(posted + 1, last, self._cycles)
            if self._posted_height() != posted:
                return
        else:
            built = await self._thread.run(self._build, posted + 1, last, form)
        if built is None:
            return
        batch, tip = built
        raw, header = batch.encode(), batch.header
        last = L2Height(header.first_height + header.block_count - 1)
        crash_point("sequencer.after_batch_build")
        self._writer.put(raw, "batch", heights=(L2Height(header.first_height), last), l2_tip=tip)
        _LOG.info(
            "batch",
            extra={
                "first": header.first_height,
                "last": last,
                "bytes": len(raw),
                "form": header.form.name.lower(),
                "reason": reason,
            },
        )

    async def _provable(self, first: int, last: int, cycles: CycleCount) -> tuple[Batch, bytes] | None:
        """The longest batch that one proof may cover; where it may not even cover the first block, that one signed.

        None where the chain changed meanwhile.
        """
        built: dict[int, tuple[Batch, bytes]] = {}

        async def count(end: int) -> int:
            made = await self._thread.run(self._build, first, end, BatchForm.PROVEN)
            if made is None:
                raise _ChainChanged("the chain went another way", first=first, last=end)
            built[end] = made
            return await cycles.of(made[0])

        try:
            found = await longest_within(first, last, cycles.limit, count)
        except _ChainChanged:
            return None
        except Invalid as error:
            _LOG.warning("cycles of a batch cannot be counted", extra={"first": first, "reason": str(error)})
            return built[last]
        if found is not None:
            return built[found]
        _LOG.warning("a block is too long for a proof", extra={"height": first, "limit": cycles.limit})
        return await self._thread.run(self._build, first, first, BatchForm.SIGNED)

    def _build(self, first: int, last: int, form: BatchForm) -> tuple[Batch, bytes] | None:
        """The signed batch and the hash of its last block; None where the chain changed meanwhile."""
        parent, head, tail = self._engine.header(first - 1), self._engine.block(first), self._engine.block(last)
        if parent is None or head is None or tail is None:
            return None
        body = self._encode(self._engine, first, last, form)
        header = BatchHeader(
            network=self._network.number,
            parent_l2_hash=parent.hash,
            first_height=first,
            block_count=last - first + 1,
            first_origin=head.origin_height,
            last_origin=tail.origin_height,
            tip_l2_hash=tail.header.hash,
            body_hash=sha256(body),
            form=form,
        )
        signature = schnorr.sign(self._key, header.signing_hash())
        batch = Batch(header=header, leader_key=self._key.x_only, signature=signature, body=body)
        return batch, tail.header.hash

    # --- commitments -------------------------------------------------------------------------------

    def _commit(self, posted: L2Height) -> None:
        tip = self._engine.tip()
        last = self._writer.last_of("commitment")
        parent = posted
        in_flight = False
        if last is not None and self._is_of_chain(last) and last.last_height is not None:
            parent = max(parent, last.last_height)
            pending = last.state in (PostingState.QUEUED, PostingState.SENT)
            in_flight = pending and last.expires_l1 is not None and self._l1.height <= last.expires_l1
        if not commitment_due(
            self._policy,
            uncommitted_blocks=tip.number - parent,
            l1_tip=self._l1.height,
            last_l1=self._last_commitment_l1,
            in_flight=in_flight,
        ):
            return
        promised = self._promise(parent)
        if promised is None:
            return
        raw, height, new_tip = promised
        self._last_commitment_l1 = self._l1.height
        # Void unless it is in one of the next six blocks: it is not even begun when only one of them is left.
        expires = L1Height(self._l1.height + self._network.parameters.commitment_age_max - 1)
        heights = (L2Height(parent + 1), height)
        self._writer.put(raw, "commitment", heights=heights, l2_tip=new_tip, expires_l1=expires)

    def _promise(self, parent: int) -> tuple[bytes, L2Height, bytes] | None:
        """A commitment to, height and hash of the newest signed block above `parent`."""
        height = self._engine.tip().number
        while height > parent:
            header = self._engine.header(height)
            if header is not None and self._signatures.signature(L2Height(height), header.hash) is not None:
                break
            height -= 1
        block, below = self._engine.block(height), self._engine.header(parent)
        if height <= parent or block is None or below is None:
            return None
        promise = Commitment(
            parent_tip=below.hash,
            new_tip=block.header.hash,
            block_count=height - parent,
            last_origin=block.origin_height,
            anchor_hash=self._l1.hash,
        )
        signed = replace(promise, signature=schnorr.sign(self._key, promise.signing_hash()))
        return signed.encode(), L2Height(height), block.header.hash
