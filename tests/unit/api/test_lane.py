"""Connections that are lent to the core's lane and come back: the same answers in order, every bound, nothing lost."""

import asyncio
import json
import os
import time

import pytest

from bedroll.api import Limits, Server, ServerOptions, Service
from bedroll.api.lane import AFTER
from bedroll.storage.record_log import RecordLog
from tests.framework.running_devnet import running_devnet, signed

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
async def net(tmp_path):
    async with running_devnet(tmp_path) as devnet:
        await devnet.node.make_block()
        yield devnet


@pytest.fixture
async def serve(net):
    servers = []

    async def begin(**limits):
        server = Server(Service(net.node, Limits(**limits)), ServerOptions(port=0, devnet=True))
        await server.start()
        servers.append(server)
        return server

    yield begin
    for server in servers:
        await server.stop()


@pytest.fixture
async def dial(serve):
    talks = []

    async def begin(server):
        talks.append(Talk(server, *await asyncio.open_connection("127.0.0.1", server.port)))
        return talks[-1]

    yield begin
    for talk in talks:
        talk.writer.close()


def ask(method, *params, number=1, extra=b""):
    body = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()
    return HEAD + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


class Talk:
    """One connection."""

    def __init__(self, server, reader, writer):
        self.server, self.reader, self.writer = server, reader, writer

    async def hear(self):
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await asyncio.wait_for(self.reader.readexactly(length), 10)
        return head, json.loads(body)

    async def __call__(self, *asked, extra=b"", number=1):
        self.writer.write(ask(*asked, extra=extra, number=number))
        return (await self.hear())[1]

    async def lend(self):
        """Ask plain things until the lane has the connection."""
        for _ in range(AFTER):
            await self("eth_chainId")
        async with asyncio.timeout(10):
            while not self.is_lent:
                await asyncio.sleep(0)
        return self

    @property
    def connection(self):
        port = self.writer.get_extra_info("sockname")[1]
        found = [each for each in self.server._connections if each._transport.get_extra_info("peername")[1] == port]
        return found[0] if found else None

    @property
    def is_lent(self):
        return self.connection is not None and self.connection._lent > 0


async def test_a_connection_that_asks_plain_things_is_lent_and_hears_the_same(serve, dial):
    talk = await dial(await serve())
    before = [await talk("eth_chainId"), await talk("eth_blockNumber")]
    await talk.lend()
    assert [await talk("eth_chainId"), await talk("eth_blockNumber")] == before
    assert talk.is_lent


async def test_what_is_not_plain_comes_back_and_is_answered(serve, dial):
    server = await serve()
    for asked, extra, word in (
        (("eth_getBlockByNumber", "latest", False), b"", "result"),
        (("eth_chainId",), b"Origin: http://a\r\n", "result"),
        (("eth_chainId",), b"Authorization: Bearer none\r\n", "result"),
        (("eth_nothing",), b"", "error"),
        (("eth_getBalance", "0x12"), b"", "error"),
    ):
        talk = await (await dial(server)).lend()
        assert word in await talk(*asked, extra=extra)
        assert not talk.is_lent
        assert "result" in await talk("eth_chainId")
        talk.writer.close()


async def test_pipelined_requests_are_answered_in_order_on_both_sides_of_the_lane(serve, dial):
    talk = await (await dial(await serve())).lend()
    kinds = ["eth_chainId", "eth_chainId", "eth_accounts", "eth_chainId", "eth_syncing", "eth_chainId"] * 30
    talk.writer.write(b"".join(ask(kind, number=number) for number, kind in enumerate(kinds)))
    assert [(await talk.hear())[1]["id"] for _ in kinds] == list(range(len(kinds)))


async def test_a_request_in_pieces_is_answered(serve, dial):
    talk = await (await dial(await serve())).lend()
    raw = ask("eth_chainId", number=7)
    for cut in (1, 30, len(raw) - 1):
        talk.writer.write(raw[:cut])
        await talk.writer.drain()
        await asyncio.sleep(0.001)
        talk.writer.write(raw[cut:])
        assert (await talk.hear())[1]["id"] == 7
    assert talk.is_lent


async def test_a_request_that_does_not_end_comes_back(serve, dial):
    talk = await (await dial(await serve(read_seconds=1.0))).lend()
    talk.writer.write(ask("eth_chainId")[:-1])
    async with asyncio.timeout(20):
        while talk.is_lent:
            await asyncio.sleep(0.01)
    head = await asyncio.wait_for(talk.reader.readuntil(b"\r\n\r\n"), 20)
    assert head.startswith(b"HTTP/1.1 408")


async def test_a_long_request_comes_back_and_is_answered(serve, dial):
    talk = await (await dial(await serve())).lend()
    calls = [{"jsonrpc": "2.0", "id": number, "method": "eth_chainId", "params": []} for number in range(1_000)]
    body = json.dumps(calls, indent=4).encode()
    assert len(body) > 64 << 10
    talk.writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert len((await talk.hear())[1]) == 1_000
    assert not talk.is_lent


async def test_it_takes_more_plain_requests_after_each_return(serve, dial):
    talk = await (await dial(await serve())).lend()
    await talk("eth_accounts")
    for _ in range(2 * AFTER - 1):
        await talk("eth_chainId")
    await asyncio.sleep(0)
    assert not talk.is_lent
    await talk.lend()


async def test_transactions_are_logged_before_the_answer_and_executed_after(net, serve, dial, tmp_path):
    talk = await (await dial(await serve())).lend()
    raws = [signed(net, nonce) for nonce in range(5)]
    for raw in raws:
        assert "result" in await talk("eth_sendRawTransaction", raw)
    assert talk.is_lent
    copy = tmp_path / "copy.log"
    copy.write_bytes((tmp_path / "sequencer" / "mempool.log").read_bytes())
    log = RecordLog(copy)
    assert log.take_records() == [bytes.fromhex(raw[2:]) for raw in raws]
    log.close()
    assert "error" in await talk("eth_sendRawTransaction", raws[0])
    await net.node.make_block()
    who = "0x" + net.accounts[0].address.hex()
    assert (await talk("eth_getTransactionCount", who, "latest"))["result"] == "0x5"


async def test_a_question_for_a_receipt_waits_a_moment_for_the_block(net, serve, dial):
    talk = await (await dial(await serve())).lend()
    sent = [(await talk("eth_sendRawTransaction", signed(net, nonce)))["result"] for nonce in range(2)]
    asked = time.monotonic_ns()
    # Nothing overtakes it, and what is not known at all does not wait.
    talk.writer.write(ask("eth_getTransactionReceipt", sent[1], number=1) + ask("eth_chainId", number=2))
    assert [(await talk.hear())[1].get("result", 0) for _ in range(2)] == [None, hex(net.node.network.chain_id)]
    # Of 5 ms that begin with the lane's turn, which may be a little older than the question.
    assert time.monotonic_ns() - asked >= 4_000_000
    assert (await talk("eth_getTransactionReceipt", "0x" + "11" * 32))["result"] is None
    talk.writer.write(ask("eth_getTransactionReceipt", sent[0]))
    await net.node.make_block()
    first = (await talk.hear())[1]["result"]
    assert first is None or first["transactionHash"] == sent[0]
    for hash in sent:
        assert (await talk("eth_getTransactionReceipt", hash))["result"]["transactionHash"] == hash
    assert talk.is_lent


async def test_the_pool_tells_subscribers_what_the_lane_took(net, serve, dial):
    events = net.node.subscribe()
    talk = await (await dial(await serve())).lend()
    await talk("eth_sendRawTransaction", signed(net, 0))
    async with asyncio.timeout(10):
        while type(event := await anext(events)).__name__ != "TransactionsPending":
            continue
    assert [each.nonce for each in event.transactions] == [0]


async def test_a_log_that_cannot_be_written_takes_nothing(net, serve, dial, tmp_path):
    talk = await (await dial(await serve())).lend()
    log = net.node.sequencer._log
    broken = os.open(tmp_path / "sequencer" / "mempool.log", os.O_RDONLY)
    aside = tmp_path / "aside"
    aside.write_bytes(b"")
    kept = log.end
    kept.replace(broken, 0, aside, tmp_path / "sequencer" / "mempool.log", kept.size_bytes)
    answer = await talk("eth_sendRawTransaction", signed(net, 0))
    assert "log cannot be written" in answer["error"]["message"]
    assert len(net.node.sequencer.intake.pool) == 0
    os.close(broken)


async def test_a_client_who_owes_is_refused_soon(serve, dial):
    server = await serve(budget_units=20, budget_burst_seconds=1.0)
    talk = await dial(server)
    async with asyncio.timeout(20):
        while "result" in (answer := await talk("eth_chainId")):
            continue
    assert "budget exceeded" in answer["error"]["message"]


async def test_a_throttled_sequencer_takes_nothing_by_the_lane(net, serve, dial):
    talk = await (await dial(await serve())).lend()
    net.node.sequencer.intake.throttled = "nothing fits"
    assert "nothing fits" in (await talk("eth_sendRawTransaction", signed(net, 0)))["error"]["message"]


async def test_what_the_lane_answered_is_counted(serve, dial):
    server = await serve()
    talk = await (await dial(server)).lend()
    for _ in range(20):
        await talk("eth_gasPrice")
    assert talk.is_lent
    assert b'bedroll_api_calls_total{method="eth_gasPrice",result="answered"} 20.0' in server.page(b"/metrics")[2]


async def test_a_silent_connection_is_closed(serve, dial):
    talk = await (await dial(await serve(idle_seconds=0.2))).lend()
    assert await asyncio.wait_for(talk.reader.read(), 10) == b""


async def test_a_client_that_goes_is_forgotten(serve, dial):
    server = await serve()
    talk = await (await dial(server)).lend()
    talk.writer.close()
    async with asyncio.timeout(10):
        while server._connections:
            await asyncio.sleep(0)


async def test_the_end_of_what_a_client_sends_ends_the_connection_after_the_answers(serve, dial):
    talk = await (await dial(await serve())).lend()
    talk.writer.write(ask("eth_chainId", number=8))
    talk.writer.write_eof()
    assert (await talk.hear())[1]["id"] == 8
    assert await asyncio.wait_for(talk.reader.read(), 10) == b""


async def test_who_does_not_read_comes_back_and_misses_nothing(serve, dial):
    talk = await (await dial(await serve())).lend()
    count = 40_000
    talk.writer.transport.pause_reading()
    talk.writer.write(ask("eth_chainId") * count)
    async with asyncio.timeout(20):
        while talk.is_lent:
            await asyncio.sleep(0.01)
    talk.writer.transport.resume_reading()
    for _ in range(count):
        assert (await talk.hear())[1]["result"]


async def test_a_stopping_server_takes_everything_back(net, dial):
    server = Server(Service(net.node), ServerOptions(port=0))
    await server.start()
    talks = [await (await dial(server)).lend() for _ in range(5)]
    await server.stop()
    for talk in talks:
        assert await asyncio.wait_for(talk.reader.read(), 10) == b""
