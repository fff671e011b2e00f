"""What all stages share: a state for each L1 height, so that unwinding is exact.

Reads: nothing.  Gives: `Stage`, `HistoryForgotten`.  Never: undoes by inverse operations: an old state is put back.
Spec: docs/spec/derivation.md#unwinding
"""

from typing import Generic, TypeVar

from bedroll.primitives import L1Height, Reorg

S = TypeVar("S")


class HistoryForgotten(Reorg):
    """A reorganisation is deeper than what is kept; the chain is derived again from its anchor.

    Attributes:
        height: The fork that was asked for.
        oldest: Lowest L1 height that could still be returned to.
    """

    oldest: int


class Stage(Generic[S]):
    """A stage's state after each L1 block. A state is never changed once it is kept: changes make a new one.

    Attributes:
        state: As of now; between two L1 blocks it is the newest kept one.
    """

    def __init__(self, start: S, height: L1Height) -> None:
        self.state = start
        self._kept: dict[int, S] = {height: start}

    def keep(self, height: L1Height) -> None:
        """Remember the state as what holds after L1 block `height`."""
        self._kept[height] = self.state

    def unwind(self, height: L1Height) -> None:
        """Return to the state after L1 block `height`.

        Raises:
            HistoryForgotten: It is not kept.
        """
        state = self._kept.get(height)
        if state is None:
            raise HistoryForgotten("that state is no longer kept", height=height, oldest=min(self._kept))
        self.state = state
        for later in [known for known in self._kept if known > height]:
            del self._kept[later]

    def forget(self, below: L1Height) -> None:
        """Drop states of heights below `below`."""
        for known in [known for known in self._kept if known < below]:
            del self._kept[known]

    def at(self, height: L1Height) -> S | None:
        """State after an L1 block; None where it is not kept."""
        return self._kept.get(height)

    def load(self, states: dict[int, S]) -> None:
        """Take over what was kept by an earlier run; the newest is the state."""
        self._kept = dict(states)
        self.state = states[max(states)]
