"""No lie about an L1 block makes a settlement statement, and odd blocks settle as they are derived."""

import pytest

from bedroll._core._native import Settled, run_settlement
from bedroll.primitives import Invalid
from tests.framework.settlement_lies import LIES, LyingProver, odd_site


@pytest.fixture(scope="module")
def prover(tmp_path_factory):
    return LyingProver(tmp_path_factory.mktemp("lying"))


def test_the_truth_is_stated(prover):
    assert prover.told(lambda part: None) == prover.given
    assert run_settlement(prover.given, prover.proved, [])[0] == prover.statement


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_not(prover, lie):
    told = prover.told(LIES[lie])
    assert told != prover.given
    with pytest.raises(Invalid):
        run_settlement(told, prover.proved, [])


def test_blocks_with_odd_coinbases_settle_as_they_are_derived(tmp_path):
    site = odd_site(tmp_path)
    said = Settled.decode(site.steps[-1].statement)
    assert (said.l1_hash, said.tip) == (site.chain.tip, site.pipeline.safe.hash)
    assert said.height > 0
    assert site.engine.block(said.height).queue_enqueued > 0
    site.close()
