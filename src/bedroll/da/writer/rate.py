"""What fee rate to pay, and when to pay more: pure decisions, L1 blocks for time.

Reads: a node's estimate, L1 heights.  Gives: rates.  Never: asks a node.  Spec: docs/spec/writer.md#fees
"""

from dataclasses import dataclass
from typing import Final

from bedroll.bitcoin.fee import MIN_RELAY_RATE
from bedroll.primitives import FeeRate, L1Height

BUMP_PERCENT_MIN: Final = 10
"""A bump that raises the rate by less is not worth its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePolicy:
    """The operator's choice.

    Attributes:
        target_blocks: In how many L1 blocks a transaction should confirm.
        patience_blocks: L1 blocks without confirmation until the rate goes up by itself.
        step_percent: By how much it then goes up each block.
        cap: Never more than this, sat for 1,000 vB.
        floor: Never less.
    """

    target_blocks: int = 2
    patience_blocks: int = 2
    step_percent: int = 25
    cap: int = 300_000
    floor: int = 1_000

    def first(self, estimate: FeeRate) -> FeeRate:
        """Rate of a new attempt."""
        return FeeRate(min(max(estimate, self.floor, MIN_RELAY_RATE), self.cap))

    def bumped(self, estimate: FeeRate, paid: FeeRate, bumped_l1: L1Height, l1_tip: L1Height) -> FeeRate | None:
        """Rate to lift an unconfirmed attempt to; None while it may wait. At most once an L1 block.

        Args:
            estimate: The node's, now.
            paid: Rate of the attempt.
            bumped_l1: L1 tip when it was built or last lifted.
            l1_tip: Now.
        """
        waited_blocks = l1_tip - bumped_l1
        if waited_blocks <= 0:
            return None
        wanted = int(self.first(estimate))
        if waited_blocks >= self.patience_blocks:
            wanted = max(wanted, paid * (100 + self.step_percent) // 100)
        wanted = min(wanted, self.cap)
        return FeeRate(wanted) if wanted * 100 >= paid * (100 + BUMP_PERCENT_MIN) else None

    def is_capped(self, paid: FeeRate) -> bool:
        """Whether no worthwhile bump is left below the cap."""
        return self.cap * 100 < paid * (100 + BUMP_PERCENT_MIN)
