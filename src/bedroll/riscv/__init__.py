"""A RISC-V machine whose runs two parties can dispute: programs, outcomes, traces.

Reads: ELF files and input bytes from anyone.  Gives: how a run ends, its hash chain, any row of its trace.
Never: knows of Bitcoin, or, but for `verifier`, what a program is for.  Spec: docs/spec/riscv.md
"""

from .outcome import Halted, Outcome, Running, Trapped
from .program import Call, Dependence, Function, Hotspot, Kind, Profile, Program, Section
from .trace import HASH_BYTES, Read, ReadPc, Row, Trace, Write, register_name

__all__ = [
    "HASH_BYTES",
    "Call",
    "Dependence",
    "Function",
    "Halted",
    "Hotspot",
    "Kind",
    "Outcome",
    "Profile",
    "Program",
    "Read",
    "ReadPc",
    "Row",
    "Running",
    "Section",
    "Trace",
    "Trapped",
    "Write",
    "register_name",
]
