"""Up to where the derived chain is covered by proofs, and the end of a chain that stays unproven.

Reads: ranges of blocks that a proof covers.  Gives: the proven head, whether the chain has ended.
Never: verifies a proof.  Spec: docs/spec/derivation.md#proven-head
"""

import msgspec

from bedroll.primitives import L1Height
from bedroll.protocol import Parameters

from .head import Head
from .item import Notes
from .record import ChainEnded, ProvenAdvanced
from .stage import Stage


class ProvenRange(msgspec.Struct, frozen=True):
    """Blocks that one proof covers: the height of the first, and the last."""

    first: int
    last: Head


class ProvenState(msgspec.Struct, frozen=True):
    """What outlives a block.

    Attributes:
        head: Last block up to which everything is covered; block 0 at first.
        ahead: Covered ranges beyond a gap, by height.
        idle: L1 blocks in which it did not advance, those full of proofs left out.
        ended: L1 height at which the chain ended.
    """

    head: Head
    ahead: tuple[ProvenRange, ...] = ()
    idle: int = 0
    ended: int | None = None


class ProvenHead(Stage[ProvenState]):
    """A proven batch upon an unproven parent waits for the rest."""

    def __init__(self, parameters: Parameters, genesis: Head, anchor: L1Height) -> None:
        super().__init__(ProvenState(genesis), anchor)
        self._required = parameters.proofs_required
        self._window = parameters.exodus_window
        self._depth = parameters.finality_depth
        self._genesis = genesis
        self._anchor = anchor
        self._advanced = False

    def cover(self, first: int, last: Head, height: L1Height, notes: Notes) -> None:
        """A proof covers the blocks from `first` to `last`."""
        ahead = [*self.state.ahead, ProvenRange(first, last)]
        ahead.sort(key=lambda each: each.first)
        head = self.state.head
        while ahead and ahead[0].first <= head.height + 1:
            reached = ahead.pop(0).last
            head = reached if reached.height > head.height else head
        if head.height > self.state.head.height:
            self._advanced = True
            notes.add(ProvenAdvanced(height=height, l2_height=head.height, hash=head.hash))
        self.state = msgspec.structs.replace(self.state, head=head, ahead=tuple(ahead))

    def close_block(self, height: L1Height, full: bool, notes: Notes) -> bool:
        """After the objects of L1 block `height`; whether the chain has ended.

        Args:
            height: Of the block.
            full: Whether it held as many proofs as are looked at.
            notes: Where the end is written.
        """
        idle = 0 if self._advanced else self.state.idle + (not full)
        self._advanced = False
        ended = self.state.ended
        if ended is None and self._required and idle >= self._window:
            ended = int(height)
            notes.add(ChainEnded(height=ended, l2_height=self.state.head.height, hash=self.state.head.hash))
        self.state = msgspec.structs.replace(self.state, idle=idle, ended=ended)
        return ended is not None

    def finalized(self, derived: Head | None, height: L1Height) -> Head | None:
        """What is final of what was derived at depth C: where proofs are required, no more than was proven there."""
        if derived is None or not self._required:
            return derived
        if height - self._depth <= self._anchor:
            return self._genesis
        state = self.at(L1Height(height - self._depth))
        if state is None:
            return None
        return derived if derived.height <= state.head.height else state.head
