"""Commitments: the leader's word on Bitcoin, and evidence where another word of his contradicts it.

Reads: `Commitment` items, batches in order, what was derived.  Gives: `EvidenceFound` records.
Never: changes anything that is derived.  Spec: docs/spec/derivation.md#commitments

A commitment promises an L2 hash at a *position*: so many blocks above a root. Its root is its parent, or, where the
parent is itself promised, that promise's root; so promises that build on each other can be compared. Of batches only
derived ones are evidence: anyone can inscribe again what a leader signed on a branch of L1 that died.
"""

import msgspec

from bedroll.da import Commitment
from bedroll.primitives import L1Height
from bedroll.protocol import Parameters

from .batch_selector import Candidate
from .head import Head
from .item import Item, Notes
from .record import CommitmentSeen, EvidenceFound, ObjectJudged
from .stage import Stage
from .verdict import Accepted, Pending, Rejected

PROMISES_MAX = 256
"""Promises that are remembered; the oldest go first. A leader makes about one an L1 block."""


class Promise(msgspec.Struct, frozen=True):
    """What one commitment says.

    Attributes:
        object_id: Of the commitment.
        height: L1 height that holds it.
        leader: Key that signed it.
        root: L2 hash its position is counted from.
        offset: Blocks above the root.
        tip: L2 hash promised there.
    """

    object_id: bytes
    height: int
    leader: bytes
    root: bytes
    offset: int
    tip: bytes


class CommitmentState(msgspec.Struct, frozen=True):
    """Promises not yet forgotten, and how far back the derived chain is one leader's alone.

    Attributes:
        own_leader: Key whose batches made the newest derived blocks; empty where automatic blocks did.
        own_blocks: The block before the first of them, and the tip of each batch: hash to (height, object id).
    """

    promises: tuple[Promise, ...]
    own_leader: bytes
    own_blocks: dict[bytes, tuple[int, bytes]]


class CommitmentStage(Stage[CommitmentState]):
    """Compares the words of a leader. Finds no contradiction that is none; may miss some (a promise forgotten)."""

    def __init__(self, parameters: Parameters, genesis: Head, anchor: L1Height) -> None:
        own = {genesis.hash: (genesis.height, b"")}
        super().__init__(CommitmentState(promises=(), own_leader=b"", own_blocks=own), anchor)
        self._parameters = parameters

    def open_block(self, height: L1Height) -> None:
        """Begin L1 block `height`: promises older than the longest silence and a series' wait are forgotten."""
        numbers = self._parameters
        oldest = height - numbers.proof_ttl - numbers.auto_block_window
        kept = tuple(promise for promise in self.state.promises if promise.height >= oldest)
        if len(kept) != len(self.state.promises):
            self.state = msgspec.structs.replace(self.state, promises=kept)

    def advance(self, item: Item, commitment: Commitment, leader: bytes, anchors: set[bytes], notes: Notes) -> None:
        """Take a commitment.

        Args:
            item: The commitment as an item.
            commitment: The same, parsed.
            leader: Key that leads at the item's L1 height.
            anchors: Hashes of the newest L1 blocks before it, as many as `commitment_age_max`.
            notes: Where records go.
        """
        height = L1Height(item.place.height)
        if not commitment.is_signed_by(leader):
            refused = Rejected("it is not signed by the leader of its L1 height")
            notes.add(ObjectJudged(height, item.place, item.object_id, refused))
            return
        if commitment.anchor_hash not in anchors:
            age = self._parameters.commitment_age_max
            refused = Rejected(f"its anchor is none of the {age} L1 blocks before it")
            notes.add(ObjectJudged(height, item.place, item.object_id, refused))
            return
        notes.add(
            CommitmentSeen(
                place=item.place,
                object_id=item.object_id,
                leader=leader,
                parent=commitment.parent_tip,
                tip=commitment.new_tip,
                block_count=commitment.block_count,
                last_origin=commitment.last_origin,
            )
        )
        notes.add(ObjectJudged(height, item.place, item.object_id, Pending("a promise: it changes nothing")))
        root, offset = self._position(leader, commitment.parent_tip)
        offset += commitment.block_count
        self._remember(Promise(item.object_id, height, leader, root, offset, commitment.new_tip), height, notes)

    def accepted(
        self, candidate: Candidate, verdict: Accepted, hashes: list[bytes], height: L1Height, notes: Notes
    ) -> None:
        """A batch was derived: compare its blocks with promises that begin in what is its leader's alone.

        Args:
            candidate: The batch.
            verdict: Heights of its blocks.
            hashes: Of its blocks, in order.
            height: L1 height of the acceptance.
            notes: Where records go.
        """
        if self.state.own_leader == candidate.leader:
            known = self.state.own_blocks
        else:
            known = {candidate.batch.header.parent_l2_hash: (verdict.first - 1, b"")}
        for promise in self.state.promises:
            if promise.leader != candidate.leader or promise.root not in known:
                continue
            index = known[promise.root][0] + promise.offset - verdict.first
            if 0 <= index < len(hashes) and hashes[index] != promise.tip:
                self._report(promise, candidate.object_id, hashes[index], height, notes)
        newest = dict(list(known.items())[-PROMISES_MAX:])
        newest[hashes[-1]] = (verdict.last, candidate.object_id)
        self.state = msgspec.structs.replace(self.state, own_leader=candidate.leader, own_blocks=newest)

    def tip_moved(self, head: Head) -> None:
        """Automatic blocks moved the tip: no leader's word is measured across them."""
        own = {head.hash: (head.height, b"")}
        self.state = msgspec.structs.replace(self.state, own_leader=b"", own_blocks=own)

    def _position(self, leader: bytes, parent: bytes) -> tuple[bytes, int]:
        for promise in self.state.promises:
            if promise.leader == leader and promise.tip == parent:
                return promise.root, promise.offset
        return parent, 0

    def _remember(self, promise: Promise, height: L1Height, notes: Notes) -> None:
        if any(known.object_id == promise.object_id for known in self.state.promises):
            return
        self._compare(promise, height, notes)
        self._compare_derived(promise, height, notes)
        kept = (*self.state.promises, promise)[-PROMISES_MAX:]
        self.state = msgspec.structs.replace(self.state, promises=kept)

    def _compare(self, said: Promise, height: L1Height, notes: Notes) -> None:
        for promise in self.state.promises:
            same_place = (promise.leader, promise.root, promise.offset) == (said.leader, said.root, said.offset)
            if same_place and promise.tip != said.tip:
                self._report(promise, said.object_id, said.tip, height, notes)

    def _compare_derived(self, promise: Promise, height: L1Height, notes: Notes) -> None:
        own = self.state.own_blocks
        if promise.leader != self.state.own_leader or promise.root not in own:
            return
        promised_height = own[promise.root][0] + promise.offset
        for tip, (tip_height, object_id) in own.items():
            if tip_height == promised_height and object_id and tip != promise.tip:
                self._report(promise, object_id, tip, height, notes)

    @staticmethod
    def _report(promise: Promise, second: bytes, other: bytes, height: L1Height, notes: Notes) -> None:
        notes.add(
            EvidenceFound(
                height=height,
                leader=promise.leader,
                first=promise.object_id,
                second=second,
                promised=promise.tip,
                other=other,
            )
        )
