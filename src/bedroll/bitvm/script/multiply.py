"""Products of 32-bit words from quarter squares of nibbles, and divisions checked by them.

Reads: nibbles, least significant first, and hints.  Gives: checks of products and quotients.
Never: believes a hint: each is bounded or the only one that fits.  Spec: docs/spec/bitvm.md#products

A product's column k is the sum of a_i·b_j with i + j = k, at most 1,800; four columns make a number below 2^23. Its low
16 bits are a half of the product; what is above carries. Script cannot divide, so carries are hints: for halves that
are given or bounded only one carry fits.
"""

from collections.abc import Sequence

from bedroll.bitcoin.opcode import Opcode as Op

from .assembler import Assembler, Item, Keep, Operand
from .table import Table, quarter_squares
from .word import HALF, Word, is_less, reduce_once

NIBBLES = 8


def quarter_table(asm: Assembler) -> Table:
    """Table that products need."""
    return Table.push(asm, quarter_squares())


def product(asm: Assembler, table: Table, left: Operand, right: Operand) -> Item:
    """Product of two nibbles."""
    one, two, total = asm.apply((Op.OP_2DUP, Op.OP_ADD), (left, right), 3)
    large = table.look_up(asm, total)
    difference = asm.calc(Op.OP_ABS, asm.sub(one, two))
    return asm.sub(large, table.look_up(asm, difference))


def column(asm: Assembler, table: Table, left: Sequence[Operand], right: Sequence[Operand], place: int) -> Item | None:
    """Sum of the products of one place; None where there are none."""
    total: Item | None = None
    for at in range(max(0, place - NIBBLES + 1), min(NIBBLES, place + 1)):
        term = product(asm, table, left[at], right[place - at])
        total = term if total is None else asm.add(total, term)
    return total


def limb(asm: Assembler, table: Table, left: Sequence[Operand], right: Sequence[Operand], number: int) -> Item:
    """Columns 4·number … 4·number + 3 as one number."""
    total: Item | None = None
    for place in range(4 * number + 3, 4 * number - 1, -1):
        part = column(asm, table, left, right, place)
        if total is not None:
            total = asm.double(total, 4)
        if part is not None:
            total = part if total is None else asm.add(total, part)
    assert total is not None
    return total


def verify_carry(asm: Assembler, total: Operand, half: Operand, carry: Operand) -> None:
    """Check that total = half + carry · 2^16."""
    total = asm.fetch(total)
    asm.verify_equal(asm.add(asm.double(carry, 16), half), total)


def verify_low_product(
    asm: Assembler, left: Sequence[Operand], right: Sequence[Operand], result: Word, carries: Sequence[Operand]
) -> None:
    """Check that result = left · right mod 2^32.

    Args:
        asm: Where the check is written.
        left: Nibbles, least significant first.
        right: Same.
        result: Kept, halves in range.
        carries: Two hints.
    """
    table = quarter_table(asm)
    verify_carry(asm, limb(asm, table, left, right, 0), result.low, carries[0])
    verify_carry(asm, asm.add(limb(asm, table, left, right, 1), carries[0]), result.high, carries[1])


def verify_high_product(
    asm: Assembler, left: Sequence[Operand], right: Sequence[Operand], result: Word, hints: Sequence[Operand]
) -> None:
    """Check that result = left · right div 2^32, both without sign.

    Args:
        asm: Where the check is written.
        left: Nibbles, least significant first.
        right: Same.
        result: Kept, halves in range.
        hints: The low two halves of the product, then the three carries.
    """
    low, high, *carries = hints
    for half in (low, high):
        asm.verify(asm.calc(Op.OP_WITHIN, half, 0, HALF))
    table = quarter_table(asm)
    verify_carry(asm, limb(asm, table, left, right, 0), low, carries[0])
    verify_carry(asm, asm.add(limb(asm, table, left, right, 1), carries[0]), high, carries[1])
    verify_carry(asm, asm.add(limb(asm, table, left, right, 2), carries[1]), result.low, carries[2])
    asm.verify_equal(asm.add(limb(asm, table, left, right, 3), carries[2]), result.high)


def verify_division(
    asm: Assembler,
    dividend: Word,
    divisor: Sequence[Operand],
    divisor_word: Word,
    quotient: Sequence[Operand],
    remainder: Word,
    carry: Operand,
) -> None:
    """Check that dividend = quotient · divisor + remainder, remainder < divisor, all without sign; one solution fits.

    Args:
        asm: Where the check is written.
        dividend: Kept.
        divisor: Nibbles, least significant first.
        divisor_word: The same number.
        quotient: Nibbles, least significant first.
        remainder: Kept.
        carry: Hint.
    """
    asm.verify(is_less(asm, remainder, divisor_word, signed=False))
    both: Item | None = None
    for place in range(NIBBLES, 2 * NIBBLES - 1):
        for at in range(place - NIBBLES + 1, NIBBLES):
            term = asm.calc(Op.OP_BOOLAND, quotient[at], divisor[place - at])
            both = term if both is None else asm.calc(Op.OP_BOOLOR, both, term)
    assert both is not None
    asm.verify(asm.calc(Op.OP_NOT, both))
    table = quarter_table(asm)
    low = asm.add(limb(asm, table, quotient, divisor, 0), remainder.low)
    verify_carry(asm, low, dividend.low, carry)
    high = asm.add(limb(asm, table, quotient, divisor, 1), remainder.high, carry)
    asm.verify_equal(high, dividend.high)


def negate_nibbles(asm: Assembler, nibbles: Sequence[Operand], negative: Keep) -> list[Keep]:
    """Nibbles of the number or, where the flag is 1, of its two's complement. Least significant first."""
    found = []
    carry = asm.copy(negative.item)
    for nibble in nibbles:
        item, flag = asm.fetch(nibble), asm.copy(negative.item)
        turned = asm.apply((Op.OP_IF, Op.OP_15, Op.OP_SWAP, Op.OP_SUB, Op.OP_ENDIF), (item, flag))[0]
        rest, carry = reduce_once(asm, asm.add(turned, carry), 16)
        found.append(Keep(rest))
    return found
