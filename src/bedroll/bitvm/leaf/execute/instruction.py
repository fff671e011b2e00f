"""The instructions of RV32IM as words: opcode, functions, format.

Reads: nothing.  Gives: `INSTRUCTIONS`, `instruction_of`.  Never: computes.
Spec: docs/spec/bitvm.md#execute
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bedroll.primitives import Invalid


class Format(Enum):
    """Where an instruction keeps its operands; shifts by a constant have their own."""

    R = "R"
    I = "I"  # noqa: E741  # the manual's name
    SHIFT = "shift"
    LOAD = "load"
    STORE = "store"
    BRANCH = "branch"
    U = "U"
    JAL = "jal"
    JALR = "jalr"
    FENCE = "fence"
    ECALL = "ecall"


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction.

    Attributes:
        name: Its mnemonic.
        format: Of the word.
        opcode: Lowest 7 bits.
        funct3: Bits 12 to 14; None: they belong to the immediate.
        funct7: Bits 25 to 31; None: as above.
    """

    name: str
    format: Format
    opcode: int
    funct3: int | None = None
    funct7: int | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """Labels of the reads that it uses."""
        if self.format in (Format.U, Format.JAL, Format.FENCE):
            return ()
        if self.format in (Format.I, Format.SHIFT, Format.JALR):
            return ("read_1",)
        return ("read_1", "read_2", "read_3") if self.name in ("sb", "sh") else ("read_1", "read_2")

    @property
    def divides(self) -> bool:
        """Whether its row has a witness."""
        return self.name in ("div", "divu", "rem", "remu")

    def matches(self, word: int) -> bool:
        """Whether a word is this instruction."""
        return (
            (word & 127) == self.opcode
            and (self.funct3 is None or (word >> 12 & 7) == self.funct3)
            and (self.funct7 is None or word >> 25 == self.funct7)
            and (self.format is not Format.ECALL or word == self.opcode)
        )


_R: Final = {
    "add": (0, 0), "sub": (0, 32), "sll": (1, 0), "slt": (2, 0), "sltu": (3, 0), "xor": (4, 0), "srl": (5, 0),
    "sra": (5, 32), "or": (6, 0), "and": (7, 0), "mul": (0, 1), "mulh": (1, 1), "mulhsu": (2, 1), "mulhu": (3, 1),
    "div": (4, 1), "divu": (5, 1), "rem": (6, 1), "remu": (7, 1),
}  # fmt: skip
_I: Final = {"addi": 0, "slti": 2, "sltiu": 3, "xori": 4, "ori": 6, "andi": 7}
_LOAD: Final = {"lb": 0, "lh": 1, "lw": 2, "lbu": 4, "lhu": 5}
_STORE: Final = {"sb": 0, "sh": 1, "sw": 2}
_BRANCH: Final = {"beq": 0, "bne": 1, "blt": 4, "bge": 5, "bltu": 6, "bgeu": 7}

INSTRUCTIONS: Final = (
    *(Instruction(name, Format.R, 0x33, *functs) for name, functs in _R.items()),
    *(Instruction(name, Format.I, 0x13, funct) for name, funct in _I.items()),
    Instruction("slli", Format.SHIFT, 0x13, 1, 0),
    Instruction("srli", Format.SHIFT, 0x13, 5, 0),
    Instruction("srai", Format.SHIFT, 0x13, 5, 32),
    *(Instruction(name, Format.LOAD, 0x03, funct) for name, funct in _LOAD.items()),
    *(Instruction(name, Format.STORE, 0x23, funct) for name, funct in _STORE.items()),
    *(Instruction(name, Format.BRANCH, 0x63, funct) for name, funct in _BRANCH.items()),
    Instruction("lui", Format.U, 0x37),
    Instruction("auipc", Format.U, 0x17),
    Instruction("jal", Format.JAL, 0x6F),
    Instruction("jalr", Format.JALR, 0x67, 0),
    Instruction("fence", Format.FENCE, 0x0F, 0),
    Instruction("ecall", Format.ECALL, 0x73),
)


def instruction_of(word: int) -> Instruction:
    """The instruction that a word is.

    Raises:
        Invalid: It is none.
    """
    for instruction in INSTRUCTIONS:
        if instruction.matches(word):
            return instruction
    raise Invalid("no such instruction", opcode=word)
