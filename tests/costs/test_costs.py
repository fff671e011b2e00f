"""The committed prices are what the code costs now, and within their limits."""

import re
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.costs.compared import compared
from tests.costs.contract import CONTRACT_KINDS, contract_cost
from tests.costs.price import commitment_vb, proven_price, signed_price
from tests.costs.verifier import verifier_costs
from tests.costs.witness import hour_witness

ROOT = Path(__file__).parents[2]
COSTS = tomllib.loads((Path(__file__).parent / "costs.toml").read_text())


def test_a_commitment_costs_what_is_committed():
    assert commitment_vb() == COSTS["commitment_vb"] <= 340


def test_a_signed_transfer_costs_what_is_committed():
    price = signed_price("w1")
    assert price.transfer_bytes == COSTS["signed"]["w1"]["transfer_bytes"] <= 80
    assert price.unsigned_bytes == COSTS["signed"]["w1"]["unsigned_bytes"] <= 7


LIMITS = {"w1": 7, "w2": 26, "w3": 12, "w4": 156}


def test_a_proven_transfer_costs_what_is_committed():
    assert asdict(proven_price("w1")) == COSTS["proven"]["w1"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", LIMITS)
def test_every_proven_workload_costs_what_is_committed(kind):
    assert asdict(proven_price(kind)) == COSTS["proven"][kind]
    assert compared(kind) == COSTS["compared"][kind]


@pytest.mark.parametrize("kind", LIMITS)
def test_the_proven_form_is_within_its_limits_and_below_all_it_is_compared_with(kind):
    price, others = COSTS["proven"][kind]["transfer_bytes"], COSTS["compared"][kind]
    assert price <= LIMITS[kind]
    assert price < min(others.values())
    assert price < COSTS["signed"][kind]["transfer_bytes"]


@pytest.mark.parametrize("kind", CONTRACT_KINDS)
def test_a_use_of_a_contract_costs_what_is_committed(kind):
    assert asdict(contract_cost(kind)) == COSTS["contract"][kind]


def test_the_verifier_takes_the_steps_that_are_committed():
    found = verifier_costs()
    assert found == COSTS["verifier"]
    assert found["steps"] <= 34_000_000


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_witness_of_an_hour_of_transfers_takes_what_is_committed():
    assert asdict(hour_witness()) == COSTS["witness"]


def test_the_witness_is_within_its_limits():
    assert COSTS["witness"]["other_bytes"] <= 700
    assert COSTS["witness"]["book_bytes"] <= 400


def test_the_proved_program_is_within_its_limits():
    guest = COSTS["guest"]
    assert max(guest["transfer_signed_cycles"], guest["transfer_proven_cycles"]) <= 150_000
    assert max(guest["token_signed_cycles"], guest["token_proven_cycles"]) <= 200_000


def test_the_flame_graph_is_of_the_program_that_is_counted():
    picture = (ROOT / "docs/design/guest-cycles.svg").read_text()
    cycles = int(re.search(r">([\d,]+) cycles by function", picture)[1].replace(",", ""))
    # `make guest-profile SVG=docs/design/guest-cycles.svg` draws it again.
    assert cycles / 1_000 == pytest.approx(COSTS["guest"]["transfer_proven_cycles"], rel=0.02)
