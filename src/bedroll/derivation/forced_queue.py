"""Stage 4: forced messages by origin, until the derived chain has taken them in.

Reads: `Forced` items in L1 order.  Gives: the messages of an L1 block.  Never: judges a payload (execution does).
Spec: docs/spec/derivation.md#forced-queue
"""

from collections.abc import Iterator

import msgspec

from bedroll.crypto import sha256
from bedroll.da import Forced
from bedroll.primitives import L1Height
from bedroll.protocol import Network

from .item import Item, Notes
from .object_table import ObjectTable
from .port import ForcedMessage
from .record import ForcedEnqueued, ObjectJudged
from .stage import Stage
from .verdict import Pending


class WaitingMessage(msgspec.Struct, frozen=True):
    """A forced message whose payload lies in the object table."""

    id: bytes
    payload: bytes
    paid: bool


class QueueState(msgspec.Struct, frozen=True):
    """Messages by the L1 height that brought them; heights without any are absent."""

    origins: dict[int, tuple[WaitingMessage, ...]]


def forced_id(network: int, wtxid: bytes) -> bytes:
    """Name of a forced message: its transaction, witness included, names it once for all.

    Args:
        network: Number of the network, one byte.
        wtxid: 32 bytes, internal order.
    """
    return bytes(sha256(b"forced" + bytes([network]) + wtxid))


class ForcedQueue(Stage[QueueState]):
    """Remembers messages of L1 blocks that no L2 block has for an origin yet."""

    def __init__(self, network: Network, table: ObjectTable, height: L1Height) -> None:
        super().__init__(QueueState(origins={}), height)
        self._network = network
        self._table = table

    def advance(self, item: Item, message: Forced, notes: Notes) -> None:
        """Take one message. Whether it paid is part of what execution judges, so nothing is refused here."""
        height = item.place.height
        waiting = WaitingMessage(
            id=forced_id(self._network.number, item.wtxid),
            payload=self._table.put(message.payload, height),
            paid=item.fee_sat >= self._network.parameters.forced_fee and message.network == self._network.number,
        )
        before = self.state.origins.get(height, ())
        self.state = QueueState(origins={**self.state.origins, height: (*before, waiting)})
        notes.add(
            ForcedEnqueued(place=item.place, id=waiting.id, object_id=item.object_id, txid=item.txid, paid=waiting.paid)
        )
        notes.add(ObjectJudged(height, item.place, item.object_id, Pending("waits for its origin")))

    def messages(self, height: int) -> tuple[ForcedMessage, ...]:
        """Messages of one L1 block, in L1 order."""
        return tuple(
            ForcedMessage(id=waiting.id, payload=self._table.get(waiting.payload), paid=waiting.paid)
            for waiting in self.state.origins.get(height, ())
        )

    def taken(self, origin: L1Height) -> None:
        """The derived chain has origin `origin`: messages up to it are in the state of L2."""
        if any(height <= origin for height in self.state.origins):
            self.state = QueueState(
                origins={height: waiting for height, waiting in self.state.origins.items() if height > origin}
            )

    def references(self) -> Iterator[bytes]:
        """Of the bytes that the state needs."""
        for messages in self.state.origins.values():
            for waiting in messages:
                yield waiting.payload
