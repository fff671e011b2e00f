"""Shows that timestamps and origins keep protocol.md 4.2 whatever the leader's clock says, and what is due when."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bedroll.derivation.batch_decoder import time_bounds
from bedroll.derivation.head import Head
from bedroll.primitives import FeeRate, L1Height
from bedroll.protocol import MAINNET, REGTEST
from bedroll.sequencer.policy import BatchPolicy, Unposted, batch_due, commitment_due, room_bytes
from bedroll.sequencer.schedule import NoSlot, Slot, newest_origin, next_origin, seconds_ahead, slot

HEAD = Head(height=5, hash=bytes(32), timestamp=1_000, origin_height=100, second_blocks=1, origin_blocks=1)
NOTHING = Unposted(blocks=0, transactions=0, size_bytes=0, oldest_seconds=0.0, origins=0)


@given(
    st.integers(0, 2**40), st.integers(0, 2**40), st.integers(-(2**40), 2**41), st.integers(1, 30),
    st.sampled_from([MAINNET, REGTEST]),
)  # fmt: skip
def test_any_clock_gives_a_valid_timestamp(parent, median, now, second_blocks, network):
    head = replace_head(timestamp=parent, second_blocks=second_blocks)
    found = slot(network.parameters, head, step=True, median_time=median, now_seconds=now)
    assert isinstance(found, Slot)
    bounds = time_bounds(network.parameters, parent, median)
    assert found.timestamp >= bounds.lowest
    assert bounds.highest is None or found.timestamp <= bounds.highest
    crowded = found.timestamp == parent and second_blocks >= network.parameters.second_blocks_max
    assert not crowded or found.timestamp == bounds.highest


def test_the_eleventh_block_of_a_second_takes_the_next_one():
    full = replace_head(second_blocks=10)
    assert slot(REGTEST.parameters, full, step=False, median_time=0, now_seconds=1_000) == Slot(1_001, False)
    assert slot(REGTEST.parameters, HEAD, step=False, median_time=0, now_seconds=1_000) == Slot(1_000, False)
    assert seconds_ahead(full, REGTEST.parameters, 1_000.0) == 1.0
    assert seconds_ahead(HEAD, REGTEST.parameters, 1_000.5) <= 0
    assert seconds_ahead(HEAD, REGTEST.parameters, 0.0) <= 0, "it is ahead already, and another moves nothing"


def test_an_origin_without_blocks_left_makes_no_block_but_a_new_origin_does():
    spent = replace_head(origin_blocks=3_600)
    refused = slot(REGTEST.parameters, spent, step=False, median_time=0, now_seconds=2_000)
    assert isinstance(refused, NoSlot)
    assert "waiting for an L1 block" in refused.reason
    assert isinstance(slot(REGTEST.parameters, spent, step=True, median_time=0, now_seconds=2_000), Slot)


def test_the_first_block_waits_for_the_first_origin():
    genesis = replace_head(height=0)
    assert isinstance(slot(REGTEST.parameters, genesis, step=False, median_time=0, now_seconds=0), NoSlot)


def test_origins_stay_one_deeper_than_a_batch_in_the_next_block_needs():
    depth = REGTEST.parameters.finality_depth
    tip = L1Height(110)
    assert newest_origin(REGTEST.parameters, tip) == tip - depth
    allowed_one_block_lower = tip - depth
    assert newest_origin(REGTEST.parameters, tip) <= allowed_one_block_lower
    assert next_origin(REGTEST.parameters, HEAD, L1Height(102)) is None
    assert next_origin(REGTEST.parameters, HEAD, L1Height(103)) == 101
    assert next_origin(REGTEST.parameters, HEAD, tip) == 101


def test_a_batch_is_due_by_age_size_count_or_silence():
    policy = BatchPolicy(age_seconds=60, size_bytes=1_000, fee_rate_high=50_000, age_high_seconds=600)

    def due(unposted, rate=1_000, l1_tip=100, silent_since=99):
        return batch_due(
            policy, REGTEST.parameters, unposted,
            rate=FeeRate(rate), l1_tip=L1Height(l1_tip), silent_since=L1Height(silent_since),
        )  # fmt: skip

    some = replace(NOTHING, blocks=3, transactions=1, size_bytes=10, oldest_seconds=1.0)
    assert due(NOTHING) is None
    assert due(some) is None
    assert due(replace(some, oldest_seconds=60.0)).startswith("age")
    assert due(replace(some, oldest_seconds=60.0), rate=60_000) is None
    assert due(replace(some, oldest_seconds=600.0), rate=60_000).startswith("age")
    assert due(replace(some, size_bytes=1_000)).startswith("size")
    assert due(replace(some, blocks=5_000)).startswith("blocks")
    assert due(replace(NOTHING, blocks=1), silent_since=96).startswith("silence")
    assert due(replace(NOTHING, blocks=1, oldest_seconds=99.0)) is None
    assert due(replace(NOTHING, blocks=1, oldest_seconds=99.0, origins=1)).startswith("age")


def test_a_commitment_is_due_once_an_l1_block_where_something_is_uncommitted():
    policy = BatchPolicy()

    def due(**given):
        known = {"uncommitted_blocks": 1, "l1_tip": L1Height(5), "last_l1": L1Height(4), "in_flight": False}
        return commitment_due(policy, **{**known, **given})

    assert due()
    assert due(last_l1=None)
    assert not due(uncommitted_blocks=0)
    assert not due(last_l1=L1Height(5))
    assert not due(in_flight=True)
    assert not commitment_due(
        BatchPolicy(commitments=False), uncommitted_blocks=1, l1_tip=L1Height(5), last_l1=None, in_flight=False
    )


def test_room_shrinks_to_nothing_as_silence_goes_on():
    window = REGTEST.parameters.auto_block_window
    rooms = [
        room_bytes(REGTEST.parameters, l1_tip=L1Height(100 + passed), silent_since=L1Height(100))
        for passed in range(window + 3)
    ]
    assert rooms[0] == window * 1_000_000
    assert rooms == sorted(rooms, reverse=True)
    assert rooms[window:] == [0, 0, 0]


def replace_head(**fields) -> Head:
    import msgspec

    return msgspec.structs.replace(HEAD, **fields)
