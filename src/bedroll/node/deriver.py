"""Bitcoin to chain: reads L1 block by block, has each derived, writes down where it stands.

Reads: a Bitcoin client.  Gives: `Deriver`: the L1 view of all others, and reports of every step.
Never: changes the chain without the gate.  Spec: docs/spec/node.md#deriver
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from bedroll.api.port import L1Status
from bedroll.bitcoin.client import BitcoinClient
from bedroll.bitcoin.header import Header
from bedroll.da import Batch, Proof
from bedroll.da.reader import Connect, Disconnect, Reader
from bedroll.derivation.divergence import Diverged
from bedroll.derivation.head import Head
from bedroll.derivation.l1_traversal import MEDIAN_TIME_SPAN
from bedroll.derivation.pipeline import Pipeline, Step
from bedroll.derivation.port import OriginBlock, ProofVerifier
from bedroll.derivation.settlement_desk import SettledTip, SettlementTerms
from bedroll.derivation.statement import parse_statement
from bedroll.execution.engine import Engine, Origin
from bedroll.execution.genesis import Genesis
from bedroll.metrics import Metrics
from bedroll.primitives import BlockHash, Corrupt, Invalid, L1Height, L2Height, Misconfigured, Unavailable
from bedroll.sequencer.stream import CATCH_UP_BLOCKS_MAX
from bedroll.storage.crash_point import crash_point

from .engine_thread import EngineThread
from .executor import ChainChanged, EngineExecutor, native_origin
from .store import NodeStore

_WAIT_SECONDS: Final = 20.0
_BACKOFF_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_LOG: Final = logging.getLogger("bedroll.node")


@dataclass(frozen=True, slots=True)
class Derived:
    """What one L1 block, or one unwinding, did to this node.

    Attributes:
        step: Of the pipeline.
        changes: Of the chain, in order; none where the leader's blocks were found on Bitcoin as they are.
        is_disturbed: Whether the engine was changed, and with it an open block lost.
        unwound_blocks: L1 blocks that left the best chain.
        divergence: Why the next L1 block was not taken in, if it holds a proof that contradicts what was executed.
    """

    step: Step
    changes: Sequence[ChainChanged]
    is_disturbed: bool
    unwound_blocks: int = 0
    divergence: Diverged | None = None


class _Turn:
    """Entered by the executor where it changes the chain: remembers that, and says so beforehand."""

    def __init__(self) -> None:
        self.is_taken = False
        self.before: Callable[[], None] = lambda: None

    def __enter__(self) -> None:
        if not self.is_taken:
            self.is_taken = True
            self.before()

    def __exit__(self, *_: object) -> None:
        return None


@dataclass
class _Sight:
    """What was last heard of L1."""

    reason: str = "not asked yet"
    tip_height: L1Height = field(default=L1Height(0))
    tip_hash: BlockHash = field(default=BlockHash(bytes(32)))
    moved_seconds: float = 0.0


class Deriver:
    """Derivation of one node.

    Attributes:
        started_height: L1 height at which this run began.
        synced: Set once derivation has reached Bitcoin's tip in this run.
        on_step: Told of each step while the gate is held; on the event loop.
    """

    def __init__(
        self,
        engine: Engine,
        thread: EngineThread,
        gate: asyncio.Lock,
        client: BitcoinClient,
        genesis: Genesis,
        store: NodeStore,
        metrics: Metrics,
        *,
        keep_unsafe: bool,
        archive: bool = False,
        keep_blocks: int = 0,
        verifier: ProofVerifier | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._thread = thread
        self._gate = gate
        self._client = client
        self._genesis = genesis
        self._store = store
        self._metrics = metrics
        self._monotonic = monotonic
        self._verifier = verifier
        self._turn = _Turn()
        self._changes: list[ChainChanged] = []
        self._executor = EngineExecutor(
            engine,
            keep_unsafe=keep_unsafe,
            archive=archive,
            keep_blocks=keep_blocks,
            on_change=self._changes.append,
            lock=self._turn,
        )
        self._pipeline: Pipeline
        self._sight = _Sight(moved_seconds=monotonic())
        self.started_height = L1Height(genesis.anchor_height)
        self.synced = asyncio.Event()
        self.on_step: Callable[[Derived], None] = lambda _derived: None

    def warn_before_change(self, call: Callable[[], None]) -> None:
        """Have `call` made on the engine's thread before blocks that Bitcoin does not hold may leave the chain."""
        self._turn.before = call

    async def check_anchor(self) -> None:
        """Ask Bitcoin for the anchor.

        Raises:
            Misconfigured: Bitcoin's chain does not have it: the genesis file is of another chain.
            Unavailable: Bitcoin does not answer.
        """
        height, block = self._genesis.anchor_height, self._genesis.anchor_hash
        found = await self._client.block_hash(height)
        if found != block:
            raise Misconfigured(
                "Bitcoin's best chain does not have this chain's anchor",
                option="genesis",
                value=f"{height} {block[::-1].hex()}",
                allowed="a genesis file made for the Bitcoin chain that is used",
                found=found[::-1].hex() if found else "no block at that height",
            )

    async def open(self, anchor: Sequence[bytes], terms: SettlementTerms | None = None) -> None:
        """Take over what an earlier run wrote down.

        Args:
            anchor: L1 headers that end with the anchor.
            terms: What settlement proofs must be about.
        """
        times = [Header.parse(header).time for header in anchor[-MEDIAN_TIME_SPAN:]]
        await self._thread.run(self._open, times, terms)
        self.started_height = self._pipeline.height
        self._sight.tip_height, self._sight.tip_hash = self._pipeline.height, BlockHash(self._pipeline.hash)
        crash_point("node.after_recovery")

    def _open(self, times: list[int], terms: SettlementTerms | None) -> None:
        self._pipeline = Pipeline(self._genesis, times, self._executor, verifier=self._verifier, terms=terms)
        self._executor.use_origins(self._pipeline.origin)
        checkpoints = self._store.checkpoints()
        restored = self._pipeline.restore(checkpoints, self._store.object_bytes)
        if checkpoints and not restored:
            _LOG.warning("no checkpoint fits the chain: deriving from the anchor")
            self._store.clear()

    # --- the L1 view -------------------------------------------------------------------------------

    @property
    def height(self) -> L1Height:
        """Newest L1 block that was derived."""
        return self._pipeline.height

    @property
    def hash(self) -> BlockHash:
        """Its hash."""
        return BlockHash(self._pipeline.hash)

    @property
    def silent_since(self) -> L1Height:
        """L1 height at which the last current batch was accepted."""
        return self._pipeline.silent_since

    @property
    def pending_bodies(self) -> frozenset[bytes]:
        """Object ids of batches without signatures that no proof was accepted for yet."""
        return self._pipeline.pending_bodies

    @property
    def proven(self) -> Head:
        """Last block up to which proofs cover the chain."""
        return self._pipeline.proven

    @property
    def settled(self) -> SettledTip | None:
        """The newest settlement proof on Bitcoin."""
        return self._pipeline.settled

    def settled_object(self) -> bytes | None:
        """Its bytes; on the engine's thread."""
        tip = self._pipeline.settled
        return None if tip is None else self._pipeline.object_bytes(tip.object_id)

    @property
    def safe(self) -> Head:
        """Derived tip."""
        return self._pipeline.safe

    @property
    def finalized(self) -> Head | None:
        """Derived tip at finality depth."""
        return self._pipeline.finalized

    @property
    def leader(self) -> bytes:
        """Key that leads now."""
        return self._pipeline.leader

    def origin(self, height: L1Height) -> OriginBlock:
        """An L1 block as an origin; on the engine's thread."""
        return self._pipeline.origin(height)

    def native_origin(self, height: L1Height) -> Origin:
        """The same as the engine takes it."""
        return native_origin(self._pipeline.origin(height))

    def origin_hash(self, height: L1Height) -> bytes | None:
        """Hash of an L1 block that was derived."""
        return self._pipeline.hash_at(height)

    def waiting_batch(self, height: L2Height) -> tuple[bytes, Batch] | None:
        """A batch that waits for its proof and would make this block; on the engine's thread."""
        return self._pipeline.waiting_batch(height)

    def head_of_tip(self) -> Head:
        """The engine's tip with what the rules for its child need; on the engine's thread."""
        head = self._pipeline.safe
        for height in range(head.height + 1, self._engine.tip().number + 1):
            block = self._engine.block(height)
            if block is None:
                raise Corrupt("a block below the tip is missing", height=height)
            head = head.child(hash=block.header.hash, timestamp=block.header.timestamp, step=block.origin_step)
        return head

    def need_proof(self, proof: Proof, verifier: ProofVerifier) -> None:
        """Whether a proof would count, were it on Bitcoin now.

        Raises:
            Invalid: It names no pending body, is of a system that this network does not take, or shows nothing.
        """
        self._need_system(proof)
        named = parse_statement(proof.public_values).header_id
        if not self._pipeline.waits_for(named):
            raise Invalid("the proof names no pending body", header_id=named)
        if not verifier.is_valid(proof):
            raise Invalid("the proof does not show what it says", header_id=named)

    def need_settlement(self, proof: Proof, verifier: ProofVerifier) -> None:
        """The same of a settlement proof.

        Raises:
            Invalid: It is about another chain or other programs, not newer than the settled tip, or shows nothing.
        """
        self._need_system(proof)
        misfit = self._pipeline.settlement_misfit(proof)
        if misfit:
            raise Invalid(f"the settlement proof would not count: {misfit}")
        if not verifier.is_valid(proof):
            raise Invalid("the proof does not show what it says")

    def _need_system(self, proof: Proof) -> None:
        systems = self._genesis.network.parameters.proof_systems
        if proof.system not in systems:
            raise Invalid("this network does not take proofs of that system", system=int(proof.system), limit=systems)

    def status(self) -> L1Status:
        """Bitcoin as last heard."""
        depth = self._genesis.network.parameters.finality_depth
        sight = self._sight
        return L1Status(
            reachable=not sight.reason,
            reason=sight.reason,
            tip_height=sight.tip_height,
            tip_hash=sight.tip_hash,
            derived_height=self.height,
            finalized_height=L1Height(max(self._genesis.anchor_height, self.height - depth)),
            seconds_since_block=self._monotonic() - sight.moved_seconds,
        )

    # --- the loop ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow Bitcoin until cancelled.

        Raises:
            Reorg: The best chain forked off below what is kept: the chain must be derived from the anchor again.
            UnknownUpgrade: An upgrade is active that this version does not know.
            Diverged: As for `connect`.
        """
        failures = 0
        while True:
            # Anew each time: a reader that was interrupted may be ahead of what was derived.
            reader = Reader(self._client, self.height, self.hash, self._pipeline.hash_at)
            try:
                tip = await self._client.tip()
                self._saw(tip.height, tip.hash)
                if tip.hash == self.hash:
                    self.synced.set()
                async for event in reader.events(_WAIT_SECONDS):
                    failures = 0
                    if isinstance(event, Connect):
                        await self.connect(event)
                    else:
                        await self.disconnect(event)
            except (Unavailable, Invalid) as error:
                # What a client gives as a block and is none is no better than no answer.
                self._sight.reason = str(error)
                wait_seconds = _BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS) - 1)]
                failures += 1
                _LOG.warning("Bitcoin cannot be followed", extra={"reason": str(error), "wait_seconds": wait_seconds})
                await asyncio.sleep(wait_seconds)

    async def catch_up(self) -> None:
        """Derive up to the present tip, then return."""
        reader = Reader(self._client, self.height, self.hash, self._pipeline.hash_at)
        async for event in reader.caught_up():
            if isinstance(event, Connect):
                await self.connect(event)
            else:
                await self.disconnect(event)

    async def connect(self, event: Connect) -> None:
        """Derive one L1 block.

        Raises:
            Diverged: A proof in it holds and says something else than executing here; it was not taken in.
        """
        self._saw(event.tip_height, event.hash if event.height == event.tip_height else self._sight.tip_hash)
        begun_seconds = self._monotonic()
        async with self._gate:
            derived = await self._thread.run(self._advance, event.raw)
            self.on_step(derived)
        if derived.divergence is not None:
            raise derived.divergence
        if event.height >= event.tip_height:
            self.synced.set()
        self._metrics.l1_blocks.inc()
        self._metrics.derive_seconds.observe(self._monotonic() - begun_seconds)

    async def disconnect(self, event: Disconnect) -> None:
        """Go back to an L1 block."""
        gone = self.height - event.height
        _LOG.warning("L1 reorganised", extra={"height": event.height, "blocks": gone})
        async with self._gate:
            derived = await self._thread.run(self._unwind, event.height, gone)
            self.on_step(derived)
        self._metrics.l1_unwound.inc(gone)

    def _saw(self, tip_height: L1Height, tip_hash: BlockHash) -> None:
        self._sight.reason = ""
        if (tip_height, tip_hash) != (self._sight.tip_height, self._sight.tip_hash):
            self._sight.moved_seconds = self._monotonic()
        self._sight.tip_height, self._sight.tip_hash = tip_height, tip_hash

    # --- on the engine's thread --------------------------------------------------------------------

    def _advance(self, raw: bytes) -> Derived:
        self._begin()
        try:
            step = self._pipeline.advance(raw)
        except Diverged as error:
            # What the block did is undone: whoever watches hears of both, and what was durable is so again.
            self._engine.commit()
            return replace(self._end(self._pipeline.unwind(self._pipeline.height), 0), divergence=error)
        crash_point("node.after_l1_block")
        try:
            # What a checkpoint refers to must not be younger than the chain on disk.
            self._engine.commit()
            self._store.put_step(
                self._pipeline.checkpoint(), step.records, self._pipeline.object_bytes, self._pipeline.needed_from()
            )
        except Unavailable:
            # A full disk: the block is derived again when there is room, so that no checkpoint is left out.
            self._pipeline.unwind(L1Height(step.height - 1))
            raise
        if step.finalized is not None:
            self._store.prune_signatures(step.finalized.height - CATCH_UP_BLOCKS_MAX)
        crash_point("node.after_checkpoint")
        return self._end(step, 0)

    def _unwind(self, height: L1Height, gone: int) -> Derived:
        self._begin()
        step = self._pipeline.unwind(height)
        crash_point("node.in_unwind")
        self._store.unwind(height)
        return self._end(step, gone)

    def _begin(self) -> None:
        self._turn.is_taken = False
        self._changes.clear()

    def _end(self, step: Step, gone: int) -> Derived:
        return Derived(step, tuple(self._changes), self._turn.is_taken, gone)

    def unsafe_height(self) -> L2Height:
        """Newest block beyond the derived ones."""
        return L2Height(self._engine.tip().number)
