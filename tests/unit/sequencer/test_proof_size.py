"""The longest batch within a limit of cycles: exact at the limit, few counts, nothing where one block is too long."""

import random

import pytest

from bedroll.sequencer.proof_size import CLOSE, longest_within


class Chain:
    """Blocks of known cycles; counts what is asked."""

    def __init__(self, cycles, fixed=0):
        self.cycles, self.fixed, self.asked = cycles, fixed, []

    async def count(self, last):
        self.asked.append(last)
        return self.of(last)

    def of(self, last):
        return self.fixed + sum(self.cycles[:last])


async def test_a_batch_of_exactly_the_limit_is_whole():
    chain = Chain([100] * 10)
    assert await longest_within(1, 10, 1_000, chain.count) == 10
    assert chain.asked == [10]


async def test_a_batch_of_one_cycle_more_is_cut():
    chain = Chain([100] * 10)
    assert await longest_within(1, 10, 999, chain.count) == 9


@pytest.mark.parametrize(("limit", "last"), [(100, 1), (99, None)])
async def test_a_block_alone_is_a_batch_up_to_the_limit(limit, last):
    chain = Chain([100] * 10)
    assert await longest_within(1, 10, limit, chain.count) == last
    assert await longest_within(1, 1, limit, chain.count) == last


async def test_any_blocks_are_cut_within_the_limit_and_not_far_below():
    source = random.Random(7)
    for _ in range(200):
        cycles = [source.randrange(1, 1_000) for _ in range(source.randrange(1, 200))]
        chain = Chain(cycles, fixed=source.randrange(2_000))
        limit = source.randrange(1, chain.of(len(cycles)) + 2_000)
        found = await longest_within(1, len(cycles), limit, chain.count)
        if found is None:
            assert chain.of(1) > limit
            continue
        assert chain.of(found) <= limit
        assert found == len(cycles) or chain.of(found + 1) > limit or chain.of(found) >= CLOSE * limit


async def test_ten_thousand_even_blocks_are_cut_by_three_counts():
    chain = Chain([60_000] * 10_000, fixed=600_000)
    found = await longest_within(1, 10_000, 60_000_000, chain.count)
    assert CLOSE * 60_000_000 <= chain.of(found) <= 60_000_000
    assert len(chain.asked) <= 3
