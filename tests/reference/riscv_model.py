"""A plain RV32IM machine and its hash chain: no speed, no checkpoints, written from the ISA manual and the chapter.

The model decodes each word at each step, keeps memory in dictionaries, and keeps every row and every hash.
"""

from dataclasses import dataclass, field

REGISTERS = 0xF000_0000
MASK = 0xFFFF_FFFF
IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def blake3(message: bytes) -> bytes:
    """BLAKE3 of at most one block, 32 bytes."""
    assert len(message) <= 64
    padded = message.ljust(64, b"\0")
    m = [int.from_bytes(padded[i : i + 4], "little") for i in range(0, 64, 4)]
    v = [*IV, *IV[:4], 0, 0, len(message), 1 | 2 | 8]

    def rotate(word: int, bits: int) -> int:
        return (word >> bits | word << (32 - bits)) & MASK

    for _ in range(7):
        for index, (a, b, c, d) in enumerate(COLUMNS + DIAGONALS):
            for word, first, second in ((m[2 * index], 16, 12), (m[2 * index + 1], 8, 7)):
                v[a] = (v[a] + v[b] + word) & MASK
                v[d] = rotate(v[d] ^ v[a], first)
                v[c] = (v[c] + v[d]) & MASK
                v[b] = rotate(v[b] ^ v[c], second)
        m = [m[i] for i in ORDER]
    return b"".join((v[i] ^ v[i + 8]).to_bytes(4, "little") for i in range(8))


def signed(value: int, bits: int = 32) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def divide(a: int, b: int, *, is_signed: bool) -> tuple[int, int]:
    """Quotient and remainder, rounded to zero; by zero: all ones and the dividend."""
    if b == 0:
        return MASK, a
    x, y = (signed(a), signed(b)) if is_signed else (a, b)
    quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
    return quotient & MASK, (x - quotient * y) & MASK


ARITHMETIC = {
    0: lambda a, b: a + b, 1: lambda a, b: a << (b & 31), 2: lambda a, b: signed(a) < signed(b), 3: lambda a, b: a < b,
    4: lambda a, b: a ^ b, 5: lambda a, b: a >> (b & 31), 6: lambda a, b: a | b, 7: lambda a, b: a & b,
}  # fmt: skip
MULTIPLY = {
    0: lambda a, b: a * b, 1: lambda a, b: signed(a) * signed(b) >> 32, 2: lambda a, b: signed(a) * b >> 32,
    3: lambda a, b: a * b >> 32,
}  # fmt: skip
BRANCHES = {
    0: lambda a, b: a == b, 1: lambda a, b: a != b, 4: lambda a, b: signed(a) < signed(b),
    5: lambda a, b: signed(a) >= signed(b), 6: lambda a, b: a < b, 7: lambda a, b: a >= b,
}  # fmt: skip
NONE = (0, 0, 0)


class Trap(Exception):
    """There is no such step."""


@dataclass
class Model:
    """Rows and hashes of a run.

    Attributes:
        code: Words by address.
        memory: Words by address, everything that may be loaded.
        writable: Addresses that may be stored to.
        rows: (step, three reads, (pc, opcode), write, next pc, witness), from step 1.
        hashes: H_0 and on.
    """

    code: dict[int, int]
    memory: dict[int, int]
    writable: set[int]
    pc: int
    instance_id: bytes
    rows: list[tuple] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    registers: list[int] = field(default_factory=lambda: [0] * 32)
    last: dict[int, int] = field(default_factory=dict)
    trapped: bool = False

    def run(self, steps: int) -> None:
        self.hashes.append(blake3(b"\0" + self.instance_id)[:20])
        for step in range(1, steps + 1):
            try:
                self.make(step)
            except Trap:
                self.trapped = True
                return

    def make(self, step: int) -> None:
        """One step: work out reads and the write, then apply it."""
        if self.pc not in self.code:
            raise Trap
        pc, word = self.pc, self.code[self.pc]
        reads, (write, value), next_pc, witness = self.effect(word)
        if REGISTERS <= write < REGISTERS + 128:
            self.registers[(write - REGISTERS) // 4] = value
        elif write:
            self.memory[write] = value
        row = (step, (reads + [NONE] * 3)[:3], (pc, word), (write, value), next_pc, witness)
        if write:
            self.last[write] = step
        self.pc = next_pc
        self.rows.append(row)
        tail = b"".join(number.to_bytes(4, "big") for number in (write, value, next_pc))
        self.hashes.append(blake3(b"\1" + self.hashes[-1] + tail)[:20])

    def register(self, number: int) -> tuple[int, int, int]:
        address = REGISTERS + 4 * number
        return (address, self.registers[number], self.last.get(address, 0)) if number else NONE

    def word_at(self, address: int, size: int) -> tuple[int, int, int]:
        if address % size or (address & ~3) not in self.memory:
            raise Trap
        address &= ~3
        return address, self.memory[address], self.last.get(address, 0)

    def effect(self, word: int) -> tuple[list, tuple[int, int], int, int]:
        """(reads, write, next pc, witness) of an instruction in this state."""
        opcode, funct3, funct7 = word & 127, word >> 12 & 7, word >> 25
        rd, rs1, rs2 = word >> 7 & 31, self.register(word >> 15 & 31), self.register(word >> 20 & 31)
        a, b, short, after = rs1[1], rs2[1], signed(word >> 20, 12), (self.pc + 4) & MASK

        def result(value: int) -> tuple[int, int]:
            return (REGISTERS + 4 * rd, int(value) & MASK) if rd else (0, 0)

        if opcode == 0x37:
            return [], result(word & ~0xFFF), after, 0
        if opcode == 0x17:
            return [], result(self.pc + (word & ~0xFFF)), after, 0
        if opcode == 0x6F:
            offset = (word >> 31) << 20 | (word >> 12 & 255) << 12 | (word >> 20 & 1) << 11 | (word >> 21 & 1023) << 1
            return [], result(after), (self.pc + signed(offset, 21)) & MASK, 0
        if opcode == 0x67 and funct3 == 0:
            return [rs1], result(after), (a + short) & MASK & ~1, 0
        if opcode == 0x63 and funct3 in BRANCHES:
            offset = (word >> 31) << 12 | (word >> 7 & 1) << 11 | (word >> 25 & 63) << 5 | (word >> 8 & 15) << 1
            taken = BRANCHES[funct3](a, b)
            return [rs1, rs2], (0, 0), (self.pc + signed(offset, 13)) & MASK if taken else after, 0
        if opcode == 0x03 and funct3 in (0, 1, 2, 4, 5):
            size, address = 1 << (funct3 & 3), (a + short) & MASK
            read = self.word_at(address, size)
            part = read[1] >> 8 * (address & 3) & ((1 << 8 * size) - 1)
            return [rs1, read], result(part if funct3 & 4 else signed(part, 8 * size)), after, 0
        if opcode == 0x23 and funct3 in (0, 1, 2):
            return self.store(1 << funct3, rs1, rs2, (a + signed(funct7 << 5 | rd, 12)) & MASK, after)
        if opcode == 0x13 and (funct3 not in (1, 5) or funct7 == 0 or (funct3, funct7) == (5, 32)):
            value = signed(a) >> (short & 31) if funct3 == 5 and funct7 == 32 else ARITHMETIC[funct3](a, short & MASK)
            return [rs1], result(value), after, 0
        if opcode == 0x33:
            value, witness = self.compute(funct7, funct3, a, b)
            return [rs1, rs2], result(value), after, witness
        if opcode == 0x0F and funct3 == 0:
            return [], (0, 0), after, 0
        if word == 0x73 and self.registers[17] == 93:
            return [self.register(17), self.register(10)], (0, 0), self.pc, 0
        raise Trap

    def store(self, size: int, rs1: tuple, rs2: tuple, address: int, after: int) -> tuple:
        old = self.word_at(address, size)
        if old[0] not in self.writable:
            raise Trap
        shift, mask = 8 * (address & 3), (1 << 8 * size) - 1
        value = old[1] & ~(mask << shift) | (rs2[1] & mask) << shift
        return [rs1, rs2] if size == 4 else [rs1, rs2, old], (old[0], value), after, 0

    @staticmethod
    def compute(funct7: int, funct3: int, a: int, b: int) -> tuple[int, int]:
        """(value, witness) of an instruction with two registers."""
        if funct7 == 0:
            return ARITHMETIC[funct3](a, b), 0
        if funct7 == 1 and funct3 < 4:
            return MULTIPLY[funct3](a, b), 0
        if funct7 == 1:
            quotient, remainder = divide(a, b, is_signed=funct3 in (4, 6))
            return (quotient, remainder) if funct3 < 6 else (remainder, quotient)
        if (funct7, funct3) == (32, 0):
            return a - b, 0
        if (funct7, funct3) == (32, 5):
            return signed(a) >> (b & 31), 0
        raise Trap
