"""Relay policy and policy script flags, as Bitcoin Core judges them.

Reads: a transaction and the outputs it spends.  Gives: Bitcoin Core's reason, or none.
Never: says that a transaction is valid; consensus is the kernel's.  Spec: docs/spec/bitcoin.md#client

`btclib` ports Bitcoin Core's `policy.cpp` and its script interpreter with every flag and error code; it is not
used where a block is judged.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

from btclib import policy
from btclib.exceptions import BTClibException, ScriptError
from btclib.script import ScriptPubKey
from btclib.script.engine import ScriptFlag, sig_op_cost, verify_transaction
from btclib.tx import Tx as PolicyTx
from btclib.tx import TxOut as PolicyTxOut

from ..script import ANCHOR_SCRIPT, Kind, classify
from ..transaction import MONEY_MAX, Transaction, TxOut

POLICY_FLAGS: Final = reduce(operator.or_, ScriptFlag)
"""Every flag: a mempool enforces all of them, a block only those of consensus."""


@dataclass(frozen=True)
class Judged:
    """A transaction in the form that the policy code reads."""

    transaction: Transaction
    form: PolicyTx

    @staticmethod
    def of(transaction: Transaction) -> "Judged":
        """Convert."""
        return Judged(transaction, PolicyTx.parse(transaction.raw, check_validity=False))

    def find_form_fault(self) -> str:
        """What is wrong with it by itself; empty if nothing."""
        transaction = self.transaction
        if 4 * len(transaction.stripped) > 4_000_000:
            return "bad-txns-oversize"
        if transaction.output_value > MONEY_MAX:
            return "bad-txns-txouttotal-toolarge"
        if len({each.previous for each in transaction.inputs}) < len(transaction.inputs):
            return "bad-txns-inputs-duplicate"
        if transaction.is_coinbase:
            return "coinbase" if 2 <= len(transaction.inputs[0].script_sig) <= 100 else "bad-cb-length"
        if any(each.previous.txid == bytes(32) and each.previous.index == 0xFFFFFFFF for each in transaction.inputs):
            return "bad-txns-prevout-null"
        try:
            policy.assert_standard_tx(self.form)
        except BTClibException as fault:
            return str(fault)
        if len(transaction.stripped) < policy.MIN_STANDARD_TX_NONWITNESS_SIZE:
            return "tx-size-small"
        return ""

    def dust(self) -> list[int]:
        """Which outputs are worth less than spending them costs."""
        return list(policy.dust_outputs(self.form))

    def find_input_fault(self, spent: Sequence[TxOut]) -> str:
        """What is wrong with how it spends, before any script runs; empty if nothing."""
        outputs = _convert(spent)
        if not policy.are_inputs_standard(outputs, self.form):
            return "bad-txns-nonstandard-inputs"
        if self.transaction.has_witness and not policy.is_witness_standard(outputs, self.form):
            return "bad-witness-nonstandard"
        return ""

    def sigop_cost(self, spent: Sequence[TxOut]) -> int:
        """Signature checks as a block counts them."""
        return int(sig_op_cost(_convert(spent), self.form, POLICY_FLAGS))

    def runs_no_script(self, spent: Sequence[TxOut]) -> bool:
        """Whether all inputs are taproot key paths (no annex: `find_input_fault` refuses it) or anchors."""
        return all(
            (len(each.witness) == 1 and classify(output.script) is Kind.TAPROOT)
            or (not each.witness and output.script == ANCHOR_SCRIPT)
            for each, output in zip(self.transaction.inputs, spent, strict=True)
        )

    def find_script_fault(self, spent: Sequence[TxOut]) -> str:
        """Bitcoin Core's text for the script error under policy flags; empty if all scripts pass."""
        try:
            verify_transaction(_convert(spent), self.form, POLICY_FLAGS)
        except ScriptError as fault:
            return fault.code.description
        return ""


def _convert(spent: Sequence[TxOut]) -> list[PolicyTxOut]:
    return [PolicyTxOut(each.value, ScriptPubKey(each.script, "regtest")) for each in spent]
