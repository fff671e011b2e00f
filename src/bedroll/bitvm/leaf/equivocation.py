"""Leaves by which the challenger shows that the prover signed two hashes for one step.

Reads: a layout.  Gives: leaves.  Never: looks at rows.  Spec: docs/spec/bitvm.md#equivocation

The answers write k − 1: hash j of round r is H_{k−1} where k − 1 = q·M + j·P, and H_k where k is, with P the round's
place value and M = N_r·P. The quotient q is a hint; only one fits.
"""

from collections.abc import Iterator
from functools import lru_cache

from bedroll.bitcoin.opcode import Opcode as Op

from ..message import Field, Layout
from ..script.assembler import Item, Keep
from .leaf import CHALLENGER, Leaf, build_leaf
from .reveal import Revealed, nibbles_of

QUOTIENT = Field("quotient", (1 << 31,))


def equivocation_leaves(layout: Layout, search: int, start_hash: bytes) -> Iterator[Leaf]:
    """All leaves that compare the two signed hashes of a search's end with those that its digits select."""
    for number, arity in enumerate(layout.shape.arities, 1):
        for index in range(1, arity):
            for side in ("left", "right"):
                yield _selected(layout, search, number, index, side)
    yield _start(layout, search, start_hash)
    yield _end(layout, search)


def _labels(search: int) -> tuple[str, str, str]:
    return ("step", "left_hash", "right_hash") if search == 1 else ("step_2", "left_hash_2", "right_hash_2")


def _name(search: int) -> str:
    return "equivocation" if search == 1 else "equivocation_2"


def _verify_place(shown: Revealed, number: Item, modulus: int, rest: int) -> None:
    """Check that number = q · modulus + rest, with modulus a power of two above rest."""
    asm = shown.asm
    asm.verify_equal(asm.add(asm.double(shown.hint("quotient"), modulus.bit_length() - 1), rest), number)


@lru_cache(maxsize=1_024)
def _selected(layout: Layout, search: int, number: int, index: int, side: str) -> Leaf:
    step, left, right = _labels(search)
    signed, place = left if side == "left" else right, layout.shape.places[number - 1]
    published = layout.hash(search, number, index)
    messages = (published, layout.messages[signed], layout.messages[step])
    shown = Revealed.of(messages, (QUOTIENT,))
    asm = shown.asm
    found = shown.number(step, "step")
    if side == "right":
        found = asm.add(found, 1)
    _verify_place(shown, found, place * layout.shape.arities[number - 1], index * place)
    shown.verify_differ(shown.digits[published.label, "hash"], shown.digits[signed, "hash"])
    modulus, shift = place * layout.shape.arities[number - 1], 1 if side == "right" else 0
    return build_leaf(
        f"{_name(search)}_{side}_{number}_{index}",
        f"the answers select hash {index} of round {number} on the {side}, and {signed} is another one",
        CHALLENGER,
        revealed=messages,
        hints=(QUOTIENT,),
        body=asm.finish(),
        derive=lambda values: {"quotient": (values[step]["step"] + shift) // modulus},
    )


def _start(layout: Layout, search: int, start_hash: bytes) -> Leaf:
    step, left, _ = _labels(search)
    messages = (layout.messages[left], layout.messages[step])
    shown = Revealed.of(messages)
    shown.verify_zero(step, "step")
    shown.verify_differ(shown.digits[left, "hash"], nibbles_of(start_hash))
    name = "trace_hash_zero" if search == 1 else "equivocation_2_start"
    return build_leaf(
        name, f"{step} is 0 and {left} is not H_0", CHALLENGER, revealed=messages, body=shown.asm.finish()
    )


def _end(layout: Layout, search: int) -> Leaf:
    step, _, right = _labels(search)
    messages = (layout.messages["end_hash"], layout.messages[right], layout.messages[step])
    shown = Revealed.of(messages)
    shown.asm.verify_equal(shown.number(step, "step"), layout.shape.steps - 1)
    shown.verify_differ(shown.digits["end_hash", "hash"], shown.digits[right, "hash"])
    return build_leaf(
        f"{_name(search)}_end",
        f"{step} is 2^T − 1 and {right} is not the claimed last hash",
        CHALLENGER,
        revealed=messages,
        body=shown.asm.finish(),
    )


def search_leaves(layout: Layout) -> Iterator[Leaf]:
    """Leaves that compare a hash of the second search with the first search's at the same place."""
    for number, arity in enumerate(layout.shape.arities, 1):
        if number > 1:
            yield from (_same_place(layout, number, index) for index in range(1, arity))


@lru_cache(maxsize=1_024)
def _same_place(layout: Layout, number: int, index: int) -> Leaf:
    first, second = layout.hash(1, number, index), layout.hash(2, number, index)
    messages = (first, second, layout.messages["step"], layout.messages["step_2"])
    modulus = layout.shape.places[number - 1] * layout.shape.arities[number - 1]
    shown = Revealed.of(messages, (QUOTIENT,))
    asm = shown.asm
    start = Keep(asm.double(shown.hint("quotient"), modulus.bit_length() - 1))
    for label in ("step", "step_2"):
        rest = asm.sub(shown.number(label, "step"), start)
        asm.verify(asm.calc(Op.OP_WITHIN, rest, 0, modulus))
    shown.verify_differ(shown.digits[first.label, "hash"], shown.digits[second.label, "hash"])
    return build_leaf(
        f"equivocation_search_{number}_{index}",
        f"both searches answer alike before round {number}, and hash {index} of that round differs",
        CHALLENGER,
        revealed=messages,
        hints=(QUOTIENT,),
        body=asm.finish(),
        derive=lambda values: {"quotient": values["step"]["step"] // modulus},
    )
