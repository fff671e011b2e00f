"""What instructions with a result compute, as checks of the committed value.

Reads: a frame and operands.  Gives: `Compute` by mnemonic.  Never: used where the result goes to x0.
Spec: docs/spec/bitvm.md#execute
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bedroll.bitcoin.opcode import Opcode as Op

from ...script.assembler import Keep, Operand
from ...script.multiply import (
    negate_nibbles,
    verify_carry,
    verify_division,
    verify_high_product,
    verify_low_product,
)
from ...script.table import Table, conjunctions
from ...script.word import (
    SIGN,
    Word,
    add_words,
    is_at_least,
    is_less,
    multiply_power,
    signed_high,
    split_bits,
    verify_words_equal,
)
from .frame import Frame

ONES: Final = 0xFFFF


@dataclass(frozen=True)
class Operands:
    """What an instruction works on, all kept.

    Attributes:
        left: First operand.
        right: Second operand.
        result: Committed.
        left_nibbles: Least significant first.
        right_nibbles: Same.
        result_nibbles: Same.
        witness: Committed; only for divisions.
        witness_nibbles: Same.
    """

    left: Word
    right: Word
    result: Word
    left_nibbles: Sequence[Operand]
    right_nibbles: Sequence[Operand]
    result_nibbles: Sequence[Operand]
    witness: Word | None = None
    witness_nibbles: Sequence[Operand] = ()


Compute = Callable[[Frame, Operands], None]


def _add(frame: Frame, given: Operands) -> None:
    verify_words_equal(frame.asm, add_words(frame.asm, given.left, given.right), given.result)


def _subtract(frame: Frame, given: Operands) -> None:
    verify_words_equal(frame.asm, add_words(frame.asm, given.result, given.right), given.left)


def _less(*, signed: bool) -> Compute:
    def compute(frame: Frame, given: Operands) -> None:
        less = is_less(frame.asm, given.left, given.right, signed=signed)
        verify_words_equal(frame.asm, Word(0, less), given.result)

    return compute


def _bitwise(of_sum: int, of_conjunction: int) -> Compute:
    """A function that is s·(x + y) + c·(x AND y) of each pair of bits."""

    def compute(frame: Frame, given: Operands) -> None:
        asm = frame.asm
        table = Table.push(asm, conjunctions())
        nibbles = zip(given.left_nibbles, given.right_nibbles, given.result_nibbles, strict=True)
        for left, right, result in nibbles:
            both = table.look_up(asm, asm.add(asm.double(left, 4), right))
            if of_conjunction == -2:
                both = asm.double(both)
            expected: Operand = result
            if of_sum:
                expected = asm.sub(asm.add(left, right), result)
            asm.verify_equal(both, expected)

    return compute


def _amount_bits(frame: Frame, given: Operands) -> tuple[list[Operand], Operand]:
    """The low four bits of the amount, kept, and whether it is 16 or more."""
    asm = frame.asm
    bits: list[Operand] = [Keep(bit) for bit in split_bits(asm, given.right_nibbles[0], 4)]
    over = split_bits(asm, given.right_nibbles[1], 4)[0]
    return bits, over


def _shift_left(frame: Frame, given: Operands) -> None:
    asm = frame.asm
    bits, over = _amount_bits(frame, given)
    high, low = asm.branch(
        over,
        lambda: [asm.fetch(given.left.low), asm.push(0)],
        lambda: [asm.fetch(given.left.high), asm.fetch(given.left.low)],
    )
    first, second = (Keep(frame.hints[name]) for name in ("carry_0", "carry_1"))
    verify_carry(asm, multiply_power(asm, low, bits), given.result.low, first)
    verify_carry(asm, asm.add(multiply_power(asm, high, bits), first), given.result.high, second)


def _shift_right(*, signed: bool) -> Compute:
    def compute(frame: Frame, given: Operands) -> None:
        asm = frame.asm
        bits, over = _amount_bits(frame, given)
        top = Keep(signed_high(asm, given.left.high) if signed else asm.fetch(given.left.high))
        fill = Keep(asm.calc(Op.OP_LESSTHAN, top, 0))
        high, low = asm.branch(
            over,
            lambda: [asm.calc(Op.OP_NEGATE, fill), asm.fetch(given.left.high)],
            lambda: [asm.fetch(top), asm.fetch(given.left.low)],
        )
        power = Keep(multiply_power(asm, 1, bits))
        result = signed_high(asm, given.result.high) if signed else asm.fetch(given.result.high)
        # What is shifted out of the high half, then out of the low one; both below 2^amount.
        out = Keep(asm.sub(high, multiply_power(asm, result, bits)))
        asm.verify(asm.calc(Op.OP_WITHIN, out, 0, power))
        low = asm.add(asm.double(out, 16), low)
        rest = asm.sub(low, multiply_power(asm, given.result.low, bits))
        asm.verify(asm.calc(Op.OP_WITHIN, rest, 0, power))

    return compute


def _multiply_low(frame: Frame, given: Operands) -> None:
    carries = [Keep(frame.hints[name]) for name in ("carry_0", "carry_1")]
    verify_low_product(frame.asm, given.left_nibbles, given.right_nibbles, given.result, carries)


def _multiply_high(*, left_signed: bool, right_signed: bool) -> Compute:
    """High half: that of the numbers without sign, less the other operand for each negative one."""

    def compute(frame: Frame, given: Operands) -> None:
        asm, result = frame.asm, given.result
        for signed, one, other in ((left_signed, given.left, given.right), (right_signed, given.right, given.left)):
            if signed:
                result = _add_if_negative(frame, result, one, other)
        hints = [Keep(frame.hints[name]) for name in HIGH_HINTS]
        verify_high_product(asm, given.left_nibbles, given.right_nibbles, result, hints)

    return compute


def _add_if_negative(frame: Frame, result: Word, one: Word, other: Word) -> Word:
    asm = frame.asm

    def corrected() -> list[Operand]:
        return list(add_words(asm, result, other))

    negative = is_at_least(asm, one.high, SIGN)
    high, low = asm.branch(
        negative,
        lambda: [asm.fetch(half) for half in corrected()][:2],
        lambda: [asm.fetch(result.high), asm.fetch(result.low)],
    )
    return Word(high, low).kept


def _divide(*, signed: bool, gives_quotient: bool) -> Compute:
    def compute(frame: Frame, given: Operands) -> None:
        assert given.witness is not None
        asm = frame.asm
        parts = ((given.result, given.result_nibbles), (given.witness, given.witness_nibbles))
        (quotient, quotient_nibbles), (remainder, _) = parts if gives_quotient else parts[::-1]
        zero = asm.calc(Op.OP_NOT, asm.add(*given.right))

        def by_zero() -> None:
            verify_words_equal(asm, quotient, Word(ONES, ONES))
            verify_words_equal(asm, remainder, given.left)

        def by_number() -> None:
            carry = Keep(frame.hints["carry_0"])
            left, right, rest = given.left, given.right, remainder
            divisor, result = given.right_nibbles, quotient_nibbles
            if signed:
                negative = Keep(is_at_least(asm, left.high, SIGN))
                other = Keep(is_at_least(asm, right.high, SIGN))
                differ = Keep(asm.calc(Op.OP_NUMNOTEQUAL, negative, other))
                left, rest = _absolute(frame, left, negative), _absolute(frame, rest, negative)
                right = _absolute(frame, right, other)
                divisor, result = negate_nibbles(asm, divisor, other), negate_nibbles(asm, result, differ)
            verify_division(asm, left, divisor, right, result, rest, carry)

        asm.guard(zero, by_zero, by_number)

    return compute


def _absolute(frame: Frame, word: Word, negative: Keep) -> Word:
    """The word, or its two's complement where the flag is 1."""
    asm = frame.asm

    def turned() -> list[Operand]:
        flipped = Word(asm.sub(ONES, word.high), asm.sub(ONES, word.low))
        return list(add_words(asm, flipped, Word(0, 1)))

    high, low = asm.branch(
        negative,
        lambda: [asm.fetch(half) for half in turned()],
        lambda: [asm.fetch(word.high), asm.fetch(word.low)],
    )
    return Word(high, low).kept


HIGH_HINTS: Final = ("low_0", "low_1", "carry_0", "carry_1", "carry_2")

COMPUTE: Final[dict[str, Compute]] = {
    "add": _add, "sub": _subtract, "slt": _less(signed=True), "sltu": _less(signed=False),
    "xor": _bitwise(1, -2), "or": _bitwise(1, -1), "and": _bitwise(0, 1),
    "sll": _shift_left, "srl": _shift_right(signed=False), "sra": _shift_right(signed=True),
    "mul": _multiply_low,
    "mulh": _multiply_high(left_signed=True, right_signed=True),
    "mulhsu": _multiply_high(left_signed=True, right_signed=False),
    "mulhu": _multiply_high(left_signed=False, right_signed=False),
    "div": _divide(signed=True, gives_quotient=True), "divu": _divide(signed=False, gives_quotient=True),
    "rem": _divide(signed=True, gives_quotient=False), "remu": _divide(signed=False, gives_quotient=False),
}  # fmt: skip
"""By mnemonic of the instruction with two registers; those with a constant compute the same."""
