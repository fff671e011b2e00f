"""The server: HTTP and WebSocket on one port, `/healthz` and `/metrics` beside them.

Reads: requests of strangers.  Gives: `Server`, `ServerOptions`.
Never: holds more of a client's bytes than the limits say, or waits for a slow reader.  Spec: docs/spec/api.md#server
"""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import Final

import msgspec
from prometheus_client import Gauge, generate_latest

from bedroll.execution.desk import DeskOption
from bedroll.primitives import Misconfigured

from .dispatch import Dispatcher
from .feed import Feed
from .http import HttpConnection
from .inbox import Inbox
from .lane import Lanes
from .port import FastPath
from .service import CLIENT_VERSION, Service
from .share import Room
from .subscription import Subscriber
from .websocket import WebSocket, open_websocket

_TEXT: Final = b"text/plain; version=0.0.4; charset=utf-8"
_SWEEP_SECONDS: Final = 1.0
"""How often connections are looked at whose time may be over; a quarter of the shortest time, if that is less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Where and for whom the server listens.

    Attributes:
        host: Address to listen on.
        port: TCP port; 0: any that is free.
        origins: Web origins that may read answers (CORS) and open WebSockets; `*`: all.
        devnet: Serve the methods of a development chain too.
    """

    host: str = "127.0.0.1"
    port: int = 8545
    origins: tuple[str, ...] = ("*",)
    devnet: bool = False


class Server:
    """One node's JSON-RPC server.

    Attributes:
        limits: Of every connection.
        inbox: Where bodies go.
        room: For requests that are not answered yet.
    """

    inbox: Inbox

    def __init__(self, service: Service, options: ServerOptions) -> None:
        self.limits = service.limits
        self._service = service
        self.room = Room(service.limits.unread_bytes)
        self._options = options
        self._dispatcher = Dispatcher(service, devnet=options.devnet)
        self._feed = Feed(service)
        self._connections: dict[HttpConnection, str] = {}
        self._peers: Counter[str] = Counter()
        self._sockets: set[WebSocket] = set()
        self._open = Gauge("bedroll_api_websockets", "Open WebSockets", registry=self._dispatcher.registry)
        self._is_stopping = False
        self._empty = asyncio.Event()
        self._sweeper: asyncio.Task[None] | None = None
        self._listener: asyncio.Server | None = None
        self._lanes: Lanes | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            Misconfigured: The address cannot be listened on.
        """
        loop = asyncio.get_running_loop()
        fast = self._fast_path()
        self.inbox = Inbox(self._dispatcher, self._service.guard, fast)
        try:
            self._listener = await loop.create_server(
                lambda: HttpConnection(self), self._options.host, self._options.port, reuse_address=True, backlog=512
            )
        except OSError as error:
            address = f"{self._options.host}:{self._options.port}"
            text = f"cannot listen on {address}: {error.strerror or error}"
            raise Misconfigured(text, option="rpc.port", value=self._options.port, allowed="a free port") from None
        if fast is not None:
            self._lanes = Lanes(fast, self.inbox, self.limits.idle_seconds)
        self._sweeper = asyncio.create_task(self._sweep(), name="bedroll-api-sweep")
        self._feed.start()

    def _fast_path(self) -> FastPath | None:
        limits, guard = self.limits, self._service.guard
        option = DeskOption(
            client_version=CLIENT_VERSION,
            body_bytes=limits.body_bytes,
            batch_calls=limits.batch_calls,
            response_bytes=limits.response_bytes,
            call_gas=limits.call_gas,
            left_out=tuple(name for name in self._dispatcher.table.methods if guard.needs_key(name)),
        )
        return self._service.backend.fast_path(option)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return 0 if self._listener is None else int(self._listener.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"http://{self._options.host}:{self.port}"

    @property
    def subscribers(self) -> tuple[Subscriber, ...]:
        """One for each open WebSocket."""
        return self._feed.subscribers

    async def stop(self) -> None:
        """Take no more requests, finish the running ones, close WebSockets."""
        self._is_stopping = True
        await self._feed.stop()
        if self._listener is not None:
            self._listener.close()
        if self._lanes is not None:
            self._lanes.stop()
            self._lanes = None
        for socket in list(self._sockets):
            socket.close()
        for connection in list(self._connections):
            connection.finish()
        if self._connections:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.limits.stop_seconds):
                    await self._empty.wait()
        for connection in list(self._connections):
            connection.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        self._service.worker.close()

    async def _sweep(self) -> None:
        """Give up connections whose time is over, and the slowest readers where too much waits for all of them."""
        limits = self.limits
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(_SWEEP_SECONDS, limits.idle_seconds / 4, limits.read_seconds / 4))
            now = loop.time()
            unsent_bytes = 0
            for connection in list(self._connections):
                connection.expire(now)
                unsent_bytes += connection.unsent_bytes
            while unsent_bytes > limits.unsent_bytes:
                worst = max(self._connections, key=lambda each: each.unsent_bytes)
                unsent_bytes -= worst.unsent_bytes
                worst.abort()
                self.gone(worst)

    # --- told by connections --------------------------------------------------------------------------

    @property
    def is_alone(self) -> bool:
        """Whether there is one connection only: nobody's body is worth waiting for."""
        return len(self._connections) == 1

    def admit(self, connection: HttpConnection, peer: str) -> bool:
        """Whether there is room for one more connection; it is registered then."""
        limits = self.limits
        if self._is_stopping or self._peers[peer] >= limits.peer_connections:
            return False
        if len(self._connections) >= limits.connections and not self._make_room(peer):
            return False
        self._connections[connection] = peer
        self._peers[peer] += 1
        return True

    def _make_room(self, peer: str) -> bool:
        """Cut the oldest connection of whoever has most, if the newcomer has fewer."""
        greedy, count = self._peers.most_common(1)[0]
        if self._peers[peer] + 1 >= count:
            return False
        ours = [connection for connection, owner in self._connections.items() if owner == greedy]
        worst = next((connection for connection in ours if connection.is_idle), ours[0])
        worst.abort()
        self.gone(worst)
        return True

    def gone(self, connection: HttpConnection) -> None:
        """The connection is closed."""
        peer = self._connections.pop(connection, None)
        if peer is None:
            return
        self._peers[peer] -= 1
        if not self._peers[peer]:
            del self._peers[peer]
        if not self._connections:
            self._empty.set()

    def lend(self, connection: HttpConnection, descriptor: int) -> int:
        """Lend a silent connection to the core's lane: its number there; 0: there is none."""
        return 0 if self._lanes is None else self._lanes.lend(connection, descriptor)

    def cut(self, number: int) -> None:
        """A connection that is lent is closed."""
        if self._lanes is not None:
            self._lanes.cut(number)

    def upgrade(self, connection: HttpConnection, transport: asyncio.Transport, seen: bytes) -> None:
        """The client asked for a WebSocket; it keeps its place among the connections."""
        open_websocket(self, connection.client, transport, seen, lambda: self.gone(connection))

    def socket_opened(self, socket: WebSocket) -> None:
        """A WebSocket is open."""
        self._sockets.add(socket)
        self._open.inc()
        self._feed.add(socket.subscriber)

    def socket_closed(self, socket: WebSocket) -> None:
        """A WebSocket is closed."""
        self._sockets.discard(socket)
        self._open.dec()
        self._feed.remove(socket.subscriber)

    # --- pages ----------------------------------------------------------------------------------------

    def page(self, path: bytes) -> tuple[int, bytes, bytes] | None:
        """Status, content type and body of a page other than the API."""
        if path == b"/healthz":
            health = self._service.backend.health()
            return 200 if health["healthy"] else 503, b"application/json", msgspec.json.encode(health)
        if path == b"/metrics":
            self.inbox.settle()
            return 200, _TEXT, self._service.backend.metrics_text() + generate_latest(self._dispatcher.registry)
        return None

    def allows(self, origin: str) -> bool:
        """Whether pages of this origin may read answers and open WebSockets."""
        return "*" in self._options.origins or origin in self._options.origins

    def cors(self, origin: str) -> bytes:
        """Header lines for this origin."""
        if not self.allows(origin):
            return b""
        allowed = "*" if "*" in self._options.origins else origin
        return (
            f"Access-Control-Allow-Origin: {allowed}\r\n"
            "Access-Control-Allow-Methods: POST, GET, OPTIONS\r\n"
            "Access-Control-Allow-Headers: content-type, authorization, x-api-key\r\n"
            "Access-Control-Max-Age: 86400\r\nVary: Origin\r\n"
        ).encode("latin-1")
