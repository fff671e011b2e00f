"""Subscriptions: heads, logs with `removed` after a reorganisation, waiting transactions, progress."""

import asyncio

from aiohttp import ClientSession, WSMsgType

from bedroll.api.port import SyncStatus
from tests.unit.api.conftest import Socket
from tests.unit.api.test_method import data_of, deploy, pay


async def test_new_heads_are_told(socket, chain):
    name = (await socket.call("eth_subscribe", "newHeads"))["result"]
    chain.seal()
    told = await socket.next()
    assert told["subscription"] == name
    assert told["result"]["number"] == "0x2"
    assert (await socket.call("eth_unsubscribe", name))["result"] is True
    assert (await socket.call("eth_unsubscribe", name))["result"] is False
    chain.seal()
    assert (await socket.call("eth_blockNumber"))["result"] == "0x3"
    assert socket.told.empty()


async def test_logs_come_again_as_removed(socket, rpc, chain, token):
    contract = (await deploy(rpc, chain, token))["contractAddress"]
    await socket.call("eth_subscribe", "logs", {"address": contract})
    sender = "0x" + chain.accounts[0].address.hex()
    data = data_of("transfer(address,uint256)", 5, 1)
    await rpc.call("eth_sendTransaction", {"from": sender, "to": contract, "data": data})
    told = (await socket.next())["result"]
    assert (told["removed"], told["address"]) == (False, contract)
    chain.unwind(2)
    again = (await socket.next())["result"]
    assert again == told | {"removed": True}


async def test_logs_of_others_are_not_told(socket, rpc, chain, token):
    contract = (await deploy(rpc, chain, token))["contractAddress"]
    await socket.call("eth_subscribe", "logs", {"address": "0x" + "99" * 20})
    await socket.call("eth_subscribe", "newHeads")
    sender = "0x" + chain.accounts[0].address.hex()
    data = data_of("transfer(address,uint256)", 5, 1)
    await rpc.call("eth_sendTransaction", {"from": sender, "to": contract, "data": data})
    assert "stateRoot" in (await socket.next())["result"]


async def test_waiting_transactions_are_told_by_hash_or_whole(socket, rpc, chain):
    chain.manual = True
    await socket.call("eth_subscribe", "newPendingTransactions")
    await socket.call("eth_subscribe", "newPendingTransactions", True)
    sent = await rpc.call("eth_sendRawTransaction", pay(chain))
    told = [(await socket.next())["result"] for _ in range(2)]
    assert sent in told
    assert any(isinstance(one, dict) and one["hash"] == sent for one in told)


async def test_progress_is_told(socket, chain):
    await socket.call("eth_subscribe", "syncing")
    chain.change_sync(SyncStatus(1, 5, 9, 3))
    told = (await socket.next())["result"]
    assert told["syncing"] is True
    assert told["status"]["highestL1"] == "0x9"
    assert (await socket.call("eth_syncing"))["result"]["currentBlock"] == "0x3"
    chain.change_sync(None)
    assert (await socket.next())["result"] is False


async def test_unknown_kinds_and_too_many_are_refused(socket):
    assert (await socket.call("eth_subscribe", "newMoons"))["error"]["code"] == -32602
    assert (await socket.call("eth_subscribe"))["error"]["code"] == -32602
    assert (await socket.call("eth_subscribe", "logs", {"topics": [1]}))["error"]["code"] == -32602
    for _ in range(8):
        assert "result" in await socket.call("eth_subscribe", "newHeads")
    assert (await socket.call("eth_subscribe", "newHeads"))["error"]["code"] == -32005


async def test_http_has_no_subscriptions(rpc):
    answer = await rpc._post({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
    assert answer["error"]["code"] == -32601


async def test_whoever_missed_events_has_to_connect_anew(socket, server, chain):
    await socket.call("eth_subscribe", "newHeads")
    chain.lose_events()
    assert (await asyncio.wait_for(socket.connection.receive(), 10)).type in (WSMsgType.CLOSED, WSMsgType.ERROR)
    async with ClientSession() as session, session.ws_connect(server.url) as connection:
        again = Socket(connection, asyncio.Queue())
        await again.call("eth_subscribe", "newHeads")
        chain.seal()
        assert (await again.next())["result"]["number"] == "0x2"
