"""The pipeline: L1 blocks in, L2 blocks out, one stage after another.

Reads: raw L1 blocks.  Gives: `Step`s: records, the safe and the finalized head.
Never: does I/O; raises on what an L1 block contains.  Spec: docs/spec/derivation.md#pipeline

```text
l1_traversal → object_source → chunk_assembler → forced_queue → batch_selector → batch_decoder → block_builder → head
```
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bedroll.da import Batch, Commitment, Forced, Proof, Rotate, StatementKind, Upgrade, parse_object
from bedroll.execution.genesis import L1_RATE_FIRST, Genesis
from bedroll.primitives import Corrupt, L1Height, L2Height

from .batch_decoder import BatchDecoder
from .batch_selector import BatchSelector, Candidate, ShownProof
from .block_builder import BlockBuilder
from .checkpoint import Checkpoint, PipelineState, decode_state, encode_state
from .chunk_assembler import ChunkAssembler
from .commitment import CommitmentStage
from .divergence import Diverged
from .fee_claim import claim_fees
from .forced_queue import ForcedQueue
from .head import Head, HeadStage
from .item import Item, Notes
from .l1_traversal import Anchor, L1Block, L1Traversal
from .object_source import ObjectSource, UnknownUpgrade
from .object_table import ObjectTable
from .port import Executor, OriginBlock, ProofVerifier
from .proof_desk import PendingBody, ProofDesk
from .proven_head import ProvenHead
from .record import AutomaticBlocks, L1Unwound, ObjectJudged, Record, SettlementAdvanced
from .settled import SettledStatement
from .settlement_desk import SettledTip, SettlementDesk, SettlementTerms
from .statement import BatchStatement, l1_digest, parse_statement
from .verdict import Accepted, Pending, Rejected

_OTHER_TIP: Final = "its tip is not of the derived chain"


@dataclass(frozen=True, slots=True)
class Step:
    """What one L1 block, or one unwinding, did.

    Attributes:
        height: Newest L1 height after it.
        safe: Derived tip.
        finalized: Derived tip at finality depth, where proofs are required no further than proven there; None where
            that L1 height's state is no longer kept (deep unwinding).
        proven: Last block up to which proofs of batches cover the chain.
        settled: The newest settlement proof; None before the first.
        records: In the order in which things happened.
    """

    height: L1Height
    safe: Head
    finalized: Head | None
    proven: Head
    settled: SettledTip | None
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Question:
    """What is about to be executed upon the derived tip: a candidate, or automatic blocks.

    Attributes:
        batch: The candidate; None for automatic blocks.
        origins: That it takes in, in order.
    """

    batch: Batch | None
    origins: Sequence[OriginBlock]


class Pipeline:
    """Derivation of one chain.

    Args:
        genesis: What names the chain.
        median_times: Header times of up to 11 L1 blocks that end with the anchor, oldest first.
        executor: Executes L2 blocks; holds block 0.
        keep_blocks: How many L1 blocks can be unwound; W + C if not said.
        verifier: Verifies proofs under the network's keys; without one none counts.
        terms: What settlement proofs must be about; without them none is judged.
        on_question: Told what is about to be executed: whoever proves it stands at its parent then.
    """

    def __init__(
        self,
        genesis: Genesis,
        median_times: Sequence[int],
        executor: Executor,
        keep_blocks: int | None = None,
        verifier: ProofVerifier | None = None,
        on_question: Callable[[Question], None] | None = None,
        terms: SettlementTerms | None = None,
    ) -> None:
        network = genesis.network
        numbers = network.parameters
        anchor = Anchor(genesis.anchor_height, genesis.anchor_hash, tuple(median_times))
        block_hash = executor.hash_at(L2Height(0))
        if block_hash is None:
            raise Corrupt("the executor has no block 0")
        start = Head(0, block_hash, genesis.timestamp, anchor.height, second_blocks=1, origin_blocks=1)
        self.keep_blocks = numbers.auto_block_window + numbers.finality_depth if keep_blocks is None else keep_blocks
        self._numbers = numbers
        self._network = network
        self._executor = executor
        self._verifier = verifier
        self._on_question = on_question
        self._notes = Notes()
        self._table = ObjectTable()
        self._l1 = L1Traversal(network, anchor, L1_RATE_FIRST)
        self._source = ObjectSource(
            network, genesis.leader_key, genesis.rotation_key, genesis.upgrade_key, anchor.height
        )
        self._assembler = ChunkAssembler(numbers, self._table, anchor.height)
        self._queue = ForcedQueue(network, self._table, anchor.height)
        self._desk = ProofDesk(network, self._table, anchor.height)
        self._settlement = SettlementDesk(network, terms, self._table, anchor.height)
        self._selector = BatchSelector(network, self._table, self._desk, anchor.height)
        self._commitments = CommitmentStage(numbers, start, anchor.height)
        self._decoder = BatchDecoder(numbers, executor, self.origin, self._l1.record)
        self._builder = BlockBuilder(numbers, executor, self.origin)
        self._head = HeadStage(numbers, start, anchor.height)
        self._proven = ProvenHead(numbers, start, anchor.height)
        self._stages = (
            self._source,
            self._assembler,
            self._queue,
            self._selector,
            self._commitments,
            self._head,
            self._desk,
            self._proven,
            self._settlement,
        )

    @property
    def height(self) -> L1Height:
        """Newest L1 height that was read."""
        return self._l1.height

    @property
    def hash(self) -> bytes:
        """Hash of the L1 block at that height."""
        return self._l1.hash

    @property
    def safe(self) -> Head:
        """Derived tip."""
        return self._head.state

    @property
    def finalized(self) -> Head | None:
        """Derived tip at finality depth, where proofs are required no further than proven; None where not kept."""
        return self._proven.finalized(self._head.finalized(self.height), self.height)

    @property
    def proven(self) -> Head:
        """Last block up to which proofs of batches cover the chain."""
        return self._proven.state.head

    @property
    def settled(self) -> SettledTip | None:
        """The newest settlement proof that was accepted; `object_bytes` has it."""
        return self._settlement.state.tip

    @property
    def pending_bodies(self) -> frozenset[bytes]:
        """Object ids of bodies that wait for their proof, or with it for their parent."""
        return frozenset(self._desk.references())

    def waiting_batch(self, height: L2Height) -> tuple[bytes, Batch] | None:
        """The first body that waits for its proof and would make an L2 block of this height, with its object's id."""
        for body in self._desk.state.bodies:
            batch = parse_object(self._table.get(body.object_id))
            if isinstance(batch, Batch) and 0 <= height - body.first_height < batch.header.block_count:
                return body.object_id, batch
        return None

    def waits_for(self, header_id: bytes) -> bool:
        """Whether a body with this header waits for its proof."""
        return any(body.header_id == header_id for body in self._desk.state.bodies)

    @property
    def ended(self) -> L1Height | None:
        """L1 height at which the chain ended (protocol.md 5.4); None while it lives."""
        ended = self._proven.state.ended
        return None if ended is None else L1Height(ended)

    @property
    def leader(self) -> bytes:
        """x-only key that leads at the newest L1 height."""
        return self._source.leader

    @property
    def silent_since(self) -> L1Height:
        """s: L1 height at which the last current batch was accepted."""
        return L1Height(self._selector.state.silent_since)

    def hash_at(self, height: L1Height) -> bytes | None:
        """Hash of an L1 block to which the pipeline can return; None elsewhere."""
        return None if self._head.at(height) is None else self._l1.hash_at(height)

    def origin(self, height: int) -> OriginBlock:
        """An L1 block as an origin, with its forced messages as far as no derived block has them yet."""
        record = self._l1.record(height)
        return OriginBlock(
            height=L1Height(record.height),
            hash=record.hash,
            header=record.header,
            witness_root=record.witness_root,
            median_time=record.median_time,
            l1_rate=record.l1_rate,
            forced=self._queue.messages(height),
        )

    def advance(self, raw: bytes) -> Step:
        """Derive what the next L1 block brings.

        Raises:
            Invalid: The bytes are no L1 block: whoever gave them is broken.
            Reorg: It is no child of the newest block.
            UnknownUpgrade: An upgrade is active that this version does not know. The pipeline stays where it was.
            Diverged: A proof in it holds and says something else than executing here. The pipeline stays where it was.
        """
        block = self._l1.advance(raw)
        height = L1Height(block.record.height)
        try:
            self._source.open_block(height)
        except UnknownUpgrade:
            self._l1.unwind(L1Height(height - 1))
            raise
        self._selector.open_block(height, self._notes)
        self._desk.open_block(height, self._selector.proven_places(), self._notes)
        self._commitments.open_block(height)
        self._settlement.open_block()
        try:
            self._take_all(block, height)
        except Diverged:
            self.unwind(L1Height(height - 1))
            self._notes.take()
            raise
        self._queue.taken(L1Height(self.safe.origin_height))
        for stage in self._stages:
            stage.keep(height)
        self._table.touch(self._references(), height)
        self._forget(height)
        return self._step()

    def unwind(self, height: L1Height) -> Step:
        """Return to what was derived after L1 block `height`.

        Raises:
            HistoryForgotten: It is not kept; the chain is derived again from the anchor.
        """
        if height >= self.height:
            return self._step()
        for stage in self._stages:
            stage.unwind(height)
        self._l1.unwind(height)
        self._executor.unwind(L2Height(self.safe.height), height)
        self._notes.add(L1Unwound(height=height, safe=self.safe.height))
        return self._step()

    def checkpoint(self) -> Checkpoint:
        """All stages after the newest L1 block. The bytes it refers to are had by `object_bytes`."""
        state = PipelineState(
            record=self._l1.record(self.height),
            keys=self._source.state,
            series=self._assembler.state,
            queue=self._queue.state,
            selector=self._selector.state,
            commitments=self._commitments.state,
            head=self._head.state,
            desk=self._desk.state,
            proven=self._proven.state,
            settled=self._settlement.state,
        )
        return Checkpoint(self.height, self.hash, encode_state(state), tuple(self._references()))

    def object_bytes(self, reference: bytes) -> bytes:
        """Bytes that a checkpoint of this run refers to."""
        return self._table.get(reference)

    def needed_from(self) -> L1Height:
        """Lowest L1 height whose checkpoint `restore` needs; those below can be deleted."""
        return self._l1.needed_from()

    def restore(self, checkpoints: Sequence[Checkpoint], load: Callable[[bytes], bytes]) -> bool:
        """Take over an earlier run. Only before the first `advance`.

        Args:
            checkpoints: Of consecutive L1 heights, from `needed_from` of that run on, oldest first.
            load: Gives the bytes of a reference.

        Returns:
            Whether one of them could be used; the newest whose L2 blocks the executor still has, is.
        """
        states = [decode_state(checkpoint.state) for checkpoint in checkpoints]
        while states and not self._has(states[-1].head):
            states.pop()
        if not states:
            return False
        newest, oldest = states[-1].record.height, self._executor.oldest()
        self._l1.load([state.record for state in states])
        kept = {
            state.record.height: state
            for state in states
            if state.record.height >= newest - self.keep_blocks and state.head.height >= oldest
        }
        self._source.load({height: state.keys for height, state in kept.items()})
        self._assembler.load({height: state.series for height, state in kept.items()})
        self._queue.load({height: state.queue for height, state in kept.items()})
        self._selector.load({height: state.selector for height, state in kept.items()})
        self._commitments.load({height: state.commitments for height, state in kept.items()})
        self._head.load({height: state.head for height, state in kept.items()})
        self._desk.load({height: state.desk for height, state in kept.items()})
        self._proven.load({height: state.proven for height, state in kept.items()})
        self._settlement.load({height: state.settled for height, state in kept.items()})
        for checkpoint in checkpoints:
            if checkpoint.height in kept:
                for reference in checkpoint.references:
                    self._table.put(load(reference), checkpoint.height)
        return True

    def _has(self, head: Head) -> bool:
        """Whether the executor's chain holds a derived tip and can return to it."""
        return self._executor.hash_at(L2Height(head.height)) == head.hash and head.height >= self._executor.oldest()

    def _take_all(self, block: L1Block, height: L1Height) -> None:
        for item in self._items(block):
            self._take(item)
        ended = self._proven.close_block(height, self._desk.is_full, self._notes)
        if not ended and self._selector.is_silent(height):
            self._break_silence(height)

    def _items(self, block: L1Block) -> Sequence[Item]:
        height = L1Height(block.record.height)
        found = self._source.advance(block, self._notes)
        whole = self._assembler.advance(found, height, self._notes)
        return list(claim_fees(whole, self._source.leader, self._notes))

    def _take(self, item: Item) -> None:
        if self.ended is not None and isinstance(item.object, Batch | Proof):
            reason = f"the chain ended at L1 block {self.ended}"
            self._notes.add(ObjectJudged(item.place.height, item.place, item.object_id, Rejected(reason)))
            return
        match item.object:
            case Proof(statement=StatementKind.SETTLEMENT) as proof:
                self._take_settlement(item, proof)
            case Proof() as proof:
                self._take_proof(item, proof)
            case Batch() as batch:
                self._take_batch(item, batch)
            case Forced() as forced:
                self._queue.advance(item, forced, self._notes)
            case Commitment() as commitment:
                height = item.place.height
                anchors = self._l1.newest_hashes(height, self._numbers.commitment_age_max)
                self._commitments.advance(item, commitment, self._source.leader, anchors, self._notes)
            case Rotate() as rotate:
                self._source.rotate(item, rotate, self._notes)
            case Upgrade() as upgrade:
                self._source.upgrade(item, upgrade, self._notes)

    def _take_batch(self, item: Item, batch: Batch) -> None:
        height = L1Height(item.place.height)
        found = self._selector.advance(item, batch, self._source.leader, self.safe)
        if isinstance(found, Rejected | Pending):
            self._notes.add(ObjectJudged(height, item.place, item.object_id, found))
        elif self._judge(found, height):
            self._judge_held(height)

    def _take_proof(self, item: Item, proof: Proof) -> None:
        height = L1Height(item.place.height)
        looked = self._desk.advance(item, proof)
        found = looked if isinstance(looked, Rejected) else self._shown(item, proof, *looked)
        if isinstance(found, Rejected | Pending):
            self._notes.add(ObjectJudged(height, item.place, item.object_id, found))
        elif self._judge(found, height):
            self._judge_held(height)

    def _take_settlement(self, item: Item, proof: Proof) -> None:
        verdict = self._settled(item, proof)
        self._notes.add(ObjectJudged(item.place.height, item.place, item.object_id, verdict))

    def settlement_misfit(self, proof: Proof) -> str:
        """Why a settlement proof would not count in the next L1 block, fee and proof left aside; "" if it would."""
        said = self._fitting(self._settlement.read(proof, self.height + 1))
        if isinstance(said, Rejected):
            return said.reason
        return "" if self._is_derived(said) else _OTHER_TIP

    def _fitting(self, said: SettledStatement | Rejected) -> SettledStatement | Rejected:
        """The same, if it is about this L1 chain."""
        if isinstance(said, Rejected):
            return said
        if self._l1.hash_at(L1Height(said.l1_height)) != said.l1_hash:
            return Rejected("it is about an L1 block that is not of the best chain")
        return said

    def _is_derived(self, said: SettledStatement) -> bool:
        height = L2Height(said.height)
        return height <= self.safe.height and self._executor.hash_at(height) == said.tip

    def _settled(self, item: Item, proof: Proof) -> Accepted | Rejected:
        """Cheap rules first: what cannot count is not verified."""
        said = self._fitting(self._settlement.look(item, proof))
        if isinstance(said, Rejected):
            return said
        if not self._settlement.count():
            return Rejected(f"{self._numbers.proofs_max} proofs were looked at in this block")
        is_derived = self._is_derived(said)
        if self._verifier is None or not self._verifier.is_valid(proof):
            return Rejected("it does not show what it says" if is_derived else _OTHER_TIP)
        if not is_derived:
            own = self._executor.hash_at(L2Height(min(said.height, self.safe.height)))
            raise Diverged(
                "a settlement proof holds whose L2 tip is not what was derived here",
                l1_height=item.place.height,
                object_id=item.object_id,
                stated=said.tip,
                reason=f"block {min(said.height, self.safe.height)} is {(own or b'').hex()} here",
            )
        self._settlement.accept(item, said)
        self._notes.add(
            SettlementAdvanced(
                place=item.place,
                object_id=item.object_id,
                l1_height=said.l1_height,
                l1_hash=said.l1_hash,
                l2_height=said.height,
                hash=said.tip,
            )
        )
        return Accepted(first=0, last=said.height)

    def _shown(
        self, item: Item, proof: Proof, statement: BatchStatement, bodies: list[PendingBody]
    ) -> Candidate | Pending | Rejected:
        """A proof that names pending bodies: what it says is looked at before it is verified."""
        shown = ShownProof(item.place, item.object_id, proof.public_values)
        candidate: Candidate | None = None
        if bodies[0].first_height == self.safe.height + 1:
            chosen = self._selector.shown(bodies, shown, self.safe)
            if isinstance(chosen, str):
                return Rejected(f"its batch does not fit: {chosen}")
            misfit = self._misproof(chosen, statement)
            if misfit is not None:
                return Rejected(misfit)
            candidate = chosen
        elif self._selector.holds(statement.header_id, proof.public_values):
            return Rejected("a proof that says the same is held already")
        if (
            statement.rejection
            or statement.network != self._network.number
            or statement.rules != self._executor.rules()
        ):
            return Rejected("it does not say that its batch is accepted under the rules of this network")
        if self._verifier is None or not self._verifier.is_valid(proof):
            return Rejected("it does not show what it says")
        return candidate or self._selector.hold_shown(bodies[0], shown)

    def _misproof(self, candidate: Candidate, statement: BatchStatement) -> str | None:
        """Why what a proof says is not about this batch upon this tip; None if it is."""
        header, tip = candidate.batch.header, self.safe
        if statement.parent != tip.hash or statement.parent_facts != self._executor.facts(L2Height(tip.height)):
            return "it is about another parent"
        if statement.tip != header.tip_l2_hash:
            return "it is about another tip"
        origins = range(tip.origin_height + 1, header.last_origin + 1)
        if statement.l1 != l1_digest(self.origin(height) for height in origins):
            return "it is about other L1 blocks"
        return None

    def _judge_held(self, height: L1Height) -> None:
        while (candidate := self._selector.next_held(self.safe, height, self._notes)) is not None:
            if candidate.proof is not None:
                misfit = self._misproof(candidate, parse_statement(candidate.proof.statement))
                if misfit is not None:
                    self._selector.misproved(candidate, misfit, height, self._notes)
                    continue
            self._judge(candidate, height)

    def _judge(self, candidate: Candidate, height: L1Height) -> bool:
        before = self.safe
        self._ask(candidate.batch, candidate.batch.header.last_origin)
        orders = self._decoder.advance(candidate, before)
        heads: list[Head] | Rejected
        if isinstance(orders, Rejected):
            heads = orders
        else:
            heads = self._builder.advance(candidate, orders, before, height, self._notes)
        if candidate.proof is not None:
            self._desk.judged(candidate.place)
        if isinstance(heads, Rejected):
            if candidate.proof is not None:
                raise Diverged(
                    "a proof holds of a batch that does not execute as it says here",
                    l1_height=height,
                    object_id=candidate.proof.object_id,
                    stated=candidate.batch.header.tip_l2_hash,
                    reason=heads.reason,
                )
            self._selector.judged(candidate, heads, before, height, self._notes)
            return False
        self._head.advance(heads)
        if candidate.proof is not None:
            self._proven.cover(before.height + 1, self.safe, height, self._notes)
        self._desk.overtaken(self.safe.height, height, self._notes)
        verdict = Accepted(first=before.height + 1, last=self.safe.height)
        self._selector.judged(candidate, verdict, self.safe, height, self._notes)
        self._commitments.accepted(candidate, verdict, [head.hash for head in heads], height, self._notes)
        return True

    def _break_silence(self, height: L1Height) -> None:
        before = self.safe
        newest = height - self._numbers.finality_depth
        if newest > before.origin_height:
            self._ask(None, newest)
        heads = self._builder.automatic(before, height, self._notes)
        if not heads:
            return
        self._head.advance(heads)
        self._desk.overtaken(self.safe.height, height, self._notes)
        self._selector.tip_moved()
        self._commitments.tip_moved(self.safe)
        self._notes.add(
            AutomaticBlocks(
                height=height, silent_since=self.silent_since, first=before.height + 1, last=self.safe.height
            )
        )
        self._judge_held(height)

    def _ask(self, batch: Batch | None, last_origin: int) -> None:
        if self._on_question is not None:
            heights = range(self.safe.origin_height + 1, last_origin + 1)
            self._on_question(Question(batch, [self.origin(height) for height in heights]))

    def _references(self) -> set[bytes]:
        stages = (self._assembler, self._queue, self._selector, self._desk, self._settlement)
        return {reference for stage in stages for reference in stage.references()}

    def _forget(self, height: L1Height) -> None:
        oldest = L1Height(height - self.keep_blocks)
        head = self._head.at(oldest)
        if head is None:
            return
        for stage in self._stages:
            stage.forget(oldest)
        self._table.forget(oldest)
        self._l1.forget(min(oldest, head.origin_height))
        self._executor.forget(L2Height(head.height))

    def _step(self) -> Step:
        return Step(
            height=self.height,
            safe=self.safe,
            finalized=self.finalized,
            proven=self.proven,
            settled=self.settled,
            records=self._notes.take(),
        )
