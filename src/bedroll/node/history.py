"""What became of objects and forced messages, as RPC shows it.

Reads: derivation's records, the writer's queue, blocks that are not on Bitcoin yet.  Gives: `History`.
Never: judges.  Spec: docs/spec/node.md#history
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from bedroll.api.port import Carriage, Evidence, ForcedStatus, ObjectStatus
from bedroll.da.writer import Posting, Writer
from bedroll.derivation.record import (
    AutomaticBlocks,
    BatchAccepted,
    CommitmentSeen,
    EvidenceFound,
    ForcedDone,
    ForcedEnqueued,
    ObjectJudged,
    ObjectSeen,
)
from bedroll.derivation.verdict import Accepted, Pending, Rejected
from bedroll.execution.engine import Block, Engine
from bedroll.primitives import Hash32, L1Height, L2Height
from bedroll.protocol import Network

from .store import NodeStore

_ENDED_MAX: Final = 100_000
"""Forced messages whose end is remembered before it is derived."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A forced message that ended in a block of this node, derived or not."""

    queue_index: int
    l2_height: int
    status: str
    transaction_hash: bytes | None


class History:
    """Answers about what happened."""

    def __init__(self, engine: Engine, store: NodeStore, network: Network) -> None:
        self.writer: Writer | None = None
        self._engine = engine
        self._store = store
        self._network = network
        self._ended: OrderedDict[bytes, Ended] = OrderedDict()

    def added(self, block: Block) -> None:
        """A block became the tip."""
        for index, id, status, transaction_hash in block.forced:
            self._ended[id] = Ended(index, block.header.number, status, transaction_hash)
        while len(self._ended) > _ENDED_MAX:
            self._ended.popitem(last=False)

    def removed(self, block: Block) -> None:
        """A block left the chain."""
        for _, id, _, _ in block.forced:
            self._ended.pop(id, None)

    def object_status(self, id: Hash32) -> ObjectStatus | None:
        """An object by its id, or a batch by the hash of its last block."""
        found = self._of_records(id)
        posting = self.writer.find(id) if self.writer is not None else None
        if posting is not None and (found is None or found.state == "pending"):
            return self._of_posting(posting, found)
        if found is None:
            height = self._engine.height_of(id)
            batch = self.batch_of(L2Height(height)) if height is not None else None
            return batch if batch is not None and batch.last_height == height else None
        return found

    def batch_of(self, height: L2Height) -> ObjectStatus | None:
        """The batch that holds a block."""
        record = self._store.batch_at(height)
        if isinstance(record, BatchAccepted):
            return self.object_status(Hash32(record.object_id))
        if isinstance(record, AutomaticBlocks):
            return None
        posting = self.writer.last_of("batch") if self.writer is not None else None
        if posting is None or posting.first_height is None or posting.last_height is None:
            return None
        return self._of_posting(posting, None) if posting.first_height <= height <= posting.last_height else None

    def carriage_of(self, height: L2Height) -> Carriage | None:
        """The transaction on Bitcoin that a derived block came in; None where there is none yet, or ever."""
        batch = self._store.batch_at(height)
        if not isinstance(batch, BatchAccepted):
            return None
        # The same batch may have been inscribed again, which changed nothing: the place tells them apart.
        for record in self._store.records_of(batch.object_id):
            if isinstance(record, ObjectSeen) and record.place == batch.place:
                return Carriage(Hash32(batch.object_id), record.txid, L1Height(batch.place.height))
        return None

    def evidence(self, leader: bytes) -> list[Evidence]:
        """Contradictions of a leader, oldest first."""
        return [
            Evidence(L1Height(each.height), each.leader, each.first, each.second, each.promised, each.other)
            for each in self._store.records_of(leader)
            if isinstance(each, EvidenceFound)
        ]

    def forced_status(self, id: Hash32) -> ForcedStatus:
        """A forced message by its id."""
        enqueued: ForcedEnqueued | None = None
        done: ForcedDone | None = None
        for record in self._store.records_of(id):
            if isinstance(record, ForcedEnqueued):
                enqueued = record
            elif isinstance(record, ForcedDone):
                done = record
        ended = self._ended.get(id)
        if enqueued is None and ended is None and done is None:
            return ForcedStatus(id, "unknown", None, None, None, None, None)
        l1_height = enqueued.place.height if enqueued is not None else None
        state, l2_height, transaction_hash = self._forced_state(l1_height, done, ended)
        index = ended.queue_index if ended is not None else self._queue_index(id)
        return ForcedStatus(
            id,
            state,
            None if l1_height is None else L1Height(l1_height),
            index,
            None if l2_height is None else L2Height(l2_height),
            None if transaction_hash is None else Hash32(transaction_hash),
            self._deadline(l1_height),
        )

    def _forced_state(
        self, l1_height: int | None, done: ForcedDone | None, ended: Ended | None
    ) -> tuple[str, int | None, bytes | None]:
        if ended is not None:
            state, l2_height, transaction_hash = ended.status, ended.l2_height, ended.transaction_hash
        elif done is not None:
            state, l2_height, transaction_hash = done.status, done.l2_height, done.transaction_hash
        else:
            tip = self._engine.block(self._engine.tip().number)
            waits = tip is not None and l1_height is not None and l1_height <= tip.origin_height
            return "waiting" if waits else "seen", None, None
        if state == "skipped" and transaction_hash is not None:
            place = self._engine.find_transaction(transaction_hash)
            if place is not None:
                state = "superseded"
        return state, l2_height, transaction_hash

    def _queue_index(self, id: bytes) -> int | None:
        return next((index for index, waiting, _ in self._engine.forced_pending() if waiting == id), None)

    def _deadline(self, l1_height: int | None) -> L1Height | None:
        if l1_height is None:
            return None
        numbers = self._network.parameters
        wait_blocks = numbers.proof_ttl + numbers.finality_depth + numbers.max_origin_lag + numbers.auto_block_window
        return L1Height(l1_height + wait_blocks)

    def _of_records(self, id: bytes) -> ObjectStatus | None:
        kind, state, reason = "", "", ""
        l1_height: int | None = None
        txids: tuple[bytes, ...] = ()
        first: int | None = None
        last: int | None = None
        for record in self._store.records_of(id):
            if isinstance(record, ObjectSeen):
                kind, l1_height, txids = record.kind, record.place.height, (record.txid,)
                state = state or "pending"
            elif isinstance(record, CommitmentSeen):
                tip = self._engine.height_of(record.tip)
                first, last = (tip - record.block_count + 1, tip) if tip is not None else (first, last)
            elif isinstance(record, ObjectJudged) and state != "accepted":
                # A copy of an accepted object, inscribed again, changes nothing about the first.
                verdict = record.verdict
                if isinstance(verdict, Accepted):
                    state, reason, first, last = "accepted", "", verdict.first, verdict.last
                    l1_height = record.place.height
                elif isinstance(verdict, Pending):
                    state, reason = "pending", verdict.reason
                elif isinstance(verdict, Rejected):
                    state, reason = "rejected", verdict.reason
        if not state:
            return None
        return ObjectStatus(
            Hash32(id),
            kind,
            state,
            reason,
            None if l1_height is None else L1Height(l1_height),
            txids,
            None if first is None else L2Height(first),
            None if last is None else L2Height(last),
        )

    def _of_posting(self, posting: Posting, seen: ObjectStatus | None) -> ObjectStatus:
        writer = self.writer
        payments = [] if writer is None else writer.transactions(posting)
        refusals = [writer.refusal(each.transaction.txid) for each in payments] if writer is not None else []
        reason = posting.reason or next((refusal for refusal in refusals if refusal), "")
        return ObjectStatus(
            Hash32(posting.object_id),
            posting.kind,
            str(posting.state) if seen is None else seen.state,
            reason if seen is None else seen.reason,
            seen.l1_height if seen is not None else (writer.confirmed_height(posting) if writer is not None else None),
            tuple([each.transaction.txid for each in payments]) or (seen.txids if seen is not None else ()),
            posting.first_height,
            posting.last_height,
        )
