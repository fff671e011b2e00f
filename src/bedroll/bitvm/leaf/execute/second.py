"""Second forms of multiplications and divisions: the same verdicts by the whole product, without hints.

Reads: a frame and operands.  Gives: `SECOND`.  Never: used in a game.  Spec: docs/spec/bitvm.md#second-forms
"""

from collections.abc import Callable, Sequence
from typing import Final

from bedroll.bitcoin.opcode import Opcode as Op

from ...script.assembler import Assembler, Keep, Operand
from ...script.second.multiply import full_product
from ...script.word import SIGN, Word, add_words, is_less, verify_words_equal
from .compute import Compute, Operands
from .frame import Frame

ONES: Final = 0xFFFF


def _multiply(*, high: bool, left_signed: bool = False, right_signed: bool = False) -> Compute:
    """Sign and size: a negative factor is turned, the product too where one of both was."""

    def compute(frame: Frame, given: Operands) -> None:
        asm = frame.asm
        flags: list[Keep] = []
        turned: list[Word] = []
        for word, signed in ((given.left, left_signed), (given.right, right_signed)):
            flag = asm.calc(Op.OP_GREATERTHANOREQUAL, word.high, SIGN) if signed else asm.push(0)
            flags.append(Keep(flag))
            turned.append(_turned_if(asm, word, flags[-1]))
        digits = _digits(asm, turned[1])
        upper, lower = (word.kept for word in full_product(asm, turned[0], digits))
        negative = Keep(asm.calc(Op.OP_NUMNOTEQUAL, *flags))
        if high:
            # The complement of 64 bits: the upper half gets the carry only where the lower half is zero.
            zero = asm.calc(Op.OP_NOT, asm.add(*lower))

            def complement() -> list[Operand]:
                flipped = Word(asm.sub(ONES, upper.high), asm.sub(ONES, upper.low))
                return list(add_words(asm, flipped, Word(0, Keep(zero))))

            found = _either(asm, negative, complement, upper)
        else:
            found = _turned_if(asm, lower, negative)
        verify_words_equal(asm, found, given.result)

    return compute


def _divide(*, signed: bool, gives_quotient: bool) -> Compute:
    def compute(frame: Frame, given: Operands) -> None:
        assert given.witness is not None
        asm, witness = frame.asm, given.witness
        quotient, remainder = (given.result, witness) if gives_quotient else (witness, given.result)

        def by_zero() -> None:
            verify_words_equal(asm, quotient, Word(ONES, ONES))
            verify_words_equal(asm, remainder, given.left)

        def by_number() -> None:
            left, right, result, rest = given.left, given.right, quotient, remainder
            if signed:
                one, two = (
                    Keep(asm.calc(Op.OP_GREATERTHANOREQUAL, word.high, SIGN)) for word in (given.left, given.right)
                )
                differ = Keep(asm.calc(Op.OP_NUMNOTEQUAL, one, two))
                left, rest = _turned_if(asm, left, one), _turned_if(asm, rest, one)
                right, result = _turned_if(asm, right, two), _turned_if(asm, result, differ)
            asm.verify(is_less(asm, rest, right, signed=False))
            upper, lower = (word.kept for word in full_product(asm, right, _digits(asm, result)))
            total = add_words(asm, lower, rest).kept
            # No carry out of 32 bits: the sum is not below one of its parts, and the upper half is zero.
            asm.verify(asm.calc(Op.OP_NOT, is_less(asm, total, rest, signed=False)))
            asm.verify(asm.calc(Op.OP_NOT, asm.add(*upper)))
            verify_words_equal(asm, total, left)

        asm.guard(asm.calc(Op.OP_NOT, asm.add(*given.right)), by_zero, by_number)

    return compute


def _turned_if(asm: Assembler, word: Word, flag: Keep) -> Word:
    """The word, or its two's complement: 2^32 less it."""

    def complement() -> list[Operand]:
        flipped = Word(asm.sub(ONES, word.high), asm.sub(ONES, word.low))
        return list(add_words(asm, flipped, Word(0, 1)))

    return _either(asm, flag, complement, word)


def _either(asm: Assembler, flag: Keep, turned: Callable[[], list[Operand]], word: Word) -> Word:
    high, low = asm.branch(
        flag,
        lambda: [asm.fetch(half) for half in turned()],
        lambda: [asm.fetch(word.high), asm.fetch(word.low)],
    )
    return Word(high, low).kept


def _digits(asm: Assembler, word: Word) -> Sequence[Operand]:
    """Nibbles of a word, most significant first, by comparing from above."""
    found: list[Operand] = []
    for half in word:
        rest = asm.fetch(half)
        for place in (12, 8, 4):
            digit = asm.push(0)
            for weight in (8, 4, 2, 1):
                size = weight << place
                bit = asm.calc(Op.OP_GREATERTHANOREQUAL, Keep(rest), size)
                taken = asm.branch(Keep(bit), lambda s=size: [asm.push(s)], lambda: [asm.push(0)])[0]  # type: ignore[misc]
                rest = asm.sub(rest, taken)
                digit = asm.add(asm.double(digit), bit)
            found.append(Keep(digit))
        found.append(Keep(rest))
    return found


SECOND: Final[dict[str, Compute]] = {
    "mul": _multiply(high=False),
    "mulh": _multiply(high=True, left_signed=True, right_signed=True),
    "mulhsu": _multiply(high=True, left_signed=True),
    "mulhu": _multiply(high=True),
    "div": _divide(signed=True, gives_quotient=True), "divu": _divide(signed=False, gives_quotient=True),
    "rem": _divide(signed=True, gives_quotient=False), "remu": _divide(signed=False, gives_quotient=False),
}  # fmt: skip
"""By mnemonic."""
