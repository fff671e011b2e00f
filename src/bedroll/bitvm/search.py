"""The search for one step: digits, intervals, place values, and what an honest challenger answers.

Reads: hashes that a prover published, and a trace of our own.  Gives: digits, steps, where a hash was published.
Never: knows how a hash is signed, or of Bitcoin.  Spec: docs/spec/dispute.md#search

A trace has 2^T steps. In round r the interval has N_r parts; the prover publishes the hashes between them, the
challenger names a part. After the last round one step k is left, and k − 1 is the number that the digits write.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from bedroll.primitives import Invalid

ARITY: Final = 8
"""Parts of an interval in every round but the last, which has 8, 4 or 2."""
EXPONENT_MIN: Final = 2
EXPONENT_MAX: Final = 30

HashAt = Callable[[int], bytes | None]
"""Our own trace: H after a step; None where our run has no such step."""


class Published(NamedTuple):
    """Where the prover published a hash in a search.

    Attributes:
        round: From 1.
        index: From 1 to N_r − 1.
    """

    round: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs of a name


@dataclass(frozen=True)
class Shape:
    """What follows from T alone.

    Attributes:
        exponent: T.
    """

    exponent: int

    def __post_init__(self) -> None:
        if not EXPONENT_MIN <= self.exponent <= EXPONENT_MAX:
            raise Invalid("T is out of range", value=self.exponent, limit=f"{EXPONENT_MIN} to {EXPONENT_MAX}")

    @property
    def steps(self) -> int:
        """2^T."""
        return 1 << self.exponent

    @property
    def rounds(self) -> int:
        """R."""
        return -(-self.exponent // 3)

    @cached_property
    def arities(self) -> tuple[int, ...]:
        """N_1 … N_R."""
        return (ARITY,) * (self.rounds - 1) + (1 << (self.exponent - 3 * (self.rounds - 1)),)

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Place values: steps of one part in each round."""
        places, left = [], self.exponent
        for arity in self.arities:
            left -= arity.bit_length() - 1
            places.append(1 << left)
        return tuple(places)

    def hashes(self, number: int) -> int:
        """Hashes that the prover publishes in a round, counted from 1."""
        return self.arities[number - 1] - 1

    def number(self, digits: Sequence[int]) -> int:
        """Number that digits write; fewer than R digits give the left end of the interval they lead to.

        Raises:
            Invalid: A digit is out of range, or there are too many.
        """
        if len(digits) > self.rounds:
            raise Invalid("too many digits", digits=len(digits), limit=self.rounds)
        total = 0
        for digit, arity, place in zip(digits, self.arities, self.places, strict=False):
            if not 0 <= digit < arity:
                raise Invalid("digit is out of range", digit=digit, limit=arity - 1)
            total += digit * place
        return total

    def digits(self, number: int) -> tuple[int, ...]:
        """The R digits of a number below 2^T.

        Raises:
            Invalid: It is out of range.
        """
        if not 0 <= number < self.steps:
            raise Invalid("number is out of range", value=number, limit=self.steps - 1)
        return tuple(number // place % arity for arity, place in zip(self.arities, self.places, strict=True))

    def step(self, digits: Sequence[int], index: int) -> int:
        """Step after which hash `index` of the round that follows `digits` stands."""
        return self.number(digits) + index * self.places[len(digits)]

    def points(self, digits: Sequence[int]) -> tuple[int, ...]:
        """Steps whose hashes the prover publishes in the round that follows `digits`."""
        return tuple(self.step(digits, index) for index in range(1, self.arities[len(digits)]))

    def left(self, digits: Sequence[int]) -> Published | None:
        """Where the hash before the found step was published; None: it is H_0."""
        rounds = [at for at, digit in enumerate(digits) if digit > 0]
        return Published(rounds[-1] + 1, digits[rounds[-1]]) if rounds else None

    def right(self, digits: Sequence[int]) -> Published | None:
        """Where the hash after the found step was published; None: it is H_{2^T}."""
        rounds = [at for at, digit in enumerate(digits) if digit < self.arities[at] - 1]
        return Published(rounds[-1] + 1, digits[rounds[-1]] + 1) if rounds else None


Rounds = Sequence[Sequence[bytes]]
"""Published hashes, a sequence for each round played."""


def first_digit(shape: Shape, digits: Sequence[int], hashes: Sequence[bytes], own: HashAt) -> int:
    """Honest answer in the first search: the leftmost part that does not end as ours does, else the last part.

    Without any disagreement the last parts lead to step 2^T, whose row is the claim itself.

    Args:
        shape: Of the game.
        digits: Answers so far.
        hashes: What the prover published now.
        own: Our trace.
    """
    for part, (point, given) in enumerate(zip(shape.points(digits), hashes, strict=True)):
        if own(point) != given:
            return part
    return len(hashes)


@dataclass(frozen=True, slots=True)
class Difference:
    """The two searches show different hashes for one step.

    Attributes:
        round: From 2.
        index: From 1.
    """

    round: int
    index: int


def find_difference(
    first: Rounds, second: Rounds, first_digits: Sequence[int], second_digits: Sequence[int]
) -> Difference | None:
    """Where a round of the second search that answers the same digits shows another hash than the first search."""
    for number in range(2, len(second) + 1):
        if tuple(first_digits[: number - 1]) != tuple(second_digits[: number - 1]):
            return None
        for index, (one, other) in enumerate(zip(first[number - 1], second[number - 1], strict=True), 1):
            if one != other:
                return Difference(number, index)
    return None


def second_digit(
    shape: Shape, target: int, first: Rounds, first_digits: Sequence[int], second: Rounds, digits: Sequence[int],
    own: HashAt, final: bytes,
) -> int:  # fmt: skip
    """Honest answer in the second search.

    Digits of the target while both ends of the interval are right, or stand as the first search left them. Once new
    hashes are wrong: a part whose right end is right and whose left end is wrong, to the last round.

    Args:
        shape: Of the game.
        target: t − 1 for the step t that refutes the read.
        first: Hashes of the first search.
        first_digits: Its digits.
        second: Hashes of the second search, the first round repeated, the unanswered round last.
        digits: Answers so far.
        own: Our trace.
        final: H_{2^T} as the prover claimed it.
    """
    wanted = shape.digits(target)[len(digits)]
    if find_difference(first, second, first_digits, digits) is not None:
        return wanted
    marks = _marks(shape, second, digits, own, final)
    hunting = not marks[0] and marks[-1]
    astray = marks[0] and marks[-1] and not (marks[wanted] and marks[wanted + 1])
    if hunting or astray:
        return max(part for part, right in enumerate(marks) if not right)
    return wanted


def _marks(shape: Shape, second: Rounds, digits: Sequence[int], own: HashAt, final: bytes) -> list[bool]:
    """Whether each end of each part of the current interval is right, from left to right."""
    marks = [True, own(shape.steps) == final]
    for number, hashes in enumerate(second, 1):
        before = digits[: number - 1]
        inner = [own(point) == given for point, given in zip(shape.points(before), hashes, strict=True)]
        every = [marks[0], *inner, marks[1]]
        if number == len(second):
            return every
        marks = every[digits[number - 1] : digits[number - 1] + 2]
    return marks
