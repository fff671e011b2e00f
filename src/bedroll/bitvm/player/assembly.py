"""Transactions of a game with their witnesses: pre-signed ones, and those that the challenger signs alone.

Reads: a graph, stored signatures, one-time signatures.  Gives: transactions ready to send.
Never: chooses what to say.  Spec: docs/spec/dispute.md#transactions
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bedroll.bitcoin.builder import Input, LeafPath, build_transaction, estimate_weight, sign_transaction
from bedroll.bitcoin.fee import dust_limit, fee_of, vsize_of
from bedroll.bitcoin.transaction import Transaction, TxOut
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import FeeRate, Invalid, Satoshi

from ..game.book import Book
from ..graph import TIMEOUT, Graph, Planned, timeout_script
from ..leaf import Keys, Leaf
from ..winternitz import Signature


@dataclass(frozen=True)
class Sheet:
    """All that transactions of a game are put together from.

    Attributes:
        graph: Of the game.
        book: Its leaves.
        keys: One-time keys of both.
        signatures: Of both parties together, by transaction, input and leaf.
    """

    graph: Graph
    book: Book
    keys: Keys
    signatures: Mapping[tuple[str, int, str | None], bytes]

    @staticmethod
    def of(graph: Graph, book: Book, keys: Keys, signatures: list[bytes]) -> "Sheet":
        """From signatures in the order of the graph's slots."""
        named = {
            (slot.transaction, slot.input, slot.leaf): signature
            for slot, signature in zip(graph.slots, signatures, strict=True)
        }
        return Sheet(graph, book, keys, named)

    def move(self, number: int, leaf: Leaf, one_time: Mapping[str, Signature]) -> Transaction:
        """Move `number`, played by a leaf.

        Raises:
            Invalid: A one-time signature is missing.
        """
        step = self.graph.planned[self.graph.terms.moves[number].name]
        output = self.graph.outputs[number]
        signature = self.signatures[step.name, 0, leaf.name]
        witness = (*leaf.witness(one_time), signature, leaf.script(self.keys), output.control_block(leaf.name))
        return step.transaction.with_witness(0, witness)

    def by_key(self, name: str) -> Transaction:
        """A Close, or Burn."""
        step: Planned = self.graph.planned[name]
        transaction = step.transaction
        for index in range(len(transaction.inputs)):
            transaction = transaction.with_witness(index, (self.signatures[name, index, None],))
        return transaction

    def timeout(self, number: int, key: SecretKey, rate: FeeRate, least_sat: int = 0) -> Transaction:
        """The challenger takes output `number` from a silent prover; the bond pays the fee.

        Raises:
            Invalid: The bond does not pay the fee.
        """
        clock = self.graph.terms.clock
        blocks = clock.delta_blocks if number else clock.input_blocks
        script = timeout_script(blocks, self.graph.terms.challenger_key[1:])
        path = LeafPath(script, self.graph.outputs[number].control_block(TIMEOUT), key)
        return self._take(number, path, rate, least_sat, blocks)

    def fact(
        self, number: int, leaf: Leaf, one_time: Mapping[str, Signature], hints: Mapping[str, int] | None,
        key: SecretKey, rate: FeeRate, least_sat: int = 0,
    ) -> Transaction:  # fmt: skip
        """The challenger takes output `number` by a false fact; the bond pays the fee.

        Raises:
            Invalid: The bond does not pay the fee, or a signature or hint is missing.
        """
        items = leaf.witness(one_time, hints)
        control = self.graph.outputs[number].control_block(leaf.name)
        return self._take(number, LeafPath(leaf.script(self.keys), control, key, items), rate, least_sat, None)

    def _take(self, number: int, path: LeafPath, rate: FeeRate, least_sat: int, blocks: int | None) -> Transaction:
        graph = self.graph
        point, output = graph.game_point(number), graph.game_value(number)
        taken = Input(point, output, path) if blocks is None else Input(point, output, path, blocks)
        script = graph.terms.challenger_script
        fee = max(fee_of(vsize_of(estimate_weight([taken], [TxOut(Satoshi(0), script)])), rate), least_sat)
        left = Satoshi(output.value - fee)
        if left < dust_limit(script):
            raise Invalid("bond does not pay the fee", fee_sat=fee, bond_sat=output.value)
        return sign_transaction(build_transaction([taken], [TxOut(left, script)]), [taken])
