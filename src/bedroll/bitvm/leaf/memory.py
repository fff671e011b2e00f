"""Leaves about values before step 1: instructions, declared contents, input, zero.

Reads: a layout, a program.  Gives: leaves.  Never: contests a read that names an earlier step.
Spec: docs/spec/bitvm.md#facts
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from bedroll.bitcoin.opcode import Opcode as Op

from ..message import WORDS_A_MESSAGE, Field, Layout
from ..script.assembler import Keep, Operand
from ..script.table import Table
from ..script.word import SIGN, join_number
from .ground import Ground, Span
from .leaf import CHALLENGER, Leaf, build_leaf
from .reveal import Revealed

WORDS_A_CHUNK = 100
"""Words of code or contents in one leaf: their halves fit the stack beside a message."""
INDEX = Field("index", (WORDS_A_CHUNK,))


def code_leaves(layout: Layout, ground: Ground) -> Iterator[Leaf]:
    """One leaf a chunk of code: the committed opcode is not what stands there."""
    for number, (start, words) in enumerate(_chunks(ground.territory.code.start, ground.code)):
        yield _chunk_leaf(layout, f"opcode_chunk_{number}", "read_pc", "opcode", start, words)


def declared_leaves(layout: Layout, ground: Ground) -> Iterator[Leaf]:
    """Leaves for declared contents: what a load reads, and what sb and sh change where that may be stored to."""
    number = 0
    for section, contents in ground.declared:
        labels = ("read_2", "read_3") if section in ground.writable else ("read_2",)
        for start, words in _chunks(section, contents):
            for label in labels:
                yield _chunk_leaf(layout, f"initialized_{number}_{label}", label, "value", start, words)
            number += 1


def _chunks(start: int, words: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    for at in range(0, len(words), WORDS_A_CHUNK):
        yield start + 4 * at, words[at : at + WORDS_A_CHUNK]


@lru_cache(maxsize=4_096)
def _chunk_leaf(layout: Layout, name: str, label: str, field: str, start: int, words: tuple[int, ...]) -> Leaf:
    messages = (layout.messages[label],)
    shown = Revealed.of(messages, (INDEX,))
    asm = shown.asm
    if label != "read_pc":
        shown.verify_zero(label, "last_step")
    index = shown.hint("index")
    asm.verify(asm.calc(Op.OP_WITHIN, index, 0, len(words)))
    address = asm.add(asm.double(index, 2), start)
    asm.verify_equal(address, shown.number(label, "addr"))
    value = shown.word(label, field)
    place = Keep(asm.double(index))
    table = Table.push(asm, [half for word in words for half in (word >> 16, word & 0xFFFF)])
    high = asm.calc(Op.OP_NUMNOTEQUAL, table.look_up(asm, place), value.high)
    low = asm.calc(Op.OP_NUMNOTEQUAL, table.look_up(asm, asm.add(place, 1)), value.low)
    asm.verify(asm.calc(Op.OP_BOOLOR, high, low))
    return build_leaf(
        name,
        f"{label} is at {start:#x} to {start + 4 * len(words):#x}, and its {field} is not what stands there at first",
        CHALLENGER,
        revealed=messages,
        hints=(INDEX,),
        body=asm.finish(),
        derive=lambda values: {"index": (values[label]["addr"] - start) // 4 % WORDS_A_CHUNK},
    )


def input_leaves(layout: Layout, ground: Ground) -> Iterator[Leaf]:
    """One leaf a message of input: a first load from it did not read what the prover committed."""
    for number in range(len(layout.input) - 1):
        start = ground.input_start + 4 * WORDS_A_MESSAGE * number
        yield _input_leaf(layout, number, start)


def _input_leaf(layout: Layout, number: int, start: int) -> Leaf:
    given = layout.input[number]
    messages = (given, layout.messages["read_2"])
    size = len(given.radices)
    shown = Revealed.of(messages)
    asm = shown.asm
    shown.verify_zero("read_2", "last_step")
    place = Keep(asm.sub(shown.number("read_2", "addr"), start))
    asm.verify(asm.calc(Op.OP_WITHIN, place, 0, size // 2))
    digits = shown.digits[given.label, "bytes"]
    found: list[Operand] = []
    for byte in (3, 2, 1, 0):
        for digit in (0, 1):
            # The digit at 2·place + 2·byte + digit lies so much above the message's first one.
            distance = asm.push(asm.depth(digits[0]) - 2 * byte - digit)
            index = asm.sub(distance, asm.double(place))
            found.append(asm.apply((Op.OP_PICK,), (index,))[0])
    shown.verify_differ(found, shown.kept("read_2", "value"))
    return build_leaf(
        f"input_word_{number}",
        f"read_2 is the first read of a word of {given.label}, and its value is another one",
        CHALLENGER,
        revealed=messages,
        body=asm.finish(),
    )


def zero_leaves(layout: Layout, ground: Ground) -> Iterator[Leaf]:
    """A leaf a read: it is the first one of an address without contents, and its value is not zero."""
    for label in ("read_1", "read_2", "read_3"):
        messages = (layout.messages[label],)
        shown = Revealed.of(messages)
        shown.verify_zero(label, "last_step")
        shown.verify_not_zero(label, "addr")
        shown.verify_not_zero(label, "value")
        _verify_outside(shown, label, ground.known)
        yield build_leaf(
            f"uninitialized_{label}",
            f"{label} is the first read of an address without contents, and its value is not 0",
            CHALLENGER,
            revealed=messages,
            body=shown.asm.finish(),
        )


def _verify_outside(shown: Revealed, label: str, spans: Sequence[Span]) -> None:
    """The address lies in none of some spans, all below 2^31."""
    asm = shown.asm
    word = shown.word(label, "addr")

    def check() -> None:
        address = Keep(join_number(asm, word))
        for span in spans:
            asm.verify(asm.calc(Op.OP_NOT, asm.calc(Op.OP_WITHIN, address, span.start, span.end)))

    asm.guard(asm.calc(Op.OP_LESSTHAN, word.high, SIGN), check)
