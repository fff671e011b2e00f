"""How a run ends: a value, whatever the program did.

Reads: what the core says.  Gives: `Halted | Trapped | Running`.  Never: is an error.
Spec: docs/spec/riscv.md#steps
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Halted:
    """From `step` on every step is the halting call.

    Attributes:
        step: First such step.
        result: a0.
    """

    step: int
    result: int

    @property
    def is_accepted(self) -> bool:
        """Whether the program said yes."""
        return self.result == 1


@dataclass(frozen=True, slots=True)
class Trapped:
    """There is no step `step`, so whoever claims one loses.

    Attributes:
        step: The step that cannot be made.
        pc: Program counter there.
        reason: Why, in words.
        value: Address, call or nothing (0) that the instruction asked for.
    """

    step: int
    pc: int
    reason: str
    value: int

    @property
    def is_accepted(self) -> bool:
        """Never."""
        return False


@dataclass(frozen=True, slots=True)
class Running:
    """The program had not halted after `step` steps."""

    step: int

    @property
    def is_accepted(self) -> bool:
        """Never."""
        return False


Outcome: TypeAlias = Halted | Trapped | Running


def from_core(raw: tuple[str, int, int, str, int]) -> Outcome:
    """The outcome in the core's tuple."""
    kind, step, value, reason, asked = raw
    if kind == "halted":
        return Halted(step, value)
    if kind == "trapped":
        return Trapped(step, value, reason, asked)
    return Running(step)
