"""Last stage: where the derived chain ends.

Reads: blocks that were made.  Gives: `Head`, the safe and the finalized one.  Never: moves back except by `unwind`.
Spec: docs/spec/derivation.md#head
"""

from collections.abc import Iterable

import msgspec

from bedroll.primitives import L1Height
from bedroll.protocol import Parameters

from .stage import Stage


class Head(msgspec.Struct, frozen=True):
    """The newest derived L2 block, and what the rules for its child need.

    Attributes:
        height: L2 height.
        hash: Of its header.
        timestamp: Seconds.
        origin_height: L1 height of its origin.
        second_blocks: Blocks in a row, it included, that share its timestamp.
        origin_blocks: Blocks with its origin so far.
    """

    height: int
    hash: bytes
    timestamp: int
    origin_height: int
    second_blocks: int
    origin_blocks: int

    def child(self, *, hash: bytes, timestamp: int, step: bool) -> "Head":
        """The head after one more block."""
        return Head(
            height=self.height + 1,
            hash=hash,
            timestamp=timestamp,
            origin_height=self.origin_height + step,
            second_blocks=self.second_blocks + 1 if timestamp == self.timestamp else 1,
            origin_blocks=1 if step else self.origin_blocks + 1,
        )


class HeadStage(Stage[Head]):
    """The derived tip by L1 height."""

    def __init__(self, parameters: Parameters, genesis: Head, anchor: L1Height) -> None:
        super().__init__(genesis, anchor)
        self._depth = parameters.finality_depth
        self._genesis = genesis
        self._anchor = anchor

    def advance(self, heads: Iterable[Head]) -> None:
        """Move on over blocks that were made, in order."""
        for head in heads:
            self.state = head

    def finalized(self, height: L1Height) -> Head | None:
        """What was derived up to depth C under L1 block `height`; None where that state is no longer kept."""
        if height - self._depth <= self._anchor:
            return self._genesis
        return self.at(L1Height(height - self._depth))
