"""Where a game stands, from confirmed spends alone.

Reads: spends of the game's outputs.  Gives: `Position`.  Never: remembers: a reorganisation makes another position.
Spec: docs/spec/dispute.md#players
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bedroll.bitcoin.taproot import leaf_hash
from bedroll.bitcoin.transaction import OutPoint
from bedroll.bitcoin.witness import ScriptSpend, parse_taproot_witness
from bedroll.primitives import L1Height

from ..game.book import Book
from ..game.record import Record
from ..game.wire import decode
from ..graph import BURN, Graph, Party
from ..winternitz import Signature
from .follower import Spend


class End(StrEnum):
    """How a game ended."""

    CLOSED = "closed"
    """The prover's Close is confirmed: he has the bond, and what the claim frees is his."""
    TAKEN = "taken"
    """The challenger has the bond: by a leaf, which Close can never undo."""


@dataclass(frozen=True)
class Played:
    """A confirmed move.

    Attributes:
        name: Of the move.
        leaf: By which it was played.
        spend: The transaction.
    """

    name: str
    leaf: str
    spend: Spend


@dataclass(frozen=True)
class Position:
    """A game as the chain shows it.

    Attributes:
        played: Confirmed moves; their number is that of the output that waits.
        height: Of the block that made that output; None: the claim is not confirmed.
        start: Of the claim's block.
        record: What was said.
        signatures: By label, as first shown.
        end: None while the game is open.
        ended: The spend that ended it.
        by: Leaf of that spend, where it is one.
        gate: Name of the transaction that spent the gate.
    """

    played: tuple[Played, ...]
    height: L1Height | None
    start: L1Height | None
    record: Record
    signatures: Mapping[str, Signature]
    end: End | None
    ended: Spend | None
    by: str | None
    gate: str | None

    @property
    def number(self) -> int:
        """Of the output that waits."""
        return len(self.played)

    @property
    def winner(self) -> Party | None:
        """Who won; None while the game is open."""
        if self.end is None:
            return None
        return Party.PROVER if self.end is End.CLOSED else Party.CHALLENGER


def read_position(graph: Graph, book: Book, funding: OutPoint, spends: Mapping[OutPoint, Spend]) -> Position:
    """Walk the game's outputs as far as they are spent.

    Args:
        graph: Of the game.
        book: Its leaves.
        funding: First output that the claim spends.
        spends: Confirmed.

    Raises:
        Invalid: A confirmed move shows no message that its leaf lets pass: a fault of ours.
    """
    claim = spends.get(funding)
    start = claim.height if claim is not None and claim.transaction.txid == graph.claim.root.txid else None
    height, record, signatures, played = start, Record(), dict[str, Signature](), list[Played]()
    end, ended, by = None, None, None
    for number in range(len(graph.terms.moves) + 1):
        spend = spends.get(graph.game_point(number)) if height is not None else None
        if spend is None:
            break
        name = graph.by_txid.get(spend.transaction.txid)
        move = graph.terms.moves[number] if number < len(graph.terms.moves) else None
        leaf, items = _leaf(graph, number, spend)
        if move is None or name != move.name or leaf is None:
            end, ended, by = (End.TAKEN if name is None else End.CLOSED), spend, leaf
            break
        template = book.leaf(number, leaf)
        assert template is not None
        shown = template.read(items[:-1])
        for label, signature in shown.items():
            signatures.setdefault(label, signature)
        found = {label: signature.message for label, signature in shown.items()}
        record = record.heard(move, decode(book.layout, move, record, found))
        played.append(Played(name, leaf, spend))
        height = spend.height
    gate = spends.get(graph.claim.gate)
    spent_by = graph.by_txid.get(gate.transaction.txid, BURN) if gate is not None else None
    return Position(tuple(played), height, start, record, signatures, end, ended, by, spent_by)


def _leaf(graph: Graph, number: int, spend: Spend) -> tuple[str | None, tuple[bytes, ...]]:
    witness = parse_taproot_witness(spend.transaction.inputs[spend.input].witness)
    if not isinstance(witness, ScriptSpend):
        return None, ()
    return graph.outputs[number].name_of(leaf_hash(witness.script)), witness.stack
