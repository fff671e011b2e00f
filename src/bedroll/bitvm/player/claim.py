"""A claim that stands alone: bond, gate and prize from the prover's own coins. A bridge has its own, with more outputs.

Reads: coins.  Gives: the claim's transaction.  Never: sends it before both sides hold every signature.
Spec: docs/spec/dispute.md#terms
"""

from collections.abc import Sequence

from bedroll.bitcoin.builder import Input, add_change, build_transaction, sign_transaction
from bedroll.bitcoin.transaction import Transaction, TxOut
from bedroll.primitives import FeeRate, Satoshi

from ..game.book import KeyedBook
from ..graph import GATE_SAT, Terms, gate_output, root_output


def build_claim(
    terms: Terms, leaves: KeyedBook, inputs: Sequence[Input], change: bytes, rate: FeeRate, prize: Satoshi = GATE_SAT
) -> Transaction:
    """A signed claim: outputs 0 to 2 are root, gate and prize.

    Raises:
        InsufficientValue: The coins do not suffice.
    """
    gate = gate_output(terms).script
    outputs = [
        TxOut(Satoshi(terms.bond_sat), root_output(terms, leaves).script), TxOut(GATE_SAT, gate), TxOut(prize, gate),
    ]  # fmt: skip
    complete, _ = add_change(inputs, outputs, change, rate)
    return sign_transaction(build_transaction(inputs, complete), inputs)
