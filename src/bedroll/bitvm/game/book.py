"""The leaves of a game by the output they belong to, without keys: what a program and T alone decide.

Reads: leaves.  Gives: `Book`, and its hashes under keys.  Never: holds a key.
Spec: docs/spec/dispute.md#outputs
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bedroll.primitives import Invalid
from bedroll.riscv import Program

from ..graph.move import moves
from ..graph.output import TIMEOUT
from ..leaf import BOTH, CHALLENGER, Catalogue, Ground, Keys, Leaf
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
        shape = Shape(exponent)
        catalogue = Catalogue(shape, Ground.of(program, start_hash(instance_id)))
        count = len(moves(shape))
        plays = tuple(by_name(catalogue.moves(number), BOTH) for number in range(count))
        facts = tuple(by_name(catalogue.facts(number), CHALLENGER) for number in range(count + 1))
        return Book(catalogue.layout, plays, facts)

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
