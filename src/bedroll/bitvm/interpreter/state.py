"""State of a run, and numbers as items.

Reads: items.  Gives: `State`.  Never: knows opcodes.  Spec: docs/spec/bitvm.md#interpreter
"""

from dataclasses import dataclass, field
from typing import Final

from bedroll.bitcoin.script import encode_number

from .failure import ScriptFailure
from .rule import NUMBER_BYTES_MAX, Context, Cost, Rules

SMALL: Final = {number: encode_number(number) for number in range(-1_024, 4_096)}
"""Items of numbers that occur all the time."""
SMALL_BACK: Final = {item: number for number, item in SMALL.items()}
NO_SEPARATOR: Final = 0xFFFFFFFF


@dataclass(slots=True)
class State:
    """Both stacks, open branches, and the budget of signature checks."""

    stack: list[bytes]
    rules: Rules
    context: Context
    budget: int
    alt: list[bytes] = field(default_factory=list)
    branches: list[bool] = field(default_factory=list)
    separator: int = NO_SEPARATOR
    position: int = 0
    cost: Cost = field(default_factory=Cost)

    def fail(self, reason: str) -> ScriptFailure:
        """The failure at this operation."""
        return ScriptFailure(reason, operation=self.position)

    def pop(self) -> bytes:
        """Top item, taken away."""
        if not self.stack:
            raise self.fail("INVALID_STACK_OPERATION")
        return self.stack.pop()

    def need(self, count: int) -> list[bytes]:
        """The stack, if it has so many items."""
        if len(self.stack) < count:
            raise self.fail("INVALID_STACK_OPERATION")
        return self.stack

    def number(self, item: bytes, size_max: int = NUMBER_BYTES_MAX) -> int:
        """An item as a number."""
        known = SMALL_BACK.get(item)
        if known is not None:
            return known
        if len(item) > size_max:
            raise self.fail("SCRIPTNUM")
        if self.rules.policy and item[-1] & 0x7F == 0 and (len(item) == 1 or item[-2] & 0x80 == 0):
            raise self.fail("SCRIPTNUM")
        value = int.from_bytes(item, "little")
        sign = 1 << (8 * len(item) - 1)
        return -(value - sign) if value & sign else value

    def pop_number(self) -> int:
        """Top item as a number, taken away."""
        return self.number(self.pop())

    def push_number(self, value: int) -> None:
        """Put a number on the stack."""
        self.stack.append(SMALL.get(value) or encode_number(value))


def truth(item: bytes) -> bool:
    """Whether an item counts as true: any byte set, but for the sign of a zero."""
    return any(item[:-1]) or item[-1:] not in (b"", b"\x00", b"\x80")
