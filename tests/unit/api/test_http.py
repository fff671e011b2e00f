"""HTTP as hostile and odd clients speak it, on both event loops: order, bounds of size and time, slow readers."""

import asyncio
import gzip
import json

import pytest

from bedroll.api import Limits, Server, ServerOptions, Service

CALL = {"jsonrpc": "2.0", "id": 7, "method": "eth_chainId", "params": []}
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
async def serve(chain):
    servers = []

    async def begin(**limits):
        server = Server(Service(chain, Limits(**limits)), ServerOptions(port=0))
        await server.start()
        servers.append(server)
        return server

    yield begin
    for server in servers:
        await server.stop()


def ask(body, *, extra=b""):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HEAD + extra + b"Content-Length: %d\r\n\r\n" % len(raw) + raw


async def read_answer(reader):
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    return int(head.split()[1]), head, await asyncio.wait_for(reader.readexactly(length), 10)


async def talk(server, raw, *, answers=1):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(raw)
    found = [await read_answer(reader) for _ in range(answers)]
    writer.close()
    return found


async def test_pipelined_requests_are_answered_in_order(serve):
    server = await serve()
    raw = b"".join(ask(CALL | {"id": number}) for number in range(200)) + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    found = await talk(server, raw, answers=201)
    assert [json.loads(body)["id"] for _, _, body in found[:200]] == list(range(200))
    assert json.loads(found[200][2])["healthy"] is True


async def test_thousands_behind_a_slow_one_are_answered_without_end_of_stack(serve):
    server = await serve()
    slow = ask({"jsonrpc": "2.0", "id": 1, "method": "bedroll_status", "params": []})
    raw = slow + b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" * 3_000
    found = await talk(server, raw, answers=3_001)
    assert [status for status, _, _ in found] == [200] + [404] * 3_000


async def test_a_body_may_come_in_pieces_and_chunks(serve):
    server = await serve()
    raw = json.dumps(CALL).encode()
    chunks = b"".join(b"1\r\n" + raw[at : at + 1] + b"\r\n" for at in range(len(raw))) + b"0\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for piece in HEAD, b"Transfer-Encoding: chunked\r\n\r\n", chunks[:40], chunks[40:]:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    assert json.loads((await read_answer(reader))[2])["id"] == 7
    writer.close()


async def test_a_compressed_body_is_read(serve):
    server = await serve()
    packed = gzip.compress(json.dumps(CALL).encode())
    ((status, _, body),) = await talk(server, ask(packed, extra=b"Content-Encoding: gzip\r\n"))
    assert (status, json.loads(body)["id"]) == (200, 7)
    ((status, _, _),) = await talk(server, ask(packed, extra=b"Content-Encoding: br\r\n"))
    assert status == 415
    ((status, _, _),) = await talk(server, ask(b"no gzip", extra=b"Content-Encoding: gzip\r\n"))
    assert status == 415


async def test_a_client_that_waits_for_100_is_told_to_go_on(serve):
    server = await serve()
    raw = json.dumps(CALL).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(raw))
    assert await asyncio.wait_for(reader.readline(), 10) == b"HTTP/1.1 100 Continue\r\n"
    await reader.readline()
    writer.write(raw)
    assert (await read_answer(reader))[0] == 200
    writer.close()


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000, 431),
        (b"GET /" + b"a" * 20_000, 431),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5_000 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", 400),
        (b"GET /wp-admin HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"PUT / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    ],
)
async def test_what_is_no_request_for_us_is_refused_by_its_number(serve, raw, status):
    server = await serve()
    ((found, _, _),) = await talk(server, raw)
    assert found == status


async def test_a_client_that_asks_for_one_answer_gets_one(serve):
    server = await serve()
    for raw in ask(CALL, extra=b"Connection: close\r\n"), ask(CALL).replace(b"HTTP/1.1", b"HTTP/1.0"):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(raw)
        status, head, _ = await read_answer(reader)
        assert (status, b"Connection: close" in head) == (200, True)
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()


async def test_one_address_does_not_take_every_place(serve):
    server = await serve(connections=10, peer_connections=2)
    held = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(2)]
    for reader, writer in held:
        writer.write(ask(CALL))
        assert (await read_answer(reader))[0] == 200
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(ask(CALL))
    with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
        await asyncio.wait_for(reader.readexactly(1), 10)
    held[0][1].close()
    await held[0][1].wait_closed()
    async with asyncio.timeout(10):
        while True:
            try:
                assert (await talk(server, ask(CALL)))[0][0] == 200
                break
            except (asyncio.IncompleteReadError, ConnectionResetError):
                await asyncio.sleep(0)
    for _, each in (*held, (reader, writer)):
        each.close()


async def test_a_head_in_drops_is_given_up_whatever_comes(serve):
    server = await serve(idle_seconds=0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    ended = asyncio.create_task(reader.read())
    async with asyncio.timeout(10):
        while not ended.done():
            writer.write(b"P" if writer.can_write_eof() else b"")
            await asyncio.wait({ended}, timeout=0.02)
    writer.close()


async def test_who_does_not_read_answers_is_dropped_and_nothing_more_is_run_for_it(serve, chain):
    server = await serve(idle_seconds=0.2)
    asked = 0
    heads = chain.heads

    def count():
        nonlocal asked
        asked += 1
        return heads()

    chain.heads = count
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    writer.transport.pause_reading()
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": ["latest", True]}
    writer.write(ask([call] * 400) * 200)
    async with asyncio.timeout(20):
        while not server._connections:
            await asyncio.sleep(0)
        while server._connections:
            await asyncio.sleep(0.01)
    assert 400 <= asked < 400 * 200, "it was served to the end"
    writer.transport.abort()


async def test_a_stop_closes_idle_connections_and_takes_no_new_ones(serve):
    server = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(ask(CALL))
    assert (await read_answer(reader))[0] == 200
    port = server.port
    await asyncio.wait_for(server.stop(), 4)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def test_a_message_of_many_fragments_is_bounded(serve):
    server = await serve(body_bytes=10_000)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b" 101 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    raw = json.dumps(CALL).encode()
    frames = b"\x01\x80\0\0\0\0" + b"".join(b"\x00\x81\0\0\0\0" + raw[at : at + 1] for at in range(len(raw)))
    writer.write(frames + b"\x80\x80\0\0\0\0")
    assert (await asyncio.wait_for(reader.readexactly(2), 10))[0] == 0x81
    await reader.read(1_000)
    writer.write(b"\x01\x80\0\0\0\0" + b"\x00\x80\0\0\0\0" * 1_000)
    assert (await asyncio.wait_for(reader.readexactly(4), 10))[2:] == (1009).to_bytes(2, "big")
    writer.close()


async def test_a_handshake_that_fails_gives_its_place_back(serve):
    server = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    assert b" 400 " in await asyncio.wait_for(reader.readline(), 10)
    await asyncio.wait_for(reader.read(), 10)
    writer.close()
    async with asyncio.timeout(10):
        while server._connections:
            await asyncio.sleep(0)
