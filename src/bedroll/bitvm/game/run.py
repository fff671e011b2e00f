"""A party's own view of the disputed run.

Reads: a trace.  Gives: `Run`, the port that answers and refutations ask, and `OwnRun` over a real trace.
Never: fails because a run ends early: what is not there is None.  Spec: docs/spec/dispute.md#honest-play
"""

from bisect import bisect_right
from typing import Protocol

from bedroll.riscv import Program, Row, Section, Trace
from bedroll.riscv.program import Kind


class Run(Protocol):
    """What a party asks its trace."""

    def hash_at(self, step: int) -> bytes | None:
        """H after a step; None where the run has no such step."""
        ...

    def row_at(self, step: int) -> Row | None:
        """Row of a step; None where the run has none."""
        ...

    def last_write(self, address: int, before: int) -> tuple[int, int]:
        """Value of an address before a step, and the step that wrote it (0: none did)."""
        ...


class OwnRun:
    """A trace as a `Run`."""

    def __init__(self, program: Program, data: bytes, *, instance_id: bytes, exponent: int) -> None:
        self._trace = Trace(program, data, instance_id=instance_id, exponent=exponent)
        self._sections = program.sections()
        self._starts = [section.start for section in self._sections]
        self._input = data

    @property
    def trace(self) -> Trace:
        """The trace itself."""
        return self._trace

    def hash_at(self, step: int) -> bytes | None:
        """H after a step; None where the run trapped before."""
        return self._trace.hash_at(step) if 0 <= step <= self._trace.last_step else None

    def row_at(self, step: int) -> Row | None:
        """Row of a step; None where the run trapped before."""
        return self._trace.row_at(step) if 1 <= step <= self._trace.last_step else None

    def last_write(self, address: int, before: int) -> tuple[int, int]:
        """Value and writer of an address before a step.

        The trace is asked row by row, from the step backward: cheap for small traces only. A player needs it only where
        his own run has no row at the disputed step, which a program that cannot trap never shows.
        """
        for step in range(min(before - 1, self._trace.last_step), 0, -1):
            row = self._trace.row_at(step)
            if row.write.addr == address:
                return row.write.value, step
            for read in (row.read_1, row.read_2, row.read_3):
                if read.addr == address:
                    return read.value, read.last_step
        return self.initial(address), 0

    def initial(self, address: int) -> int:
        """Value of a word before step 1."""
        section = section_of(self._sections, address)
        if section is None:
            return 0
        at = (address - section.start) // 4
        if section.kind is Kind.INPUT:
            return int.from_bytes(self._input[4 * at : 4 * at + 4], "little")
        return section.words[at] if section.words is not None else 0


def section_of(sections: list[Section], address: int) -> Section | None:
    """The section that holds an address; they are sorted by address."""
    at = bisect_right([section.start for section in sections], address) - 1
    if at < 0 or address >= sections[at].start + sections[at].size_bytes:
        return None
    return sections[at]
