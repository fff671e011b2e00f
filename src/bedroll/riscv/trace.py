"""Traces: a run of 2^T steps that answers for any hash and any row.

Reads: a program, its input, an instance.  Gives: `Trace`, `Row`.  Never: keeps every step.
Spec: docs/spec/riscv.md#rows
"""

from dataclasses import dataclass
from typing import Final

from bedroll._core._native import RiscvTrace, riscv_mnemonic
from bedroll.primitives import Invalid

from .outcome import Outcome, from_core
from .program import Program

HASH_BYTES: Final = 20
"""Bytes of a hash of the chain."""

REGISTER_START: Final = 0xF000_0000
"""Address of x0; x1 … x31 follow, a word each."""

_NAMES: Final = (
    *("zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1"),
    *(f"a{number}" for number in range(8)),
    *(f"s{number}" for number in range(2, 12)),
    *(f"t{number}" for number in range(3, 7)),
)


@dataclass(frozen=True, slots=True)
class Read:
    """A value read; all zero where the instruction reads nothing or x0.

    Attributes:
        addr: Address of the word, or of a register.
        value: Its value.
        last_step: The step that wrote it; 0: the value before step 1.
    """

    addr: int
    value: int
    last_step: int


@dataclass(frozen=True, slots=True)
class Write:
    """A value written; all zero where the instruction writes nothing or x0."""

    addr: int
    value: int


@dataclass(frozen=True, slots=True)
class ReadPc:
    """The instruction of a step."""

    addr: int
    opcode: int


@dataclass(frozen=True, slots=True)
class Row:
    """One step, as the game commits to it.

    Attributes:
        step: From 1.
        read_1: First register, or a7 for a call.
        read_2: Second register, the loaded word, or a0 for a call.
        read_3: The word as it was before sb or sh.
        read_pc: The instruction.
        write: What the step writes.
        write_pc: Address of the next instruction.
        witness: For a division: the remainder where the quotient is written, the quotient where the remainder is.
    """

    step: int
    read_1: Read
    read_2: Read
    read_3: Read
    read_pc: ReadPc
    write: Write
    write_pc: int
    witness: int

    @property
    def mnemonic(self) -> str:
        """What the instruction is called."""
        return riscv_mnemonic(self.read_pc.opcode)


class Trace:
    """A run of 2^T steps, recorded.

    Args:
        program: What runs.
        data: Its input.
        instance_id: 32 bytes; H_0 commits to them.
        exponent: T, at most 30.

    Raises:
        Invalid: A length or T is out of range.
    """

    def __init__(self, program: Program, data: bytes = b"", *, instance_id: bytes, exponent: int) -> None:
        if exponent < 0:
            raise Invalid("T is out of range", value=exponent, limit=30)
        self._native = RiscvTrace(program.native, data, instance_id=instance_id, exponent=exponent)

    @property
    def outcome(self) -> Outcome:
        """How the run ended."""
        return from_core(self._native.outcome())

    @property
    def exponent(self) -> int:
        """T."""
        return self._native.exponent

    @property
    def last_step(self) -> int:
        """2^T, less where the run trapped."""
        return self._native.last_step

    def hash_at(self, step: int) -> bytes:
        """H after `step` steps, 0 … 2^T.

        Raises:
            Invalid: The run has no such step.
        """
        return self._native.hash_at(self._checked(step, 0))

    def row_at(self, step: int) -> Row:
        """Row of a step, 1 … 2^T.

        Raises:
            Invalid: The run has no such step.
        """
        number, (one, two, three), pc, write, next_pc, witness = self._native.row_at(self._checked(step, 1))
        return Row(number, Read(*one), Read(*two), Read(*three), ReadPc(*pc), Write(*write), next_pc, witness)

    def _checked(self, step: int, first: int) -> int:
        if not first <= step <= self.last_step:
            raise Invalid("the run has no such step", value=step, limit=self.last_step)
        return step


def register_name(address: int) -> str:
    """How people call an address: a register's name, or hexadecimal; "-" for none."""
    if address == 0:
        return "-"
    number, rest = divmod(address - REGISTER_START, 4)
    return _NAMES[number] if rest == 0 and 0 < number < len(_NAMES) else f"{address:#010x}"
