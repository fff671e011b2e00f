"""The stage of a lie: the sample program, a true input, and steps by what they do.

Reads: the sample program.  Gives: `Scene`.  Never: depends on who lies.  Spec: docs/spec/dispute.md#lies
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from bedroll.primitives import Invalid
from bedroll.riscv import Program, Row

from ..game.run import OwnRun

SAMPLE: Final = Path(__file__).with_name("sample.elf")
EXPONENT: Final = 8
"""T of the demo: 2^8 steps, three rounds."""
INPUT_BYTES: Final = 128
"""Of the sample: as many as a compressed Groth16 proof has."""
TRUE_WORDS: Final = (5, 7, 22, 35, 5, 0x01020304, 10, 0)
"""An input that the sample accepts."""
FALSE_WORDS: Final = (5, 7, 23, 35, 5, 0x01020304, 10, 0)
"""One that it refuses: 3 × 5 + 7 is not 23."""
TRAP_WORDS: Final = (*TRUE_WORDS[:7], 1)
"""One that makes it trap."""


def data_of(words: tuple[int, ...]) -> bytes:
    """Input bytes of words, filled up with zeros to the size of a proof."""
    return struct.pack(f"<{len(words)}I", *words).ljust(INPUT_BYTES, b"\0")


@dataclass(frozen=True)
class Scene:
    """A program, an instance, T.

    Attributes:
        raw: The ELF file.
        instance_id: 32 bytes.
        exponent: T.
    """

    raw: bytes
    instance_id: bytes
    exponent: int = EXPONENT

    @staticmethod
    def sample(instance_id: bytes, exponent: int = EXPONENT) -> "Scene":
        """Of the sample program."""
        return Scene(SAMPLE.read_bytes(), instance_id, exponent)

    @cached_property
    def program(self) -> Program:
        """Parsed."""
        return Program(self.raw)

    @cached_property
    def true_run(self) -> OwnRun:
        """Of the accepted input."""
        return self.run_of(TRUE_WORDS)

    def run_of(self, words: tuple[int, ...], program: Program | None = None) -> OwnRun:
        """The run of an input."""
        return OwnRun(program or self.program, data_of(words), instance_id=self.instance_id, exponent=self.exponent)

    def patched(self, old: bytes, new: bytes) -> Program:
        """The program with one place of its file changed: what another statement, or another program, is.

        Raises:
            Invalid: The place is not unique.
        """
        if self.raw.count(old) != 1:
            raise Invalid("place to change is not unique", found=self.raw.count(old), limit=1)
        return Program(self.raw.replace(old, new))

    def step_of(self, run: OwnRun, wanted: Callable[[Row], bool]) -> int:
        """First step whose row is as wanted.

        Raises:
            Invalid: There is none.
        """
        for step in range(1, run.trace.last_step + 1):
            if wanted(run.trace.row_at(step)):
                return step
        raise Invalid("the run has no such step", limit=run.trace.last_step)
