"""Batches without signatures: judged at their proofs, held from them on, and what a proof must say and pay.

The proof system is a stand-in here (`PlainVerifier`): what is tested is which proofs are looked at, and what of. The
real one is tested with real proofs in tests/unit/crypto/test_proof.py.
"""

from dataclasses import replace

import pytest

from bedroll.da import ProofSystem, StatementKind
from bedroll.derivation.record import BatchAccepted, ChainEnded, ProvenAdvanced
from bedroll.derivation.verdict import Accepted, Pending, Rejected
from bedroll.protocol import MAINNET, REGTEST
from tests.framework.plain_rollup import OTHER, PlainRollup, shown

P = REGTEST.parameters
REQUIRED = replace(REGTEST, parameters=replace(P, proofs_required=True))
PATIENT = replace(REGTEST, parameters=replace(P, auto_block_window=100))
"""Silence stays away: it would move the tip."""
NARROW = replace(REGTEST, parameters=replace(P, proofs_max=2))


@pytest.fixture
def rollup():
    made = PlainRollup(PATIENT)
    made.quiet(4)
    yield made
    made.compare()


def post_body(rollup, **shape):
    batch, said = rollup.proven(**shape)
    rollup.stage(batch.encode())
    private = rollup.private
    rollup.mine()
    rollup.private = private
    assert isinstance(rollup.verdict(), Pending)
    return batch, said


def prove(rollup, said, *, fee=None, proof=None):
    """Post a proof alone in a block; its verdict."""
    rollup.post_proof(proof or shown(said), fee)
    rollup.mine()
    return rollup.verdict()


def records(rollup, kind):
    return [record for record in rollup.records if isinstance(record, kind)]


def test_a_body_alone_changes_nothing_and_its_proof_makes_it_the_tip(rollup):
    batch, said = post_body(rollup, blocks=2, steps=2)
    assert rollup.pipeline.safe.height == 0
    rollup.quiet(1)
    assert prove(rollup, said) == Accepted(1, 2)
    assert rollup.pipeline.safe.hash == batch.header.tip_l2_hash == rollup.pipeline.proven.hash
    accepted = records(rollup, BatchAccepted)[-1]
    assert accepted.proof is not None
    assert accepted.height == rollup.chain.height == rollup.pipeline.silent_since
    assert accepted.place.height == rollup.chain.height - 2
    assert [record.l2_height for record in records(rollup, ProvenAdvanced)] == [2]


def test_a_body_and_its_proof_in_one_block_count_in_their_order(rollup):
    batch, said = rollup.proven()
    rollup.stage(batch.encode())
    rollup.post_proof(shown(said))
    rollup.mine()
    assert rollup.verdict(0) == rollup.verdict(1) == Accepted(1, 1)


def test_a_proof_before_its_body_is_ignored(rollup):
    batch, said = rollup.proven()
    rollup.post_proof(shown(said))
    rollup.stage(batch.encode())
    rollup.mine()
    assert rollup.verdict(0) == Rejected("it names no pending body")
    assert isinstance(rollup.verdict(1), Pending)
    assert prove(rollup, said) == Accepted(1, 1)


@pytest.mark.parametrize(("wait", "counts"), [(P.proof_ttl, True), (P.proof_ttl + 1, False)])
def test_a_proof_counts_up_to_v_blocks_after_its_body(wait, counts):
    rollup = PlainRollup(PATIENT)
    rollup.quiet(4)
    _, said = post_body(rollup)
    rollup.quiet(wait - 1)
    verdict = prove(rollup, said)
    assert (verdict == Accepted(1, 1)) == counts
    rollup.compare()


def test_a_pending_body_reserves_nothing(rollup):
    _, said = post_body(rollup)
    rollup.private = list(rollup.executor.blocks)
    rollup.stage(rollup.honest().encode())
    rollup.mine()
    assert rollup.verdict() == Accepted(1, 1)
    assert prove(rollup, said) == Rejected("it names no pending body")


def test_a_proof_pays_or_is_not_looked_at(rollup):
    _, said = post_body(rollup)
    assert prove(rollup, said, fee=P.proof_fee - 1) == Rejected("it pays 19999 sat, a proof 20000")
    assert rollup.verifier.asked == 0
    assert prove(rollup, said, fee=P.proof_fee) == Accepted(1, 1)


def test_a_transaction_pays_for_its_first_fee_bearing_object_alone(rollup):
    _, said = post_body(rollup)
    rollup.stage(rollup.forced().encode(), shown(said).encode(), fee=P.proof_fee)
    rollup.mine()
    assert isinstance(rollup.verdict(0, 1), Rejected)
    rollup.stage(shown(said).encode(), rollup.forced().encode(), fee=P.proof_fee)
    rollup.mine()
    assert rollup.verdict(0, 0) == Accepted(1, 1)
    assert isinstance(rollup.verdict(0, 1), Rejected)


def test_only_so_many_proofs_of_a_block_are_looked_at():
    rollup = PlainRollup(NARROW)
    rollup.quiet(4)
    _, said = post_body(rollup)
    false = replace(shown(said), proof=bytes(356))
    unpaid = rollup.post_proof(false, fee=0)
    stray = rollup.post_proof(shown(said[:34] + bytes(32) + said[66:]))
    for _ in range(3):
        rollup.post_proof(false)
    rollup.post_proof(shown(said))
    idle = rollup.pipeline._proven.state.idle
    rollup.mine()
    assert rollup.verifier.asked == 2
    assert isinstance(rollup.verdict(unpaid), Rejected)
    assert isinstance(rollup.verdict(stray), Rejected)
    assert rollup.verdict(4) == rollup.verdict(5) == Rejected("2 proofs were looked at in this block")
    assert rollup.pipeline._proven.state.idle == idle, "a block that is full does not count towards X"
    assert prove(rollup, said) == Accepted(1, 1)
    rollup.compare()


FIELDS = {
    "version": b"\x02",
    "network": b"\x01",
    "rules": bytes(32),
    "header_id": bytes(32),
    "parent": bytes(32),
    "facts": bytes(32),
    "l1": bytes(32),
    "verdict": b"\x05",
    "tip": bytes(32),
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_true_proof_of_something_else_does_not_count_and_its_body_waits_on(rollup, field):
    parent = rollup.private[-1]
    batch, said = post_body(rollup)
    other = rollup.statement(batch, parent, **{field: FIELDS[field]})
    assert isinstance(prove(rollup, other), Rejected)
    assert rollup.pipeline.safe.height == 0
    assert prove(rollup, said) == Accepted(1, 1)


def test_a_false_proof_does_not_count_and_its_body_waits_on(rollup):
    _, said = post_body(rollup)
    assert prove(rollup, said, proof=replace(shown(said), proof=b"\x01" * 356)) == Rejected(
        "it does not show what it says"
    )
    assert prove(rollup, said, proof=replace(shown(said), public_values=said[:-1])) != Accepted(1, 1)
    assert prove(rollup, said) == Accepted(1, 1)


def test_an_omitted_forced_message_is_another_statement(rollup):
    """The L1 digest names every message of the origins: a proof that leaves one out is about other L1 blocks."""
    rollup.stage(rollup.forced().encode(), fee=1_000)
    rollup.mine()
    rollup.quiet(2)
    parent = rollup.private[-1]
    steps = rollup.next_height - P.finality_depth - parent.origin_height
    batch, said = rollup.proven(blocks=steps, steps=steps)
    rollup.stage(batch.encode())
    rollup.mine()
    rollup.history[4].transactions, kept = [], rollup.history[4].transactions
    without = rollup.statement(batch, parent)
    rollup.history[4].transactions = kept
    assert without != said
    assert prove(rollup, without) == Rejected("it is about other L1 blocks")
    assert prove(rollup, said) == Accepted(1, steps)


def test_mainnet_takes_no_compressed_proofs_and_regtest_does():
    assert MAINNET.parameters.proof_systems == (1,)
    rollup = PlainRollup(replace(REGTEST, parameters=replace(P, proof_systems=(1,))))
    rollup.quiet(4)
    _, said = post_body(rollup)
    compressed = shown(said, system=ProofSystem.COMPRESSED, size=5_000)
    assert prove(rollup, said, proof=compressed) == Rejected("this network takes no compressed proofs")
    rollup.compare()
    rollup = PlainRollup()
    rollup.quiet(4)
    _, said = post_body(rollup)
    for body in rollup.chunks(shown(said, system=ProofSystem.COMPRESSED, size=5_000).encode(), 3):
        rollup.stage(body, fee=P.proof_fee)
    rollup.mine()
    assert rollup.verdict(2) == Accepted(1, 1)
    rollup.compare()


def test_a_series_pays_in_the_transaction_that_completes_it(rollup):
    _, said = post_body(rollup)
    proof = shown(said, system=ProofSystem.COMPRESSED, size=3_000).encode()
    first, second = rollup.chunks(proof, 2)
    rollup.stage(first, fee=P.proof_fee)
    rollup.stage(second)
    rollup.mine()
    assert rollup.verdict(1) == Rejected("it pays 0 sat, a proof 20000")


def test_a_settlement_statement_proves_no_batch(rollup):
    _, said = post_body(rollup)
    settlement = shown(said, statement=StatementKind.SETTLEMENT)
    assert isinstance(prove(rollup, said, proof=settlement), Rejected)
    assert rollup.pipeline.safe.height == 0


def test_a_stranger_may_prove_but_not_post_a_body(rollup):
    batch, _ = rollup.proven(key=OTHER)
    rollup.stage(batch.encode(), fee=P.proof_fee)
    rollup.mine()
    assert isinstance(rollup.verdict(), Rejected)


def test_a_child_is_held_from_its_proof_on_and_judged_after_its_parent(rollup):
    _, first_said = post_body(rollup, blocks=2, steps=1)
    child, child_said = rollup.proven(blocks=2, steps=0)
    rollup.stage(child.encode())
    private = rollup.private
    rollup.mine()
    assert rollup.pipeline._selector.state.held == ()
    assert isinstance(prove(rollup, child_said), Pending)
    rollup.private = private
    assert len(rollup.pipeline._selector.state.held) == 1
    assert prove(rollup, child_said) == Rejected("a proof that says the same is held already")
    assert prove(rollup, first_said) == Accepted(1, 2)
    assert rollup.pipeline.safe.hash == child.header.tip_l2_hash == rollup.pipeline.proven.hash
    assert rollup.pipeline.silent_since == rollup.chain.height


def test_a_signed_child_of_a_pending_body_is_held_and_leaves_the_proven_head_behind(rollup):
    _, said = post_body(rollup, blocks=2, steps=2)
    child = rollup.honest(steps=0)
    rollup.stage(child.encode())
    private = rollup.private
    rollup.mine()
    assert isinstance(rollup.verdict(), Pending)
    rollup.private = private
    assert prove(rollup, said) == Accepted(1, 2)
    assert rollup.pipeline.safe.hash == child.header.tip_l2_hash
    assert rollup.pipeline.proven.height == 2


def test_a_held_proof_that_does_not_hold_upon_its_parent_ends_and_its_body_waits_on(rollup):
    parent_batch, parent_said = post_body(rollup)
    parent = rollup.private[-1]
    child, said = post_body(rollup, steps=0)
    false = rollup.statement(child, parent, facts=bytes(32))
    assert isinstance(prove(rollup, false), Pending)
    assert prove(rollup, parent_said) == Accepted(1, 1)
    assert [record.l2_height for record in records(rollup, ProvenAdvanced)] == [1]
    assert prove(rollup, said) == Accepted(2, 2)
    assert parent_batch.header.tip_l2_hash == parent.hash


def test_a_muted_key_may_still_be_proven_right(rollup):
    rollup.stage(rollup.lying().encode())
    rollup.mine()
    assert rollup.pipeline._selector.state.muted
    _, said = post_body(rollup)
    assert prove(rollup, said) == Accepted(1, 1)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_unwinding_takes_back_proofs_bodies_and_counts(rollup, depth):
    _, said = post_body(rollup)
    assert prove(rollup, said) == Accepted(1, 1)
    for _ in range(depth - 1):
        rollup.mine()
    rollup.reorganise(depth)
    assert rollup.pipeline.safe.height == rollup.pipeline.proven.height == 0
    rollup.restart()
    assert prove(rollup, said) == Accepted(1, 1)


def test_a_body_that_left_with_its_block_is_no_longer_named(rollup):
    _, said = post_body(rollup)
    rollup.reorganise(1)
    assert prove(rollup, said) == Rejected("it names no pending body")


def test_finality_waits_for_proofs_where_they_are_required():
    rollup = PlainRollup(REQUIRED)
    rollup.quiet(4)
    rollup.stage(rollup.honest(blocks=2, steps=2).encode())
    rollup.mine()
    rollup.quiet(3)
    assert (rollup.pipeline.safe.height, rollup.pipeline.finalized.height) == (2, 0)
    _, said = post_body(rollup)
    assert prove(rollup, said) == Accepted(3, 3)
    assert rollup.pipeline.proven.height == 0, "an unproven parent waits for the rest"
    rollup = PlainRollup(REQUIRED)
    rollup.quiet(4)
    _, said = post_body(rollup, blocks=2, steps=2)
    prove(rollup, said)
    assert (rollup.pipeline.proven.height, rollup.pipeline.finalized.height) == (2, 0)
    rollup.quiet(P.finality_depth)
    assert rollup.pipeline.finalized.height == 2
    rollup.compare()


def test_the_chain_ends_x_blocks_after_the_last_proof_and_never_where_none_is_required():
    rollup = PlainRollup(REQUIRED)
    rollup.quiet(4)
    _, said = post_body(rollup)
    prove(rollup, said)
    proven_at = rollup.chain.height
    rollup.quiet(P.exodus_window - 1)
    assert rollup.pipeline.ended is None
    before = rollup.pipeline.safe.height
    rollup.quiet(1)
    assert rollup.pipeline.ended == rollup.chain.height == proven_at + P.exodus_window
    assert [record.l2_height for record in records(rollup, ChainEnded)] == [1]
    assert rollup.pipeline.safe.height == before, "automatic blocks were due in this very block"
    rollup.stage(rollup.honest().encode())
    rollup.post_proof(shown(said))
    rollup.mine()
    reason = f"the chain ended at L1 block {rollup.pipeline.ended}"
    assert rollup.verdict(0) == rollup.verdict(1) == Rejected(reason)
    rollup.quiet(P.finality_depth)
    assert rollup.pipeline.finalized.height == 1
    rollup.compare()
    rollup.reorganise(P.finality_depth + 3)
    assert rollup.pipeline.ended is None
    free = PlainRollup()
    free.quiet(P.exodus_window + 5)
    assert free.pipeline.ended is None
