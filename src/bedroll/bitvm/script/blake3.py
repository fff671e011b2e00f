"""BLAKE3 of one block of at most 64 bytes in Script, over nibbles and two tables at the bottom of the stack.

Reads: nibbles of a message.  Gives: nibbles of the first 20 bytes of its hash.  Never: checks that a nibble is one.
Spec: docs/spec/bitvm.md#blake3

A state nibble x is kept as x + 1, so a sum of two is 2 too much: s' = s + 2, a carry and a message nibble added. Both
tables are found from the bottom by `OP_DEPTH`, whatever lies above:

- `rows`, at positions 1 … 48: for s' the negative of where row s mod 16 of the other table begins, less 1;
- `square`, from position 49: row m has (m XOR x) + 1 for x = 0 … 15; its first entry is m itself.

So `DEPTH OVER SUB PICK` turns s' into a row, `DEPTH OVER ADD PICK` reads m there, and taking x + 1 off the row makes
`DEPTH ADD PICK` read m XOR x: one pass adds, stores the sum and applies the XOR that follows every addition in BLAKE3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bedroll.bitcoin.opcode import Opcode as Op

from .assembler import Assembler, Item, Keep, Operand

IV: Final = (
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
)  # fmt: skip
PERMUTATION: Final = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
COLUMNS: Final = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
DIAGONALS: Final = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
ROUNDS: Final = 7
ONE_BLOCK: Final = 1 | 2 | 8
"""Flags of a hash of one block: first and last of its chunk, and root."""
SUMS: Final = 48
"""Sums of three nibbles and a carry of at most 2."""
SQUARE_AT: Final = 1 + SUMS
OUTPUT_WORDS: Final = 5

_ROW: Final = (Op.OP_DEPTH, Op.OP_OVER, Op.OP_SUB, Op.OP_PICK)
_ROW_LAST: Final = (Op.OP_DEPTH, Op.OP_1SUB, Op.OP_SWAP, Op.OP_SUB, Op.OP_PICK)
_FIRST: Final = (Op.OP_DEPTH, Op.OP_OVER, Op.OP_ADD, Op.OP_PICK)
_TAKE: Final = (Op.OP_DEPTH, Op.OP_ADD, Op.OP_PICK)
_DOUBLE: Final = (
    Op.OP_DUP, Op.OP_8, Op.OP_GREATERTHAN, Op.OP_TUCK, Op.OP_IF, Op.OP_8, Op.OP_SUB, Op.OP_ENDIF, Op.OP_DUP, Op.OP_ADD,
    Op.OP_1SUB,
)  # fmt: skip
"""From x + 1: the top bit of x, then 2x mod 16 and 1."""

Nibbles = list[Operand]
"""Eight, least significant first."""


def push_tables(asm: Assembler) -> None:
    """Write both tables; the stack must be empty."""
    assert not asm.stack
    asm.push(0)
    for number in range(SUMS):
        asm.push(-(SQUARE_AT + 16 * (number % 16) + 1))
    for row in range(16):
        for column in range(16):
            asm.push((row ^ column) + 1)


def hash_block(asm: Assembler, message: Sequence[Operand], size_bytes: int) -> list[Item]:
    """Hash of a message of one block.

    Args:
        asm: Where it is written; the tables lie at the bottom of its stack.
        message: Nibbles in the order of hexadecimal writing, two a byte; numbers are constants. Items are used up.
        size_bytes: Of the message.

    Returns:
        40 nibbles in the order of hexadecimal writing, each with 1 added.
    """
    return _Compression(asm, _message_words(message), size_bytes).run()


def _message_words(message: Sequence[Operand]) -> list[Nibbles]:
    """Sixteen little-endian words of nibbles, filled up with zeros."""
    padded = list(message) + [0] * (128 - len(message))
    return [[padded[8 * word + (at ^ 1)] for at in range(8)] for word in range(16)]


def _biased(word: int) -> Nibbles:
    return [(word >> 4 * at & 15) + 1 for at in range(8)]


@dataclass
class _Compression:
    asm: Assembler
    message: list[Nibbles]
    size_bytes: int

    def run(self) -> list[Item]:
        """All rounds, then the first five words of the output."""
        words = (*IV, *IV[:4], 0, 0, self.size_bytes, ONE_BLOCK)
        state = [_biased(word) for word in words]
        order = list(range(16))
        for number in range(ROUNDS):
            last = number == ROUNDS - 1
            for at, quarter in enumerate(COLUMNS + DIAGONALS):
                first, second = self.message[order[2 * at]], self.message[order[2 * at + 1]]
                # After the last round only words 0 to 4 and 8 to 12 are asked for.
                self._mix(state, quarter, first, second, keep_b=not last or at < 4 or 4 in quarter, last=last)
            order = [order[at] for at in PERMUTATION]
        return self._output(state)

    def _mix(
        self, state: list[Nibbles], quarter: tuple[int, ...], first: Nibbles, second: Nibbles, *, keep_b: bool,
        last: bool,
    ) -> None:  # fmt: skip
        a, b, c, d = quarter
        state[a], turned = self._add_xor(state[a], state[b], first, state[d], last=False)
        state[d] = _rotated(turned, 4)
        state[c], turned = self._add_xor(state[c], state[d], [0] * 8, state[b], last=False)
        state[b] = _rotated(turned, 3)
        state[a], turned = self._add_xor(state[a], state[b], second, state[d], last=last)
        state[d] = _rotated(turned, 2)
        if keep_b:
            state[c], turned = self._add_xor(state[c], state[d], [0] * 8, state[b], last=False, turn=True)
            # Right by 7: by two nibbles, and left by the one bit that is done.
            state[b] = _rotated(turned, 2)
        else:
            state[c] = self._add(state[c], state[d])
            for nibble in state[b]:
                assert isinstance(nibble, Item)
                self.asm.drop(nibble)

    def _add_xor(
        self, left: Nibbles, right: Nibbles, message: Nibbles, other: Nibbles, *, last: bool, turn: bool = False
    ) -> tuple[Nibbles, Nibbles]:
        """(left + right + message, other XOR that sum). Left and other are used up.

        Args:
            left: Word.
            right: Word, kept.
            message: Word, kept but in the last round.
            other: Word.
            last: Whether it is the last round.
            turn: Whether the XOR is turned left by one bit.
        """
        asm = self.asm
        total: Nibbles = []
        turned: Nibbles = []
        carry: Item | None = None
        carry_max = 0
        top: Item | None = None
        for at in range(8):
            # A carry of 2 can go on through nibbles without a message: 15 + 15 + 2 carries 2 again.
            carry_max = _largest(message[at], carry_max) // 16
            total_here = self._sum(left[at], right[at], message[at], carry, last=last)
            if at < 7:
                raw, row = asm.apply(_ROW, (total_here,), 2)
            else:
                raw, row = None, asm.apply(_ROW_LAST, (total_here,))[0]
            row, first = asm.apply(_FIRST, (row,), 2)
            taken = asm.apply(_TAKE, (asm.sub(row, other[at]),))[0]
            if turn:
                before, (top, taken) = top, asm.apply(_DOUBLE, (taken,), 2)
                taken = asm.add(taken, before) if before is not None else taken
            total.append(first)
            turned.append(taken)
            carry = self._carry(raw, carry_max) if raw is not None else None
        if top is not None:
            turned[0] = asm.add(turned[0], top)
        return total, turned

    def _sum(self, left: Operand, right: Operand, message: Operand, carry: Item | None, *, last: bool) -> Item:
        """Sum of nibbles and carry; left is used up, and the message in its last use."""
        asm = self.asm
        kept = Keep(right) if isinstance(right, Item) else right
        if isinstance(left, int) and isinstance(right, int):
            total = asm.push(left + right) if carry is None else asm.add(carry, left + right)
        else:
            total = asm.add(carry, left) if carry is not None else asm.fetch(left)
            total = asm.add(total, kept)
        if message == 1:
            total = asm.calc(Op.OP_1ADD, total)
        elif message != 0:
            total = asm.add(total, Keep(message) if isinstance(message, Item) and not last else message)
        return total

    def _carry(self, total: Item, largest: int) -> Item:
        """Carry of a sum of nibbles, biased by 2, that is at most `largest`."""
        asm = self.asm
        if largest < 2:
            return asm.calc(Op.OP_GREATERTHAN, total, 17)
        one = asm.calc(Op.OP_GREATERTHAN, Keep(total), 17)
        return asm.add(one, asm.calc(Op.OP_GREATERTHAN, total, 33))

    def _add(self, left: Nibbles, right: Nibbles) -> Nibbles:
        """Sum without an XOR; both are used, left up."""
        asm = self.asm
        total: Nibbles = []
        carry: Item | None = None
        for at in range(8):
            here = self._sum(left[at], right[at], 0, carry, last=False)
            if at < 7:
                raw, row = asm.apply(_ROW, (here,), 2)
                total.append(asm.apply(_TAKE, (asm.calc(Op.OP_1SUB, row),))[0])
                carry = self._carry(raw, 1)
            else:
                row = asm.apply(_ROW_LAST, (here,))[0]
                total.append(asm.apply(_TAKE, (asm.calc(Op.OP_1SUB, row),))[0])
        return total

    def _output(self, state: list[Nibbles]) -> list[Item]:
        asm = self.asm
        digits: list[Item] = []
        for word in range(OUTPUT_WORDS):
            for at in range(8):
                # Hexadecimal writing has the high nibble of each byte first.
                left, right = state[word][at ^ 1], state[word + 8][at ^ 1]
                row = asm.apply(_ROW_LAST, (asm.calc(Op.OP_1ADD, left),))[0]
                digits.append(asm.apply(_TAKE, (asm.sub(row, right),))[0])
        return digits


def _largest(message: Operand, carry: int) -> int:
    """Largest sum of two nibbles, a message nibble and a carry of at most `carry`."""
    return 15 + 15 + (message if isinstance(message, int) else 15) + carry


def _rotated(word: Sequence[Operand], nibbles: int) -> Nibbles:
    """Right by so many nibbles: names move, nothing else."""
    return [word[(at + nibbles) % 8] for at in range(8)]
