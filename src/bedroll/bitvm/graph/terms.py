"""What two parties agree on before a game's keys exist, and the outputs of the claim that the game hangs on.

Reads: values from both sides.  Gives: `Terms`, `Claim`, the game's name.  Never: holds a secret.
Spec: docs/spec/dispute.md#terms
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from bedroll.bitcoin.fee import dust_limit
from bedroll.bitcoin.script import Kind, classify
from bedroll.bitcoin.transaction import MONEY_MAX, OutPoint, Transaction, TxOut
from bedroll.crypto import tagged_hash
from bedroll.crypto.musig2 import KeyAggregate, sort_keys
from bedroll.encoding import Cursor, encode_bytes
from bedroll.primitives import Invalid, Satoshi

from ..search import Shape
from .clock import Clock
from .move import Move, Party, moves, windows_after_input

INSTANCE_BYTES: Final = 32
GATE_SAT: Final = Satoshi(330)
"""Value of the gate output y: the least of a taproot output that relays."""


@dataclass(frozen=True)
class Terms:
    """A game before its keys.

    Attributes:
        instance_id: 32 bytes; H_0 commits to them.
        program: SHA-256 of the ELF file.
        exponent: T.
        clock: Windows.
        prover_key: Compressed, 33 bytes.
        challenger_key: Compressed, 33 bytes.
        prover_script: Where Close pays to.
        challenger_script: Where Burn pays to.
        bond_sat: Value of the root output and of every game output.
    """

    instance_id: bytes
    program: bytes
    exponent: int
    clock: Clock
    prover_key: bytes
    challenger_key: bytes
    prover_script: bytes
    challenger_script: bytes
    bond_sat: int

    def __post_init__(self) -> None:
        for name, raw, size in (
            ("instance_id", self.instance_id, INSTANCE_BYTES), ("program", self.program, 32),
            ("prover_key", self.prover_key, 33), ("challenger_key", self.challenger_key, 33),
        ):  # fmt: skip
            if len(raw) != size:
                raise Invalid("a term has a wrong length", term=name, size=len(raw), limit=size)
        if self.prover_key == self.challenger_key:
            raise Invalid("a game has two parties", key=self.prover_key)
        for name, script in (("prover_script", self.prover_script), ("challenger_script", self.challenger_script)):
            if classify(script) is not Kind.TAPROOT:
                raise Invalid("a payout script is not taproot", term=name, script=script)
        if not dust_limit(self.prover_script) <= self.bond_sat <= MONEY_MAX:
            raise Invalid("no such bond", value=self.bond_sat, limit=MONEY_MAX)
        self.clock.burn_blocks(windows_after_input(self.shape))

    @cached_property
    def shape(self) -> Shape:
        """Of the search."""
        return Shape(self.exponent)

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """Of the game."""
        return moves(self.shape)

    @property
    def burn_blocks(self) -> int:
        """T_burn."""
        return self.clock.burn_blocks(windows_after_input(self.shape))

    def key(self, party: Party) -> bytes:
        """A party's key, compressed."""
        return self.prover_key if party is Party.PROVER else self.challenger_key

    def aggregate(self) -> KeyAggregate:
        """Both parties' key (BIP-0327), without tweaks."""
        return KeyAggregate(sort_keys([self.prover_key, self.challenger_key]))

    @cached_property
    def both(self) -> bytes:
        """The aggregate key, x only."""
        return self.aggregate().x_only

    @cached_property
    def game(self) -> bytes:
        """Name of the game, 32 bytes: a hash of every term."""
        return tagged_hash("bedroll/dispute/game", self.serialize())

    def serialize(self) -> bytes:
        """Every term, in order."""
        clock = self.clock
        numbers = (
            self.exponent, clock.delta_blocks, clock.answer_depth_blocks, clock.margin_blocks, clock.input_blocks,
            self.bond_sat,
        )  # fmt: skip
        parts = (self.prover_key, self.challenger_key, self.prover_script, self.challenger_script)
        return b"".join((
            self.instance_id, self.program, *(number.to_bytes(8, "little") for number in numbers),
            *(encode_bytes(part) for part in parts),
        ))  # fmt: skip

    @staticmethod
    def parse(raw: bytes) -> "Terms":
        """Terms as `serialize` writes them.

        Raises:
            Malformed: A byte is missing or too many.
            Invalid: They are impossible.
        """
        cursor = Cursor(raw)
        instance_id, program = cursor.take(INSTANCE_BYTES), cursor.take(32)
        exponent, clock = cursor.u64(), Clock(cursor.u64(), cursor.u64(), cursor.u64(), cursor.u64())
        bond = cursor.u64()
        prover, challenger, close_to, burn_to = (cursor.sized() for _ in range(4))
        cursor.finish()
        return Terms(instance_id, program, exponent, clock, prover, challenger, close_to, burn_to, bond)


@dataclass(frozen=True)
class Claim:
    """The outputs that a game hangs on.

    Attributes:
        root: The bond; Input spends it.
        gate: y; Close or Burn spends it.
        prize: What the claim is to free; Burn takes it.
        prize_output: Its value and script: both parties' key.
    """

    root: OutPoint
    gate: OutPoint
    prize: OutPoint
    prize_output: TxOut

    @staticmethod
    def of(transaction: Transaction, root: int = 0, gate: int = 1, prize: int = 2) -> "Claim":
        """Outputs of one transaction.

        Raises:
            Invalid: It has fewer outputs.
        """
        count = len(transaction.outputs)
        if max(root, gate, prize) >= count or len({root, gate, prize}) != 3:
            raise Invalid("claim has no such outputs", outputs=count, root=root, gate=gate, prize=prize)
        point = transaction.out_point
        return Claim(point(root), point(gate), point(prize), transaction.outputs[prize])
