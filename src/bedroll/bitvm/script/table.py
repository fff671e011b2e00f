"""Tables on the stack, looked up by `OP_PICK`.

Reads: nothing.  Gives: `Table`.  Never: checks an index: it must be in range already.
Spec: docs/spec/bitvm.md#tables
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bedroll.bitcoin.opcode import Opcode as Op

from .assembler import Assembler, Item, Operand


@dataclass(frozen=True, slots=True)
class Table:
    """Entries that lie one above the other, the first on top.

    Attributes:
        first: Entry 0.
        size: Entries.
    """

    first: Item
    size: int

    @staticmethod
    def push(asm: Assembler, entries: Sequence[int]) -> "Table":
        """Write a table."""
        items = [asm.push(entry) for entry in reversed(entries)]
        return Table(items[-1], len(entries))

    def look_up(self, asm: Assembler, index: Operand) -> Item:
        """The entry of an index."""
        index = asm.fetch(index)
        distance = asm.depth(self.first) - 1
        if distance:
            index = asm.add(index, distance)
        return asm.apply((Op.OP_PICK,), (index,))[0]

    def drop(self, asm: Assembler) -> None:
        """Forget a table that is on top."""
        assert asm.depth(self.first) == 0
        asm.drop_top(self.size)


def quarter_squares() -> list[int]:
    """⌊n² / 4⌋ for sums of two nibbles: xy = q(x + y) − q(|x − y|)."""
    return [number * number // 4 for number in range(31)]


def conjunctions() -> list[int]:
    """Bits of x AND y at 16·x + y."""
    return [left & right for left in range(16) for right in range(16)]
