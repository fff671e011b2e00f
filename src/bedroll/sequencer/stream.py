"""The follower stream's server: signed blocks to whoever connects, slow readers dropped.

Reads: signed blocks, followers' hellos.  Gives: `Stream`.
Never: waits for a follower, or holds more than `BACKLOG_BYTES_MAX` for one.  Spec: docs/spec/node.md#stream
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from aiohttp import WSMsgType, web

from bedroll.execution.engine import Engine
from bedroll.primitives import Invalid, L2Height
from bedroll.protocol import Network

from .finisher import SignatureStore, streamed
from .wire import Hello, Message, Refusal, StreamedBlock, Unwound, Welcome, parse_message

PATH: Final = "/stream"
FOLLOWERS_MAX: Final = 64
BACKLOG_BYTES_MAX: Final = 32 << 20
"""Bytes that wait for one follower; beyond it the connection ends and the follower catches up anew."""
HELLO_BYTES_MAX: Final = 256
HELLO_SECONDS: Final = 10.0
CATCH_UP_BLOCKS_MAX: Final = 50_000
"""A follower further behind reads Bitcoin first."""
_LOG: Final = logging.getLogger("bedroll.sequencer.stream")


class _Follower:
    """One connection's outgoing messages."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.backlog_bytes = 0
        self.is_slow = False

    def put(self, raw: bytes) -> None:
        if self.backlog_bytes + len(raw) > BACKLOG_BYTES_MAX:
            self.is_slow = True
            self.queue.put_nowait(None)
            return
        self.backlog_bytes += len(raw)
        self.queue.put_nowait(raw)


class Stream:
    """Serves followers over WebSocket.

    Attributes:
        port: Listening port once started.
        dropped: Followers that were too slow, since the start.
    """

    def __init__(self, engine: Engine, store: SignatureStore, network: Network) -> None:
        self.port = 0
        self.dropped = 0
        self._engine = engine
        self._store = store
        self._network = network
        self._followers: set[_Follower] = set()
        self._sent_height = engine.tip().number
        self._runner: web.AppRunner | None = None

    @property
    def followers(self) -> int:
        """Connections now."""
        return len(self._followers)

    async def start(self, host: str, port: int) -> None:
        """Listen."""
        application = web.Application()
        application.router.add_get(PATH, self._serve)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """End every connection."""
        for follower in list(self._followers):
            follower.queue.put_nowait(None)
        if self._runner is not None:
            await self._runner.cleanup()

    def publish(self, blocks: Sequence[StreamedBlock]) -> None:
        """Send blocks to all followers."""
        for block in blocks:
            self._sent_height = max(self._sent_height, block.height)
            self._send(block)

    def unwound(self, height: int) -> None:
        """Blocks above a height left the chain."""
        if height < self._sent_height:
            self._sent_height = height
            self._send(Unwound(height))

    def _send(self, message: Message) -> None:
        if not self._followers:
            return
        raw = message.encode()
        for follower in self._followers:
            follower.put(raw)

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=HELLO_BYTES_MAX, heartbeat=30.0, compress=False)
        await socket.prepare(request)
        follower = _Follower()
        try:
            hello = await self._hello(socket)
            self._followers.add(follower)
            self._catch_up(follower, hello)
            await self._pump(socket, follower)
        except Invalid as error:
            await socket.send_bytes(Refusal(str(error)).encode())
        except (ConnectionError, TimeoutError) as error:
            _LOG.debug("follower left", extra={"reason": str(error)})
        finally:
            self._followers.discard(follower)
            await socket.close()
        return socket

    async def _hello(self, socket: web.WebSocketResponse) -> Hello:
        if len(self._followers) >= FOLLOWERS_MAX:
            raise Invalid("too many followers", followers=len(self._followers), limit=FOLLOWERS_MAX)
        message = await socket.receive(timeout=HELLO_SECONDS)
        if message.type is not WSMsgType.BINARY:
            raise Invalid("the first message is not a hello")
        hello = parse_message(message.data)
        if not isinstance(hello, Hello):
            raise Invalid("the first message is not a hello")
        genesis = self._engine.header(0)
        if hello.network != self._network.number or genesis is None or hello.genesis != genesis.hash:
            raise Invalid("the follower is of another chain", network=hello.network, genesis=hello.genesis)
        return hello

    def _catch_up(self, follower: _Follower, hello: Hello) -> None:
        """Queue what was sent to others before; what is sealed from now on comes after it."""
        common = min(hello.height, self._sent_height)
        header = self._engine.header(common)
        if header is None or (common == hello.height and header.hash != hello.hash):
            # Another branch: go back to where it must agree. Derivation settles what is below.
            common = max(0, common - 256)
        if self._sent_height - common > CATCH_UP_BLOCKS_MAX:
            raise Invalid(
                "the follower is too far behind: it reads Bitcoin first",
                height=hello.height,
                tip=self._sent_height,
                limit=CATCH_UP_BLOCKS_MAX,
            )
        follower.put(Welcome(common, self._sent_height).encode())
        for height in range(common + 1, self._sent_height + 1):
            block = self._engine.block(height)
            if block is None:
                raise Invalid("a block is not here any more", height=height)
            follower.put(streamed(block, self._store.signature(L2Height(height), block.header.hash)).encode())

    async def _pump(self, socket: web.WebSocketResponse, follower: _Follower) -> None:
        reader = asyncio.ensure_future(_until_closed(socket))
        try:
            while True:
                taken = asyncio.ensure_future(follower.queue.get())
                await asyncio.wait({taken, reader}, return_when=asyncio.FIRST_COMPLETED)
                if not taken.done():
                    taken.cancel()
                    return
                raw = taken.result()
                if raw is None:
                    if follower.is_slow:
                        self.dropped += 1
                        _LOG.warning("dropped a slow follower", extra={"limit_bytes": BACKLOG_BYTES_MAX})
                    return
                await socket.send_bytes(raw)
                follower.backlog_bytes -= len(raw)
        finally:
            reader.cancel()


async def _until_closed(socket: web.WebSocketResponse) -> None:
    """Followers say nothing after their hello; whoever does is cut off."""
    await socket.receive()
