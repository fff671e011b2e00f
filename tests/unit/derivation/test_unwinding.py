"""At any phase, a reorganisation of any kept depth leaves what a node has that never saw the old branch."""

import pytest

from bedroll.derivation import HistoryForgotten, Pipeline
from bedroll.primitives import Reorg
from tests.framework.plain_chain import PlainExecutor
from tests.framework.plain_rollup import OTHER, PlainRollup

PHASES = [
    "batch_seen",
    "committed",
    "series_begun",
    "held",
    "muted",
    "rotation_waits",
    "forced_waits",
    "forced_done",
    "silence_broken",
]


def history(upto):
    """A chain that passes through every phase, up to the one named; each takes a few L1 blocks."""
    rollup = PlainRollup()
    rollup.quiet(4)
    rollup.stage(rollup.honest(blocks=2).encode())
    rollup.mine()
    if upto == "batch_seen":
        return rollup
    rollup.stage(rollup.commitment(rollup.private[-1], b"\x01" * 32, 2).encode())
    rollup.mine()
    if upto == "committed":
        return rollup
    chunks = rollup.chunks(rollup.honest(steps=1).encode(), 3)
    for chunk in chunks[:2]:
        rollup.stage(chunk)
    rollup.mine()
    if upto == "series_begun":
        return rollup
    first, second, third = (rollup.honest(steps=0) for _ in range(3))
    rollup.stage(second.encode())
    rollup.stage(third.encode())
    rollup.mine()
    if upto == "held":
        return rollup
    rollup.stage(first.encode())
    rollup.mine()
    rollup.stage(rollup.lying().encode())
    rollup.mine()
    if upto == "muted":
        return rollup
    rollup.stage(rollup.rotate(1, OTHER).encode())
    rollup.mine()
    if upto == "rotation_waits":
        return rollup
    for _ in range(5):
        rollup.stage(rollup.forced().encode(), fee=1_000)
    rollup.quiet(2)
    if upto == "forced_waits":
        return rollup
    steps = rollup.next_height - 2 - rollup.private[-1].origin_height
    rollup.stage(rollup.honest(key=OTHER, blocks=steps, steps=steps).encode())
    rollup.mine()
    if upto == "forced_done":
        return rollup
    rollup.quiet(8)
    return rollup


def rebuilt(rollup):
    """A pipeline that saw nothing but the present chain."""
    pipeline = Pipeline(rollup.genesis, rollup.chain.anchor_times, PlainExecutor(rollup.first_block))
    for raw in rollup.chain.blocks:
        pipeline.advance(raw)
    return pipeline


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("depth", range(1, 11))
def test_a_reorganisation_at_any_phase_and_depth_forgets_the_old_branch(phase, depth):
    rollup = history(phase)
    depth = min(depth, len(rollup.history))
    old = rollup.chain.blocks[-depth:]
    before = rollup.pipeline.checkpoint()
    rollup.reorganise(depth)
    assert rollup.pipeline.checkpoint() == rebuilt(rollup).checkpoint() if rollup.history else True
    for raw in old:
        rollup.pipeline.advance(raw)
    assert rollup.pipeline.checkpoint() == before
    rollup.pipeline.unwind(rollup.chain.height)
    rollup.stage(rollup.honest().encode())
    rollup.quiet(depth + 1)
    assert rollup.pipeline.checkpoint() == rebuilt(rollup).checkpoint()
    rollup.compare()


@pytest.mark.parametrize("phase", PHASES)
def test_a_restart_at_any_phase_changes_nothing(phase):
    rollup = history(phase)
    before = rollup.pipeline.checkpoint()
    rollup.restart()
    assert rollup.pipeline.checkpoint() == before
    rollup.reorganise(3)
    assert rollup.pipeline.checkpoint() == rebuilt(rollup).checkpoint()
    rollup.quiet(12)
    assert rollup.pipeline.checkpoint() == rebuilt(rollup).checkpoint()
    rollup.compare()


def test_equal_work_tips_that_flip_fifty_times_leave_no_trace():
    rollup = history("held")
    left = [rollup.chain.mine(), rollup.chain.mine()]
    rollup.chain.fork(rollup.chain.height - 2)
    right = [rollup.chain.mine(), rollup.chain.mine()]
    fork = rollup.pipeline.height
    for raw in left:
        rollup.pipeline.advance(raw)
    before = rollup.pipeline.checkpoint()
    kept = len(rollup.pipeline._table)
    for _ in range(50):
        for branch in (right, left):
            rollup.pipeline.unwind(fork)
            for raw in branch:
                rollup.pipeline.advance(raw)
    assert rollup.pipeline.checkpoint() == before
    assert len(rollup.pipeline._table) == kept


def test_a_branch_with_the_same_reveals_in_other_order_applies_each_once():
    rollup = PlainRollup()
    rollup.quiet(4)
    batches = [rollup.honest(steps=number == 0).encode() for number in range(3)]
    for raw in batches:
        rollup.stage(raw)
    rollup.mine()
    tip = rollup.pipeline.safe.hash
    rollup.reorganise(1)
    for raw in (batches[2], batches[0]):
        rollup.stage(raw)
    rollup.mine()
    assert rollup.pipeline.safe.height == 1
    rollup.stage(batches[1])
    rollup.mine()
    assert rollup.pipeline.safe.hash == tip


def test_a_restart_whose_executor_lost_blocks_goes_on_from_an_older_checkpoint():
    rollup = history("silence_broken")
    before = rollup.pipeline.checkpoint()
    lost = PlainExecutor(rollup.first_block)
    lost.blocks = rollup.executor.blocks[:3]
    again = rollup.new_pipeline(lost)
    assert again.restore(rollup.checkpoints, rollup.objects.__getitem__)
    assert again.safe.height == 2
    for raw in rollup.chain.blocks[again.height - rollup.chain.anchor_height :]:
        again.advance(raw)
    assert again.checkpoint() == before


def test_a_restart_with_an_empty_executor_begins_at_the_anchor():
    rollup = history("held")
    other = rollup.new_pipeline(PlainExecutor(rollup.first_block))
    late = [point for point in rollup.checkpoints if point.height > 205]
    assert not other.restore(late, rollup.objects.__getitem__)
    assert other.height == rollup.chain.anchor_height


def test_a_reorganisation_deeper_than_what_is_kept_is_said():
    rollup = PlainRollup()
    rollup.quiet(30)
    assert rollup.pipeline.keep_blocks == 10
    assert rollup.pipeline.hash_at(rollup.chain.height - 11) is None
    with pytest.raises(HistoryForgotten) as caught:
        rollup.pipeline.unwind(rollup.chain.height - 11)
    assert caught.value.oldest == rollup.chain.height - 10
    rollup.reorganise(10)
    rollup.quiet(12)
    rollup.compare()


def test_a_block_that_does_not_follow_is_a_reorganisation():
    rollup = PlainRollup()
    rollup.quiet(3)
    rollup.chain.fork(201)
    stray = rollup.chain.mine()
    with pytest.raises(Reorg) as caught:
        rollup.pipeline.advance(stray)
    assert caught.value.height == 202


def test_what_is_kept_does_not_grow_with_the_chain():
    rollup = PlainRollup()
    rollup.quiet(400)
    assert rollup.pipeline.needed_from() >= rollup.chain.height - 10 - 144 - 10
    assert len(rollup.pipeline._head._kept) == 11
    assert rollup.executor.forgotten > 0
    assert len(rollup.pipeline.checkpoint().state) < 2_000
