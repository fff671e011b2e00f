"""What a leader's postings cost on Bitcoin.

Reads: the wallet that paid.  Gives: `Spending`, `spending_of`.
Never: counts a payment that no block holds.  Spec: docs/spec/cli.md#demo
"""

from dataclasses import dataclass

from bedroll.bitcoin.wallet import State, Wallet


@dataclass(frozen=True, slots=True)
class Spending:
    """Sums over confirmed transactions of the leader."""

    transactions: int
    weight_wu: int
    size_vb: int
    fee_sat: int


def spending_of(wallet: Wallet) -> Spending:
    """Everything that carries an object: commits, reveals and the children that paid for them."""
    paid = [each for each in wallet.payments(state=State.MINED) if each.purpose.startswith("posting ")]
    return Spending(
        transactions=len(paid),
        weight_wu=sum(each.transaction.weight for each in paid),
        size_vb=sum(each.transaction.vsize for each in paid),
        fee_sat=sum(each.fee for each in paid),
    )
