"""Where proofs and the bodies that wait for one meet.

Reads: `Proof` items about batches, bodies of the proven form.  Gives: which proofs are to be verified, and of what.
Never: verifies one (the port `ProofVerifier` does); keeps a proof's bytes.  Spec: docs/spec/derivation.md#proof-desk
"""

from collections.abc import Iterator

import msgspec

from bedroll.da import Batch, Proof
from bedroll.primitives import Invalid, L1Height
from bedroll.protocol import Network, Parameters

from .item import Item, Notes
from .object_table import ObjectTable
from .record import ObjectJudged, Place
from .stage import Stage
from .statement import BatchStatement, parse_statement
from .verdict import Pending, Rejected


class PendingBody(msgspec.Struct, frozen=True):
    """A batch without signatures that no proof was shown for yet; its bytes lie in the object table."""

    place: Place
    object_id: bytes
    header_id: bytes
    leader: bytes
    first_height: int


class DeskState(msgspec.Struct, frozen=True):
    """What outlives a block.

    Attributes:
        bodies: In L1 order. They reserve nothing.
        counted: Proofs of the block at hand that paid and named a pending body.
    """

    bodies: tuple[PendingBody, ...] = ()
    counted: int = 0


def why_not_taken(item: Item, proof: Proof, parameters: Parameters) -> str:
    """Why a proof is not even looked at, whatever it is about; "" where it is."""
    if item.fee_sat < parameters.proof_fee:
        return f"it pays {item.fee_sat} sat, a proof {parameters.proof_fee}"
    if proof.system not in parameters.proof_systems:
        return f"this network takes no {proof.system.name.lower()} proofs"
    return ""


class ProofDesk(Stage[DeskState]):
    """Bodies wait here for V blocks; of a block's proofs the first `proofs_max` that pay and name one are verified."""

    def __init__(self, network: Network, table: ObjectTable, anchor: L1Height) -> None:
        super().__init__(DeskState(), anchor)
        self._network = network
        self._parameters = network.parameters
        self._table = table

    @property
    def is_full(self) -> bool:
        """Whether later proofs of this block are ignored; such a block does not count towards X."""
        return self.state.counted >= self._parameters.proofs_max

    def open_block(self, height: L1Height, held: set[Place], notes: Notes) -> None:
        """Begin L1 block `height`: bodies that waited V blocks end, but those at `held`, whose proof came."""
        oldest = height - self._parameters.proof_ttl
        late = [body for body in self.state.bodies if body.place.height < oldest and body.place not in held]
        self._drop(late, "no proof came in time", height, notes)
        self.state = msgspec.structs.replace(self.state, counted=0)

    def wait(self, item: Item, batch: Batch, leader: bytes) -> Pending:
        """Take a body whose header is in order. The same header may wait more than once, each with its own time."""
        self._table.put(item.raw, item.place.height)
        header = batch.header
        body = PendingBody(item.place, item.object_id, header.id(), leader, header.first_height)
        self.state = msgspec.structs.replace(self.state, bodies=(*self.state.bodies, body))
        return Pending("it waits for its proof")

    def advance(self, item: Item, proof: Proof) -> tuple[BatchStatement, list[PendingBody]] | Rejected:
        """Look at a proof where it stands: what it says, and the bodies that it names, oldest first."""
        misfit = why_not_taken(item, proof, self._parameters)
        if misfit:
            return Rejected(misfit)
        try:
            statement = parse_statement(proof.public_values)
        except Invalid as error:
            return Rejected(str(error))
        bodies = [body for body in self.state.bodies if body.header_id == statement.header_id]
        if not bodies:
            return Rejected("it names no pending body")
        if self.is_full:
            return Rejected(f"{self._parameters.proofs_max} proofs were looked at in this block")
        self.state = msgspec.structs.replace(self.state, counted=self.state.counted + 1)
        return statement, bodies

    def overtaken(self, tip: int, height: L1Height, notes: Notes) -> None:
        """The tip is at L2 height `tip`: bodies that begin no higher can extend nothing any more."""
        gone = [body for body in self.state.bodies if body.first_height <= tip]
        self._drop(gone, "the chain went another way", height, notes)

    def judged(self, place: Place) -> None:
        """The body at this place was accepted or refused."""
        self._forget([body for body in self.state.bodies if body.place == place])

    def references(self) -> Iterator[bytes]:
        """Of the bytes that the state needs."""
        for body in self.state.bodies:
            yield body.object_id

    def _drop(self, gone: list[PendingBody], reason: str, height: L1Height, notes: Notes) -> None:
        for body in gone:
            notes.add(ObjectJudged(height, body.place, body.object_id, Rejected(reason)))
        self._forget(gone)

    def _forget(self, gone: list[PendingBody]) -> None:
        if gone:
            kept = tuple(body for body in self.state.bodies if body not in gone)
            self.state = msgspec.structs.replace(self.state, bodies=kept)
