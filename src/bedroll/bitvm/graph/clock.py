"""How long each side has: windows, depths and margins, in blocks.

Reads: nothing.  Gives: `Clock`, the two that are used.  Never: counts seconds.
Spec: docs/spec/dispute.md#clock
"""

from dataclasses import dataclass
from typing import Final

from bedroll.primitives import Invalid

SEQUENCE_BLOCKS_MAX: Final = 0xFFFF
"""Longest relative lock (BIP-0068), blocks."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Times of a game.

    Attributes:
        delta_blocks: Window of each move after Input (Δ).
        answer_depth_blocks: Confirmations an opponent's move needs before it is answered.
        margin_blocks: An honest side has acted so long before its window ends.
        input_blocks: From the claim until the challenger may take the bond of a prover who has not played Input (T_in).
    """

    delta_blocks: int
    answer_depth_blocks: int
    margin_blocks: int
    input_blocks: int

    def __post_init__(self) -> None:
        if self.answer_depth_blocks < 1:
            raise Invalid("a move is answered in a block at the earliest", value=self.answer_depth_blocks, limit=1)
        if self.answer_depth_blocks + self.margin_blocks >= self.delta_blocks:
            raise Invalid("no block is left to act in", value=self.answer_depth_blocks + self.margin_blocks,
                          limit=self.delta_blocks - 1)  # fmt: skip

    def burn_blocks(self, moves: int) -> int:
        """From the claim until Burn: later than every window of a game of so many moves after Input (T_burn).

        Raises:
            Invalid: It does not fit a relative lock.
        """
        blocks = self.input_blocks + self.delta_blocks * (moves + 2)
        if blocks > SEQUENCE_BLOCKS_MAX:
            raise Invalid("windows do not fit a relative lock", value=blocks, limit=SEQUENCE_BLOCKS_MAX)
        return blocks

    @property
    def latest_blocks(self) -> int:
        """Blocks after the opponent's move in which an honest answer is confirmed at the latest."""
        return self.delta_blocks - self.margin_blocks


MAIN: Final = Clock(delta_blocks=144, answer_depth_blocks=6, margin_blocks=36, input_blocks=1_476)
REGTEST: Final = Clock(delta_blocks=12, answer_depth_blocks=2, margin_blocks=4, input_blocks=44)
