"""A TCP server in bitcoind's place that does to a client whatever a test writes down.

Each connection gets the next act of the script; the last act stays. An act is a coroutine that has the request and
the writer; what it does not write, the client never gets.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

REGTEST_GENESIS = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
CHAIN = {"chain": "regtest", "blocks": 7, "bestblockhash": "ab" * 32, "initialblockdownload": True}


@dataclass(frozen=True)
class Request:
    """One request as the client sent it."""

    authorization: str
    method: str
    params: list[Any]
    number: int


Act = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def respond(
    body: bytes | str, *, status: str = "200 OK", length: int | None = None, headers: Sequence[str] = ()
) -> Act:
    """Answer with these bytes; `length` is what the header claims."""
    raw = body.encode() if isinstance(body, str) else body

    async def act(_: Request, writer: asyncio.StreamWriter) -> None:
        claimed = len(raw) if length is None else length
        head = [f"HTTP/1.1 {status}", f"Content-Length: {claimed}", "Connection: close", *headers]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + raw)
        await writer.drain()

    return act


def result(value: object) -> Act:
    """Answer a call with a result."""
    return respond(json.dumps({"jsonrpc": "2.0", "id": 1, "result": value}))


def error(code: int, message: str) -> Act:
    """Answer a call with an error."""
    return respond(json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message}}))


def healthy() -> Act:
    """Answer what `open` and `tip` ask."""

    async def act(request: Request, writer: asyncio.StreamWriter) -> None:
        known = {"getblockchaininfo": CHAIN, "getblockhash": REGTEST_GENESIS}
        await result(known[request.method])(request, writer)

    return act


async def hang(_: Request, writer: asyncio.StreamWriter) -> None:
    """Take the request and say nothing until the client gives up."""
    await writer.wait_closed()


async def hang_halfway(_: Request, writer: asyncio.StreamWriter) -> None:
    """Begin an answer and stop."""
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"jsonrpc": "2.0", "res')
    await writer.drain()
    await writer.wait_closed()


async def drop(_: Request, writer: asyncio.StreamWriter) -> None:
    """Close without a word."""
    writer.close()


async def flood(_: Request, writer: asyncio.StreamWriter) -> None:
    """An answer without end."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    while not writer.is_closing():
        writer.write(chunk)
        await writer.drain()


@dataclass
class HostileNode:
    """The server.

    Attributes:
        script: Acts to come; the last one stays.
        requests: What was asked.
    """

    script: list[Act]
    url: str = ""
    requests: list[Request] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request, one act."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            asked = json.loads(await reader.readexactly(int(fields["Content-Length"])))
            request = Request(fields.get("Authorization", ""), asked["method"], asked["params"], asked["id"])
            self.requests.append(request)
            act = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            await act(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def run_hostile(*script: Act) -> AsyncIterator[HostileNode]:
    """Listen on loopback."""
    node = HostileNode(list(script))
    server = await asyncio.start_server(node.serve, "127.0.0.1", 0)
    node.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield node
