"""Stage 7: has blocks executed, whole batches or not at all.

Reads: orders for blocks.  Gives: heads, one a block, or `Rejected`.  Never: leaves half a batch behind.
Spec: docs/spec/derivation.md#block-builder
"""

from collections.abc import Callable

from bedroll.primitives import Corrupt, Invalid, L1Height, L2Height
from bedroll.protocol import Parameters

from .batch_decoder import time_bounds
from .batch_selector import Candidate
from .head import Head
from .item import Notes
from .port import BlockOrder, Built, Executor, OriginBlock
from .record import ForcedDone
from .verdict import Rejected


class BlockBuilder:
    """Runs candidates and automatic blocks through the executor."""

    def __init__(self, parameters: Parameters, executor: Executor, origin: Callable[[int], OriginBlock]) -> None:
        self._parameters = parameters
        self._executor = executor
        self._origin = origin

    def advance(
        self, candidate: Candidate, orders: list[BlockOrder], head: Head, height: L1Height, notes: Notes
    ) -> list[Head] | Rejected:
        """Execute a candidate's blocks upon `head`; its tip must have the hash that was signed."""
        heads: list[Head] = []
        done: list[ForcedDone] = []
        self._executor.begin(L2Height(head.height))
        for order in orders:
            try:
                built = self._executor.block(order)
            except Invalid as error:
                self._executor.reject()
                return Rejected(f"block {order.index}: {error}")
            head = self._after(head, order, built)
            heads.append(head)
            done.extend(_ended(built, height))
        if head.hash != candidate.batch.header.tip_l2_hash:
            self._executor.reject()
            return Rejected("executing it gives another tip than it names")
        self._executor.accept()
        for record in done:
            notes.add(record)
        return heads

    def automatic(self, head: Head, height: L1Height, notes: Notes) -> list[Head]:
        """Derive forced-only blocks for every origin up to `height` − C (protocol.md 5.3)."""
        newest = height - self._parameters.finality_depth
        if head.origin_height >= newest:
            return []
        heads: list[Head] = []
        self._executor.begin(L2Height(head.height))
        for origin_height in range(head.origin_height + 1, newest + 1):
            for count in range(self._parameters.automatic_blocks_per_origin_max):
                origin = self._origin(origin_height)
                order = BlockOrder(
                    timestamp=time_bounds(self._parameters, head.timestamp, origin.median_time).lowest,
                    origin=origin if count == 0 else None,
                    origin_height=L1Height(origin_height),
                    automatic=True,
                    body=None,
                    index=len(heads),
                )
                built = self._derive(order)
                head = self._after(head, order, built)
                heads.append(head)
                for record in _ended(built, height):
                    notes.add(record)
                if built.queue_waiting == 0:
                    break
        self._executor.accept()
        return heads

    def _derive(self, order: BlockOrder) -> Built:
        try:
            return self._executor.block(order)
        except Invalid as error:
            raise Corrupt(
                "an automatic block cannot be invalid", origin=order.origin_height, reason=str(error)
            ) from error

    @staticmethod
    def _after(head: Head, order: BlockOrder, built: Built) -> Head:
        return head.child(hash=built.hash, timestamp=order.timestamp, step=order.origin is not None)


def _ended(built: Built, height: L1Height) -> list[ForcedDone]:
    return [
        ForcedDone(height=height, id=id, l2_height=built.height, status=status, transaction_hash=transaction_hash)
        for id, status, transaction_hash in built.forced
    ]
