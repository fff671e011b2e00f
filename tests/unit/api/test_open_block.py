"""Between two blocks: what the leader has executed already is pending to everybody until its block is sealed."""

import asyncio

import pytest

from bedroll.sdk import checksum_address
from bedroll.sequencer.service import SequencerOption
from tests.framework.running_devnet import rpc_of, running_devnet, signed


@pytest.fixture
async def net(tmp_path):
    async with running_devnet(tmp_path, SequencerOption(block_time_seconds=60.0, stream_port=None)) as devnet:
        yield devnet


@pytest.fixture
async def rpc(net):
    async with rpc_of(net) as client:
        yield client


async def executed(net, count):
    """The open block holds so many."""
    async with asyncio.timeout(20):
        while len(net.node.sequencer.producer.opened) < count:
            await asyncio.sleep(0.01)


async def test_what_was_executed_is_pending_beside_what_waits(net, rpc):
    # One is executed, and one of another sender lies behind a gap.
    sent = await rpc.call("eth_sendRawTransaction", signed(net, 0, sender=0))
    await rpc.call("eth_sendRawTransaction", signed(net, 5, sender=1))
    await executed(net, 1)
    first, second = (checksum_address(net.accounts[number].address) for number in range(2))
    assert net.node.sequencer.intake.pool.count() == (0, 1)
    assert await rpc.call("txpool_status") == {"pending": "0x1", "queued": "0x1"}
    content = await rpc.call("txpool_content")
    assert {sender: list(rows) for sender, rows in content["pending"].items()} == {first: ["0"]}
    assert {sender: list(rows) for sender, rows in content["queued"].items()} == {second: ["5"]}
    one = content["pending"][first]["0"]
    assert (one["hash"], one["blockHash"], one["blockNumber"]) == (sent, None, None)
    assert list((await rpc.call("txpool_contentFrom", first))["pending"]) == ["0"]
    assert list((await rpc.call("txpool_inspect"))["pending"][first]) == ["0"]
    page = await rpc.call("txpool_content", {"count": 1})
    assert len(page["pending"]) + len(page["queued"]) == 1
    assert "bedrollNext" in page
    assert (await rpc.call("bedroll_status"))["mempool"]["pending"] == 1


async def test_the_pending_block_has_them_and_its_own_time(net, rpc):
    for nonce in range(3):
        await rpc.call("eth_sendRawTransaction", signed(net, nonce, sender=2))
    await executed(net, 3)
    block = await rpc.call("eth_getBlockByNumber", "pending", True)
    tip = await rpc.call("eth_getBlockByNumber", "latest", False)
    assert [each["nonce"] for each in block["transactions"]] == ["0x0", "0x1", "0x2"]
    assert (block["hash"], block["nonce"], block["miner"]) == (None, None, None)
    assert block["stateRoot"] == block["transactionsRoot"] == block["receiptsRoot"] == "0x" + "00" * 32
    assert block["parentHash"] == tip["hash"]
    # PUSH0 TIMESTAMP … : the time that a call in the open block sees is the one that is shown.
    code = {"0x" + "42" * 20: {"code": "0x425f5260205ff3"}}
    seen = await rpc.call("eth_call", {"to": "0x" + "42" * 20}, "pending", code)
    assert int(seen, 16) == int(block["timestamp"], 16)


async def test_when_the_block_is_sealed_nothing_is_pending(net, rpc):
    sent = await rpc.call("eth_sendRawTransaction", signed(net, 0, sender=0))
    await executed(net, 1)
    producer = net.node.sequencer.producer
    async with producer.gate:
        await producer._seal()
    assert await rpc.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}
    assert await rpc.call("txpool_content") == {"pending": {}, "queued": {}}
    assert (await rpc.call("eth_getTransactionReceipt", sent))["status"] == "0x1"
