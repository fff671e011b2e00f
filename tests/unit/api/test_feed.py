"""The feed: news encoded once however many listen, the loop shared with others, listeners who pay for their share."""

import asyncio

import pytest

import bedroll.api.feed as feed_module
from bedroll.api import Limits, Service
from bedroll.api.feed import Feed
from bedroll.api.log_method import parse_filter
from bedroll.api.news import log_news
from bedroll.api.record import record_of
from bedroll.api.subscription import Subscriber
from tests.unit.api.test_method import data_of, deploy, pay


class Listener:
    """A connection that counts what it is told."""

    def __init__(self, client, limit=10_000):
        self.told = []
        self.dropped = False
        self.subscriber = Subscriber(self.told.append, self.drop, limit, client)

    def drop(self):
        self.dropped = True


async def running(chain, **limits):
    service = Service(chain, Limits(**limits))
    feed = Feed(service)
    feed.start()
    while not chain.readers:
        await asyncio.sleep(0)
    return service, feed


async def until(condition):
    """Let the feed work until something is so."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


async def stop(service, feed):
    await feed.stop()
    service.worker.close()


async def test_a_head_is_encoded_once_for_all(chain, monkeypatch):
    made = []
    real = feed_module.head_news

    def counting(record):
        telling = real(record)

        def tell(wanted, full):
            made.append(1)
            return telling(wanted, full)

        return tell

    monkeypatch.setattr(feed_module, "head_news", counting)
    service, feed = await running(chain)
    listeners = [Listener("a") for _ in range(20)]
    for listener in listeners:
        for _ in range(10):
            listener.subscriber.subscribe(["newHeads"])
        feed.add(listener.subscriber)
    chain.seal()
    await until(lambda: all(len(listener.told) == 10 for listener in listeners))
    assert len(made) == 1
    assert len({message for listener in listeners for message in listener.told}) == 200
    await stop(service, feed)


async def test_others_have_the_loop_while_many_are_told(chain, monkeypatch):
    monkeypatch.setattr(feed_module, "_SLICE_SECONDS", 0.0)
    service, feed = await running(chain, budget_units=0)
    listener = Listener("a")
    for _ in range(2_000):
        listener.subscriber.subscribe(["newHeads"])
    feed.add(listener.subscriber)
    chain.seal()
    turns, seen = 0, set()
    async with asyncio.timeout(20):
        while len(listener.told) < 2_000:
            await asyncio.sleep(0)
            turns += 1
            seen.add(len(listener.told))
    assert turns >= 30
    assert len(seen) >= 30
    await stop(service, feed)


async def test_who_wants_more_than_his_budget_is_dropped_and_others_are_not(chain):
    service, feed = await running(chain, budget_units=100, budget_burst_seconds=1.0)
    greedy, modest = Listener("203.0.113.1"), Listener("203.0.113.2")
    for _ in range(5_000):
        greedy.subscriber.subscribe(["newHeads"])
    modest.subscriber.subscribe(["newHeads"])
    for listener in (greedy, modest):
        feed.add(listener.subscriber)
    for number in range(1, 4):
        chain.seal()
        await until(lambda number=number: len(modest.told) == number)
    assert greedy.dropped
    assert not modest.dropped
    await stop(service, feed)


async def test_a_devnet_s_listeners_have_no_budget(chain):
    service, feed = await running(chain, budget_units=0)
    greedy = Listener("127.0.0.1")
    for _ in range(5_000):
        greedy.subscriber.subscribe(["newHeads"])
    feed.add(greedy.subscriber)
    chain.seal()
    await until(lambda: len(greedy.told) == 5_000)
    assert not greedy.dropped
    await stop(service, feed)


@pytest.fixture
async def logged(rpc, chain, token):
    """A block with two logs of a token and a plain payment, and the token's address."""
    contract = (await deploy(rpc, chain, token))["contractAddress"]
    to, data = bytes.fromhex(contract[2:]), bytes.fromhex(data_of("transfer(address,uint256)", 5, 1)[2:])
    raws = [
        pay(chain, nonce=1, to=to, data=data, value=0),
        pay(chain, nonce=2),
        pay(chain, nonce=3, to=to, data=data, value=0),
    ]
    chain.seal(*(bytes.fromhex(raw[2:]) for raw in raws))
    return record_of(chain.engine.block(chain.engine.tip().number)), contract


async def test_logs_are_told_by_filter_and_each_is_encoded_once(logged):
    record, contract = logged
    news = log_news(record, removed=False)
    everything = news(None, False)
    assert len(everything) == 2
    by_address = news(parse_filter({"address": contract}), False)
    assert [a is b for a, b in zip(everything, by_address, strict=True)] == [True, True]
    assert news(parse_filter({"address": "0x" + "99" * 20}), False) == []
    topic = "0x" + record.receipts[0].logs[0].topics[0].hex()
    assert news(parse_filter({"topics": [topic]}), False) == everything
    assert news(parse_filter({"topics": ["0x" + "77" * 32]}), False) == []


async def test_logs_of_a_block_that_left_come_newest_first_and_say_so(logged):
    record, _ = logged
    forward, backward = (log_news(record, removed=removed)(None, False) for removed in (False, True))
    assert [b'"removed":true' in each for each in backward] == [True, True]
    restored = [each.replace(b'"removed":true', b'"removed":false') for each in reversed(backward)]
    assert restored == forward
