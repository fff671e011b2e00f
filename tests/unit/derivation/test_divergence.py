"""A proof that holds contradicts what executing here gave: derivation stays where it was, and says so each time.

Either side may be the wrong one. The proof system is a stand-in; a real proof against a node that executes wrongly is
in tests/unit/node/test_contradicted_node.py.
"""

from dataclasses import replace

import pytest

from bedroll.da import BatchForm, StatementKind, object_id
from bedroll.derivation import Accepted, Diverged, Pending
from bedroll.derivation.record import L1Unwound
from bedroll.protocol import REGTEST
from tests.framework.plain_chain import BAD
from tests.framework.plain_rollup import PlainRollup, shown
from tests.unit.derivation.test_settlement_desk import flipped, leader, settlement, site

__all__ = ["leader", "site"]
P = REGTEST.parameters
REQUIRED = replace(REGTEST, parameters=replace(P, proofs_required=True))


@pytest.fixture(params=["another tip", "a transaction that cannot be"])
def lie(request):
    """What the posted batch is, beside what its proof says."""
    return request.param


def open_rollup(network=REGTEST):
    """Settlement has nothing but proofs to go by, so it is left out here."""
    rollup = PlainRollup(network)
    rollup.settles = False
    rollup.quiet(4)
    return rollup


def false_batch(rollup, lie, **shape):
    """A batch that does not execute as it says, with what a proof would say of it."""
    parent = rollup.private[-1]
    rows, made = rollup.grow(parent, **shape)
    if lie == "another tip":
        tip = bytes(32)
    else:
        rows[0][2].append(BAD)
        tip = made[-1].hash
    batch = rollup.batch(parent, rows, tip, form=BatchForm.PROVEN)
    return batch, rollup.statement(batch, parent)


def state_of(pipeline):
    return pipeline.checkpoint().state, pipeline.safe, pipeline.finalized, pipeline.proven


def refuse(rollup):
    """Mine what is staged: it is not taken in, and whoever tries again comes to the same."""
    pipeline, before = rollup.pipeline, state_of(rollup.pipeline)
    blocks = list(rollup.executor.blocks)
    with pytest.raises(Diverged) as caught:
        rollup.mine()
    with pytest.raises(Diverged):
        pipeline.advance(rollup.chain.blocks[-1])
    assert state_of(pipeline) == before
    assert rollup.executor.blocks == blocks
    return caught.value


def test_a_true_proof_of_blocks_that_cannot_be_stops_derivation_before_its_block(lie):
    rollup = open_rollup()
    batch, said = false_batch(rollup, lie)
    rollup.stage(batch.encode())
    rollup.mine()
    assert isinstance(rollup.verdict(), Pending)
    rollup.post_proof(shown(said))
    error = refuse(rollup)
    assert error.l1_height == rollup.chain.height == rollup.pipeline.height + 1
    assert error.object_id == object_id(shown(said).encode())
    assert error.stated == batch.header.tip_l2_hash
    assert error.reason


def test_what_came_before_it_in_the_same_block_is_undone(lie):
    rollup = open_rollup()
    first, first_said = rollup.proven()
    batch, said = false_batch(rollup, lie, steps=0)
    rollup.stage(first.encode())
    rollup.stage(batch.encode())
    rollup.mine()
    rollup.post_proof(shown(first_said))
    rollup.post_proof(shown(said))
    refuse(rollup)
    assert rollup.pipeline.safe.height == rollup.pipeline.proven.height == 0


def test_a_held_proof_contradicts_when_its_parent_comes(lie):
    rollup = open_rollup()
    first, first_said = rollup.proven()
    batch, said = false_batch(rollup, lie, steps=0)
    for each in (first, batch):
        rollup.stage(each.encode())
    private = rollup.private
    rollup.mine()
    rollup.private = private
    rollup.post_proof(shown(said))
    rollup.mine()
    assert isinstance(rollup.verdict(), Pending)
    rollup.post_proof(shown(first_said))
    refuse(rollup)
    assert rollup.pipeline.safe.height == 0


def test_no_block_beyond_the_last_proven_one_is_final_where_proofs_are_required(lie):
    rollup = open_rollup(REQUIRED)
    first, first_said = rollup.proven()
    rollup.stage(first.encode())
    rollup.post_proof(shown(first_said))
    rollup.mine()
    batch, said = false_batch(rollup, lie)
    rollup.stage(batch.encode())
    rollup.mine()
    rollup.quiet(P.finality_depth)
    rollup.post_proof(shown(said))
    refuse(rollup)
    assert rollup.pipeline.finalized.hash == rollup.pipeline.proven.hash == first.header.tip_l2_hash


def test_a_false_proof_of_such_a_batch_stops_nothing(lie):
    rollup = open_rollup()
    batch, said = false_batch(rollup, lie)
    rollup.stage(batch.encode())
    rollup.mine()
    rollup.post_proof(replace(shown(said), proof=bytes(356)))
    rollup.mine()
    rollup.compare()


def test_derivation_goes_on_where_bitcoin_drops_the_proof(lie):
    rollup = open_rollup()
    batch, said = false_batch(rollup, lie)
    rollup.stage(batch.encode())
    rollup.mine()
    rollup.post_proof(shown(said))
    refuse(rollup)
    rollup.chain.fork(rollup.chain.height - 1)
    rollup.history.pop()
    rollup.private = list(rollup.executor.blocks)
    rollup.stage(rollup.honest().encode())
    step = rollup.mine()
    assert rollup.verdict() == Accepted(1, 1)
    assert not any(isinstance(record, L1Unwound) for record in step.records), "nothing was taken in that would leave"
    rollup.compare()


TIPS = {"hash": 170, "height": 202, "a height beyond the tip": 209}


@pytest.mark.parametrize("place", TIPS.values(), ids=TIPS)
def test_a_settlement_proof_of_another_tip_stops_derivation(leader, site, place):
    said = flipped(site.said(leader.chain.height), place)
    before = state_of(site.pipeline)
    leader.post(settlement(said), fee=P.proof_fee)
    for _ in range(2):
        with pytest.raises(Diverged) as caught:
            site.follow()
        assert caught.value.stated == said[170:202]
    assert state_of(site.pipeline) == before


def test_a_settlement_proof_beyond_the_turns_of_its_block_is_not_looked_at(leader, site, monkeypatch):
    numbers = replace(REGTEST, parameters=replace(P, proofs_max=1))
    monkeypatch.setattr(site.pipeline._settlement, "_network", numbers)
    said = flipped(site.said(leader.chain.height), 170)
    leader.post(replace(settlement(said), proof=bytes(356)), settlement(said), fee=P.proof_fee)
    site.follow()
    assert site.verifier.asked == 1


def test_a_statement_of_another_kind_contradicts_nothing(leader, site):
    said = flipped(site.said(leader.chain.height), 170)
    leader.post(shown(said, statement=StatementKind.BATCH), fee=P.proof_fee)
    site.follow()
    assert site.verifier.asked == 0
