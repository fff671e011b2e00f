"""The committed prices of a dispute are what its transactions cost now, within their limits; bonds cover them."""

import tomllib
from pathlib import Path

from bedroll.bitvm.graph import bond
from tests.costs.dispute_price import facts_vb, moves_vb, price

COSTS = tomllib.loads((Path(__file__).parent / "costs.toml").read_text())["dispute"]


def test_a_dispute_costs_what_is_committed():
    assert price() == COSTS
    assert COSTS["no_read_vb"] <= 98_500
    assert COSTS["worst_vb"] <= 159_000


def test_every_transaction_relays_in_its_form():
    assert max(moves_vb().values()) == COSTS["largest_with_child_vb"] <= 10_000
    assert max(facts_vb().values()) <= 100_000


def test_the_bonds_cover_the_worst_game_at_the_stress_rate():
    assert COSTS["prover_worst_vb"] <= bond.PROVER_WORST_VB
    assert COSTS["challenger_worst_vb"] <= bond.CHALLENGER_WORST_VB
    assert (COSTS["prover_children"], COSTS["challenger_children"]) == (
        bond.PROVER_WORST_MOVES, bond.CHALLENGER_WORST_MOVES
    )  # fmt: skip
    assert bond.challenge_bond_sat() >= 100 * (COSTS["prover_worst_vb"] + 154 * COSTS["prover_children"])
    left = bond.seat_bond_sat() - bond.challenge_bond_sat()
    assert left >= 100 * (COSTS["challenger_worst_vb"] + 154 * COSTS["challenger_children"]) + bond.REWARD_SAT
    print(f"X {bond.challenge_bond_sat():,} sat, seat {bond.seat_bond_sat():,} sat")
