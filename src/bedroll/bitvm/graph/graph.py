"""All transactions of a game that both parties sign before it begins.

Reads: terms, the claim's outputs, leaves.  Gives: `Graph`: unsigned transactions, and every signature they need.
Never: signs; a party builds the graph for himself and signs only his own.  Spec: docs/spec/dispute.md#transactions

```text
root ─ Input ─ game 1 ─ … ─ game n          one output after the other carries the bond
                 └ Close_i (with the gate, from the challenger's silence)
gate + prize ─ Burn (from T_burn)
```
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

from bedroll.bitcoin.script import ANCHOR_SCRIPT
from bedroll.bitcoin.sighash import SighashCache, taproot_sighash
from bedroll.bitcoin.taproot import leaf_hash
from bedroll.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from bedroll.crypto import tagged_hash
from bedroll.primitives import Invalid, Satoshi, Txid

from .move import Move, Party
from .output import TIMEOUT, GameOutput, timeout_script
from .terms import GATE_SAT, Claim, Terms

VERSION: Final = 3
"""Of every pre-signed transaction (BIP-0431)."""
SEQUENCE_PLAIN: Final = 0xFFFFFFFD
"""No relative lock."""
ANCHOR: Final = TxOut(Satoshi(0), ANCHOR_SCRIPT)
"""What a fee child spends."""
BURN: Final = "burn"


class Leaves(Protocol):
    """Where the leaves come from, as hashes: their scripts are megabytes."""

    def moves(self, number: int) -> Mapping[str, bytes]:
        """Hashes of the leaves, by name, that play move `number`: both parties' key first. Pre-signed."""
        ...

    def facts(self, number: int) -> Mapping[str, bytes]:
        """Hashes of the leaves, by name, by which the challenger alone takes output `number`. Not pre-signed."""
        ...


@dataclass(frozen=True, slots=True)
class Slot:
    """A signature of both parties that the graph needs.

    Attributes:
        transaction: Name of the transaction.
        input: Index of its input.
        leaf: Name of the leaf; None: by the output key.
        root: Merkle root that tweaks the key path; empty bytes for an output without leaves.
        digest: What is signed, 32 bytes.
    """

    transaction: str
    input: int
    leaf: str | None
    root: bytes
    digest: bytes


@dataclass(frozen=True)
class Planned:
    """A pre-signed transaction.

    Attributes:
        name: Unique in a game.
        transaction: Without witnesses.
        spent: What its inputs spend.
        outputs: The game outputs among `spent`, in order; None for the prize.
    """

    name: str
    transaction: Transaction
    spent: tuple[TxOut, ...]
    outputs: tuple[GameOutput | None, ...]

    @property
    def txid(self) -> Txid:
        """Known before it is signed."""
        return self.transaction.txid


def close_name(number: int) -> str:
    """Name of the Close that spends output `number`."""
    return f"close_{number}"


def root_output(terms: Terms, leaves: Leaves) -> GameOutput:
    """The output of the claim that carries the bond."""
    return _game_output(terms, 0, leaves.moves(0), leaves.facts(0))


def gate_output(terms: Terms) -> GameOutput:
    """The output y of the claim; the prize has the same script."""
    return GameOutput.build(terms.both, {})


def _game_output(terms: Terms, number: int, moves: Mapping[str, bytes], facts: Mapping[str, bytes]) -> GameOutput:
    found = dict(moves)
    if is_prover_turn(terms, number):
        blocks = terms.clock.input_blocks if number == 0 else terms.clock.delta_blocks
        found[TIMEOUT] = leaf_hash(timeout_script(blocks, terms.challenger_key[1:]))
    if not found.keys().isdisjoint(facts):
        raise Invalid("two leaves of an output have one name", output=number)
    return GameOutput.build(terms.both, found | dict(facts))


def is_prover_turn(terms: Terms, number: int) -> bool:
    """Whether output `number` waits for the prover. After the last move it waits for the challenger."""
    return number < len(terms.moves) and terms.moves[number].mover is Party.PROVER


@dataclass(frozen=True)
class Graph:
    """A game's transactions.

    Attributes:
        terms: Agreed.
        claim: What it hangs on.
        outputs: Game outputs, `outputs[i]` is spent by move i.
        planned: By name: each move, each Close, Burn.
        slots: Every signature needed, in order.
    """

    terms: Terms
    claim: Claim
    outputs: tuple[GameOutput, ...]
    planned: Mapping[str, Planned]
    slots: tuple[Slot, ...]

    @staticmethod
    def build(terms: Terms, claim: Claim, leaves: Leaves) -> "Graph":
        """Build the graph.

        Raises:
            Invalid: The prize is not guarded by both parties' key.
        """
        signed = [leaves.moves(number) for number in range(len(terms.moves))]
        outputs = tuple(
            _game_output(terms, number, moves, leaves.facts(number)) for number, moves in enumerate([*signed, {}])
        )
        gate = gate_output(terms)
        if claim.prize_output.script != gate.script:
            raise Invalid("prize is not guarded by both parties", script=claim.prize_output.script)
        planned: dict[str, Planned] = {}
        slots: list[Slot] = []
        previous = claim.root
        for number, move in enumerate(terms.moves):
            step = _move(terms, outputs, number, previous)
            planned[move.name] = step
            cache = SighashCache(step.transaction, step.spent)
            slots += [_leaf_slot(cache, step, name) for name in signed[number]]
            previous = step.transaction.out_point(0)
        for number, output in enumerate(outputs):
            if number and not is_prover_turn(terms, number):
                at = planned[terms.moves[number - 1].name].transaction.out_point(0)
                step = _close(terms, number, output, at, claim, gate)
                planned[step.name] = step
                slots += _key_slots(step)
        step = _burn(terms, claim, gate)
        planned[BURN] = step
        slots += _key_slots(step)
        return Graph(terms, claim, outputs, planned, tuple(slots))

    @cached_property
    def digest(self) -> bytes:
        """Hash of the game's name, the claim and every signature: equal graphs have equal ones."""
        body = b"".join(slot.root + slot.digest for slot in self.slots)
        points = b"".join(point.serialize() for point in (self.claim.root, self.claim.gate, self.claim.prize))
        return tagged_hash("bedroll/dispute/graph", self.terms.game, points, body)

    @cached_property
    def by_txid(self) -> Mapping[bytes, str]:
        """Names of the pre-signed transactions."""
        return {step.txid: name for name, step in self.planned.items()}

    def game_point(self, number: int) -> OutPoint:
        """Output that move `number` spends."""
        return self.planned[self.terms.moves[number - 1].name].transaction.out_point(0) if number else self.claim.root

    def game_value(self, number: int) -> TxOut:
        """Value and script of output `number`."""
        return TxOut(Satoshi(self.terms.bond_sat), self.outputs[number].script)

    def number_of(self, move: Move) -> int:
        """Place of a move in the game."""
        return self.terms.moves.index(move)


def _move(terms: Terms, outputs: tuple[GameOutput, ...], number: int, previous: OutPoint) -> Planned:
    bond = Satoshi(terms.bond_sat)
    transaction = Transaction(
        (TxIn(previous, sequence=SEQUENCE_PLAIN),), (TxOut(bond, outputs[number + 1].script), ANCHOR), VERSION
    )
    spent = (TxOut(bond, outputs[number].script),)
    return Planned(terms.moves[number].name, transaction, spent, (outputs[number],))


def _close(
    terms: Terms, number: int, output: GameOutput, at: OutPoint, claim: Claim, gate: GameOutput
) -> Planned:  # fmt: skip
    ins = (TxIn(at, sequence=terms.clock.delta_blocks), TxIn(claim.gate, sequence=SEQUENCE_PLAIN))
    paid = TxOut(Satoshi(terms.bond_sat + GATE_SAT), terms.prover_script)
    spent = (TxOut(Satoshi(terms.bond_sat), output.script), TxOut(GATE_SAT, gate.script))
    return Planned(close_name(number), Transaction(ins, (paid, ANCHOR), VERSION), spent, (output, gate))


def _burn(terms: Terms, claim: Claim, gate: GameOutput) -> Planned:
    ins = (TxIn(claim.gate, sequence=terms.burn_blocks), TxIn(claim.prize, sequence=SEQUENCE_PLAIN))
    paid = TxOut(Satoshi(GATE_SAT + claim.prize_output.value), terms.challenger_script)
    spent = (TxOut(GATE_SAT, gate.script), claim.prize_output)
    return Planned(BURN, Transaction(ins, (paid, ANCHOR), VERSION), spent, (gate, None))


def _leaf_slot(cache: SighashCache, step: Planned, name: str) -> Slot:
    output = step.outputs[0]
    assert output is not None
    return Slot(step.name, 0, name, b"", taproot_sighash(cache, 0, leaf_hash=output.hash_of(name)))


def _key_slots(step: Planned) -> list[Slot]:
    cache = SighashCache(step.transaction, step.spent)
    return [
        Slot(step.name, index, None, output.taproot.tree.root if output and output.taproot.tree else b"",
             taproot_sighash(cache, index))
        for index, output in enumerate(step.outputs)
    ]  # fmt: skip
