"""Commitments change nothing, and contradict a leader's other word only where they truly do."""

import pytest

from bedroll.derivation import Rejected
from bedroll.derivation.record import CommitmentSeen, EvidenceFound
from tests.framework.plain_rollup import OTHER, PlainRollup


@pytest.fixture
def rollup():
    made = PlainRollup()
    made.quiet(4)
    return made


def post(rollup, *objects):
    for each in objects:
        rollup.stage(each.encode())
    return rollup.mine()


def evidence(rollup):
    return [record for record in rollup.records if isinstance(record, EvidenceFound)]


def seen(rollup):
    return [record for record in rollup.records if isinstance(record, CommitmentSeen)]


def test_a_commitment_that_is_kept_is_no_evidence_and_changes_nothing(rollup):
    parent = rollup.private[0]
    batch = rollup.honest(blocks=3)
    tip = rollup.private[-1]
    post(rollup, rollup.commitment(parent, tip.hash, 3))
    assert rollup.pipeline.safe.height == 0
    post(rollup, batch)
    assert len(seen(rollup)) == 1
    assert evidence(rollup) == []


def test_two_commitments_for_one_place_are_evidence(rollup):
    parent = rollup.private[0]
    post(rollup, rollup.commitment(parent, b"\x01" * 32, 3), rollup.commitment(parent, b"\x02" * 32, 3))
    (found,) = evidence(rollup)
    assert (found.promised, found.other) == (b"\x01" * 32, b"\x02" * 32)


def test_commitments_of_different_length_are_no_evidence(rollup):
    parent = rollup.private[0]
    post(rollup, rollup.commitment(parent, b"\x01" * 32, 3), rollup.commitment(parent, b"\x02" * 32, 4))
    assert evidence(rollup) == []


def test_commitments_that_build_on_each_other_are_measured_from_one_root(rollup):
    rollup.honest(blocks=1)
    genesis, first = rollup.private
    post(rollup, rollup.commitment(genesis, first.hash, 1), rollup.commitment(first, b"\x02" * 32, 2))
    post(rollup, rollup.commitment(genesis, b"\x03" * 32, 3))
    (found,) = evidence(rollup)
    assert (found.promised, found.other) == (b"\x02" * 32, b"\x03" * 32)


def test_a_derived_batch_that_breaks_a_promise_is_evidence(rollup):
    post(rollup, rollup.commitment(rollup.private[0], b"\x01" * 32, 2))
    post(rollup, rollup.honest(blocks=4))
    (found,) = evidence(rollup)
    assert found.promised == b"\x01" * 32
    assert found.other == rollup.executor.blocks[2].hash


def test_a_promise_over_several_batches_is_held_against_the_last(rollup):
    post(rollup, rollup.commitment(rollup.private[0], b"\x01" * 32, 4))
    post(rollup, rollup.honest(blocks=2))
    assert evidence(rollup) == []
    post(rollup, rollup.honest(blocks=3, steps=0))
    assert len(evidence(rollup)) == 1


def test_a_promise_after_its_batch_is_held_against_it(rollup):
    genesis = rollup.private[0]
    post(rollup, rollup.honest(blocks=2))
    post(rollup, rollup.commitment(genesis, b"\x01" * 32, 2))
    assert len(evidence(rollup)) == 1


def test_automatic_blocks_are_no_evidence(rollup):
    post(rollup, rollup.commitment(rollup.private[0], b"\x01" * 32, 2))
    rollup.quiet(6)
    assert rollup.pipeline.safe.height > 2
    post(rollup, rollup.honest())
    assert evidence(rollup) == []


def test_a_batch_of_another_leader_is_no_evidence(rollup):
    post(rollup, rollup.commitment(rollup.private[0], b"\x01" * 32, 1), rollup.rotate(1, OTHER))
    rollup.quiet(1)
    post(rollup, rollup.honest(key=OTHER))
    assert rollup.pipeline.safe.height == 1
    assert evidence(rollup) == []


def test_an_invalid_batch_is_no_evidence(rollup):
    genesis = rollup.private[0]
    post(rollup, rollup.commitment(genesis, b"\x01" * 32, 1), rollup.lying())
    assert evidence(rollup) == []


def test_a_strangers_commitment_is_ignored(rollup):
    post(rollup, rollup.commitment(rollup.private[0], bytes(32), 1, key=OTHER))
    assert rollup.verdict() == Rejected("it is not signed by the leader of its L1 height")
    assert seen(rollup) == []


@pytest.mark.parametrize(("age", "taken"), [(1, True), (6, True), (7, False)])
def test_a_commitment_counts_within_six_blocks_of_its_anchor(rollup, age, taken):
    rollup.stage(rollup.honest().encode())
    rollup.quiet(6)
    anchor = rollup.chain.hash_at(rollup.next_height - age)
    post(rollup, rollup.commitment(rollup.private[-1], bytes(32), 1, anchor=anchor))
    assert bool(seen(rollup)) is taken


def test_a_commitment_to_an_unknown_anchor_is_void(rollup):
    post(rollup, rollup.commitment(rollup.private[0], bytes(32), 1, anchor=b"\x09" * 32))
    assert rollup.verdict() == Rejected("its anchor is none of the 6 L1 blocks before it")
