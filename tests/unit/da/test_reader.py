"""The reader gives every block of the best chain once and in order, whatever the node does under way."""

import asyncio

import pytest

from bedroll.bitcoin.header import Header
from bedroll.da.reader import Connect, Disconnect, Reader
from bedroll.primitives import L1Height, Reorg, Unavailable


class Follower:
    """A consumer that keeps the hashes it was given."""

    def __init__(self, client, height, block, **options):
        self.first = height
        self.hashes = [block]
        self.reader = Reader(client, height, block, self.known, **options)
        self.disconnects = []

    def known(self, height):
        return self.hashes[height - self.first] if height >= self.first else None

    def take(self, event):
        if isinstance(event, Disconnect):
            del self.hashes[event.height - self.first + 1 :]
            self.disconnects.append(event.height)
            return
        assert isinstance(event, Connect)
        assert event.height == self.first + len(self.hashes)
        assert Header.parse(event.raw[:80]).previous == self.hashes[-1]
        assert Header.parse(event.raw[:80]).hash == event.hash
        self.hashes.append(event.hash)

    async def catch_up(self):
        async for event in self.reader.caught_up():
            self.take(event)


async def follower_at(chain, height, **options):
    return Follower(chain.client, L1Height(height), await chain.client.block_hash(L1Height(height)), **options)


async def test_blocks_come_once_and_in_order(embedded_chain):
    chain = embedded_chain
    follower = await follower_at(chain, 100)
    await follower.catch_up()
    tip = await chain.client.tip()
    assert (len(follower.hashes), follower.hashes[-1]) == (tip.height - 100 + 1, tip.hash)
    await follower.catch_up()
    assert follower.hashes[-1] == tip.hash


@pytest.mark.parametrize("depth", [1, 2, 7])
async def test_a_reorganisation_goes_back_to_the_fork_and_forward_again(embedded_chain, depth):
    chain = embedded_chain
    follower = await follower_at(chain, 100)
    await follower.catch_up()
    fork = (await chain.client.tip()).height - depth
    await chain.reorg(depth)
    await follower.catch_up()
    assert follower.disconnects == [fork]
    assert follower.hashes[-1] == (await chain.client.tip()).hash


async def test_a_branch_of_equal_work_that_does_not_win_is_no_event(embedded_chain):
    chain = embedded_chain
    follower = await follower_at(chain, 100)
    await follower.catch_up()
    before = list(follower.hashes)
    await chain.reorg(2, extra=0)
    await follower.catch_up()
    assert follower.hashes == before
    assert follower.disconnects == []


async def test_a_fork_below_what_the_consumer_keeps_is_said(embedded_chain):
    chain = embedded_chain
    tip = await chain.client.tip()
    follower = Follower(chain.client, tip.height, tip.hash)
    await chain.reorg(3)
    with pytest.raises(Reorg) as caught:
        await follower.catch_up()
    assert caught.value.height == tip.height - 1


async def test_a_reorganisation_while_blocks_are_fetched_ahead_skips_nothing(embedded_chain):
    chain = embedded_chain
    follower = await follower_at(chain, 100, prefetch=4)
    seen = 0
    async for event in follower.reader.caught_up():
        follower.take(event)
        seen += 1
        if seen == 10:
            await chain.reorg(15)
    assert follower.hashes[-1] == (await chain.client.tip()).hash


class Flaky:
    """A client whose n-th fetch of a block fails."""

    def __init__(self, client, fail_at):
        self.client = client
        self.left = fail_at
        self.running = 0
        self.most = 0

    def __getattr__(self, name):
        return getattr(self.client, name)

    async def block(self, block):
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            self.left -= 1
            if self.left == 0:
                raise Unavailable("no answer", call="block")
            return await self.client.block(block)
        finally:
            self.running -= 1


@pytest.mark.parametrize("fail_at", [1, 3, 9])
async def test_after_an_outage_reading_goes_on_where_it_was(embedded_chain, fail_at):
    flaky = Flaky(embedded_chain.client, fail_at)
    start = L1Height(100)
    follower = Follower(flaky, start, await embedded_chain.client.block_hash(start))
    with pytest.raises(Unavailable):
        await follower.catch_up()
    await follower.catch_up()
    assert follower.hashes[-1] == (await embedded_chain.client.tip()).hash
    assert flaky.most <= 4


async def test_the_endless_reader_waits_for_the_next_block(embedded_chain):
    chain = embedded_chain
    follower = await follower_at(chain, (await chain.client.tip()).height)
    events = follower.reader.events(wait_seconds=30)
    waiting = asyncio.ensure_future(anext(events))
    mined = await chain.mine(1)
    event = await waiting
    assert isinstance(event, Connect)
    assert event.hash == mined[0]
    await events.aclose()
