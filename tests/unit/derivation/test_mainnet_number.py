"""The same rules with mainnet's numbers: windows, and timestamps with an upper bound."""

import pytest

from bedroll.derivation import Accepted, Rejected
from bedroll.derivation.record import AutomaticBlocks, ForcedDone
from bedroll.protocol import MAINNET
from tests.framework.plain_chain import plain_child
from tests.framework.plain_rollup import PlainRollup

P = MAINNET.parameters
LEAD = 4 * 3_600


@pytest.fixture
def rollup():
    made = PlainRollup(MAINNET)
    made.quiet(8)
    return made


def post_blocks(rollup, stamps):
    """Blocks with these timestamps on the first origin, right in all else."""
    parent = tip = rollup.private[-1]
    rows, made = [], []
    for timestamp in stamps:
        step = tip.origin_height == parent.origin_height and not made
        origin_height = parent.origin_height + 1
        origin = (origin_height, rollup.chain.hash_at(origin_height), rollup.forced_of(origin_height))
        tip = plain_child(tip, timestamp, origin if step else None, False, [])
        rows.append((timestamp, step, []))
        made.append(tip)
    rollup.stage(rollup.batch(parent, rows, tip.hash).encode())
    rollup.mine()
    return rollup.verdict()


def test_silence_lasts_72_blocks_then_6(rollup):
    rollup.quiet(78)
    anchor = rollup.chain.anchor_height
    runs = [record.height - anchor for record in rollup.records if isinstance(record, AutomaticBlocks)]
    assert runs == [72, 78, 84]


def test_a_forced_message_is_done_within_234_blocks_of_silence(rollup):
    rollup.stage(rollup.forced().encode(), fee=1_000)
    rollup.mine()
    enqueued = rollup.chain.height
    rollup.quiet(90)
    (done,) = [record for record in rollup.records if isinstance(record, ForcedDone)]
    bound = P.proof_ttl + P.finality_depth + P.max_origin_lag + P.auto_block_window
    assert bound == 234
    assert done.height - enqueued <= P.auto_block_window + P.finality_depth + P.auto_block_step


def test_a_timestamp_may_lead_its_origins_median_by_four_hours_and_no_more(rollup):
    highest = rollup.pipeline.origin(201).median_time + LEAD
    reason = f"block 0: its timestamp {highest + 1} lies above {highest}"
    assert post_blocks(rollup, [highest + 1]) == Rejected(reason)
    rollup.quiet(P.finality_depth)
    assert isinstance(post_blocks(rollup, [highest]), Accepted)


def test_any_number_of_blocks_may_share_the_upper_bound(rollup):
    highest = rollup.pipeline.origin(201).median_time + LEAD
    assert isinstance(post_blocks(rollup, [highest] * 25), Accepted)


def test_ten_blocks_may_share_any_other_second(rollup):
    time = rollup.pipeline.origin(201).median_time + LEAD - 1
    assert post_blocks(rollup, [time] * 11) == Rejected(f"block 10: more than 10 blocks share second {time}")
    rollup.quiet(P.finality_depth)
    assert isinstance(post_blocks(rollup, [time] * 10), Accepted)


def test_an_origin_needs_six_blocks_above_it(rollup):
    parent = rollup.private[-1]
    youngest = rollup.next_height - 5
    blocks = youngest - parent.origin_height
    rows, made = rollup.grow(parent, blocks=blocks, steps=blocks, youngest=youngest)
    rollup.stage(rollup.batch(parent, rows, made[-1].hash).encode())
    rollup.mine()
    assert rollup.verdict() == Rejected(f"its last origin {youngest} is younger than {youngest - 1}")
