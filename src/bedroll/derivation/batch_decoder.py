"""Stage 6: from a candidate's body to orders for blocks, inside every limit, before anything is executed.

Reads: a candidate, the tip, origins.  Gives: `BlockOrder`s or `Rejected`.  Never: executes; keeps no state.
Spec: docs/spec/derivation.md#batch-decoder
"""

from collections.abc import Callable
from dataclasses import dataclass

from bedroll.primitives import Invalid, L1Height, L2Height
from bedroll.protocol import Parameters

from .batch_selector import Candidate
from .head import Head
from .l1_traversal import L1Record
from .port import BlockOrder, Executor, OriginBlock
from .verdict import Rejected


@dataclass(frozen=True, slots=True)
class TimeBounds:
    """Between what a block's timestamp must lie, seconds; no upper bound on a chain of one's own."""

    lowest: int
    highest: int | None


def time_bounds(parameters: Parameters, parent: int, median_time: int) -> TimeBounds:
    """Bounds of a timestamp (protocol.md 4.2).

    Args:
        parameters: Of the network.
        parent: Timestamp of the parent.
        median_time: MTP of the block's origin.

    Example:
        >>> from bedroll.protocol import MAINNET
        >>> time_bounds(MAINNET.parameters, 1_000, 2_000)
        TimeBounds(lowest=2000, highest=16400)
    """
    lead = parameters.timestamp_lead_max
    return TimeBounds(max(parent, median_time), None if lead is None else max(parent, median_time + lead))


class BatchDecoder:
    """Checks everything about blocks that needs no state."""

    def __init__(
        self,
        parameters: Parameters,
        executor: Executor,
        origin: Callable[[int], OriginBlock],
        record: Callable[[int], L1Record],
    ) -> None:
        self._parameters = parameters
        self._executor = executor
        self._origin = origin
        self._record = record

    def advance(self, candidate: Candidate, head: Head) -> list[BlockOrder] | Rejected:
        """Decode a body and lay out its blocks."""
        header = candidate.batch.header
        try:
            body = self._executor.decode(L2Height(head.height), header.block_count, candidate.batch.body, header.form)
        except Invalid as error:
            return Rejected(f"its body does not decode: {error}")
        if len(body.blocks) != header.block_count:
            return Rejected(f"its body has {len(body.blocks)} blocks, its header says {header.block_count}")
        if body.gas_limit > self._parameters.batch_gas_limit:
            return Rejected(f"its gas limits sum to {body.gas_limit}, more than {self._parameters.batch_gas_limit}")
        if head.origin_height + body.blocks[0][1] != header.first_origin:
            return Rejected("its first block's origin is not the one its header names")
        if head.origin_height + sum(step for _, step, _ in body.blocks) != header.last_origin:
            return Rejected("its last block's origin is not the one its header names")
        orders = []
        for index, (timestamp, step, _) in enumerate(body.blocks):
            misfit = self._misfit(head, timestamp, step)
            if misfit is not None:
                return Rejected(f"block {index}: {misfit}")
            head = head.child(hash=b"", timestamp=timestamp, step=step)
            orders.append(
                BlockOrder(
                    timestamp=timestamp,
                    origin=self._origin(head.origin_height) if step else None,
                    origin_height=L1Height(head.origin_height),
                    automatic=False,
                    body=body,
                    index=index,
                )
            )
        return orders

    def _misfit(self, parent: Head, timestamp: int, step: bool) -> str | None:
        numbers = self._parameters
        if not step and parent.origin_blocks >= numbers.origin_blocks_max:
            return f"more than {numbers.origin_blocks_max} blocks have origin {parent.origin_height}"
        median_time = self._record(parent.origin_height + step).median_time
        bounds = time_bounds(numbers, parent.timestamp, median_time)
        if timestamp < bounds.lowest:
            return f"its timestamp {timestamp} lies below {bounds.lowest}"
        if bounds.highest is not None and timestamp > bounds.highest:
            return f"its timestamp {timestamp} lies above {bounds.highest}"
        crowded = timestamp == parent.timestamp and parent.second_blocks >= numbers.second_blocks_max
        if crowded and timestamp != bounds.highest:
            return f"more than {numbers.second_blocks_max} blocks share second {timestamp}"
        return None
