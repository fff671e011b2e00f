"""Clients that send no more or are gone: the first are answered, for the others nothing goes on for long."""

import asyncio
import contextlib
import dataclasses
import json
import socket
import threading

import msgspec
import pytest

from bedroll.api import Dispatcher, method_table

CALL = {"jsonrpc": "2.0", "id": 1, "method": "eth_gasPrice", "params": []}


def request(body):
    raw = json.dumps(body).encode()
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(raw), raw)


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


@pytest.fixture
def gate(monkeypatch):
    """`eth_getLogs` runs until the gate is opened; how many begun."""
    opened, begun = threading.Event(), []

    async def slow(service, _wanted):
        def block():
            begun.append(1)
            opened.wait(20)
            return []

        return await service.worker.run(block)

    method = method_table(devnet=False).methods["eth_getLogs"]
    monkeypatch.setattr("bedroll.api.log_method.TABLE.methods", {"eth_getLogs": dataclasses.replace(method, run=slow)})
    yield opened, begun
    opened.set()


def slow_call(number):
    return {"jsonrpc": "2.0", "id": number, "method": "eth_getLogs", "params": [{}]}


async def test_who_shuts_the_sending_side_is_answered_all_the_same(gate, server):
    opened, begun = gate
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request(slow_call(7)))
    writer.write_eof()
    await until(lambda: begun)
    opened.set()
    answer = await asyncio.wait_for(reader.read(), 20)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])["id"] == 7
    writer.close()


async def test_requests_that_wait_are_answered_too_after_the_sending_side_is_shut(gate, server):
    opened, begun = gate
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request(slow_call(1)) + request(CALL) + request(CALL))
    writer.write_eof()
    await until(lambda: begun)
    opened.set()
    answer = await asyncio.wait_for(reader.read(), 20)
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    writer.close()


async def test_nothing_more_is_run_for_who_is_gone(gate, server):
    opened, begun = gate
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request([slow_call(number) for number in range(20)]))
    await until(lambda: begun)
    # A reset, not an end: nobody is there to read.
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()
    await until(lambda: not server.inbox._tasks)
    opened.set()
    assert server.room.left_bytes == server.limits.unread_bytes
    assert len(begun) == 1


async def test_what_a_connection_held_is_free_after_its_answers(server, rpc):
    for _ in range(3):
        await rpc.call("eth_gasPrice")
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request(CALL) * 40)
        for _ in range(40):
            await reader.readuntil(b"}")
    assert server.room.left_bytes == server.limits.unread_bytes
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b" " * 999)
    await until(lambda: server.room.left_bytes < server.limits.unread_bytes)
    writer.close()
    await until(lambda: server.room.left_bytes == server.limits.unread_bytes)


async def test_more_bytes_than_there_is_room_for_are_refused(server):
    server.room.left_bytes = 500
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b" " * 600)
    assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 503")
    writer.close()
    await until(lambda: server.room.left_bytes == 500)


async def test_a_batch_ends_when_its_time_is_over(service):
    service.limits = dataclasses.replace(service.limits, body_seconds=0.0)
    body = json.dumps([CALL | {"id": number} for number in range(3)]).encode()
    answers = msgspec.json.decode(await Dispatcher(service).answer(body))
    assert [answer["error"]["message"] for answer in answers] == ["batch took too long, at most 0 s"] * 3


async def test_the_greediest_address_gives_way_to_a_newcomer(server):
    server.limits = dataclasses.replace(server.limits, connections=5)
    mine = [await asyncio.open_connection("127.0.0.1", server.port, local_addr=("127.0.0.2", 0)) for _ in range(5)]
    await until(lambda: len(server._connections) == 5)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request(CALL))
    assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 200")
    assert await asyncio.wait_for(mine[0][0].read(), 10) == b""
    extra, closing = await asyncio.open_connection("127.0.0.1", server.port, local_addr=("127.0.0.2", 0))
    # It has no fewer than the others now, so it is the one that is cut.
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(extra.read(), 10) == b""
    for _, one in [*mine, (reader, writer), (extra, closing)]:
        one.close()
