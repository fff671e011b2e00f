"""Settlement proofs on Bitcoin: the newest block up to which one proof stands for the whole chain.

Reads: `Proof` items about settlement.  Gives: `SettledTip`.
Never: changes a block, counts against proofs of batches, or verifies what cannot count.
Spec: docs/spec/derivation.md#settlement-desk
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from bedroll.da import Proof
from bedroll.primitives import Invalid, L1Height
from bedroll.protocol import Network

from .item import Item
from .object_table import ObjectTable
from .proof_desk import why_not_taken
from .record import Place
from .settled import SettledStatement, parse_settled
from .stage import Stage
from .verdict import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementTerms:
    """What a settlement statement must be about to speak of this chain.

    Attributes:
        parameters: Digest of the chain's parameters (docs/spec/settlement.md).
        batch_key, settlement_key: How statements name this version's programs, 32 bytes.
    """

    parameters: bytes
    batch_key: bytes
    settlement_key: bytes


class SettledTip(msgspec.Struct, frozen=True):
    """The newest settlement proof that was accepted; its bytes lie in the object table.

    Attributes:
        place: Of the proof.
        object_id: Of the same.
        l1_height, l1_hash: L1 block up to which it speaks.
        height, hash: The L2 tip there.
    """

    place: Place
    object_id: bytes
    l1_height: int
    l1_hash: bytes
    height: int
    hash: bytes


class SettledState(msgspec.Struct, frozen=True):
    """What outlives a block.

    Attributes:
        tip: None before the first accepted proof.
        counted: Proofs of the block at hand that were verified.
    """

    tip: SettledTip | None = None
    counted: int = 0


class SettlementDesk(Stage[SettledState]):
    """Takes a proof that speaks of this chain, up to a later L1 block than the one before."""

    def __init__(self, network: Network, terms: SettlementTerms | None, table: ObjectTable, anchor: L1Height) -> None:
        super().__init__(SettledState(), anchor)
        self._network = network
        self._terms = terms
        self._table = table
        numbers = network.parameters
        self._reach_blocks = numbers.auto_block_window + numbers.finality_depth

    def open_block(self) -> None:
        """Begin an L1 block."""
        if self.state.counted:
            self.state = msgspec.structs.replace(self.state, counted=0)

    def look(self, item: Item, proof: Proof) -> SettledStatement | Rejected:
        """What a proof says, where it stands, if that is about this chain and new."""
        misfit = why_not_taken(item, proof, self._network.parameters)
        return Rejected(misfit) if misfit else self.read(proof, item.place.height)

    def read(self, proof: Proof, height: int) -> SettledStatement | Rejected:
        """What a proof in the L1 block at a height says; L1 and L2 are looked at by whoever knows them."""
        terms = self._terms
        if terms is None:
            return Rejected("this node judges no settlement proofs")
        try:
            said = parse_settled(proof.public_values)
        except Invalid as error:
            return Rejected(str(error))
        if (said.network, said.parameters) != (self._network.number, terms.parameters):
            return Rejected("it is about another chain")
        if (said.batch_key, said.settlement_key) != (terms.batch_key, terms.settlement_key):
            return Rejected("it is by other programs")
        oldest = height - self._reach_blocks
        if not oldest <= said.l1_height < height:
            return Rejected(f"it speaks up to L1 block {said.l1_height}, not one from {oldest} on before its own")
        tip = self.state.tip
        if tip is not None and said.l1_height <= tip.l1_height:
            return Rejected(f"another one speaks up to L1 block {tip.l1_height} already")
        return said

    def count(self) -> bool:
        """Take one of the block's turns at being verified; False where there is none left."""
        if self.state.counted >= self._network.parameters.proofs_max:
            return False
        self.state = msgspec.structs.replace(self.state, counted=self.state.counted + 1)
        return True

    def accept(self, item: Item, said: SettledStatement) -> SettledTip:
        """The proof holds."""
        self._table.put(item.raw, item.place.height)
        tip = SettledTip(
            place=item.place,
            object_id=item.object_id,
            l1_height=said.l1_height,
            l1_hash=said.l1_hash,
            height=said.height,
            hash=said.tip,
        )
        self.state = msgspec.structs.replace(self.state, tip=tip)
        return tip

    def references(self) -> Iterator[bytes]:
        """Of the bytes that the state needs."""
        if self.state.tip is not None:
            yield self.state.tip.object_id
