"""32-bit words as two numbers of 16 bits, and arithmetic on them.

Reads: digits and words on a tracked stack.  Gives: `Word` operations.  Never: trusts a number it has not bounded.
Spec: docs/spec/bitvm.md#words

Script has no multiplication and numbers of 31 bits with sign, so a word is (high, low), each 0 … 65535.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from bedroll.bitcoin.opcode import Opcode as Op

from .assembler import Assembler, Item, Keep, Operand

HALF: Final = 1 << 16
SIGN: Final = 1 << 15


class Word(NamedTuple):
    """A word on the stack, or a constant one."""

    high: Operand
    low: Operand

    @staticmethod
    def of(value: int) -> "Word":
        """A constant."""
        return Word(value >> 16, value & (HALF - 1))

    @property
    def kept(self) -> "Word":
        """The same, to be used without using it up."""
        return Word(*(Keep(half) if isinstance(half, Item) else half for half in self))


def join_digits(asm: Assembler, digits: Sequence[Operand], bits: int = 4) -> Item:
    """Number of digits, most significant first."""
    total = asm.fetch(digits[0])
    for digit in digits[1:]:
        total = asm.add(asm.double(total, bits), digit)
    return total


def join_word(asm: Assembler, nibbles: Sequence[Operand]) -> Word:
    """Word of 8 nibbles, most significant first."""
    high = join_digits(asm, nibbles[:4])
    return Word(high, join_digits(asm, nibbles[4:]))


def join_number(asm: Assembler, word: Word) -> Item:
    """A word below 2^31 as one number; the script fails at the next use of a larger one."""
    return asm.add(asm.double(word.high, 16), word.low)


def is_at_least(asm: Assembler, value: Operand, limit: int) -> Item:
    """Whether a number reaches a limit."""
    return asm.calc(Op.OP_GREATERTHAN, value, limit - 1)


def reduce_once(asm: Assembler, value: Operand, modulus: int) -> tuple[Item, Item]:
    """(value mod modulus, quotient) of a value below twice the modulus."""
    value = asm.fetch(value)
    bit = is_at_least(asm, Keep(value), modulus)
    found = asm.apply((Op.OP_TUCK, Op.OP_IF, *_constant(modulus), Op.OP_SUB, Op.OP_ENDIF), (value, bit), 2)
    return found[1], found[0]


def _constant(value: int) -> bytes:
    probe = Assembler()
    probe.push(value)
    return probe.script()


def add_words(asm: Assembler, left: Word, right: Word) -> Word:
    """Sum modulo 2^32."""
    low, carry = reduce_once(asm, asm.add(left.low, right.low), HALF)
    carry = asm.add(carry, left.high, right.high)
    high, over = reduce_once(asm, carry, HALF)
    asm.drop(over)
    return Word(high, low)


def verify_words_equal(asm: Assembler, left: Word, right: Word) -> None:
    """Fail unless two words are equal."""
    asm.verify_equal(left.low, right.low)
    asm.verify_equal(left.high, right.high)


def are_words_equal(asm: Assembler, left: Word, right: Word) -> Item:
    """Whether two words are equal."""
    low = asm.calc(Op.OP_NUMEQUAL, left.low, right.low)
    high = asm.calc(Op.OP_NUMEQUAL, left.high, right.high)
    return asm.calc(Op.OP_BOOLAND, low, high)


def signed_high(asm: Assembler, high: Operand) -> Item:
    """High half of a two's complement word, as a number with sign."""
    high = asm.fetch(high)
    negative = is_at_least(asm, Keep(high), SIGN)
    return asm.apply((Op.OP_IF, *_constant(HALF), Op.OP_SUB, Op.OP_ENDIF), (high, negative))[0]


def is_less(asm: Assembler, left: Word, right: Word, *, signed: bool) -> Item:
    """Whether left < right."""
    one = signed_high(asm, left.high) if signed else asm.fetch(left.high)
    two = signed_high(asm, right.high) if signed else asm.fetch(right.high)
    less = asm.calc(Op.OP_LESSTHAN, Keep(one), Keep(two))
    same = asm.calc(Op.OP_NUMEQUAL, one, two)
    low = asm.calc(Op.OP_LESSTHAN, left.low, right.low)
    return asm.calc(Op.OP_BOOLOR, asm.calc(Op.OP_BOOLAND, same, low), less)


def multiply_power(asm: Assembler, value: Operand, bits: Sequence[Operand]) -> Item:
    """Value times 2^n, n given by its bits (each 0 or 1), least significant first."""
    found = asm.fetch(value)
    for place, bit in enumerate(bits):
        flag = asm.fetch(bit)
        found = asm.apply((Op.OP_IF, *(Op.OP_DUP, Op.OP_ADD) * (1 << place), Op.OP_ENDIF), (found, flag))[0]
    return found


def split_bits(asm: Assembler, value: Operand, count: int) -> list[Item]:
    """Bits of a number below 2^count, least significant first."""
    found = []
    rest = asm.fetch(value)
    for place in range(count - 1, 0, -1):
        rest, bit = reduce_once(asm, rest, 1 << place)
        found.append(bit)
    return [rest, *reversed(found)]
