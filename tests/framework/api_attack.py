"""What a hostile client does to a server, from its own address: `python -m tests.framework.api_attack NAME FACTS`.

Each attack goes on for `SECONDS` and prints what it saw as JSON. It binds 127.0.0.2, so that it is another client than
the one who measures from 127.0.0.1.
"""

import asyncio
import contextlib
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp

SECONDS = 6.0
SOURCE = ("127.0.0.2", 0)
Attack = Callable[[dict[str, str], float], Awaitable[dict[str, Any]]]


def place_of(facts: dict[str, str]) -> tuple[str, int]:
    """Host and port."""
    parts = urlsplit(facts["url"])
    return str(parts.hostname), int(parts.port or 0)


async def connect(facts: dict[str, str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A plain connection."""
    return await asyncio.open_connection(*place_of(facts), local_addr=SOURCE)


@contextlib.asynccontextmanager
async def session() -> Any:
    """A client of many connections."""
    connector = aiohttp.TCPConnector(limit=0, local_addr=SOURCE)
    async with aiohttp.ClientSession(connector=connector) as opened:
        yield opened


def call(method: str, *params: object, number: int = 1) -> dict[str, object]:
    """A request."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def head(length: int | None) -> bytes:
    """Of a POST."""
    framing = b"Transfer-Encoding: chunked" if length is None else b"Content-Length: %d" % length
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + framing + b"\r\n\r\n"


async def slow_heads(facts: dict[str, str], end: float) -> dict[str, Any]:
    """Slow loris: 2,000 connections that send a letter of their head at a time."""
    writers: list[asyncio.StreamWriter] = []
    cut = 0
    while time.monotonic() < end:
        while len(writers) < 2_000 and time.monotonic() < end:
            try:
                _, writer = await connect(facts)
            except OSError:
                cut += 1
                break
            writer.write(b"POST / HTTP/1.1\r\nX-Slow: ")
            writers.append(writer)
        for writer in writers:
            writer.write(b"a")
        alive = [writer for writer in writers if not writer.is_closing()]
        cut += len(writers) - len(alive)
        writers = alive
        await asyncio.sleep(0.05)
    for writer in writers:
        writer.transport.abort()
    return {"open": len(writers), "cut": cut}


async def slow_bodies(facts: dict[str, str], end: float) -> dict[str, Any]:
    """200 connections that promise 5 MiB, send all but one byte, and wait."""
    piece = b" " * ((5 << 20) - 1)

    async def hold() -> int:
        try:
            reader, writer = await connect(facts)
            writer.write(head(5 << 20) + piece)
            async with asyncio.timeout(max(0.1, end - time.monotonic())):
                line = await reader.readline()
            return int(line.split()[1]) if line else 0
        except TimeoutError:
            return 1
        except (OSError, IndexError):
            return 0

    found = await asyncio.gather(*(hold() for _ in range(200)))
    return {"answers": dict(Counter(found))}


async def subscriptions(facts: dict[str, str], end: float) -> dict[str, Any]:
    """10,000 subscriptions over 80 WebSockets, which are read."""
    kinds: list[list[object]] = [["newHeads"], ["logs", {}], ["newPendingTransactions", True]]
    told = made = refused = 0

    async def listen(opened: aiohttp.ClientSession) -> None:
        nonlocal told, made, refused
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            async with opened.ws_connect(facts["url"], max_msg_size=0) as socket:
                batch = [call("eth_subscribe", *kinds[n % 3], number=n) for n in range(125)]
                await socket.send_json(batch)
                async for message in socket:
                    if message.data.startswith("["):
                        made += sum("result" in each for each in json.loads(message.data))
                        refused += sum("error" in each for each in json.loads(message.data))
                    else:
                        told += 1
                    if time.monotonic() > end:
                        return

    async with session() as opened:
        tasks = [asyncio.create_task(listen(opened)) for _ in range(80)]
        await asyncio.wait(tasks, timeout=max(0.1, end - time.monotonic()))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return {"made": made, "refused": refused, "told": told}


async def slow_readers(facts: dict[str, str], end: float) -> dict[str, Any]:
    """40 WebSockets with 128 subscriptions each that never read."""
    import base64

    async def open_one() -> asyncio.StreamWriter:
        _, writer = await connect(facts)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(1, 8, 4_096)  # SO_RCVBUF
        key = base64.b64encode(bytes(16))
        writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n"
        )
        payload = json.dumps([call("eth_subscribe", "newPendingTransactions", True, number=n) for n in range(128)])
        raw = payload.encode()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(0.2)
        writer.write(b"\x81\xfe" + len(raw).to_bytes(2, "big") + bytes(4) + raw)
        return writer

    writers = await asyncio.gather(*(open_one() for _ in range(40)))
    await asyncio.sleep(max(0.1, end - time.monotonic()))
    for writer in writers:
        writer.transport.abort()
    return {"opened": len(writers)}


async def large_bodies(facts: dict[str, str], end: float) -> dict[str, Any]:
    """100 MB bodies, announced and in chunks."""
    answers: Counter[int] = Counter()

    async def send(*, chunked: bool) -> None:
        reader, writer = await connect(facts)
        with contextlib.suppress(OSError):
            writer.write(head(None if chunked else 100_000_000))
            piece = b" " * (1 << 20)
            for _ in range(100):
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                await writer.drain()
                if writer.is_closing() or reader.at_eof():
                    break
        with contextlib.suppress(OSError):
            line = await reader.readline()
            answers[int(line.split()[1]) if line else 0] += 1
        writer.transport.abort()

    while time.monotonic() < end:
        await asyncio.gather(*(send(chunked=number % 2 == 0) for number in range(20)))
    return {"answers": dict(answers)}


async def post(opened: aiohttp.ClientSession, url: str, body: bytes) -> Any:
    """Answer to a body, or what went wrong."""
    try:
        async with opened.post(url, data=body, timeout=aiohttp.ClientTimeout(30)) as response:
            return await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None


async def bodies(facts: dict[str, str], end: float, made: list[bytes], at_once: int) -> dict[str, Any]:
    """Send bodies again and again; what came back by code."""
    codes: Counter[str] = Counter()

    async def go(opened: aiohttp.ClientSession, number: int) -> None:
        while time.monotonic() < end:
            answer = await post(opened, facts["url"], made[number % len(made)])
            number += 1
            rows = answer if isinstance(answer, list) else [answer]
            codes[str(rows[0].get("error", {}).get("code", "result")) if rows and rows[0] else "none"] += 1

    async with session() as opened:
        await asyncio.gather(*(go(opened, number) for number in range(at_once)))
    return {"codes": dict(codes)}


async def deep_json(facts: dict[str, str], end: float) -> dict[str, Any]:
    """Bodies of brackets, of quotes, and of objects in objects."""
    made = [
        b"[" * 5_000_000,
        b'{"a":' * 900_000,
        b'[{"params":' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
        b"[" + b"[]," * 1_500_000 + b"[]]",
        b'"' + b"\\u0000" * 800_000 + b'"',
        b"[" + b'{"id":1},' * 500_000 + b"{}]",
    ]
    return await bodies(facts, end, made, 8)


async def large_batches(facts: dict[str, str], end: float) -> dict[str, Any]:
    """Batches of 1,001 calls, of 6 MiB, and of 1,000 calls that each answer much."""
    block = call("eth_getBlockByNumber", "latest", True)
    made = [
        json.dumps([call("eth_chainId", number=n) for n in range(1_001)]).encode(),
        json.dumps([call("web3_sha3", "0x" + "00" * 6_200) for _ in range(500)]).encode(),
        json.dumps([block] * 1_000).encode(),
        json.dumps([call("rpc.discover")] * 1_000).encode(),
        json.dumps([call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})] * 1_000).encode(),
    ]
    return await bodies(facts, end, made, 8)


async def trace_bombs(facts: dict[str, str], end: float) -> dict[str, Any]:
    """100 connections that ask for traces, calls and estimates of a loop at once."""
    target = {"to": facts["loop"], "gas": hex(50_000_000)}
    made = [
        json.dumps(each).encode()
        for each in (
            call("debug_traceCall", target, "latest", {}),
            call("trace_call", target, ["vmTrace"]),
            call("eth_call", target),
            call("eth_estimateGas", target),
            call("debug_traceCall", target, "latest", {"tracer": "callTracer"}),
            call("trace_callMany", [[target, ["trace"]]] * 100),
        )
    ]
    return await bodies(facts, end, made, 100)


async def precompiles(facts: dict[str, str], end: float) -> dict[str, Any]:
    """Calls of few instructions and much work: rounds of BLAKE2, one by one and a thousand in a batch."""

    def blake(rounds: int, number: int = 1) -> dict[str, object]:
        data = "0x" + (rounds.to_bytes(4, "big") + bytes(208) + b"\x01").hex()
        return call("eth_call", {"to": f"0x{9:040x}", "data": data}, "latest", number=number)

    made = [
        json.dumps([blake(rounds, number) for number in range(1_000)]).encode() for rounds in (100_000, 900_000)
    ] + [json.dumps(blake(45_000_000)).encode()]
    return await bodies(facts, end, made, 12)


async def hashes(facts: dict[str, str], end: float) -> dict[str, Any]:
    """Calls of 8,000 instructions that hash 240 MB each, one by one and in batches."""
    target = {"to": facts["hash"]}
    made = [json.dumps(call("eth_call", target)).encode()]
    made += [json.dumps([call("eth_call", target, number=number) for number in range(200)]).encode()]
    return await bodies(facts, end, made, 8)


async def scripts(facts: dict[str, str], end: float) -> dict[str, Any]:
    """Tracers in JavaScript that want all time, memory and stack, 16 at a time."""
    bodies_of_result = (
        "while (true) {}",
        "var s = 'xy'; while (true) s += s;",
        "var a = []; while (true) a = [a, a, new Array(1000).fill(a)];",
        "return new Array(1e9).fill(7);",
        "return /^(a+)+$/.test('a'.repeat(40) + 'b');",
        "return JSON.parse('['.repeat(5e5) + ']'.repeat(5e5));",
        "function f() { return f() + f(); } return f();",
    )
    tracers = ["{fault: function() {}, result: function() { " + each + " }}" for each in bodies_of_result]
    tracers.append("{" + "[" * 30_000)
    count = "{n: 0, step: function() { this.n += 1; }, fault: function() {}, result: function() { return this.n; }}"
    tracers.append(count)
    target = {"to": facts["loop"], "gas": hex(50_000_000)}
    made = [json.dumps(call("debug_traceCall", target, "latest", {"tracer": each})).encode() for each in tracers]
    return await bodies(facts, end, made, 16)


async def half_closed(facts: dict[str, str], end: float) -> dict[str, Any]:
    """Connections that ask and shut their sending side, and ones that vanish with a request under way."""
    answered = vanished = 0
    body = json.dumps(call("eth_blockNumber")).encode()
    heavy = json.dumps(call("debug_traceCall", {"to": facts["loop"], "gas": hex(50_000_000)})).encode()
    while time.monotonic() < end:
        for number in range(50):
            reader, writer = await connect(facts)
            with contextlib.suppress(OSError):
                if number % 2:
                    writer.write(head(len(body)) + body)
                    writer.write_eof()
                    async with asyncio.timeout(5):
                        answered += b"200" in await reader.readline()
                else:
                    writer.write(head(len(heavy)) + heavy)
                    await asyncio.sleep(0)
                    vanished += 1
            writer.transport.abort()
    return {"answered": answered, "vanished": vanished}


async def pipelined(facts: dict[str, str], end: float) -> dict[str, Any]:
    """Requests without end on connections whose answers are not read."""
    body = json.dumps(call("eth_getBlockByNumber", "latest", True)).encode()
    request = (head(len(body)) + body) * 200
    sent = 0

    async def flood() -> None:
        nonlocal sent
        _, writer = await connect(facts)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(max(0.1, end - time.monotonic())):
                while not writer.is_closing():
                    writer.write(request)
                    sent += 200
                    await writer.drain()
        writer.transport.abort()

    await asyncio.gather(*(flood() for _ in range(50)))
    return {"sent": sent}


async def filters(facts: dict[str, str], end: float) -> dict[str, Any]:
    """Filters without end."""
    made = [json.dumps([call("eth_newFilter", {}), call("eth_newPendingTransactionFilter")] * 400).encode()]
    return await bodies(facts, end, made, 4)


ATTACKS: dict[str, Attack] = {
    each.__name__: each
    for each in (
        slow_heads, slow_bodies, subscriptions, slow_readers, large_bodies, deep_json, large_batches, trace_bombs,
        precompiles, hashes, scripts,
        half_closed, pipelined, filters,
    )
}  # fmt: skip


async def main(name: str, facts: dict[str, str]) -> None:
    """Run one."""
    seen = await ATTACKS[name](facts, time.monotonic() + SECONDS)
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
