"""A devnet that makes blocks when asked: what comes by the core waits, is logged, executed once told, and counted."""

import json

import pytest

from bedroll.api import Server, ServerOptions, Service
from bedroll.sdk import RpcClient, RpcFailure
from bedroll.storage.record_log import RecordLog
from tests.framework.running_devnet import rpc_of, running_devnet, signed


@pytest.fixture
async def net(tmp_path):
    async with running_devnet(tmp_path) as devnet:
        yield devnet


@pytest.fixture
async def rpc(net):
    async with rpc_of(net) as client:
        yield client


async def test_transactions_wait_for_the_block_that_is_asked_for(net, rpc):
    assert await rpc.call("bedroll_makeBlock") is True
    before = int(await rpc.call("eth_blockNumber"), 16)
    sent = [await rpc.call("eth_sendRawTransaction", signed(net, nonce)) for nonce in range(5)]
    who = "0x" + net.accounts[0].address.hex()
    assert await rpc.call("eth_getTransactionCount", who, "pending") == "0x5"
    assert await rpc.call("eth_getTransactionReceipt", sent[0]) is None
    assert net.node.sequencer.intake.pool.count() == (5, 0)
    await rpc.call("bedroll_makeBlock")
    assert int(await rpc.call("eth_blockNumber"), 16) == before + 1
    receipt = await rpc.call("eth_getTransactionReceipt", sent[4])
    assert (receipt["status"], receipt["class"], receipt["transactionIndex"]) == ("0x1", "latest", "0x4")
    assert await rpc.call("eth_getTransactionCount", who, "latest") == "0x5"
    assert await rpc.call("eth_getBalance", "0x" + "99" * 20) == "0x5"
    with pytest.raises(RpcFailure, match=r"already known|nonce too low"):
        await rpc.call("eth_sendRawTransaction", signed(net, 4))


async def test_an_acknowledged_transaction_is_in_the_log(net, rpc, tmp_path):
    raws = [signed(net, nonce) for nonce in range(3)]
    for raw in raws:
        await rpc.call("eth_sendRawTransaction", raw)
    log = tmp_path / "copy.log"
    log.write_bytes((tmp_path / "sequencer" / "mempool.log").read_bytes())
    copy = RecordLog(log)
    assert copy.take_records() == [bytes.fromhex(raw[2:]) for raw in raws]
    copy.close()


async def test_a_log_that_cannot_be_written_takes_nothing(net, rpc, monkeypatch):
    intake = net.node.sequencer.intake

    def fail(_raws):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(intake._log, "append", fail)
        with pytest.raises(RpcFailure, match="log cannot be written"):
            await rpc.call("eth_sendRawTransaction", signed(net, 0))
    assert len(intake.pool) == 0
    assert await rpc.call("eth_sendRawTransaction", signed(net, 0))


async def test_a_throttled_sequencer_says_so(net, rpc):
    net.node.sequencer.intake.throttled = "nothing fits"
    with pytest.raises(RpcFailure, match="nothing fits"):
        await rpc.call("eth_sendRawTransaction", signed(net, 0))


async def test_what_the_core_answered_is_counted(net):
    server = Server(Service(net.node), ServerOptions(port=0))
    await server.start()
    async with RpcClient(server.url) as client:
        await client.call("eth_chainId")
        with pytest.raises(RpcFailure):
            await client.call("eth_sendRawTransaction", "0x02c0")
    status, _, text = server.page(b"/metrics")
    assert status == 200
    assert b'bedroll_api_calls_total{method="eth_chainId",result="answered"} 1.0' in text
    assert b'bedroll_api_calls_total{method="eth_sendRawTransaction",result="refused"} 1.0' in text
    assert json.loads(server.page(b"/healthz")[2])["role"] == "sequencer"
    await server.stop()
