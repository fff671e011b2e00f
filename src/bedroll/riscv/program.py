"""Programs: an ELF file's sections, and runs that nobody disputes.

Reads: ELF files from anyone.  Gives: `Program`, `Profile`.  Never: takes a file that breaks a rule of the chapter.
Spec: docs/spec/riscv.md#programs
"""

from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum

from bedroll._core._native import RiscvProgram, riscv_symbols
from bedroll.primitives import Invalid

from .outcome import Halted, Outcome, from_core
from .symbol import readable

STEPS_MAX = 2**32 - 1
"""Largest limit of a run."""


class Kind(StrEnum):
    """What a section is for, and with that who may touch it."""

    CODE = "code"
    READ_ONLY = "read-only"
    READ_WRITE = "read-write"
    STACK = "stack"
    INPUT = "input"


@dataclass(frozen=True, slots=True)
class Section:
    """A piece of memory.

    Attributes:
        name: As the file calls it.
        kind: Who may touch it.
        start: First address, a multiple of 4.
        size_bytes: A multiple of 4.
        words: Declared contents; None: zero at first, or the input.
    """

    name: str
    kind: Kind
    start: int
    size_bytes: int
    words: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Hotspot:
    """Steps at one instruction."""

    address: int
    mnemonic: str
    steps: int


@dataclass(frozen=True, slots=True)
class Function:
    """Steps in one function of the file's symbol table.

    Attributes:
        name: As the file has it, readable.
        steps: All steps inside, calls it makes not counted.
        calls: Steps at its first instruction.
    """

    name: str
    steps: int
    calls: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function as one caller calls it, with what it calls.

    Attributes:
        name: From the file's symbols; the address where there is none.
        calls: How often it was called from there.
        steps: Steps in it and in all that it calls from there.
        inside: What it calls, most steps first.
    """

    name: str
    calls: int
    steps: int
    inside: tuple["Call", ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """Where a run spent its steps.

    Attributes:
        outcome: How it ended.
        hotspots: Each instruction that ran, by address.
        words_touched: Words of memory that were loaded or stored.
        stack_bytes: Deepest stack.
        functions: Most steps first; none where the file names none.
        calls: The tree of calls from the entry point.
    """

    outcome: Outcome
    hotspots: tuple[Hotspot, ...]
    words_touched: int
    stack_bytes: int
    functions: tuple[Function, ...]
    calls: Call

    def by_mnemonic(self) -> list[tuple[str, int]]:
        """Steps by mnemonic, most first."""
        counts: dict[str, int] = {}
        for spot in self.hotspots:
            counts[spot.mnemonic] = counts.get(spot.mnemonic, 0) + spot.steps
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


@dataclass(frozen=True, slots=True)
class Dependence:
    """Where the input chose among a run's ways.

    Attributes:
        outcome: How the run ended.
        hotspots: Each branch, indirect jump, load, store and call that an input value steered, with its steps.
    """

    outcome: Outcome
    hotspots: tuple[Hotspot, ...]

    @property
    def is_uniform(self) -> bool:
        """Whether every input of this length takes the same steps and ends at the same one: the bound of all runs."""
        return isinstance(self.outcome, Halted) and not self.hotspots


class Program:
    """A program, checked.

    Raises:
        Invalid: The file breaks a rule: fields `value` and `limit`.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.native = RiscvProgram(raw)

    @property
    def entry(self) -> int:
        """Address of the first instruction."""
        return self.native.entry

    @property
    def input_bytes(self) -> int:
        """Bytes of input that it takes."""
        return self.native.input_size

    def sections(self) -> list[Section]:
        """By address."""
        return [
            Section(name, Kind(kind), start, size, None if words is None else tuple(words))
            for name, kind, start, size, words in self.native.sections()
        ]

    def run(self, data: bytes = b"", *, limit: int = STEPS_MAX) -> Outcome:
        """Outcome of at most `limit` steps.

        Raises:
            Invalid: The input has another length than the program takes.
        """
        return from_core(self.native.run(data, _checked(limit)))

    def profile(self, data: bytes = b"", *, limit: int = STEPS_MAX) -> Profile:
        """Run and count. Costs about twice the time of a run.

        Raises:
            Invalid: The input has another length than the program takes.
        """
        outcome, spots, words, stack, nodes = self.native.profile(data, _checked(limit))
        hotspots = tuple(Hotspot(*spot) for spot in spots)
        functions = _functions(self.raw, hotspots)
        return Profile(from_core(outcome), hotspots, words, stack, functions, _calls(self.raw, nodes))

    def dependence(self, data: bytes = b"", *, limit: int = STEPS_MAX) -> Dependence:
        """Run and follow the input through registers and memory, word by word. Costs about three times a run.

        Raises:
            Invalid: The input has another length than the program takes.
        """
        outcome, spots = self.native.dependence(data, _checked(limit))
        return Dependence(from_core(outcome), tuple(Hotspot(*spot) for spot in spots))


def _checked(limit: int) -> int:
    if not 0 <= limit <= STEPS_MAX:
        raise Invalid("the limit of steps is out of range", value=limit, limit=STEPS_MAX)
    return limit


def _functions(raw: bytes, hotspots: tuple[Hotspot, ...]) -> tuple[Function, ...]:
    symbols = riscv_symbols(raw)
    starts = [start for _, start, _ in symbols]
    steps: dict[int, int] = {}
    calls: dict[int, int] = {}
    for spot in hotspots:
        index = bisect_right(starts, spot.address) - 1
        if index < 0 or spot.address >= starts[index] + symbols[index][2]:
            continue
        steps[index] = steps.get(index, 0) + spot.steps
        if spot.address == starts[index]:
            calls[index] = spot.steps
    found = [Function(readable(symbols[index][0]), count, calls.get(index, 0)) for index, count in steps.items()]
    return tuple(sorted(found, key=lambda function: (-function.steps, function.name)))


def _calls(raw: bytes, nodes: list[tuple[int, int, int, int]]) -> Call:
    names = {start: readable(name) for name, start, _ in riscv_symbols(raw)}
    inside: list[list[Call]] = [[] for _ in nodes]
    # Callers stand before what they call: from the last to the first, each is complete when its turn comes.
    for place in range(len(nodes) - 1, -1, -1):
        caller, address, calls, own = nodes[place]
        below = tuple(sorted(inside[place], key=lambda call: -call.steps))
        steps = own + sum(call.steps for call in below)
        found = Call(names.get(address, f"{address:#010x}"), calls, steps, below)
        if place:
            inside[caller].append(found)
    return found
