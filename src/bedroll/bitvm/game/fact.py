"""From what is said to the leaf that says it.

Reads: messages, refutations.  Gives: leaves of a book, and the hints they take.
Never: checks whether the leaf will succeed.  Spec: docs/spec/dispute.md#facts
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bedroll.primitives import Invalid
from bedroll.riscv import Row

from ..leaf import Leaf, opening_hints
from .book import Book
from .record import ExecuteMessage, Message, OpeningMessage
from .refute import (
    Equivocation,
    EquivocationSearch,
    InitialRead,
    OpcodeChunk,
    OpenStep,
    ProgramCounter,
    Refutation,
    TraceHash,
)


def choose_move_leaf(leaves: Mapping[str, Leaf], said: Message) -> Leaf:
    """The leaf that plays a message.

    Raises:
        Invalid: There is none: no honest row has such an instruction.
    """
    if len(leaves) == 1:
        return next(iter(leaves.values()))
    name = ""
    if isinstance(said, ExecuteMessage):
        name = f"execute_{said.row.mnemonic}"
    elif isinstance(said, OpeningMessage):
        name = f"opening_{said.read}"
    if name not in leaves:
        raise Invalid("no leaf plays this move", leaf=name)
    return leaves[name]


@dataclass(frozen=True)
class Decision:
    """A leaf by name, as it stands in the book.

    Attributes:
        leaf: Its name.
        hints: That it takes.
    """

    leaf: str
    hints: Mapping[str, int] | None = None


def choose_fact(book: Book, number: int, said: Refutation | Decision) -> tuple[Leaf, Mapping[str, int] | None]:
    """The leaf that refutes, and its hints; None: they follow from the messages.

    Raises:
        Invalid: The book has no such leaf.
    """
    name, hints = (said.leaf, said.hints) if isinstance(said, Decision) else fact_of(said)
    leaf = book.fact_leaves[number].get(name)
    if leaf is None:
        raise Invalid("no leaf decides this", leaf=name, output=number)
    return leaf, hints


def fact_of(said: Refutation) -> tuple[str, Mapping[str, int] | None]:
    """Name of the leaf that refutes, and its hints."""
    match said:
        case Equivocation(search, "left", None):
            return ("trace_hash_zero" if search == 1 else "equivocation_2_start"), None
        case Equivocation(search, _, None):
            return ("equivocation_end" if search == 1 else "equivocation_2_end"), None
        case Equivocation(search, side, place):
            assert place is not None
            return f"equivocation{'_2' if search == 2 else ''}_{side}_{place.round}_{place.index}", None
        case EquivocationSearch(round=number, index=index):
            return f"equivocation_search_{number}_{index}", None
        case TraceHash():
            return "trace_hash", None
        case ProgramCounter(previous, row):
            return "program_counter", _opened(previous, row)
        case OpenStep(why, previous, row):
            return f"opened_{why}", _opened(previous, row)
        case InitialRead(read, "uninitialized", _):
            return f"uninitialized_read_{read}", None
        case InitialRead(_, "input_word", _, chunk):
            return f"input_word_{chunk}", None
        case InitialRead(read, "initialized", _, chunk):
            return f"initialized_{chunk}_read_{read}", None
        case OpcodeChunk(_, chunk):
            return f"opcode_chunk_{chunk}", None
    raise Invalid("no leaf shows this", said=str(said))


def _opened(previous: bytes, row: Row) -> dict[str, int]:
    return opening_hints(previous, row.write.addr, row.write.value, row.write_pc)
