"""The leaves of a game by the output they belong to, without keys: what a program and T alone decide.

Reads: leaves.  Gives: `Book`, and its hashes under keys.  Never: holds a key.
Spec: docs/spec/dispute.md#outputs
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bedroll.primitives import Invalid
from bedroll.riscv import Program

from ..graph.move import Kind, Move, moves
from ..graph.output import TIMEOUT
from ..leaf import BOTH, CHALLENGER, Keys, Leaf
from ..leaf.equivocation import equivocation_leaves, search_leaves
from ..leaf.execute import INSTRUCTIONS, execute_leaf
from ..leaf.ground import Ground
from ..leaf.memory import code_leaves, declared_leaves, input_leaves, zero_leaves
from ..leaf.move import digit_leaf, hashes_leaf, input_leaf
from ..leaf.second import execute_2_leaf, opening_leaves
from ..message import Layout
from ..search import Shape
from .chain import start_hash


@dataclass(frozen=True)
class Book:
    """Leaves of every output; games of one program share it.

    Attributes:
        layout: Of the messages.
        move_leaves: `move_leaves[i]` play move i.
        fact_leaves: `fact_leaves[i]` take output i; one more than there are moves.
    """

    layout: Layout
    move_leaves: tuple[Mapping[str, Leaf], ...]
    fact_leaves: tuple[Mapping[str, Leaf], ...]

    @staticmethod
    def build(program: Program, exponent: int, instance_id: bytes) -> "Book":
        """Leaves of a program's games.

        Raises:
            Invalid: The program does not fit the game: its input, or where its sections end.
        """
        layout = Layout(Shape(exponent), program.input_bytes // 4)
        first = start_hash(instance_id)
        ground = Ground.of(program, first)
        plays = [by_name(_move_leaves(layout, ground, move), BOTH) for move in moves(layout.shape)]
        facts: list[dict[str, Leaf]] = [{} for _ in range(len(plays) + 1)]
        opening = [move.kind for move in moves(layout.shape)].index(Kind.OPENING)
        facts[opening] = by_name(_facts(layout, ground), CHALLENGER)
        facts[-1] = by_name(_last_facts(layout, first), CHALLENGER)
        return Book(layout, tuple(plays), tuple(facts))

    def leaf(self, number: int, name: str) -> Leaf | None:
        """A leaf of an output; None for the timeout."""
        if name == TIMEOUT:
            return None
        moves = self.move_leaves[number] if number < len(self.move_leaves) else {}
        found = moves.get(name) or self.fact_leaves[number].get(name)
        if found is None:
            raise Invalid("output has no such leaf", output=number, leaf=name)
        return found


def by_name(leaves: Iterable[Leaf], signer: str) -> dict[str, Leaf]:
    """Leaves of one output by name.

    Raises:
        Invalid: Two have one name, or one asks for another signer.
    """
    found: dict[str, Leaf] = {}
    for leaf in leaves:
        if leaf.name in found or leaf.signer != signer:
            raise Invalid("leaf does not belong here", leaf=leaf.name, signer=leaf.signer)
        found[leaf.name] = leaf
    return found


def _move_leaves(layout: Layout, ground: Ground, move: Move) -> list[Leaf]:
    if move.kind is Kind.INPUT:
        return [input_leaf(layout)]
    if move.kind is Kind.HASHES:
        return [hashes_leaf(layout, move.search, move.round)]
    if move.kind is Kind.DIGIT:
        return [digit_leaf(layout, move.search, move.round)]
    if move.kind is Kind.EXECUTE:
        return [execute_leaf(layout, ground, instruction) for instruction in INSTRUCTIONS]
    return list(opening_leaves(layout)) if move.kind is Kind.OPENING else [execute_2_leaf(layout)]


def _facts(layout: Layout, ground: Ground) -> list[Leaf]:
    """What the challenger may contest after Execute."""
    return [
        *code_leaves(layout, ground), *declared_leaves(layout, ground), *input_leaves(layout, ground),
        *zero_leaves(layout, ground), *equivocation_leaves(layout, 1, ground.start_hash),
    ]  # fmt: skip


def _last_facts(layout: Layout, first: bytes) -> list[Leaf]:
    """What he may contest after Execute2."""
    return [*equivocation_leaves(layout, 2, first), *search_leaves(layout)]


class KeyedBook:
    """A book under the keys of one game: what `Graph` builds outputs from."""

    def __init__(self, book: Book, keys: Keys) -> None:
        self._book = book
        self._keys = keys

    def moves(self, number: int) -> Mapping[str, bytes]:
        """Hashes of the leaves that play a move."""
        return {name: leaf.hash(self._keys) for name, leaf in self._book.move_leaves[number].items()}

    def facts(self, number: int) -> Mapping[str, bytes]:
        """Hashes of the leaves that decide."""
        return {name: leaf.hash(self._keys) for name, leaf in self._book.fact_leaves[number].items()}


__all__ = ["BOTH", "CHALLENGER", "Book", "KeyedBook", "by_name"]
