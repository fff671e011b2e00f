"""One WebSocket: messages in, answers and notifications out, nothing kept for whoever does not read.

Reads: frames of a stranger.  Gives: `WebSocket`, `open_websocket`.
Never: joins fragments beyond a message's limit, or waits for a slow reader.  Spec: docs/spec/api.md#server
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from picows import WSAutoPingStrategy, WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # not in its stubs

from .envelope import Call
from .inbox import Inbox
from .limit import Limits
from .share import Room
from .subscription import Subscriber

_PING_SECONDS: Final = 30.0
_WAITING_MAX: Final = 64
"""Messages of one client that wait behind the one that runs; then it is read no further."""
_HANDSHAKE_SECONDS: Final = 5.0
_LOG: Final = logging.getLogger("bedroll.api.websocket")
_LOG.addFilter(lambda record: record.levelno >= logging.ERROR)


class SocketHost(Protocol):
    """The server as a WebSocket sees it."""

    limits: Limits
    inbox: Inbox
    room: Room

    def socket_opened(self, socket: "WebSocket") -> None:
        """The handshake is done."""
        ...

    def socket_closed(self, socket: "WebSocket") -> None:
        """The connection is closed."""
        ...


class WebSocket(WSListener):
    """A client's WebSocket.

    Attributes:
        client: Who asks.
        subscriber: What it wants to be told.
    """

    def __init__(self, host: SocketHost, client: str) -> None:
        self.client = client
        limits = host.limits
        self.subscriber = Subscriber(self.push, self.drop, limits.subscriptions, client)
        self._host = host
        self._transport: WSTransport | None = None
        self._bodies: deque[bytes] = deque()
        self._fragments: list[bytes] = []
        self._fragment_bytes = 0
        self._is_busy = self._is_blocked = False
        self._outbox: deque[bytes] = deque()
        self._held_bytes = self._running_bytes = 0

    # --- what the client sends -----------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._transport = transport
        self._host.socket_opened(self)

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        """The connection is closed."""
        self._transport = None
        if self._is_busy:
            self._host.inbox.forget(self)
        self._give_back(self._held_bytes)
        self._host.socket_closed(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame has come; pings are answered by the library."""
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            self._take(transport, frame.get_payload_as_bytes(), is_whole=frame.fin)

    def _take(self, transport: WSTransport, payload: bytes, *, is_whole: bool) -> None:
        if not self._host.room.take(len(payload)):
            transport.send_close(WSCloseCode.TRY_AGAIN_LATER)
            transport.disconnect()
            return
        self._held_bytes += len(payload)
        if self._fragments or not is_whole:
            self._fragments.append(payload)
            self._fragment_bytes += len(payload)
            # An empty fragment costs the list an entry.
            if self._fragment_bytes + 64 * len(self._fragments) > self._host.limits.body_bytes:
                transport.send_close(WSCloseCode.MESSAGE_TOO_BIG)
                transport.disconnect()
                return
            if not is_whole:
                return
            payload = b"".join(self._fragments)
            self._fragments.clear()
            self._fragment_bytes = 0
        if self._is_busy or self._is_blocked:
            self._bodies.append(payload)
            if self._is_full():
                transport.underlying_transport.pause_reading()
        else:
            self._ask(payload)

    def _is_full(self) -> bool:
        waiting_bytes = self._held_bytes - self._running_bytes
        return len(self._bodies) >= _WAITING_MAX or waiting_bytes > self._host.limits.body_bytes

    def _give_back(self, size_bytes: int) -> None:
        size_bytes = min(size_bytes, self._held_bytes)
        self._held_bytes -= size_bytes
        self._host.room.give_back(size_bytes)

    def _ask(self, body: bytes) -> None:
        self._is_busy = True
        self._running_bytes = len(body)
        self._host.inbox.put(self, body)

    async def intercept(self, call: Call) -> object:
        """Calls that only make sense here."""
        if call.method == "eth_subscribe":
            return self.subscriber.subscribe(call.params)
        if call.method == "eth_unsubscribe":
            return self.subscriber.unsubscribe(call.params)
        return NotImplemented

    def answered(self, answer: bytes, _by_core: bool = False, /) -> None:
        """The message that was asked about has an answer."""
        self._is_busy = False
        self._give_back(self._running_bytes)
        self._running_bytes = 0
        if answer:
            self.push(answer)
        self._next()

    def _next(self) -> None:
        if self._transport is None:
            self._bodies.clear()
        elif self._bodies and not (self._is_busy or self._is_blocked):
            self._ask(self._bodies.popleft())
            reader: Any = self._transport.underlying_transport
            if not self._is_full() and not reader.is_reading():
                reader.resume_reading()

    # --- what it is sent -----------------------------------------------------------------------------

    def push(self, message: bytes) -> None:
        """Send a message, or drop the client if too many wait for it."""
        if self._transport is None:
            return
        if not self._is_blocked:
            self._transport.send(WSMsgType.TEXT, message)
        elif len(self._outbox) >= self._host.limits.backlog_messages:
            self.drop()
        else:
            self._outbox.append(message)

    def pause_writing(self) -> None:
        """The client does not read."""
        self._is_blocked = True

    def resume_writing(self) -> None:
        """The client reads again."""
        self._is_blocked = False
        while self._outbox and not self._is_blocked:
            self.push(self._outbox.popleft())
        self._next()

    def drop(self) -> None:
        """Cut the connection: a close frame would wait behind what this reader does not take."""
        self._outbox.clear()
        self._bodies.clear()
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def close(self) -> None:
        """Say that the node stops, and close."""
        if self._transport is not None:
            self._transport.send_close(WSCloseCode.GOING_AWAY, b"the node stops")
            self._transport.disconnect()


class _Protocol(WSProtocol):  # type: ignore[misc]
    """The library's protocol, which also says when a connection ends whose handshake failed."""

    on_lost: Callable[[], None]

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed."""
        super().connection_lost(error)
        self.on_lost()


def open_websocket(
    host: SocketHost, client: str, transport: asyncio.Transport, seen: bytes, on_lost: Callable[[], None]
) -> None:
    """Go on with a connection as a WebSocket.

    Args:
        host: The server.
        client: Who asks.
        transport: Of the connection.
        seen: What it sent so far: its upgrade request in front.
        on_lost: Called once it is closed, whether or not it became a WebSocket.
    """
    protocol = _Protocol(
        None, None, False, lambda _request: WebSocket(host, client), _LOG, True, _HANDSHAKE_SECONDS,
        True, _PING_SECONDS, _PING_SECONDS, WSAutoPingStrategy.PING_WHEN_IDLE, True, host.limits.body_bytes, None,
        16 << 10,
    )  # fmt: skip
    protocol.on_lost = on_lost
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    with contextlib.closing(_Pieces(seen)) as pieces:
        while pieces.left and not transport.is_closing():
            room = protocol.get_buffer(-1)
            protocol.buffer_updated(pieces.fill(room))


class _Pieces:
    """Bytes that are handed over in pieces of the reader's choice."""

    def __init__(self, content: bytes) -> None:
        self.left = content

    def fill(self, room: memoryview) -> int:
        """Copy as much as fits."""
        count = min(len(room), len(self.left))
        room[:count] = self.left[:count]
        self.left = self.left[count:]
        return count

    def close(self) -> None:
        """Forget the rest."""
        self.left = b""
