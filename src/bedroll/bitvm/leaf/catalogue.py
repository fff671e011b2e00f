"""All leaves of a game, by the output they are on.

Reads: T, a program, an instance's first hash.  Gives: `Catalogue`, and `Scripts` once keys are known.
Never: holds a script longer than it takes to hash it.  Spec: docs/spec/bitvm.md#leaves
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

from bedroll.primitives import Hash32, Invalid

from ..graph.move import Kind, Move, moves
from ..message import Layout
from ..script.template import Keys
from ..search import Shape
from .chain import opened_leaves, program_counter_leaf, trace_hash_leaf
from .equivocation import equivocation_leaves, search_leaves
from .execute import INSTRUCTIONS, execute_leaf
from .ground import Ground
from .leaf import Leaf
from .memory import code_leaves, declared_leaves, input_leaves, zero_leaves
from .move import digit_leaf, hashes_leaf, input_leaf
from .second import execute_2_leaf, opening_leaves


class Catalogue:
    """Leaves before keys.

    Args:
        shape: Of the search.
        ground: Of the program.

    Attributes:
        layout: Messages of the game.
    """

    def __init__(self, shape: Shape, ground: Ground) -> None:
        self.layout = Layout(shape, ground.input_words)
        self.ground = ground
        self._moves = moves(shape)
        self._made: dict[int, tuple[Leaf, ...]] = {}

    def moves(self, number: int) -> tuple[Leaf, ...]:
        """Leaves that play move `number`.

        Raises:
            Invalid: There is no such move.
        """
        if not 0 <= number < len(self._moves):
            raise Invalid("no such move", value=number, limit=len(self._moves) - 1)
        if number not in self._made:
            self._made[number] = tuple(self._leaves(self._moves[number]))
        return self._made[number]

    def facts(self, number: int) -> tuple[Leaf, ...]:
        """Leaves by which the challenger alone takes output `number`; most outputs have none."""
        if number == self._number(Kind.EXECUTE) + 1:
            return self.row_facts
        return self.search_facts if number == len(self._moves) else ()

    @cached_property
    def row_facts(self) -> tuple[Leaf, ...]:
        """What may be contested of the committed row."""
        layout, ground = self.layout, self.ground
        return (
            trace_hash_leaf(layout),
            program_counter_leaf(layout),
            *input_leaves(layout, ground),
            *code_leaves(layout, ground),
            *declared_leaves(layout, ground),
            *zero_leaves(layout, ground),
            *equivocation_leaves(layout, 1, ground.start_hash),
        )

    @cached_property
    def search_facts(self) -> tuple[Leaf, ...]:
        """What may be contested after the second search."""
        layout = self.layout
        second = equivocation_leaves(layout, 2, self.ground.start_hash)
        return (*opened_leaves(layout), *second, *search_leaves(layout))

    def leaf(self, name: str) -> Leaf:
        """A leaf by its name, which is unique in a game.

        Raises:
            Invalid: There is none.
        """
        found = self._by_name.get(name)
        if found is None:
            raise Invalid("no such leaf", name=name)
        return found

    @cached_property
    def _by_name(self) -> Mapping[str, Leaf]:
        every = [leaf for number in range(len(self._moves)) for leaf in self.moves(number)]
        return {leaf.name: leaf for leaf in (*every, *self.row_facts, *self.search_facts)}

    def _number(self, kind: Kind) -> int:
        return next(at for at, move in enumerate(self._moves) if move.kind is kind)

    def _leaves(self, move: Move) -> Iterator[Leaf]:
        layout = self.layout
        if move.kind is Kind.INPUT:
            yield input_leaf(layout)
        elif move.kind is Kind.HASHES:
            yield hashes_leaf(layout, move.search, move.round)
        elif move.kind is Kind.DIGIT:
            yield digit_leaf(layout, move.search, move.round)
        elif move.kind is Kind.EXECUTE:
            yield from (execute_leaf(layout, self.ground.territory, each) for each in INSTRUCTIONS)
        elif move.kind is Kind.OPENING:
            yield from opening_leaves(layout)
        else:
            yield execute_2_leaf(layout)


class Scripts:
    """Scripts and hashes of a game's leaves: what builds its outputs.

    Args:
        catalogue: Of the game.
        keys: Of the game.
    """

    def __init__(self, catalogue: Catalogue, keys: Keys) -> None:
        self.catalogue = catalogue
        self.keys = keys

    def moves(self, number: int) -> dict[str, bytes]:
        """Scripts that play a move, by name."""
        return {leaf.name: leaf.script(self.keys) for leaf in self.catalogue.moves(number)}

    def facts(self, number: int) -> dict[str, bytes]:
        """Scripts by which the challenger takes an output, by name."""
        return {leaf.name: leaf.script(self.keys) for leaf in self.catalogue.facts(number)}

    def move_hashes(self, number: int) -> dict[str, Hash32]:
        """Leaf hashes of moves, by name."""
        return {leaf.name: leaf.hash(self.keys) for leaf in self.catalogue.moves(number)}

    def fact_hashes(self, number: int) -> dict[str, Hash32]:
        """Leaf hashes of facts, by name."""
        return {leaf.name: leaf.hash(self.keys) for leaf in self.catalogue.facts(number)}
