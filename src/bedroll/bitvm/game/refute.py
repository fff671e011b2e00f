"""What the honest challenger contests: the first fact of a signed row, or of a second search, that is false.

Reads: a record, our own run.  Gives: a `Refutation`, or None where the prover is right.
Never: contests a true fact: that would lose.  Spec: docs/spec/dispute.md#facts

Order matters: program counter, instruction, reads, then the hash. Each is decided under the ones before it: with the
true instruction the operand addresses are true, with true reads Execute lets only the true write pass.
"""

from dataclasses import dataclass
from typing import TypeAlias

from bedroll.riscv import Read, Row, Section
from bedroll.riscv.program import Kind

from ..leaf.memory import WORDS_A_CHUNK
from ..message import WORDS_A_MESSAGE
from ..search import Published, Shape, find_difference
from .record import Execute2Message, ExecuteMessage, Record
from .run import Run, section_of


@dataclass(frozen=True, slots=True)
class Equivocation:
    """A hash that Execute signs is not the one that the digits select.

    Attributes:
        search: 1 or 2.
        side: "left" or "right".
        place: Where the selected one was published; None: H_0 or H_{2^T}.
    """

    search: int
    side: str
    place: Published | None


@dataclass(frozen=True, slots=True)
class EquivocationSearch:
    """The two searches show different hashes for one step."""

    round: int
    index: int


@dataclass(frozen=True, slots=True)
class TraceHash:
    """H_k is not the hash of H_{k−1} and the row's write."""


@dataclass(frozen=True, slots=True)
class ProgramCounter:
    """The step before leads elsewhere: H_{k−1} opens as (previous, row)."""

    previous: bytes
    row: Row


@dataclass(frozen=True, slots=True)
class OpcodeChunk:
    """The code has another word at that address.

    Attributes:
        address: Of the instruction.
        chunk: Number of the leaf that knows it.
    """

    address: int
    chunk: int


@dataclass(frozen=True, slots=True)
class InitialRead:
    """A read with last_step 0 shows another value than memory held at first.

    Attributes:
        read: 1 to 3.
        kind: "input_word", "initialized" or "uninitialized".
        address: Of the word.
        chunk: Number of the leaf that knows it; 0 where there is one for all.
    """

    read: int
    kind: str
    address: int
    chunk: int = 0


@dataclass(frozen=True, slots=True)
class ContestRead:
    """A read whose writer is to be searched for.

    Attributes:
        read: 1 to 3.
        claimed: As it was signed.
        target: Step t that refutes it.
    """

    read: int
    claimed: Read
    target: int


@dataclass(frozen=True, slots=True)
class OpenStep:
    """The signed H_t opens as (previous, row): another H_{t−1} than signed, a later write, or another write.

    Attributes:
        why: "wrong_hash", "later_write" or "wrong_value".
        previous: H_{t−1} of our run.
        row: Row t of our run.
    """

    why: str
    previous: bytes
    row: Row


Refutation: TypeAlias = (
    Equivocation | EquivocationSearch | TraceHash | ProgramCounter | OpcodeChunk | InitialRead | ContestRead | OpenStep
)


def refute_execute(shape: Shape, run: Run, record: Record, sections: list[Section]) -> Refutation | None:
    """What to do after Execute."""
    execute = record.execute
    assert execute is not None
    found = _equivocation(shape, run, record, execute, record.hashes, 1)
    if found is not None:
        return found
    step = shape.number(execute.digits) + 1
    row, own = execute.row, run.row_at(step)
    before = run.row_at(step - 1)
    if before is not None and before.write_pc != row.read_pc.addr:
        previous = run.hash_at(step - 2)
        assert previous is not None
        return ProgramCounter(previous, before)
    if _word(sections, row.read_pc.addr) != row.read_pc.opcode:
        return OpcodeChunk(row.read_pc.addr, chunk_of(sections, row.read_pc.addr))
    for number, claimed in enumerate((row.read_1, row.read_2, row.read_3), 1):
        contested = _contest(run, own, step, number, claimed, sections)
        if contested is not None:
            return contested
    return TraceHash() if execute.right != run.hash_at(step) else None


def refute_execute_2(shape: Shape, run: Run, record: Record) -> Refutation | None:
    """What to do after Execute2."""
    execute, again, opening = record.execute, record.execute_2, record.opening
    assert execute is not None
    assert again is not None
    assert opening is not None
    found = _equivocation(shape, run, record, again, record.second, 2)
    if found is not None:
        return found
    difference = find_difference(record.hashes, record.second, execute.digits, again.digits)
    if difference is not None:
        return EquivocationSearch(difference.round, difference.index)
    found_step, step = shape.number(execute.digits) + 1, shape.number(again.digits) + 1
    row, previous = run.row_at(step), run.hash_at(step - 1)
    if row is None or previous is None or again.right != run.hash_at(step):
        return None
    if previous != again.left:
        return OpenStep("wrong_hash", previous, row)
    claimed = opening.value
    if claimed.last_step < step < found_step and row.write.addr == claimed.addr:
        return OpenStep("later_write", previous, row)
    if step == claimed.last_step and (row.write.addr, row.write.value) != (claimed.addr, claimed.value):
        return OpenStep("wrong_value", previous, row)
    return None


def selected(
    shape: Shape, run: Run, record: Record, digits: tuple[int, ...], hashes: tuple[tuple[bytes, ...], ...], side: str
) -> tuple[Published | None, bytes]:
    """The hash that digits select, and where it was published (None: H_0 or H_{2^T})."""
    place = shape.left(digits) if side == "left" else shape.right(digits)
    if place is not None:
        return place, hashes[place.round - 1][place.index - 1]
    if side == "left":
        first = run.hash_at(0)
        assert first is not None
        return None, first
    assert record.input is not None
    return None, record.input.final


def _equivocation(
    shape: Shape, run: Run, record: Record, signed: ExecuteMessage | Execute2Message,
    hashes: tuple[tuple[bytes, ...], ...], search: int,
) -> Equivocation | None:  # fmt: skip
    for side, given in (("left", signed.left), ("right", signed.right)):
        place, expected = selected(shape, run, record, signed.digits, hashes, side)
        if expected != given:
            return Equivocation(search, side, place)
    return None


def _contest(
    run: Run, own: Row | None, step: int, number: int, claimed: Read, sections: list[Section]
) -> InitialRead | ContestRead | None:
    if claimed.addr == 0:
        return None
    mine = (own.read_1, own.read_2, own.read_3)[number - 1] if own is not None else None
    if mine is not None and mine.addr == claimed.addr:
        value, last = mine.value, mine.last_step
    else:
        value, last = run.last_write(claimed.addr, step)
    if (value, last) == (claimed.value, claimed.last_step):
        return None
    if claimed.last_step == last == 0:
        return InitialRead(number, *initial_kind(sections, claimed.addr))
    return ContestRead(number, claimed, last if last > claimed.last_step else claimed.last_step)


def initial_kind(sections: list[Section], address: int) -> tuple[str, int, int]:
    """Which fact says what an address held before step 1: kind, address, chunk."""
    section = section_of(sections, address)
    if section is not None and section.kind is Kind.INPUT:
        return "input_word", address, (address - section.start) // (4 * WORDS_A_MESSAGE)
    if section is not None and section.words is not None and section.kind is not Kind.CODE:
        return "initialized", address, chunk_of(sections, address)
    return "uninitialized", address, 0


def chunk_of(sections: list[Section], address: int) -> int:
    """Number of the leaf that knows a word: those of code are counted apart from those of other contents."""
    own = section_of(sections, address)
    assert own is not None
    before = 0
    for section in sections:
        if section is own:
            break
        if section.words is not None and (section.kind is Kind.CODE) == (own.kind is Kind.CODE):
            before += -(-len(section.words) // WORDS_A_CHUNK)
    return before + (address - own.start) // 4 // WORDS_A_CHUNK


def _word(sections: list[Section], address: int) -> int | None:
    section = section_of(sections, address)
    if section is None or section.words is None or address % 4:
        return None
    return section.words[(address - section.start) // 4]
