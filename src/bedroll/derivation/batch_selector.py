"""Stage 5: which batch is judged, when, and who is silent.

Reads: `Batch` items, verdicts of the stages below.  Gives: candidates, one at a time.
Never: reads a body.  Spec: docs/spec/derivation.md#batch-selector
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from bedroll.da import Batch, BatchForm, parse_object
from bedroll.primitives import Corrupt, L1Height
from bedroll.protocol import Network

from .head import Head
from .item import Item, Notes
from .object_table import ObjectTable
from .proof_desk import PendingBody, ProofDesk
from .record import BatchAccepted, ObjectJudged, Place
from .stage import Stage
from .verdict import Accepted, Pending, Rejected


class ShownProof(msgspec.Struct, frozen=True):
    """A proof that was verified, of a batch without signatures."""

    place: Place
    object_id: bytes
    statement: bytes


class HeldBatch(msgspec.Struct, frozen=True):
    """A leader's batch ahead of the tip, a proven one from its proof on; its bytes lie in the object table."""

    place: Place
    object_id: bytes
    header_id: bytes
    leader: bytes
    first_height: int
    proof: ShownProof | None = None

    @property
    def since(self) -> int:
        """L1 height from which on it is held."""
        return self.place.height if self.proof is None else self.proof.place.height


class SelectorState(msgspec.Struct, frozen=True):
    """What outlives a block.

    Attributes:
        silent_since: s: L1 height at which the last current batch was accepted; the anchor at first.
        held: In L1 order.
        muted: (key, last L1 height at which it is muted).
        refused: Header ids proven invalid on the present tip.
    """

    silent_since: int
    held: tuple[HeldBatch, ...]
    muted: tuple[tuple[bytes, int], ...]
    refused: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A batch whose header is in order: signed by its leader, body as signed, upon the tip, no origin too young."""

    place: Place
    object_id: bytes
    header_id: bytes
    leader: bytes
    batch: Batch
    proof: ShownProof | None = None


class BatchSelector(Stage[SelectorState]):
    """First valid batch in L1 order wins; batches that come too early are held; a liar's key is muted."""

    def __init__(self, network: Network, table: ObjectTable, desk: ProofDesk, anchor: L1Height) -> None:
        super().__init__(SelectorState(silent_since=anchor, held=(), muted=(), refused=()), anchor)
        self._network = network
        self._parameters = network.parameters
        self._table = table
        self._desk = desk

    def open_block(self, height: L1Height, notes: Notes) -> None:
        """Begin L1 block `height`: what waited too long ends, who was muted long enough speaks again."""
        oldest = height - self._parameters.proof_ttl
        self._drop_held(
            [held for held in self.state.held if held.since < oldest],
            "its parent did not come in time",
            height,
            notes,
        )
        muted = tuple((key, until) for key, until in self.state.muted if until >= height)
        self.state = msgspec.structs.replace(self.state, muted=muted)

    def advance(self, item: Item, batch: Batch, leader: bytes, head: Head) -> Candidate | Pending | Rejected:
        """Look at a batch's header where it stands.

        Args:
            item: The batch as an item.
            batch: The same, parsed.
            leader: Key that leads at the item's L1 height.
            head: The derived tip.
        """
        refused = self._refusal(item, batch, leader, head)
        if refused is not None:
            return Rejected(refused)
        if batch.header.form == BatchForm.PROVEN:
            return self._desk.wait(item, batch, leader)
        header_id = batch.header.id()
        if batch.header.first_height > head.height + 1:
            return self._hold(item, batch, header_id, leader)
        candidate = Candidate(item.place, item.object_id, header_id, leader, batch)
        misfit = self._misfit(candidate, head)
        return candidate if misfit is None else Rejected(misfit)

    def next_held(self, head: Head, height: L1Height, notes: Notes) -> Candidate | None:
        """The first held batch that the tip has reached, if its header is in order now; those overtaken end."""
        overtaken = [held for held in self.state.held if held.first_height <= head.height]
        self._drop_held(overtaken, "the chain went another way", height, notes)
        for held in self.state.held:
            if held.first_height != head.height + 1:
                continue
            self._forget_held([held])
            candidate = self._candidate(held, held.proof)
            misfit = self._misfit(candidate, head)
            if misfit is None:
                return candidate
            self._refuse(candidate, misfit, height, notes)
            return self.next_held(head, height, notes)
        return None

    def shown(self, bodies: list[PendingBody], proof: ShownProof, head: Head) -> Candidate | str:
        """The first of the bodies that a proof names which fits the tip; else why none does."""
        misfit: str | None = None
        for body in bodies:
            candidate = self._candidate(body, proof)
            misfit = self._misfit(candidate, head)
            if misfit is None:
                return candidate
        return misfit or "it names no pending body"

    def hold_shown(self, body: PendingBody, proof: ShownProof) -> Pending | Rejected:
        """Hold a proven batch ahead of the tip, from its proof on."""
        held = HeldBatch(body.place, body.object_id, body.header_id, body.leader, body.first_height, proof)
        return self._keep(held)

    def proven_places(self) -> set[Place]:
        """Places of held bodies whose proof came."""
        return {held.place for held in self.state.held if held.proof is not None}

    def holds(self, header_id: bytes, statement: bytes | None = None) -> bool:
        """Whether a batch is held already: by its header and, if proven, by what its proof says."""
        held = [each for each in self.state.held if each.header_id == header_id]
        return any(statement is None or (each.proof is not None and each.proof.statement == statement) for each in held)

    def misproved(self, candidate: Candidate, reason: str, height: L1Height, notes: Notes) -> None:
        """What a held batch's proof says does not hold upon its parent: the proof ends, its body waits on."""
        if candidate.proof is not None:
            notes.add(ObjectJudged(height, candidate.proof.place, candidate.proof.object_id, Rejected(reason)))

    def judged(
        self, candidate: Candidate, verdict: Accepted | Rejected, head: Head, height: L1Height, notes: Notes
    ) -> None:
        """Take the verdict of the stages below on a candidate; `head` is the tip after it."""
        notes.add(ObjectJudged(height, candidate.place, candidate.object_id, verdict))
        if candidate.proof is not None:
            notes.add(ObjectJudged(height, candidate.proof.place, candidate.proof.object_id, verdict))
        if isinstance(verdict, Rejected):
            if candidate.proof is None:
                self._mute(candidate, height, notes)
            return
        current = self._is_current(candidate)
        self.state = msgspec.structs.replace(
            self.state, silent_since=height if current else self.state.silent_since, refused=()
        )
        notes.add(
            BatchAccepted(
                height=height,
                place=candidate.place,
                object_id=candidate.object_id,
                leader=candidate.leader,
                first=verdict.first,
                last=verdict.last,
                tip=head.hash,
                current=current,
                proof=None if candidate.proof is None else candidate.proof.object_id,
            )
        )

    def tip_moved(self) -> None:
        """Automatic blocks moved the tip: what was invalid upon the old one is merely stale now."""
        self.state = msgspec.structs.replace(self.state, refused=())

    def is_silent(self, height: L1Height) -> bool:
        """Whether automatic blocks are derived after the objects of L1 block `height` (protocol.md 5.3)."""
        beyond = height - self.state.silent_since - self._parameters.auto_block_window
        return beyond >= 0 and beyond % self._parameters.auto_block_step == 0

    def references(self) -> Iterator[bytes]:
        """Of the bytes that the state needs."""
        for held in self.state.held:
            yield held.object_id

    def _refusal(self, item: Item, batch: Batch, leader: bytes, head: Head) -> str | None:
        """Why a header is refused whatever the tip will be; None if it is not."""
        header = batch.header
        if header.network != self._network.number:
            return f"it is for network {header.network}, not {self._network.number}"
        if not item.leaders:
            return "it is not signed by the leader of its L1 height"
        if header.form == BatchForm.SIGNED and any(key == leader for key, _ in self.state.muted):
            return "its key is muted: a batch of it proved invalid"
        if header.first_height <= head.height:
            return f"it begins at height {header.first_height}, the tip is at {head.height} already"
        return None

    def _misfit(self, candidate: Candidate, head: Head) -> str | None:
        """Why a batch that begins at the next height does not fit the tip; None if it does."""
        header = candidate.batch.header
        if header.parent_l2_hash != head.hash:
            return "its parent is not the tip"
        if header.first_origin not in (head.origin_height, head.origin_height + 1):
            return f"its first origin is {header.first_origin}, the tip's is {head.origin_height}"
        if head.height == 0 and header.first_origin == head.origin_height:
            return "the first block of the chain takes the first origin"
        youngest = max(candidate.place.height - self._parameters.finality_depth, head.origin_height)
        if header.last_origin > youngest:
            return f"its last origin {header.last_origin} is younger than {youngest}"
        if candidate.header_id in self.state.refused:
            return "the same batch proved invalid upon this tip"
        return None

    def _is_current(self, candidate: Candidate) -> bool:
        oldest = candidate.place.height - self._parameters.finality_depth - self._parameters.max_origin_lag
        return candidate.batch.header.last_origin >= oldest

    def _hold(self, item: Item, batch: Batch, header_id: bytes, leader: bytes) -> Pending | Rejected:
        if self.holds(header_id):
            return Rejected("the same batch is held already")
        kept = self._keep(HeldBatch(item.place, item.object_id, header_id, leader, batch.header.first_height))
        if isinstance(kept, Pending):
            self._table.put(item.raw, item.place.height)
        return kept

    def _keep(self, held: HeldBatch) -> Pending | Rejected:
        if len(self.state.held) >= self._parameters.held_batches_max:
            return Rejected(f"{self._parameters.held_batches_max} batches are held already")
        self.state = msgspec.structs.replace(self.state, held=(*self.state.held, held))
        return Pending("it begins above the tip: held until its parent comes")

    def _candidate(self, waiting: HeldBatch | PendingBody, proof: ShownProof | None) -> Candidate:
        batch = parse_object(self._table.get(waiting.object_id))
        if not isinstance(batch, Batch):
            raise Corrupt("a waiting object is no batch", object_id=waiting.object_id)
        return Candidate(waiting.place, waiting.object_id, waiting.header_id, waiting.leader, batch, proof)

    def _refuse(self, candidate: Candidate, reason: str, height: L1Height, notes: Notes) -> None:
        """A held batch does not fit the tip that it was held for. A body without its proof waits at the desk."""
        if candidate.proof is None:
            notes.add(ObjectJudged(height, candidate.place, candidate.object_id, Rejected(reason)))
        self.misproved(candidate, reason, height, notes)

    def _mute(self, candidate: Candidate, height: L1Height, notes: Notes) -> None:
        until = height + self._parameters.finality_depth
        self.state = msgspec.structs.replace(
            self.state,
            muted=(*self.state.muted, (candidate.leader, until)),
            refused=(*self.state.refused, candidate.header_id),
        )
        silenced = [held for held in self.state.held if held.leader == candidate.leader and held.proof is None]
        self._drop_held(silenced, "its key is muted: a batch of it proved invalid", height, notes)

    def _drop_held(self, gone: list[HeldBatch], reason: str, height: L1Height, notes: Notes) -> None:
        for held in gone:
            place, object_id = held.place, held.object_id
            if held.proof is not None:
                place, object_id = held.proof.place, held.proof.object_id
            notes.add(ObjectJudged(height, place, object_id, Rejected(reason)))
        self._forget_held(gone)

    def _forget_held(self, gone: list[HeldBatch]) -> None:
        if gone:
            kept = tuple(held for held in self.state.held if held not in gone)
            self.state = msgspec.structs.replace(self.state, held=kept)
