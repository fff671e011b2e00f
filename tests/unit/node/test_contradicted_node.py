"""A node that executes wrongly (P-04) meets a true proof: it stays at its last block, and says so wherever it is asked.

The fault is put into one node's executor: a posted block gets another second. First against the stored real proof,
then in whole nodes, where the proof system is a stand-in.
"""

import asyncio
from dataclasses import replace

import pytest

from bedroll.api.port import Condition
from bedroll.da import split
from bedroll.derivation import Diverged
from bedroll.node.executor import EngineExecutor
from bedroll.primitives import Unavailable
from tests.framework.devnet import open_rollup
from tests.framework.plain_rollup import shown
from tests.framework.site import Site
from tests.unit.node.test_stored_batch_proof import FEE, SHORT, TRUE, posted
from tests.unit.sequencer.test_proven_leader import begin, post_body, statement, use_stand_in

__all__ = ["posted"]


@pytest.fixture
def wrong(monkeypatch):
    """Makes an executor wrong from now on."""

    def make(executor):
        true = executor.block

        def block(order):
            return true(order if order.body is None else replace(order, timestamp=order.timestamp + 1))

        monkeypatch.setattr(executor, "block", block)

    return make


@pytest.mark.parametrize("proof", [TRUE, SHORT], ids=["compressed", "groth16"])
def test_a_real_proof_stops_a_node_that_comes_to_another_state(posted, tmp_path, wrong, proof):
    other = Site(tmp_path / "other", posted.leader.genesis, posted.leader.chain, verifier=posted.leader.verifier)
    other.follow()
    assert isinstance(other.executor, EngineExecutor)
    wrong(other.executor)
    before, tip = other.pipeline.checkpoint(), other.engine.tip().hash
    parts = split(proof.encode()) if proof is TRUE else [proof]
    posted.leader.post(*parts, fee=FEE)
    with pytest.raises(Diverged) as caught:
        other.follow()
    assert caught.value.stated == posted.batch.header.tip_l2_hash == posted.leader.pipeline.safe.hash
    assert (other.pipeline.checkpoint(), other.engine.tip().hash) == (before, tip)
    other.close()


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def contradicted(rollup):
    """Inscribe a body and have its true proof sent."""
    await begin(rollup)
    raw = await post_body(rollup)
    rollup.node.writer.put(
        shown(statement(rollup.node, raw)).encode(),
        "proof",
        fee_output_sat=rollup.node.network.parameters.proof_fee,
    )
    await rollup.node.writer.step()


async def test_a_node_keeps_its_last_state_serves_it_and_raises_the_alarm(embedded_chain, tmp_path, wrong, caplog):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await contradicted(rollup)
        node = await rollup.devnet.open_node(tmp_path / "other")
        use_stand_in(node)
        await node.deriver.catch_up()
        wrong(node.deriver._executor)
        before = node.heads()
        await rollup.mine()
        assert rollup.node.heads().safe.height > before.safe.height
        running = asyncio.create_task(node.run())
        await until(lambda: node.condition is Condition.DIVERGED)
        await rollup.mine(rollup.node.network.parameters.finality_depth)
        health = node.health()
        assert (health["condition"], health["healthy"]) == ("diverged", False)
        assert "a proof holds of a batch" in health["reason"]
        assert b"bedroll_derivation_divergences_total 1.0" in node.metrics_text()
        assert [each.levelname for each in caplog.records if "contradicts" in each.message] == ["ERROR"]
        assert node.heads() == before
        assert not running.done(), "it is asked still"
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await node.close()
        again = await rollup.devnet.open_node(tmp_path / "other")
        use_stand_in(again)
        wrong(again.deriver._executor)
        with pytest.raises(Diverged):
            await again.deriver.catch_up()
        assert again.heads() == before
        await again.close()


async def test_a_leader_who_is_contradicted_takes_nothing_more(embedded_chain, tmp_path, wrong):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await contradicted(rollup)
        wrong(rollup.node.deriver._executor)
        before = rollup.node.heads()
        with pytest.raises(Diverged):
            await rollup.mine()
        assert rollup.node.heads() == before
        with pytest.raises(Unavailable, match="a proof holds"):
            await rollup.send(rollup.transfer(0))
