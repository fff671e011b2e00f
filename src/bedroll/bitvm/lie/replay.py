"""What an instruction makes of its reads: for liars, whose rows must pass Execute with reads that are false.

Reads: a row.  Gives: the same row with the write, next address and witness that follow from its reads.
Never: decides anything; the leaves do.  Spec: docs/spec/dispute.md#lies
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bedroll.primitives import Invalid
from bedroll.riscv import Row, Write

from ..leaf.execute.instruction import Format, instruction_of

MASK: Final = 0xFFFF_FFFF


def signed(value: int, bits: int = 32) -> int:
    """Two's complement."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _divide(one: int, two: int, is_signed: bool) -> tuple[int, int]:
    if two == 0:
        return MASK, one
    first, second = (signed(one), signed(two)) if is_signed else (one, two)
    quotient = abs(first) // abs(second)
    if (first < 0) != (second < 0):
        quotient = -quotient
    return quotient & MASK, (first - quotient * second) & MASK


_RESULTS: Final[dict[str, Callable[[int, int], int]]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "xor": lambda a, b: a ^ b, "or": lambda a, b: a | b,
    "and": lambda a, b: a & b, "sll": lambda a, b: a << (b & 31), "srl": lambda a, b: a >> (b & 31),
    "sra": lambda a, b: signed(a) >> (b & 31), "slt": lambda a, b: signed(a) < signed(b), "sltu": lambda a, b: a < b,
    "mul": lambda a, b: a * b, "mulh": lambda a, b: signed(a) * signed(b) >> 32,
    "mulhsu": lambda a, b: signed(a) * b >> 32, "mulhu": lambda a, b: a * b >> 32,
    "div": lambda a, b: _divide(a, b, True)[0], "divu": lambda a, b: _divide(a, b, False)[0],
    "rem": lambda a, b: _divide(a, b, True)[1], "remu": lambda a, b: _divide(a, b, False)[1],
}  # fmt: skip
_TAKEN: Final[dict[str, Callable[[int, int], bool]]] = {
    "beq": lambda a, b: a == b, "bne": lambda a, b: a != b, "blt": lambda a, b: signed(a) < signed(b),
    "bge": lambda a, b: signed(a) >= signed(b), "bltu": lambda a, b: a < b, "bgeu": lambda a, b: a >= b,
}  # fmt: skip


def replay(row: Row) -> Row:
    """The row that follows from another's address, opcode and reads.

    Raises:
        Invalid: The opcode is no instruction.
    """
    word, pc = row.read_pc.opcode, row.read_pc.addr
    one, two = row.read_1.value, row.read_2.value
    instruction = instruction_of(word)
    name, following = instruction.name, pc + 4
    address, witness = 0xF000_0000 + 4 * (word >> 7 & 31), 0
    match instruction.format:
        case Format.R:
            result = _RESULTS[name](one, two)
            if instruction.divides:
                witness = _divide(one, two, name in ("div", "rem"))[name in ("div", "divu")]
        case Format.I | Format.SHIFT:
            plain = name.removesuffix("u").removesuffix("i") + ("u" if name == "sltiu" else "")
            operand = (word >> 20 & 31) if instruction.format is Format.SHIFT else _immediate_i(word)
            result = _RESULTS[plain](one, operand & MASK)
        case Format.LOAD:
            result = _load(name, two, (one + _immediate_i(word)) & 3)
        case Format.STORE:
            offset = signed((word >> 25) << 5 | word >> 7 & 31, 12)
            at = (one + offset) & MASK
            address, result = at & ~3, _store(name, row.read_3.value, two, at & 3)
        case Format.U:
            result = (word & 0xFFFFF000) + (pc if name == "auipc" else 0)
        case Format.JAL:
            result, following = pc + 4, pc + _immediate_j(word)
        case Format.JALR:
            result, following = pc + 4, (one + _immediate_i(word)) & ~1
        case Format.BRANCH:
            address = result = 0
            following = pc + _immediate_b(word) if _TAKEN[name](one, two) else pc + 4
        case _:
            address = result = 0
            following = pc if name == "ecall" else pc + 4
    if address == 0xF000_0000 or address == 0:
        address = result = 0
    return replace(row, write=Write(address, result & MASK), write_pc=following & MASK, witness=witness)


def _load(name: str, word: int, offset: int) -> int:
    size = {"b": 8, "h": 16, "w": 32}[name[1]]
    value = word >> 8 * offset & ((1 << size) - 1)
    return value if name.endswith("u") else signed(value, size)


def _store(name: str, old: int, value: int, offset: int) -> int:
    size = {"b": 8, "h": 16, "w": 32}[name[1]]
    mask = ((1 << size) - 1) << 8 * offset
    return old & ~mask | value << 8 * offset & mask


def _immediate_i(word: int) -> int:
    return signed(word >> 20, 12)


def _immediate_b(word: int) -> int:
    return signed((word >> 31) << 12 | (word >> 7 & 1) << 11 | (word >> 25 & 63) << 5 | (word >> 8 & 15) << 1, 13)


def _immediate_j(word: int) -> int:
    return signed((word >> 31) << 20 | (word >> 12 & 255) << 12 | (word >> 20 & 1) << 11 | (word >> 21 & 1023) << 1, 21)


__all__ = ["Invalid", "replay", "signed"]
