"""An object on its way down the pipeline, and where stages put their records.

Reads: nothing.  Gives: `Item`, `Notes`.  Never: judges.  Spec: docs/spec/derivation.md#stages
"""

from dataclasses import dataclass, replace

from bedroll.crypto import sha256
from bedroll.da import Object

from .record import ObjectSeen, Place, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An object and the transaction that carries it.

    Attributes:
        txid, wtxid: Internal order.
        fee_sat: Paid to the fee output by the transaction, if this is its fee-bearing object; else 0.
        leaders: Whether it is a batch that the leader of its L1 height signed; known after `fee_claim`.
        raw: The object's bytes.
        object_id: Their SHA-256.
    """

    place: Place
    txid: bytes
    wtxid: bytes
    fee_sat: int
    raw: bytes
    object_id: bytes
    object: Object
    leaders: bool = False

    @property
    def kind(self) -> str:
        """Name of the object's kind, lower case."""
        return type(self.object).__name__.lower()

    def carrying(self, raw: bytes, found: Object) -> "Item":
        """The same place with another object: a series that this item's chunk completed."""
        return replace(self, raw=raw, object_id=bytes(sha256(raw)), object=found)

    def seen(self) -> ObjectSeen:
        """The record that it was found."""
        return ObjectSeen(
            place=self.place, object_id=self.object_id, kind=self.kind, txid=self.txid, size=len(self.raw)
        )


class Notes:
    """Records of the L1 block at hand, in the order in which things happened."""

    def __init__(self) -> None:
        self._records: list[Record] = []

    def add(self, record: Record) -> None:
        """Write one down."""
        self._records.append(record)

    def take(self) -> list[Record]:
        """All so far; begins anew."""
        records, self._records = self._records, []
        return records
