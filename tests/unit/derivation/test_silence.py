"""Silence, automatic blocks, and the bound of forced inclusion (protocol.md 5.3)."""

import random

import pytest

from bedroll.derivation.record import AutomaticBlocks, ForcedDone, ForcedEnqueued
from bedroll.protocol import REGTEST
from tests.framework.plain_rollup import OTHER, PlainRollup

P = REGTEST.parameters
BOUND = P.proof_ttl + P.finality_depth + P.max_origin_lag + P.auto_block_window


def automatic(rollup):
    return [record for record in rollup.records if isinstance(record, AutomaticBlocks)]


def test_automatic_blocks_come_exactly_w_blocks_after_the_anchor_and_every_step_after():
    rollup = PlainRollup()
    rollup.quiet(14)
    anchor = rollup.chain.anchor_height
    assert [record.height - anchor for record in automatic(rollup)] == [8, 10, 12, 14]
    assert [record.silent_since for record in automatic(rollup)] == [anchor] * 4


def test_each_origin_up_to_depth_gets_one_block_where_nothing_waits():
    rollup = PlainRollup()
    rollup.quiet(8)
    assert [block.origin_height for block in rollup.executor.blocks[1:]] == [201, 202, 203, 204, 205, 206]
    assert all(block.automatic for block in rollup.executor.blocks[1:])


def test_automatic_blocks_take_the_lowest_timestamp():
    rollup = PlainRollup()
    rollup.quiet(8)
    medians = [rollup.pipeline.origin(height).median_time for height in range(201, 207)]
    assert [block.timestamp for block in rollup.executor.blocks[1:]] == medians


def test_an_origin_gets_up_to_four_automatic_blocks_while_messages_wait():
    rollup = PlainRollup()
    for _ in range(40):
        rollup.stage(rollup.forced().encode(), fee=1_000)
    rollup.quiet(8)
    origins = [block.origin_height for block in rollup.executor.blocks[1:]]
    assert origins == [201] * 4 + [202] * 3 + [203, 204, 205, 206]
    assert sum(len(block.forced) for block in rollup.executor.blocks) == 40


def test_a_current_batch_ends_silence_and_automatic_blocks_do_not():
    rollup = PlainRollup()
    rollup.quiet(9)
    rollup.stage(rollup.honest(blocks=3, steps=3).encode())
    rollup.mine()
    assert rollup.pipeline.silent_since == rollup.chain.height
    assert len(automatic(rollup)) == 1
    rollup.quiet(7)
    assert len(automatic(rollup)) == 1
    rollup.quiet(1)
    assert len(automatic(rollup)) == 2


def test_a_leader_may_build_upon_automatic_blocks_before_they_come():
    rollup = PlainRollup()
    ahead = PlainRollup()
    rollup.quiet(7)
    ahead.quiet(8)
    rollup.private = list(ahead.executor.blocks)
    batch = rollup.honest(steps=0)
    rollup.stage(batch.encode())
    rollup.chain.nonce = ahead.chain.nonce
    ahead.chain.fork(ahead.chain.height - 1)
    step = rollup.mine()
    assert step.safe.height == len(rollup.executor.blocks) - 1
    assert step.safe.hash == batch.header.tip_l2_hash


@pytest.mark.parametrize("seed", range(8))
def test_forced_inclusion_is_at_most_v_c_l_w_blocks_away_whatever_the_leader_does(seed):
    print("seed", seed)
    chance = random.Random(seed)
    rollup = PlainRollup()
    rollup.quiet(3)
    for _ in range(90):
        if chance.random() < 0.3:
            rollup.stage(rollup.forced().encode(), fee=1_000)
        act = chance.random()
        tip = rollup.private[-1]
        lazy = rollup.next_height - P.finality_depth - P.max_origin_lag
        if act < 0.35 and lazy > tip.origin_height:
            steps = lazy - tip.origin_height
            rollup.stage(rollup.honest(blocks=steps, steps=steps, youngest=lazy).encode())
        elif act < 0.45:
            rollup.stage(rollup.lying().encode())
        elif act < 0.55:
            rollup.stage(rollup.honest(key=OTHER).encode())
            rollup.private = list(rollup.executor.blocks)
        rollup.mine()
    enqueued = {record.id: record.place.height for record in rollup.records if isinstance(record, ForcedEnqueued)}
    done = {record.id: record.height for record in rollup.records if isinstance(record, ForcedDone)}
    late = {id: height for id, height in enqueued.items() if height <= rollup.chain.height - BOUND and id not in done}
    assert BOUND == 30
    assert not late
    assert max(done[id] - enqueued[id] for id in done) <= BOUND
    assert len(done) > 10


def test_the_worst_leader_is_outwaited_within_the_bound():
    """He posts current batches with the oldest origins allowed, and falls silent just before the message's turn."""
    rollup = PlainRollup()
    rollup.quiet(6)
    enqueued = rollup.next_height
    rollup.stage(rollup.forced().encode(), fee=1_000)
    while rollup.next_height < enqueued + P.finality_depth + P.max_origin_lag:
        lazy = rollup.next_height - P.finality_depth - P.max_origin_lag
        assert lazy == rollup.private[-1].origin_height + 1
        rollup.stage(rollup.honest(youngest=lazy).encode())
        rollup.mine()
        assert rollup.pipeline.silent_since == rollup.chain.height
    while not any(isinstance(record, ForcedDone) for record in rollup.records):
        rollup.mine()
    waited = rollup.chain.height - enqueued
    assert waited == P.finality_depth + P.max_origin_lag + P.auto_block_window - 1
    assert waited <= BOUND
