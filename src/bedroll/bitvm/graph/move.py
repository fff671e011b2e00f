"""The moves of a game, in their order.

Reads: T.  Gives: `Move`, `moves`.  Never: knows what a move carries.
Spec: docs/spec/dispute.md#moves
"""

from dataclasses import dataclass
from enum import StrEnum

from ..search import Shape


class Party(StrEnum):
    """Who plays."""

    PROVER = "prover"
    CHALLENGER = "challenger"

    @property
    def other(self) -> "Party":
        """The opponent."""
        return Party.CHALLENGER if self is Party.PROVER else Party.PROVER


class Kind(StrEnum):
    """What a move does."""

    INPUT = "input"
    HASHES = "hashes"
    DIGIT = "digit"
    EXECUTE = "execute"
    OPENING = "opening"
    EXECUTE_2 = "execute_2"


@dataclass(frozen=True, slots=True)
class Move:
    """A move; its place in the game is the number of the output it spends.

    Attributes:
        kind: What it does.
        search: 1 or 2.
        round: From 1 within the search; 0 where there is none. The opening answers round 1 of the second search.
    """

    kind: Kind
    search: int = 1
    round: int = 0

    @property
    def mover(self) -> Party:
        """Whose move it is."""
        return Party.CHALLENGER if self.kind in (Kind.DIGIT, Kind.OPENING) else Party.PROVER

    @property
    def name(self) -> str:
        """Unique in a game."""
        if self.kind in (Kind.HASHES, Kind.DIGIT):
            return f"{self.kind}_{self.search}_{self.round}"
        return self.kind.value


def moves(shape: Shape) -> tuple[Move, ...]:
    """All moves of a game that is played to its end."""
    found = [Move(Kind.INPUT)]
    for number in range(1, shape.rounds + 1):
        found += [Move(Kind.HASHES, 1, number), Move(Kind.DIGIT, 1, number)]
    found += [Move(Kind.EXECUTE), Move(Kind.OPENING, 2, 1)]
    for number in range(2, shape.rounds + 1):
        found += [Move(Kind.HASHES, 2, number), Move(Kind.DIGIT, 2, number)]
    return (*found, Move(Kind.EXECUTE_2, 2))


def windows_after_input(shape: Shape) -> int:
    """Windows after Input of a game that is played to its end, the last for the challenger's last word."""
    return len(moves(shape))
