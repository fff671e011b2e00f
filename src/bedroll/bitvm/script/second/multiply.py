"""Products by doubling and adding, quotients by the whole product: bits of one factor, 16-bit limbs of the rest.

Reads: words and nibbles.  Gives: halves of the product.  Never: uses a table or a hint.
Spec: docs/spec/bitvm.md#second-forms
"""

from collections.abc import Sequence

from bedroll.bitcoin.opcode import Opcode as Op

from ..assembler import Assembler, Item, Keep, Operand
from ..word import HALF, Word, reduce_once

LIMBS = 4


def full_product(asm: Assembler, left: Word, right: Sequence[Operand]) -> tuple[Word, Word]:
    """(high, low) word of a product without sign.

    Args:
        asm: Where it is written.
        left: Kept.
        right: Nibbles, most significant first, each kept.
    """
    limbs: list[Item] = [asm.push(0) for _ in range(LIMBS)]
    for nibble in right:
        rest = asm.fetch(nibble)
        for weight in (8, 4, 2, 1):
            rest, bit = reduce_once(asm, rest, weight) if weight > 1 else (asm.push(0), rest)
            limbs = _double(asm, limbs)
            limbs = _add_if(asm, limbs, left, bit)
        asm.drop(rest)
    return Word(limbs[3], limbs[2]), Word(limbs[1], limbs[0])


def _double(asm: Assembler, limbs: list[Item]) -> list[Item]:
    carry: Operand = 0
    found = []
    for limb in limbs:
        doubled = asm.double(limb)
        if isinstance(carry, Item):
            doubled = asm.add(doubled, carry)
        low, carry = reduce_once(asm, doubled, HALF)
        found.append(low)
    assert isinstance(carry, Item)
    asm.verify(asm.calc(Op.OP_NOT, carry))
    return found


def _add_if(asm: Assembler, limbs: list[Item], left: Word, bit: Item) -> list[Item]:
    carry: Operand = 0
    found = []
    for at, limb in enumerate(limbs):
        total = limb
        if at < 2:
            half = left.low if at == 0 else left.high
            part = asm.branch(Keep(bit), lambda h=half: [asm.fetch(h)], lambda: [asm.push(0)])[0]  # type: ignore[misc]
            total = asm.add(total, part)
        if isinstance(carry, Item):
            total = asm.add(total, carry)
        low, carry = reduce_once(asm, total, HALF)
        found.append(low)
    assert isinstance(carry, Item)
    asm.verify(asm.calc(Op.OP_NOT, carry))
    asm.drop(bit)
    return found
