"""The settlement program in its machine states none of the lies that a prover may tell it, and odd blocks alike."""

import os
from pathlib import Path

import pytest

from tests.costs.guest import SETTLEMENT, executed
from tests.framework.settlement_lies import LIES, LyingProver, odd_site

pytestmark = pytest.mark.guest


@pytest.fixture(scope="module")
def executor():
    """The program that `make test-guest` builds."""
    return Path(os.environ["BEDROLL_EXECUTOR"])


@pytest.fixture(scope="module")
def prover(tmp_path_factory):
    return LyingProver(tmp_path_factory.mktemp("lying"))


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_not_stated(executor, prover, lie):
    _, code, values = executed(executor, prover.told(LIES[lie]), SETTLEMENT)
    assert (code, values) == (1, b"")


def test_odd_blocks_are_stated_as_the_node_derives_them(executor, prover, tmp_path):
    assert executed(executor, prover.given, SETTLEMENT)[1:] == (0, prover.statement)
    site = odd_site(tmp_path)
    for step in site.steps:
        assert executed(executor, step.input, SETTLEMENT)[1:] == (0, step.statement)
    site.close()
