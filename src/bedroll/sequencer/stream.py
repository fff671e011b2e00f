"""The follower stream's server: signed blocks to whoever connects, slow readers dropped.

Reads: signed blocks, followers' hellos.  Gives: `Stream`.
Never: waits for a follower, or holds blocks for one: each reads on from where it is.  Spec: docs/spec/node.md#stream
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from aiohttp import WSMsgType, web

from bedroll.execution.engine import Engine
from bedroll.primitives import Invalid, L2Height
from bedroll.protocol import Network

from .finisher import SignatureStore, streamed
from .wire import Hello, Refusal, StreamedBlock, Unwound, Welcome, parse_message

PATH: Final = "/stream"
FOLLOWERS_MAX: Final = 64
SEND_SECONDS: Final = 30.0
"""A follower that takes nothing for so long is dropped; it may come again."""
RECENT_BYTES_MAX: Final = 16 << 20
"""Newest messages that are kept encoded."""
HELLO_BYTES_MAX: Final = 256
HELLO_SECONDS: Final = 10.0
BRANCH_BLOCKS: Final = 256
"""How far back a follower on another branch begins."""
CATCH_UP_BLOCKS_MAX: Final = 50_000
"""A follower further behind reads Bitcoin first."""
_LOG: Final = logging.getLogger("bedroll.sequencer.stream")


class _Follower:
    """One connection: the next height to send, and how far back the chain went since."""

    def __init__(self) -> None:
        self.next_height = 0
        self.unwound: int | None = None
        self.wake = asyncio.Event()


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
        self._recent: OrderedDict[int, bytes] = OrderedDict()
        self._recent_bytes = 0
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
        if self._runner is not None:
            await self._runner.cleanup()

    def publish(self, blocks: Sequence[StreamedBlock]) -> None:
        """Send blocks to all followers."""
        for block in blocks:
            self._forget(block.height)
            raw = self._recent[block.height] = block.encode()
            self._recent_bytes += len(raw)
            self._sent_height = max(self._sent_height, block.height)
        while self._recent_bytes > RECENT_BYTES_MAX:
            self._forget(next(iter(self._recent)))
        self._wake()

    def passed(self, height: int) -> None:
        """Blocks up to here may be given to whoever comes, who is given them from the store."""
        self._sent_height = max(self._sent_height, height)

    def unwound(self, height: int) -> None:
        """Blocks above a height left the chain."""
        if height >= self._sent_height:
            return
        self._sent_height = height
        for later in [known for known in self._recent if known > height]:
            self._forget(later)
        for follower in self._followers:
            follower.unwound = height if follower.unwound is None else min(height, follower.unwound)
        self._wake()

    def _wake(self) -> None:
        for follower in self._followers:
            follower.wake.set()

    def _forget(self, height: int) -> None:
        self._recent_bytes -= len(self._recent.pop(height, b""))

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=HELLO_BYTES_MAX, heartbeat=30.0, compress=False)
        await socket.prepare(request)
        follower = _Follower()
        try:
            hello = await self._hello(socket)
            self._followers.add(follower)
            common = self._common_height(hello)
            follower.next_height = common + 1
            await socket.send_bytes(Welcome(common, self._sent_height).encode())
            await self._pump(socket, follower)
        except Invalid as error:
            await socket.send_bytes(Refusal(str(error)).encode())
        except TimeoutError:
            self.dropped += 1
            _LOG.warning("dropped a slow follower", extra={"seconds": SEND_SECONDS})
            # It reads nothing: no farewell would reach it.
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError as error:
            _LOG.debug("follower left", extra={"reason": str(error)})
        finally:
            self._followers.discard(follower)
            await socket.close()
        return socket

    async def _hello(self, socket: web.WebSocketResponse) -> Hello:
        if len(self._followers) >= FOLLOWERS_MAX:
            raise Invalid("too many followers", followers=len(self._followers), limit=FOLLOWERS_MAX)
        try:
            message = await socket.receive(timeout=HELLO_SECONDS)
        except TimeoutError:
            raise Invalid("no hello came", limit_seconds=HELLO_SECONDS) from None
        if message.type is not WSMsgType.BINARY:
            raise Invalid("the first message is not a hello")
        hello = parse_message(message.data)
        if not isinstance(hello, Hello):
            raise Invalid("the first message is not a hello")
        genesis = self._engine.header(0)
        if hello.network != self._network.number or genesis is None or hello.genesis != genesis.hash:
            raise Invalid("the follower is of another chain", network=hello.network, genesis=hello.genesis)
        return hello

    def _common_height(self, hello: Hello) -> int:
        """Newest block that both have."""
        common = min(hello.height, self._sent_height)
        header = self._engine.header(common)
        if header is None or (common == hello.height and header.hash != hello.hash):
            # Another branch: go back to where it must agree. Derivation settles what is below.
            common = max(0, common - BRANCH_BLOCKS)
        if self._sent_height - common > CATCH_UP_BLOCKS_MAX:
            raise Invalid(
                "the follower is too far behind: it reads Bitcoin first",
                height=hello.height,
                tip=self._sent_height,
                limit=CATCH_UP_BLOCKS_MAX,
            )
        return common

    async def _pump(self, socket: web.WebSocketResponse, follower: _Follower) -> None:
        reader = asyncio.ensure_future(_until_closed(socket))
        try:
            while not reader.done():
                follower.wake.clear()
                if follower.unwound is not None:
                    height, follower.unwound = follower.unwound, None
                    if height < follower.next_height - 1:
                        follower.next_height = height + 1
                        await self._send(socket, Unwound(height).encode())
                elif follower.next_height <= self._sent_height:
                    raw = self._message(follower.next_height)
                    follower.next_height += 1
                    await self._send(socket, raw)
                else:
                    woken = asyncio.ensure_future(follower.wake.wait())
                    await asyncio.wait({woken, reader}, return_when=asyncio.FIRST_COMPLETED)
                    woken.cancel()
        finally:
            reader.cancel()

    async def _send(self, socket: web.WebSocketResponse, raw: bytes) -> None:
        """Hand a message to the socket.

        Raises:
            TimeoutError: The follower takes nothing.
        """
        async with asyncio.timeout(SEND_SECONDS):
            await socket.send_bytes(raw)

    def _message(self, height: int) -> bytes:
        recent = self._recent.get(height)
        if recent is not None:
            return recent
        block = self._engine.block(height)
        if block is None:
            raise Invalid("a block is not here any more", height=height)
        return streamed(block, self._store.signature(L2Height(height), block.header.hash)).encode()


async def _until_closed(socket: web.WebSocketResponse) -> None:
    """Followers say nothing after their hello; whoever does is cut off."""
    await socket.receive()
