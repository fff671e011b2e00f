"""Which object of a transaction its fee is for (protocol.md 3).

Reads: items in L1 order, completed series included.  Gives: the same items, each with the fee that counts for it.
Never: lets one payment serve two objects.  Spec: docs/spec/derivation.md#fee-claim
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bedroll.da import Batch, Forced, Proof

from .item import Item, Notes
from .record import ObjectJudged
from .verdict import Rejected


def claim_fees(items: Iterable[Item], leader: bytes, notes: Notes) -> Iterator[Item]:
    """Give each transaction's fee to its first fee-bearing object; later ones of the same transaction go no further.

    Args:
        items: Of one L1 block, in order.
        leader: x-only key that leads at this L1 height: his own batches bear no fee.
        notes: Where refusals are written.
    """
    claimed = -1
    for item in items:
        leaders = isinstance(item.object, Batch) and item.object.is_signed_by(leader)
        if leaders or not isinstance(item.object, Batch | Forced | Proof):
            yield replace(item, fee_sat=0, leaders=leaders)
        elif item.place.transaction == claimed:
            refused = Rejected("the fee of its transaction is taken by an earlier object")
            notes.add(ObjectJudged(item.place.height, item.place, item.object_id, refused))
        else:
            claimed = item.place.transaction
            yield item
