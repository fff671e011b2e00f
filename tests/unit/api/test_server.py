"""The server: envelopes over HTTP and WebSocket, CORS, limits, health, a clean stop."""

import asyncio
import gzip
import json
import socket as sockets

import aiohttp
import pytest

from bedroll.api import Limits, Server, ServerOptions, Service
from bedroll.api.port import Condition
from bedroll.primitives import Misconfigured

CALL = {"jsonrpc": "2.0", "id": 7, "method": "eth_chainId", "params": []}


async def post(server, body, **options):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with aiohttp.ClientSession() as session, session.post(server.url, data=raw, **options) as response:
        text = await response.read()
        return response.status, dict(response.headers), json.loads(text) if text else None


async def test_a_call_is_answered_with_its_id(server):
    status, headers, answer = await post(server, CALL)
    assert (status, answer) == (200, {"jsonrpc": "2.0", "id": 7, "result": "0x1406fa6"})
    assert headers["Content-Type"].startswith("application/json")


async def test_batches_are_answered_in_order_and_notifications_are_not(server):
    batch = [CALL, CALL | {"id": "x", "method": "no_such"}, {"jsonrpc": "2.0", "method": "eth_chainId"}, 5]
    _, _, answers = await post(server, batch)
    assert [answer["id"] for answer in answers] == [7, "x", None]
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32601, -32600]
    for silent in ({"jsonrpc": "2.0", "method": "eth_chainId"}, [{"jsonrpc": "2.0", "method": "eth_chainId"}]):
        status, _, answer = await post(server, silent)
        assert (status, answer) == (200, None)


@pytest.mark.parametrize("method", ["anvil_nodeInfo", "hardhat_metadata", "admin_peers", "debug_setHead", "", "🦫"])
async def test_an_unknown_method_is_32601(server, method):
    _, _, answer = await post(server, CALL | {"method": method})
    assert answer["error"]["code"] == -32601


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_chainId", [1]),
        ("eth_getBalance", []),
        ("eth_getBalance", ["0x12"]),
        ("eth_getBlockByNumber", ["latest", "yes"]),
        ("eth_getTransactionByHash", [None]),
        ("eth_call", [{"to": 1}]),
        ("eth_getLogs", [[]]),
        ("eth_sendRawTransaction", ["0x0"]),
        ("eth_getStorageAt", ["0x" + "00" * 20, "0xg"]),
        ("web3_sha3", ["abc"]),
        ("bedroll_getObject", ["0x00"]),
        ("eth_getProof", ["0x" + "00" * 20, "0x0"]),
    ],
)
async def test_bad_parameters_are_32602(server, method, params):
    _, _, answer = await post(server, CALL | {"method": method, "params": params})
    assert answer["error"]["code"] == -32602, answer


async def test_a_body_beyond_the_limit_is_413(server):
    status, _, answer = await post(server, b" " * 200_001)
    assert (status, answer["error"]["code"]) == (413, -32600)


async def test_a_batch_beyond_the_limit_is_refused_as_a_whole(server):
    _, _, answer = await post(server, [CALL] * 51)
    assert answer["error"]["message"] == "batch too large: 51 calls, at most 50"


async def test_answers_beyond_the_limit_are_refused_one_by_one(chain):
    service = Service(chain, Limits(response_bytes=300))
    server = Server(service, ServerOptions(port=0))
    await server.start()
    _, _, answers = await post(server, [CALL] * 20)
    codes = [answer.get("error", {}).get("code") for answer in answers]
    assert codes[0] is None
    assert codes[-1] == -32005
    await server.stop()


async def test_browsers_are_answered_before_and_after(server):
    async with aiohttp.ClientSession() as session:
        asking = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
        async with session.options(server.url, headers=asking) as response:
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert "content-type" in response.headers["Access-Control-Allow-Headers"]
    _, headers, _ = await post(server, CALL, headers={"Origin": "https://a.example"})
    assert headers["Access-Control-Allow-Origin"] == "*"


async def test_only_named_origins_are_let_in(chain):
    server = Server(Service(chain), ServerOptions(port=0, origins=("https://a.example",)))
    await server.start()
    _, headers, _ = await post(server, CALL, headers={"Origin": "https://b.example"})
    assert "Access-Control-Allow-Origin" not in headers
    _, headers, _ = await post(server, CALL, headers={"Origin": "https://a.example"})
    assert headers["Access-Control-Allow-Origin"] == "https://a.example"
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(server.url, headers={"Origin": "https://b.example"})
    assert caught.value.status == 403
    await server.stop()


async def test_health_and_metrics_stand_beside_the_api(server, chain):
    await post(server, CALL)
    async with aiohttp.ClientSession() as session:
        async with session.get(server.url + "/healthz") as response:
            assert (response.status, await response.json()) == (200, {"condition": "running", "healthy": True})
        chain.condition = Condition.L1_UNAVAILABLE
        async with session.get(server.url + "/healthz") as response:
            assert response.status == 503
        async with session.get(server.url + "/metrics") as response:
            text = await response.text()
        async with session.get(server.url) as response:
            assert response.status == 405
    assert "bedroll_test_up 1" in text
    assert 'bedroll_api_calls_total{method="eth_chainId",result="answered"} 1.0' in text


async def test_unknown_methods_do_not_make_new_metrics(server):
    for index in range(20):
        await post(server, CALL | {"method": f"made_up_{index}"})
    async with aiohttp.ClientSession() as session, session.get(server.url + "/metrics") as response:
        assert "made_up" not in await response.text()


async def test_methods_that_sign_are_served_by_a_devnet_alone(chain):
    server = Server(Service(chain), ServerOptions(port=0))
    await server.start()
    for method in ("eth_sendTransaction", "eth_sign", "eth_signTypedData_v4", "bedroll_mine"):
        _, _, answer = await post(server, CALL | {"method": method})
        assert answer["error"]["code"] == -32601
    await server.stop()


async def test_a_port_that_is_taken_is_named(chain, server):
    second = Server(Service(chain), ServerOptions(port=server.port))
    with pytest.raises(Misconfigured) as caught:
        await second.start()
    assert caught.value.value == server.port
    await second.stop()


async def test_a_websocket_answers_like_http(socket):
    answer = await socket.call("eth_chainId")
    assert answer == {"jsonrpc": "2.0", "id": 1, "result": "0x1406fa6"}
    assert (await socket.call("no_such"))["error"]["code"] == -32601
    await socket.connection.send_str("{")
    assert (await socket.connection.receive_json())["error"]["code"] == -32700


async def test_a_message_beyond_the_limit_closes_the_websocket(socket):
    await socket.connection.send_str(" " * 200_001)
    message = await socket.connection.receive()
    assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert socket.connection.close_code == 1009


async def test_a_stop_closes_websockets(chain):
    server = Server(Service(chain), ServerOptions(port=0))
    await server.start()
    async with aiohttp.ClientSession() as session, session.ws_connect(server.url) as connection:
        reading = asyncio.create_task(connection.receive())
        await asyncio.wait_for(server.stop(), 10)
        assert (await reading).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        assert connection.close_code == 1001


async def test_a_stop_lets_running_calls_end(chain):
    server = Server(Service(chain), ServerOptions(port=0))
    await server.start()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def send(raw):
        begun.set()
        await go_on.wait()
        return raw[:1] * 32

    chain.send_transaction = send
    call = asyncio.create_task(post(server, CALL | {"method": "eth_sendRawTransaction", "params": ["0xab"]}))
    await begun.wait()
    stop = asyncio.create_task(server.stop())
    await asyncio.sleep(0)
    go_on.set()
    status, _, answer = await asyncio.wait_for(call, 10)
    assert (status, answer["result"]) == (200, "0x" + "ab" * 32)
    await asyncio.wait_for(stop, 10)


async def test_a_body_that_does_not_arrive_is_given_up(chain):
    server = Server(Service(chain, Limits(read_seconds=0.05)), ServerOptions(port=0))
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert b" 408 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    await server.stop()


async def test_a_reader_that_does_not_read_is_dropped(chain):
    server = Server(Service(chain, Limits(backlog_messages=4)), ServerOptions(port=0))
    await server.start()
    raw = sockets.create_connection(("127.0.0.1", server.port))
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.sendall(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    async with asyncio.timeout(10):
        while not server.subscribers:
            await asyncio.sleep(0)
        for _ in range(200):
            for subscriber in server.subscribers:
                subscriber.push(b"x" * 100_000)
            await asyncio.sleep(0)
        while server.subscribers:
            await asyncio.sleep(0)
    raw.close()
    await server.stop()


async def test_connections_beyond_the_limit_are_closed_at_once(chain):
    server = Server(Service(chain, Limits(connections=2)), ServerOptions(port=0))
    await server.start()
    held = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(2)]
    for _, writer in held:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    for reader, _ in held:
        assert b" 200 " in await asyncio.wait_for(reader.readline(), 10)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    for _, each in (*held, (reader, writer)):
        each.close()
    await server.stop()


async def test_a_head_that_does_not_arrive_is_given_up(chain):
    server = Server(Service(chain, Limits(idle_seconds=0.05)), ServerOptions(port=0))
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    await server.stop()


async def test_a_small_body_that_unpacks_to_a_large_one_is_413(server):
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 60_000
    status, _, answer = await post(server, bomb, headers={"Content-Encoding": "gzip"})
    assert (status, answer["error"]["code"]) == (413, -32600)
