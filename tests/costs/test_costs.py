"""The committed prices are what the code costs now, and within their limits."""

import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.costs.contract import CONTRACT_KINDS, contract_cost
from tests.costs.price import commitment_vb, signed_price
from tests.costs.verifier import verifier_costs

COSTS = tomllib.loads((Path(__file__).parent / "costs.toml").read_text())


def test_a_commitment_costs_what_is_committed():
    assert commitment_vb() == COSTS["commitment_vb"] <= 340


def test_a_signed_transfer_costs_what_is_committed():
    price = signed_price("w1")
    assert price.transfer_bytes == COSTS["signed"]["w1"]["transfer_bytes"] <= 80
    assert price.unsigned_bytes == COSTS["signed"]["w1"]["unsigned_bytes"] <= 7


@pytest.mark.parametrize("kind", CONTRACT_KINDS)
def test_a_use_of_a_contract_costs_what_is_committed(kind):
    assert asdict(contract_cost(kind)) == COSTS["contract"][kind]


def test_the_verifier_takes_the_steps_that_are_committed():
    found = verifier_costs()
    assert found == COSTS["verifier"]
    assert found["steps"] <= 34_000_000
