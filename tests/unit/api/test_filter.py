"""Filters with an id: they collect what comes, tell of what left the chain, and are bounded in number, age and size."""

import asyncio

import pytest

from bedroll.api import Code, Limits, RpcError
from bedroll.api.filter import Filters
from bedroll.sdk import RpcFailure
from tests.unit.api.test_method import data_of, deploy, pay

NO_ID = "0x" + "77" * 16


async def changes(rpc, name, count):
    """Ask until so many came: events take a turn of the loop to arrive."""
    came = []
    async with asyncio.timeout(10):
        while len(came) < count:
            came += await rpc.call("eth_getFilterChanges", name)
    return came


async def test_blocks_and_waiting_transactions_are_collected(rpc, chain):
    blocks, waiting = await rpc.call("eth_newBlockFilter"), await rpc.call("eth_newPendingTransactionFilter")
    sent = await rpc.call("eth_sendRawTransaction", pay(chain))
    chain.seal()
    tip = await rpc.call("eth_blockNumber")
    expected = [(await rpc.call("eth_getBlockByNumber", height, False))["hash"] for height in ("0x2", tip)]
    assert await changes(rpc, blocks, 2) == expected
    assert await changes(rpc, waiting, 1) == [sent]
    assert await rpc.call("eth_getFilterChanges", blocks) == []
    assert await rpc.call("eth_uninstallFilter", blocks) is True
    assert await rpc.call("eth_uninstallFilter", blocks) is False


async def test_a_filter_may_collect_whole_transactions(rpc, chain):
    chain.manual = True
    waiting = await rpc.call("eth_newPendingTransactionFilter", True)
    sent = await rpc.call("eth_sendRawTransaction", pay(chain))
    (came,) = await changes(rpc, waiting, 1)
    assert came == await rpc.call("eth_getTransactionByHash", sent)
    assert came["blockHash"] is None


async def test_heights_of_a_range_count_for_what_comes(rpc, chain, token):
    contract = (await deploy(rpc, chain, token))["contractAddress"]
    tip = int(await rpc.call("eth_blockNumber"), 16)
    ranges = ((0, tip), (tip + 1, tip + 1), (tip + 2, None), (tip + 1, None))
    names = []
    for first, last in ranges:
        wanted = {"address": contract, "fromBlock": hex(first)} | ({} if last is None else {"toBlock": hex(last)})
        names.append(await rpc.call("eth_newFilter", wanted))
    sender = "0x" + chain.accounts[0].address.hex()
    call = {"from": sender, "to": contract, "data": data_of("transfer(address,uint256)", 5, 1)}
    for _ in range(2):
        await rpc.call("eth_sendTransaction", call)
    heights = [int(log["blockNumber"], 16) for log in await changes(rpc, names[3], 2)]
    assert heights == [tip + 1, tip + 2]
    told = [[int(log["blockNumber"], 16) for log in await rpc.call("eth_getFilterChanges", name)] for name in names]
    assert told == [[], [tip + 1], [tip + 2], []]


async def test_logs_come_and_come_again_as_removed(rpc, chain, token):
    contract = (await deploy(rpc, chain, token))["contractAddress"]
    wanted = {"address": contract, "fromBlock": "0x0"}
    name = await rpc.call("eth_newFilter", wanted)
    other = await rpc.call("eth_newFilter", {"address": "0x" + "99" * 20})
    sender = "0x" + chain.accounts[0].address.hex()
    data = data_of("transfer(address,uint256)", 5, 1)
    await rpc.call("eth_sendTransaction", {"from": sender, "to": contract, "data": data})
    (log,) = await changes(rpc, name, 1)
    assert (log["address"], log["removed"]) == (contract, False)
    assert await rpc.call("eth_getFilterLogs", name) == await rpc.call("eth_getLogs", wanted)
    chain.unwind(2)
    assert await changes(rpc, name, 1) == [log | {"removed": True}]
    assert await rpc.call("eth_getFilterChanges", other) == []


@pytest.mark.parametrize("method", ["eth_getFilterChanges", "eth_getFilterLogs"])
async def test_an_unknown_filter_is_told_as_geth_does(rpc, method):
    with pytest.raises(RpcFailure, match="filter not found") as caught:
        await rpc.call(method, NO_ID)
    assert caught.value.code == Code.SERVER


async def test_what_no_filter_can_answer_is_refused(rpc):
    blocks = await rpc.call("eth_newBlockFilter")
    for method, given in (
        ("eth_getFilterLogs", blocks),
        ("eth_getFilterChanges", "0x" * 34),
        ("eth_getFilterChanges", 1),
        ("eth_newFilter", {"blockHash": "0x" + "00" * 32}),
        ("eth_newFilter", {"fromBlock": "0x5", "toBlock": "0x4"}),
        ("eth_newPendingTransactionFilter", "yes"),
    ):
        with pytest.raises(RpcFailure) as caught:
            await rpc.call(method, given)
        assert caught.value.code == Code.INVALID_PARAMS


@pytest.mark.parametrize("name", ["0x1", "0xdead", "", "0x" + "11" * 16, "0x" + "11" * 32])
async def test_of_an_id_of_another_node_there_is_no_filter(rpc, name):
    for method in ("eth_getFilterChanges", "eth_getFilterLogs"):
        with pytest.raises(RpcFailure, match="filter not found") as caught:
            await rpc.call(method, name)
        assert caught.value.code == Code.SERVER
    assert await rpc.call("eth_uninstallFilter", name) is False


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_filter_that_nobody_asks_for_is_forgotten():
    clock = Clock()
    filters = Filters(Limits(filter_seconds=300), clock)
    idle, asked = filters.add("newHeads"), filters.add("newHeads")
    clock.now = 200
    filters.find(asked)
    clock.now = 301
    with pytest.raises(RpcError, match="filter not found"):
        filters.take(idle)
    assert filters.take(asked) == []


def test_filters_are_bounded_in_number():
    clock = Clock()
    filters = Filters(Limits(filters=2, filter_seconds=300), clock)
    filters.add("logs")
    filters.add("logs")
    with pytest.raises(RpcError, match="too many filters") as caught:
        filters.add("logs")
    assert caught.value.code == Code.LIMIT
    clock.now = 301
    filters.add("logs")
    assert len(filters) == 1


def test_where_memory_ends_the_longest_unasked_filter_is_forgotten():
    filters = Filters(Limits(filter_bytes=100), Clock())
    first, second = filters.add("newHeads"), filters.add("newHeads")
    filters.find(first)
    for _ in range(2):
        filters.tell("newHeads", lambda _wanted, _full: [b'"%b"' % (b"x" * 30)])
    with pytest.raises(RpcError, match="filter not found"):
        filters.take(second)
    assert len(filters.take(first)) == 2
    filters.tell("newHeads", lambda _wanted, _full: [b'"%b"' % (b"x" * 90)])
    assert len(filters.take(first)) == 1


def test_lost_events_end_all_filters():
    filters = Filters(Limits(), Clock())
    name = filters.add("newHeads")
    filters.clear()
    with pytest.raises(RpcError, match="filter not found"):
        filters.take(name)
