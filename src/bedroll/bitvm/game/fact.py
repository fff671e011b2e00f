"""From what is said to the leaf that says it.

Reads: messages, refutations.  Gives: leaves of a book, and the hints they take.
Never: checks whether the leaf will succeed.  Spec: docs/spec/dispute.md#facts
"""

from collections.abc import Mapping

from bedroll.primitives import Invalid
from bedroll.riscv import Row

from ..leaf import Leaf
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

CHUNK_WORDS = 100
"""Words of code or memory that one leaf knows."""


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


def choose_fact(book: Book, number: int, said: Refutation) -> tuple[Leaf, dict[str, int]]:
    """The leaf that refutes, and its hints.

    Raises:
        Invalid: The book has no such leaf.
    """
    name, hints = _fact(said)
    leaf = book.fact_leaves[number].get(name)
    if leaf is None:
        raise Invalid("no leaf decides this", leaf=name, output=number)
    return leaf, hints


def _fact(said: Refutation) -> tuple[str, dict[str, int]]:
    match said:
        case Equivocation(search, side, place):
            suffix = "" if search == 1 else "_2"
            where = f"{place.round}_{place.index}" if place is not None else "end"
            return f"equivocation{suffix}_{side}_{where}", {}
        case EquivocationSearch(round=number, index=index):
            return f"equivocation_search_{number}_{index}", {}
        case TraceHash(first):
            return ("trace_hash_zero" if first else "trace_hash"), {}
        case ProgramCounter(previous, row):
            return "program_counter", _opened(previous, row)
        case OpenStep(why, previous, row):
            return f"open_{why}", _opened(previous, row)
        case InitialRead(read, kind, address):
            return f"{kind}_{read}", {"address": address}
        case OpcodeChunk(address):
            return "opcode", {"address": address}
    raise Invalid("a contested read is opened by a move", read=said.read)


def _opened(previous: bytes, row: Row) -> dict[str, int]:
    return {
        "hash": int.from_bytes(previous, "big"), "addr": row.write.addr, "value": row.write.value, "pc": row.write_pc,
    }  # fmt: skip
