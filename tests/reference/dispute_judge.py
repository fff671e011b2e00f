"""What each leaf lets pass, as plain predicates over what was said: written from the chapter, knowing no Script.

`may_execute` says which rows a prover can sign at all; `is_proven` whether a deciding leaf succeeds with some hints.
"""

from dataclasses import dataclass
from functools import cache

from bedroll.riscv import Program, Row
from bedroll.riscv.program import Kind
from tests.reference.riscv_model import blake3


def chain(previous: bytes, row: Row) -> bytes:
    """H_i of H_{i−1} and row i."""
    return _chain(previous, row.write.addr, row.write.value, row.write_pc)


@cache
def _chain(previous, *numbers):
    return blake3(b"\x01" + previous + b"".join(number.to_bytes(4, "big") for number in numbers))[:20]


@dataclass
class Stage:
    """A program and an instance, as leaves know them.

    Attributes:
        openings: Hashes that the challenger can open: each with the hash before and the row.
    """

    program: Program
    data: bytes
    start: bytes
    exponent: int
    openings: dict[bytes, tuple[bytes, Row]]

    def __post_init__(self):
        self.sections = self.program.sections()
        code = next(section for section in self.sections if section.kind is Kind.CODE)
        self.code = {code.start + 4 * at: word for at, word in enumerate(code.words)}

    def initial(self, address):
        """Value before step 1."""
        for section in self.sections:
            if section.start <= address < section.start + section.size_bytes and section.kind is not Kind.CODE:
                at = (address - section.start) // 4
                if section.kind is Kind.INPUT:
                    return int.from_bytes(self.data[4 * at : 4 * at + 4], "little")
                return section.words[at] if section.words is not None else 0
        return 0

    def kind_at(self, address):
        """Name of the fact that knows a word before step 1."""
        for section in self.sections:
            if section.start <= address < section.start + section.size_bytes and section.kind is not Kind.CODE:
                if section.kind is Kind.INPUT:
                    return "input_word"
                return "initialized" if section.words is not None else "uninitialized"
        return "uninitialized"

    def may_execute(self, digits, row, replay):
        """Whether an Execute leaf takes a row: its own conditions, and that the write follows from the reads."""
        steps = 1 << self.exponent
        reads = (row.read_1, row.read_2, row.read_3)
        if row.step - 1 != number_of(self.exponent, digits) or any(read.last_step >= row.step for read in reads):
            return False
        if row.read_pc.addr not in self.code or (row.step == 1 and row.read_pc.addr != self.program.entry):
            return False
        halts = row.read_pc.opcode == 0x73
        if halts and (row.read_1.value != 93 or row.read_1.addr != 0xF0000044):
            return False
        if row.step == steps and not (halts and row.read_2.value == 1):
            return False
        return replay(row) == row

    def places(self):
        """Places of published hashes: (round, index, step of the hash within its interval, interval's steps)."""
        left = self.exponent
        for number in range(1, -(-self.exponent // 3) + 1):
            bits = min(3, left)
            left -= bits
            for index in range(1, 1 << bits):
                yield number, index, index << left, 1 << (left + bits)

    def facts(self, record):
        """Names of the leaves that succeed after Execute."""
        execute, found = record.execute, set()
        row, left, right = execute.row, execute.left, execute.right
        if chain(left, row) != right:
            found.add("trace_hash")
        found |= self._equivocations("", row.step - 1, left, right, record.hashes, record.input.final)
        before = self.openings.get(left)
        if before is not None and before[1].write_pc != row.read_pc.addr:
            found.add("program_counter")
        if self.code.get(row.read_pc.addr) != row.read_pc.opcode:
            found.add("opcode_chunk")
        for at, read in enumerate((row.read_1, row.read_2, row.read_3), 1):
            if read.addr and read.last_step == 0 and read.value != self.initial(read.addr):
                kind = self.kind_at(read.addr)
                found.add(f"{kind}_read_{at}" if kind == "uninitialized" else kind)
        return found

    def last_facts(self, record):
        """Names of the leaves that succeed after Execute2."""
        again, opened, row = record.execute_2, record.opening.value, record.execute.row
        now = number_of(self.exponent, again.digits)
        second = (record.hashes[0], *record.hashes_2)
        found = self._equivocations("_2", now, again.left, again.right, second, record.input.final)
        for number, index, _, span in self.places():
            differ = number > 1 and record.hashes[number - 1][index - 1] != second[number - 1][index - 1]
            if differ and now // span == (row.step - 1) // span:
                found.add(f"equivocation_search_{number}_{index}")
        shown = self.openings.get(again.right)
        if shown is None:
            return found
        previous, step_row = shown
        if previous != again.left:
            found.add("opened_wrong_hash")
        if opened.last_step < now + 1 < row.step and step_row.write.addr == opened.addr:
            found.add("opened_later_write")
        written = (step_row.write.addr, step_row.write.value)
        if opened.last_step == now + 1 and written != (opened.addr, opened.value):
            found.add("opened_wrong_value")
        return found

    def _equivocations(self, suffix, number, left, right, hashes, final):
        found = set()
        for round_number, index, offset, span in self.places():
            published = hashes[round_number - 1][index - 1]
            if number % span == offset and published != left:
                found.add(f"equivocation{suffix}_left_{round_number}_{index}")
            if (number + 1) % span == offset and published != right:
                found.add(f"equivocation{suffix}_right_{round_number}_{index}")
        if number == 0 and left != self.start:
            found.add("equivocation_2_start" if suffix else "trace_hash_zero")
        if number == (1 << self.exponent) - 1 and right != final:
            found.add(f"equivocation{suffix}_end")
        return found


def number_of(exponent, digits):
    """Number that digits write, place by place."""
    total, left = 0, exponent
    for digit in digits:
        bits = min(3, left)
        left -= bits
        total += digit << left
    return total
