"""Random RV32IM programs that mostly run: every instruction, extreme values, all sections."""

import random

from tests.framework import assembler
from tests.framework.assembler import DATA, INPUT, RODATA, STACK, encode

EXTREMES = (0, 1, 2, 31, 32, 0x80, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_8000, 0xFFFF_FFFF)
BASES = {20: DATA, 21: STACK, 22: RODATA, 23: INPUT}
"""Registers that point into sections of at least 32 bytes."""


def value(rng: random.Random) -> int:
    """An extreme value half of the time."""
    return rng.choice(EXTREMES) if rng.random() < 0.5 else rng.getrandbits(32)


def access(rng: random.Random, register: int) -> int:
    """A load from any section or a store to a writable one, aligned."""
    is_load = rng.random() < 0.5
    name = rng.choice(list(assembler.LOAD if is_load else assembler.STORE))
    size = {"b": 1, "h": 2, "w": 4}[name[1]]
    base = rng.choice([20, 21, 22, 23] if is_load else [20, 21])
    return encode(name, register, base, size * rng.randrange(32 // size))


def instruction(rng: random.Random) -> int:
    """One of RV32IM; jumps and branches go a little forward."""
    low, kind = (lambda: rng.randint(5, 15)), rng.randrange(9)
    destination = low() if rng.random() < 0.95 else 0
    if kind < 3:
        return encode(rng.choice(list(assembler.R_TYPE)), destination, low(), low())
    if kind == 3:
        return encode(rng.choice(list(assembler.I_TYPE)), destination, low(), rng.randint(-2048, 2047))
    if kind == 4:
        return encode(rng.choice(list(assembler.SHIFT)), destination, low(), rng.randrange(32))
    if kind == 5:
        return encode(rng.choice(list(assembler.BRANCH)), low(), low(), 4 * rng.randint(1, 3))
    if kind == 6:
        upper = rng.choice([0, 1, 0x7_FFFF, 0x8_0000, 0xF_FFFF, rng.getrandbits(20)])
        return encode(rng.choice(["lui", "auipc"]), destination, upper)
    if kind == 7 and rng.random() < 0.3:
        return rng.choice([encode("jal", rng.choice([0, 1]), 4 * rng.randint(1, 3)), encode("fence")])
    return access(rng, low())


def code(rng: random.Random, length: int) -> list[int]:
    """Registers set, so many instructions, the halt."""
    words = []
    for register in range(5, 16):
        number = value(rng)
        words += [encode("lui", register, (number + 0x800) >> 12), encode("addi", register, register, number)]
    words += [encode("lui", register, base >> 12) for register, base in BASES.items()]
    words += [instruction(rng) for _ in range(length)]
    return [*words, *([encode("addi", 0, 0, 0)] * 3), encode("addi", 17, 0, 93), encode("ecall")]


def file(rng: random.Random, length: int) -> tuple[bytes, bytes]:
    """An ELF file with all sections, and its input."""
    data, rodata, given = (rng.randbytes(64) for _ in range(3))
    return assembler.layout(code(rng, length), data=data, rodata=rodata, input_bytes=len(given)), given
