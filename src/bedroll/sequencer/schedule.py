"""Which timestamp and origin the next block takes: the rules of protocol.md 4.2 from the leader's side.

Reads: the parent, L1 heights, a clock's value.  Gives: `Slot` or the reason why no block can be made.
Never: reads a clock itself.  Spec: docs/spec/sequencer.md#schedule
"""

from dataclasses import dataclass

from bedroll.derivation.batch_decoder import time_bounds
from bedroll.derivation.head import Head
from bedroll.primitives import L1Height
from bedroll.protocol import Parameters


@dataclass(frozen=True, slots=True)
class Slot:
    """The frame of one block: when it is, and whether it is the first of the next origin."""

    timestamp: int
    step: bool


@dataclass(frozen=True, slots=True)
class NoSlot:
    """No block can be made now; `reason` says what must happen on L1."""

    reason: str


def newest_origin(parameters: Parameters, l1_tip: L1Height) -> L1Height:
    """Newest L1 height that the leader takes for an origin.

    A batch made now is in block `l1_tip` + 1 at the earliest, where origins up to `l1_tip` + 1 − C are allowed. One
    less, so that the batch is still valid if a reorganisation mines its reveal one block lower.
    """
    return L1Height(l1_tip - parameters.finality_depth)


def next_origin(parameters: Parameters, parent: Head, l1_tip: L1Height) -> L1Height | None:
    """Origin that the next block begins; None if it stays with its parent's."""
    following = L1Height(parent.origin_height + 1)
    return following if following <= newest_origin(parameters, l1_tip) else None


def slot(parameters: Parameters, parent: Head, *, step: bool, median_time: int, now_seconds: int) -> Slot | NoSlot:
    """Frame of the block after `parent`.

    Args:
        parameters: Of the network.
        parent: The tip.
        step: Whether the block begins the next origin.
        median_time: MTP of the block's own origin, seconds.
        now_seconds: The leader's clock. However wrong it is, the result is valid.
    """
    if parent.height == 0 and not step:
        return NoSlot("the first block of the chain waits for the first origin to be deep enough")
    if not step and parent.origin_blocks >= parameters.origin_blocks_max:
        return NoSlot(
            f"{parent.origin_blocks} blocks have origin {parent.origin_height}, no more may: waiting for an L1 block"
        )
    bounds = time_bounds(parameters, parent.timestamp, median_time)
    timestamp = max(bounds.lowest, now_seconds)
    if bounds.highest is not None:
        timestamp = min(timestamp, bounds.highest)
    crowded = timestamp == parent.timestamp and parent.second_blocks >= parameters.second_blocks_max
    if crowded and timestamp != bounds.highest:
        # At the upper bound any number of blocks may share the second; below it the clock runs ahead.
        timestamp += 1
    return Slot(timestamp, step)


def seconds_ahead(parent: Head, parameters: Parameters, now_seconds: float) -> float:
    """How long to wait until the next block need not run ahead of the clock for lack of room in its second.

    Returns:
        0 or less: it need not. A parent that is ahead already (L1's median time was) can be joined there.
    """
    if parent.second_blocks < parameters.second_blocks_max:
        return 0.0
    return parent.timestamp + 1 - now_seconds
