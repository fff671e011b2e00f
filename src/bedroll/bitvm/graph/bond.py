"""What a seat costs at worst, and so the bonds: one formula.

Reads: virtual bytes.  Gives: bonds in satoshi.  Never: guesses: the bytes are those of `tests/costs/costs.toml`.
Spec: docs/spec/dispute.md#bonds
"""

from typing import Final

from bedroll.primitives import Satoshi

STRESS_RATE_SAT_VB: Final = 100
"""Fee rate that bonds must carry, satoshi for a virtual byte."""
CHILD_VB: Final = 154
"""A fee child: an anchor, one coin, change."""
PROVER_WORST_VB: Final = 133_000
"""All transactions of a prover in the worst game (second search, T = 26), rounded up."""
PROVER_WORST_MOVES: Final = 21
"""Of them, each with a child; Close included."""
CHALLENGER_WORST_VB: Final = 24_000
"""All transactions of a challenger in the worst game, rounded up."""
CHALLENGER_WORST_MOVES: Final = 19
"""Of them, those with a child; Burn included."""
REWARD_SAT: Final = Satoshi(1_000_000)
"""What is left to a challenger who wins."""


def worst_cost_sat(size_vb: int, children: int, rate_sat_vb: int = STRESS_RATE_SAT_VB) -> Satoshi:
    """Fees of transactions and their children."""
    return Satoshi((size_vb + children * CHILD_VB) * rate_sat_vb)


def challenge_bond_sat() -> Satoshi:
    """X: what a challenger pays the prover on joining; the prover's worst cost."""
    return worst_cost_sat(PROVER_WORST_VB, PROVER_WORST_MOVES)


def seat_bond_sat() -> Satoshi:
    """A seat's bond: X, the challenger's worst cost, and his reward."""
    return Satoshi(challenge_bond_sat() + worst_cost_sat(CHALLENGER_WORST_VB, CHALLENGER_WORST_MOVES) + REWARD_SAT)


SEAT_BOND_SAT: Final = seat_bond_sat()
