"""The server: HTTP and WebSocket on one port, `/healthz` and `/metrics` beside them.

Reads: requests of strangers.  Gives: `Server`, `ServerOptions`.
Never: holds more of a client's bytes than the limits say, or waits for a slow reader.  Spec: docs/spec/api.md#server
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web
from prometheus_client import Gauge, generate_latest

from bedroll.primitives import Misconfigured

from .dispatch import Dispatcher
from .envelope import JSON_NULL, Call, encode_answer
from .error import Code, RpcError
from .service import Service
from .subscription import Feed, Subscriber

LOG: Final = logging.getLogger(__name__)
_JSON: Final = "application/json"


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
    """One node's JSON-RPC server."""

    def __init__(self, service: Service, options: ServerOptions) -> None:
        self._service = service
        self._options = options
        self._dispatcher = Dispatcher(service, devnet=options.devnet)
        self._feed = Feed(service)
        self._sockets: set[web.WebSocketResponse] = set()
        self._open = Gauge("bedroll_api_websockets", "Open WebSockets", registry=self._dispatcher.registry)
        app = web.Application(client_max_size=service.limits.body_bytes)
        app.router.add_route("OPTIONS", "/", self._preflight)
        app.router.add_post("/", self._post)
        app.router.add_get("/", self._get)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/metrics", self._metrics)
        app.on_shutdown.append(self._close_sockets)
        limits = service.limits
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=limits.stop_seconds, keepalive_timeout=limits.idle_seconds
        )
        self._listener: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            Misconfigured: The address cannot be listened on.
        """
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(
                self._connect, self._options.host, self._options.port, reuse_address=True, backlog=512
            )
        except OSError as error:
            await self._runner.cleanup()
            address = f"{self._options.host}:{self._options.port}"
            text = f"cannot listen on {address}: {error.strerror or error}"
            raise Misconfigured(text, option="rpc.port", value=self._options.port, allowed="a free port") from None
        self._feed.start()

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
        await self._feed.stop()
        if self._listener is not None:
            self._listener.close()
        await self._runner.cleanup()
        self._service.worker.close()

    def _connect(self) -> asyncio.Protocol:
        """Protocol of a new connection."""
        server = self._runner.server
        if server is None or len(server.connections) >= self._service.limits.connections:
            return _Refusing()
        return server()

    # --- HTTP ---------------------------------------------------------------------------------------

    async def _post(self, request: web.Request) -> web.StreamResponse:
        limits = self._service.limits
        try:
            async with asyncio.timeout(limits.read_seconds):
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            large = RpcError(Code.INVALID_REQUEST, f"body too large, at most {limits.body_bytes} bytes")
            return self._reply(request, encode_answer(JSON_NULL, large), status=413)
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        answer = await self._dispatcher.answer(body)
        return self._reply(request, answer or b"")

    async def _get(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        return self._reply(request, b'{"error":"send JSON-RPC 2.0 by POST or over a WebSocket"}', status=405)

    async def _preflight(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=204, headers=self._cors(request))

    async def _health(self, request: web.Request) -> web.StreamResponse:
        health = self._service.backend.health()
        return web.json_response(health, status=200 if health["healthy"] else 503, headers=self._cors(request))

    async def _metrics(self, _request: web.Request) -> web.StreamResponse:
        text = self._service.backend.metrics_text() + generate_latest(self._dispatcher.registry)
        return web.Response(body=text, content_type="text/plain", charset="utf-8")

    def _reply(self, request: web.Request, body: bytes, *, status: int = 200) -> web.Response:
        return web.Response(body=body, status=status, content_type=_JSON, headers=self._cors(request))

    def _cors(self, request: web.Request) -> dict[str, str]:
        origin = request.headers.get("Origin")
        if origin is None or not self._allows(origin):
            return {}
        return {
            "Access-Control-Allow-Origin": "*" if "*" in self._options.origins else origin,
            "Access-Control-Allow-Methods": "POST, GET, OPTIONS",
            "Access-Control-Allow-Headers": "content-type, authorization",
            "Access-Control-Max-Age": "86400",
            "Vary": "Origin",
        }

    def _allows(self, origin: str) -> bool:
        return "*" in self._options.origins or origin in self._options.origins

    # --- WebSocket ----------------------------------------------------------------------------------

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        limits = self._service.limits
        origin = request.headers.get("Origin")
        if origin is not None and not self._allows(origin):
            raise web.HTTPForbidden
        socket = web.WebSocketResponse(max_msg_size=limits.body_bytes, heartbeat=30.0, compress=False)
        await socket.prepare(request)
        outbox: asyncio.Queue[bytes] = asyncio.Queue(limits.backlog_messages)

        def drop() -> None:
            # A close frame would wait behind what this reader does not take.
            if request.transport is not None:
                request.transport.abort()

        def push(message: bytes) -> None:
            try:
                outbox.put_nowait(message)
            except asyncio.QueueFull:
                drop()

        subscriber = Subscriber(push, drop, limits.subscriptions)
        self._sockets.add(socket)
        self._open.inc()
        self._feed.add(subscriber)
        writer = asyncio.create_task(_write(socket, outbox), name="bedroll-api-websocket")
        try:
            await self._read(socket, subscriber)
        finally:
            self._feed.remove(subscriber)
            self._sockets.discard(socket)
            self._open.dec()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    async def _read(self, socket: web.WebSocketResponse, subscriber: Subscriber) -> None:
        async def intercept(call: Call) -> object:
            if call.method == "eth_subscribe":
                return subscriber.subscribe(call.params)
            if call.method == "eth_unsubscribe":
                return subscriber.unsubscribe(call.params)
            return NotImplemented

        async for message in socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
            raw = message.data.encode() if isinstance(message.data, str) else bytes(message.data)
            answer = await self._dispatcher.answer(raw, intercept)
            if answer is not None:
                subscriber.push(answer)

    async def _close_sockets(self, _app: web.Application) -> None:
        for socket in list(self._sockets):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the node stops")


class _Refusing(asyncio.Protocol):
    """A connection beyond the limit."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it before it costs anything."""
        transport.close()


async def _write(socket: web.WebSocketResponse, outbox: asyncio.Queue[bytes]) -> None:
    """Send what waits, one message at a time; ends with the connection."""
    with contextlib.suppress(ConnectionError):
        while True:
            await socket.send_str((await outbox.get()).decode())
