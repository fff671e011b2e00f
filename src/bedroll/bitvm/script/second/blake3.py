"""BLAKE3 of one block over single bits: XOR is `OP_NUMNOTEQUAL`, addition a chain of full adders.

Reads: nibbles of a message.  Gives: nibbles of the first 20 bytes of its hash.  Never: uses a table.
Spec: docs/spec/bitvm.md#second-forms
"""

from collections.abc import Sequence
from typing import Final

from bedroll.bitcoin.opcode import Opcode as Op

from ..assembler import Assembler, Item, Keep, Operand

WORD_BITS: Final = 32
START: Final = (
    1779033703, 3144134277, 1013904242, 2773480762, 1359893119, 2600822924, 528734635, 1541459225,
)  # fmt: skip
"""Fractions of the square roots of the first eight primes."""
SCHEDULE: Final = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8),
    (3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1),
    (10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6),
    (12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4),
    (9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7),
    (11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13),
)
"""Which message word each of the sixteen places of each round takes, as the paper's table has it."""

Bits = list[Operand]
"""32, least significant first; numbers are constants."""


def hash_block_bits(asm: Assembler, message: Sequence[Operand], size_bytes: int) -> list[Item]:
    """Hash of a message of one block.

    Args:
        asm: Where it is written.
        message: Nibbles in the order of hexadecimal writing; numbers are constants. Items are used up.
        size_bytes: Of the message.

    Returns:
        40 nibbles in the order of hexadecimal writing.
    """
    bits = [_split(asm, nibble) for nibble in message] + [[0] * 4] * (128 - len(message))
    words = [[bit for at in range(4) for digit in (1, 0) for bit in bits[8 * word + 2 * at + digit]]
             for word in range(16)]  # fmt: skip
    state = [_constant(word) for word in (*START, *START[:4], 0, 0, size_bytes, 11)]
    for order in SCHEDULE:
        for step in range(8):
            a, b, c, d = _quarter(step)
            for word, first, second in ((words[order[2 * step]], 16, 12), (words[order[2 * step + 1]], 8, 7)):
                state[a] = _plus(asm, _plus(asm, state[a], state[b]), word)
                state[d] = _turned(_xor(asm, state[d], state[a]), first)
                state[c] = _plus(asm, state[c], state[d])
                state[b] = _turned(_xor(asm, state[b], state[c]), second)
    found: list[Item] = []
    for word_at in range(5):
        result = _xor(asm, state[word_at], state[word_at + 8])
        for byte in range(4):
            found += (_joined(asm, result[8 * byte + start : 8 * byte + start + 4]) for start in (4, 0))
    return found


def _quarter(step: int) -> tuple[int, int, int, int]:
    """Words of a quarter round: columns, then diagonals."""
    shift = 0 if step < 4 else 1
    return step % 4, 4 + (step + shift) % 4, 8 + (step + 2 * shift) % 4, 12 + (step + 3 * shift) % 4


def _constant(word: int) -> Bits:
    return [word >> at & 1 for at in range(WORD_BITS)]


def _split(asm: Assembler, nibble: Operand) -> Bits:
    """Four bits of a nibble, least significant first."""
    if isinstance(nibble, int):
        return [nibble >> at & 1 for at in range(4)]
    rest = asm.fetch(nibble)
    bits: Bits = []
    for weight in (8, 4, 2):
        bit = asm.calc(Op.OP_GREATERTHANOREQUAL, Keep(rest), weight)
        rest = asm.sub(rest, asm.double(Keep(bit), weight.bit_length() - 1))
        bits.append(bit)
    return [rest, *reversed(bits)]


def _joined(asm: Assembler, bits: Sequence[Operand]) -> Item:
    total = asm.fetch(bits[3])
    for bit in (bits[2], bits[1], bits[0]):
        total = asm.add(asm.double(total), bit)
    return total


def _kept(bit: Operand) -> Operand:
    return Keep(bit) if isinstance(bit, Item) else bit


def _xor(asm: Assembler, used: Bits, other: Bits) -> Bits:
    """The first is used up, the second stays."""
    found: Bits = []
    for one, two in zip(used, other, strict=True):
        if isinstance(one, int) and isinstance(two, int):
            found.append(one ^ two)
        else:
            found.append(asm.calc(Op.OP_NUMNOTEQUAL, one, _kept(two)))
    return found


def _plus(asm: Assembler, used: Bits, other: Bits) -> Bits:
    """Sum modulo 2^32; the first is used up, the second stays."""
    found: Bits = []
    carry: Operand = 0
    for at, (one, two) in enumerate(zip(used, other, strict=True)):
        parts = [part for part in (carry, one, _kept(two)) if not (isinstance(part, int) and part == 0)]
        if not parts:
            found.append(0)
            carry = 0
            continue
        if all(isinstance(part, int) for part in parts):
            total = sum(part for part in parts if isinstance(part, int))
            found.append(total & 1)
            carry = total >> 1
            continue
        if len(parts) == 1 and isinstance(parts[0], Item):
            found.append(parts[0])
            carry = 0
            continue
        sum_item = asm.add(*parts)
        if len(parts) == 1:
            found.append(sum_item)
            carry = 0
            continue
        over = asm.calc(Op.OP_GREATERTHAN, Keep(sum_item), 1)
        found.append(asm.sub(sum_item, asm.double(Keep(over))))
        carry = over
        if at == WORD_BITS - 1:
            asm.drop(over)
    return found


def _turned(word: Bits, count: int) -> Bits:
    """Rotated right."""
    return word[count:] + word[:count]
