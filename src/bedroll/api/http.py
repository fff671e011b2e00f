"""One HTTP connection: requests are read within bounds of size and time, answered in order, never read ahead of.

Reads: bytes of a stranger.  Gives: `HttpConnection`, `Host`.
Never: holds more of a client's bytes than the limits say, or waits for one.  Spec: docs/spec/api.md#server
"""

import asyncio
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

import httptools

from .dispatch import Intercept
from .envelope import JSON_NULL, encode_answer
from .error import Code, RpcError
from .inbox import Inbox
from .lane import AFTER, AFTER_MAX
from .limit import Limits
from .share import Room, network_of

HEAD_BYTES_MAX: Final = 16 << 10
"""Request line and headers of one request."""
PIPELINED_MAX: Final = 16
"""Requests of one connection that wait behind the one that runs; then it is read no further."""
_WRITE_BYTES_HIGH: Final = 1 << 20
"""Unsent bytes at which no further request of the connection is begun."""
_LINGER_SECONDS: Final = 2.0
"""How long a refused client may go on sending before it is cut off, so that it sees the answer."""
_NEVER: Final = float("inf")
_JSON: Final = b"application/json"
_OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n"
_REASONS: Final = {
    204: b"No Content", 400: b"Bad Request", 403: b"Forbidden", 404: b"Not Found", 405: b"Method Not Allowed",
    408: b"Request Timeout", 413: b"Content Too Large", 415: b"Unsupported Media Type",
    431: b"Request Header Fields Too Large", 503: b"Service Unavailable",
}  # fmt: skip
_KEPT_HEADERS: Final = frozenset(
    (b"origin", b"content-length", b"content-encoding", b"expect", b"upgrade", b"authorization", b"x-api-key")
)
_LENT_BYTES: Final = 48 << 10
"""A longer body is not for the core's lane."""
_PLAIN_HEADERS: Final = frozenset((b"content-length",))
"""Of those: with any other one a request is not for the core's lane."""


class Host(Protocol):
    """The server as a connection sees it."""

    limits: Limits
    inbox: Inbox
    room: Room

    @property
    def is_alone(self) -> bool:
        """Whether there is one connection only."""
        ...

    def admit(self, connection: "HttpConnection", peer: str) -> bool:
        """Whether there is room for one more connection; it is registered then."""
        ...

    def gone(self, connection: "HttpConnection") -> None:
        """The connection is closed."""
        ...

    def allows(self, origin: str) -> bool:
        """Whether pages of this origin may read answers and open WebSockets."""
        ...

    def cors(self, origin: str) -> bytes:
        """Header lines for this origin."""
        ...

    def page(self, path: bytes) -> "tuple[int, bytes, bytes] | None":
        """Status, content type and body of a page other than the API; None: there is no such page."""
        ...

    def lend(self, connection: "HttpConnection", descriptor: int) -> int:
        """Lend a silent connection to the core's lane: its number there; 0: there is none."""
        ...

    def cut(self, number: int) -> None:
        """A connection that is lent is closed."""
        ...

    def upgrade(self, connection: "HttpConnection", transport: asyncio.Transport, seen: bytes) -> None:
        """The client asked for a WebSocket: `seen` is all that it sent so far, its request in front."""
        ...


class HttpConnection(asyncio.Protocol):
    """A client's connection until it ends or becomes a WebSocket.

    Attributes:
        client: Who asks.
        deadline: When it is given up, in the loop's time, unless something happens.
    """

    intercept: Intercept | None = None

    def __init__(self, host: Host) -> None:
        self.client = ""
        self.deadline = _NEVER
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._peer = ""
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        self._is_busy = self._is_blocked = self._is_refused = self._in_body = False
        self._is_last = self._is_beginning = False
        self._unsent_bytes = self._held_bytes = self._running_bytes = self._queued_bytes = 0
        self._seen: list[bytes] = []
        self._lent = self._plain_count = 0
        self._lend_after = AFTER
        self._is_between, self._is_declined, self._is_lending = True, False, False
        self._clear()

    # --- the transport ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        # Of uvloop too, whose transports are of no class of asyncio.
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._peer = self.client = network_of(str(peer[0])) if peer else ""
        if not self._host.admit(self, self._peer):
            # Before it costs anything.
            self._is_refused = True
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=_WRITE_BYTES_HIGH)
        self.deadline = self._loop.time() + self._host.limits.idle_seconds

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is closed, by whomever."""
        if self._is_busy:
            self._host.inbox.forget(self)
        if self._lent:
            self._host.cut(self._lent)
            self._lent = 0
        self._is_refused = True
        self._waiting.clear()
        self._give_back(self._held_bytes)
        self._host.gone(self)

    def eof_received(self) -> bool:
        """The client sends no more; it may still want the answer to what it sent."""
        self._is_last = True
        return (self._is_busy or bool(self._waiting)) and not self._is_refused

    def pause_writing(self) -> None:
        """The client does not read: nothing more is begun for it."""
        self._is_blocked = True
        self._unsent_bytes = self.unsent_bytes
        self.deadline = self._loop.time() + self._host.limits.idle_seconds

    def resume_writing(self) -> None:
        """The client reads again."""
        self._is_blocked = False
        self._rest()
        self._next()

    @property
    def unsent_bytes(self) -> int:
        """Bytes of answers that the client has not taken."""
        return int(self._transport.get_write_buffer_size())

    @property
    def is_idle(self) -> bool:
        """Whether nothing of it runs or waits."""
        return not (self._is_busy or self._waiting or self.unsent_bytes)

    def expire(self, now: float) -> None:
        """Give the connection up if its time is over."""
        if now < self.deadline:
            return
        if self._is_blocked and not self._is_refused and self.unsent_bytes < self._unsent_bytes:
            # Slow, but it reads.
            self._unsent_bytes = self.unsent_bytes
            self.deadline = now + self._host.limits.idle_seconds
        elif self._in_body and not self._is_refused:
            self._refuse(408, b"")
        else:
            self._transport.abort()

    def finish(self) -> None:
        """Take no more requests; close once what runs is answered."""
        self._is_last = True
        if self.is_idle:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    # --- reading ------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._is_refused:
            return
        if not self._in_body:
            self._seen.append(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._upgrade()
            return
        except httptools.HttpParserError:
            if not self._is_refused:
                self._refuse(400, b"")
            return
        if self._seen and not self._is_refused and sum(map(len, self._seen)) > HEAD_BYTES_MAX:
            self._refuse(431, b"")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_between = False
        self._clear()

    def on_url(self, url: bytes) -> None:
        """Its target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers."""
        self._head_bytes += len(name) + len(value) + 4
        name = name.lower()
        if name in _KEPT_HEADERS:
            self._headers[name] = value

    def on_headers_complete(self) -> None:
        """Its head is there."""
        if self._head_bytes + len(self._url) > HEAD_BYTES_MAX:
            self._refuse(431, b"")
            return
        if b"upgrade" in self._headers:
            return
        self._seen.clear()
        self._in_body = True
        limits, length = self._host.limits, self._headers.get(b"content-length", b"0")
        if not self._is_busy:
            self.deadline = self._loop.time() + limits.read_seconds
        if not length.isdigit() or int(length) > limits.body_bytes:
            self._refuse_large()
        elif self._headers.get(b"expect", b"").lower() == b"100-continue" and int(length):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, piece: bytes) -> None:
        """A piece of its body."""
        if self._is_refused:
            return
        self._body_bytes += len(piece)
        if self._body_bytes > self._host.limits.body_bytes:
            self._refuse_large()
        elif self._take(len(piece)):
            self._body.append(piece)

    def on_message_complete(self) -> None:
        """It is whole."""
        if self._is_refused or (b"upgrade" in self._headers and self._url_is_root() and self._method() == b"GET"):
            return
        self._in_body, self._is_between = False, True
        if self._is_last:
            return
        if self._body_bytes > _LENT_BYTES or not self._headers.keys() <= _PLAIN_HEADERS:
            self._plain_count = 0
        self._is_last = not self._parser.should_keep_alive()
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        method, url, headers = self._method(), self._url, self._headers
        if self._is_busy or self._is_blocked or self._waiting:
            self._waiting.append((len(body), lambda: self._begin(method, url, headers, body)))
            self._queued_bytes += len(body)
            if len(self._waiting) >= PIPELINED_MAX or self._queued_bytes > self._host.limits.body_bytes:
                self._transport.pause_reading()
        else:
            self._begin(method, url, headers, body)

    def _take(self, size_bytes: int) -> bool:
        """Hold so many bytes more, or refuse the connection."""
        if not self._host.room.take(size_bytes):
            self._refuse(503, b"")
            return False
        self._held_bytes += size_bytes
        return True

    def _end(self) -> None:
        """The request that ran is answered: its bytes are no longer held."""
        self._give_back(self._running_bytes)
        self._running_bytes = 0

    def _give_back(self, size_bytes: int) -> None:
        size_bytes = min(size_bytes, self._held_bytes)
        self._held_bytes -= size_bytes
        self._host.room.give_back(size_bytes)

    def _clear(self) -> None:
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._head_bytes = self._body_bytes = 0
        self._body: list[bytes] = []

    def _method(self) -> bytes:
        return bytes(self._parser.get_method())

    def _url_is_root(self) -> bool:
        return self._url.partition(b"?")[0] == b"/"

    def _upgrade(self) -> None:
        wants = self._headers.get(b"upgrade", b"").lower() == b"websocket"
        if not wants or not self._url_is_root() or self._is_busy or self._waiting:
            self._refuse(400, b"")
            return
        origin = self._headers.get(b"origin")
        if origin is not None and not self._host.allows(origin.decode("latin-1")):
            self._refuse(403, b"")
            return
        self._is_refused = True
        self.deadline = _NEVER
        self._name_client(self._headers)
        self._host.upgrade(self, self._transport, b"".join(self._seen))

    # --- answering ----------------------------------------------------------------------------------

    def _begin(self, method: bytes, url: bytes, headers: dict[bytes, bytes], body: bytes) -> None:
        origin = headers.get(b"origin")
        self._cors = b"" if origin is None else self._host.cors(origin.decode("latin-1"))
        path = url.partition(b"?")[0]
        self.deadline = _NEVER
        self._running_bytes = len(body)
        if path != b"/":
            page = self._host.page(path) if method == b"GET" else None
            self._send(*(page or (404, _JSON, b'{"error":"not found"}')))
        elif method == b"POST":
            self._ask(headers, body)
        elif method == b"OPTIONS":
            self._send(204, _JSON, b"")
        else:
            self._send(405, _JSON, b'{"error":"send JSON-RPC 2.0 by POST or over a WebSocket"}')

    def _ask(self, headers: dict[bytes, bytes], body: bytes) -> None:
        packed = headers.get(b"content-encoding", b"identity").lower()
        if packed != b"identity":
            unpacked = unpack(packed, body, self._host.limits.body_bytes)
            if unpacked is None:
                self._refuse(415, b"")
                return
            if len(unpacked) > self._host.limits.body_bytes:
                self._refuse_large()
                return
            if not self._take(len(unpacked)):
                return
            self._running_bytes += len(unpacked)
            body = unpacked
        self._name_client(headers)
        self._is_busy = True
        is_declined, self._is_declined = self._is_declined, False
        self._host.inbox.put(self, body, is_alone=self._host.is_alone, is_declined=is_declined)

    def _name_client(self, headers: dict[bytes, bytes]) -> None:
        key = headers.get(b"authorization") or headers.get(b"x-api-key")
        self.client = self._peer if key is None else f"{self._peer} {key.decode('latin-1')}"

    def answered(self, answer: bytes, by_core: bool = False, /) -> None:
        """The body that was asked about has an answer."""
        self._is_busy = False
        self._plain_count = self._plain_count + 1 if by_core else 0
        if self._plain_count >= self._lend_after and not self._is_lending:
            self._is_lending = True
            self._loop.call_soon(self._lend)
        self._end()
        if self._is_refused:
            return
        self._write(_OK % (len(answer), self._cors), answer)

    # --- the lane ------------------------------------------------------------------------------------

    def _lend(self) -> None:
        """Lend the connection to the core's lane if it is silent and has asked nothing else for a while."""
        self._is_lending = False
        is_silent = self.is_idle and self._is_between and not (self._is_last or self._is_refused or self._is_blocked)
        if not is_silent or self._plain_count < self._lend_after or self._transport.is_closing():
            return
        self._transport.pause_reading()
        self._lent = self._host.lend(self, self._transport.get_extra_info("socket").fileno())
        if self._lent:
            self.deadline = _NEVER
        else:
            self._lend_after = AFTER_MAX
            self._transport.resume_reading()

    def take_back(self, unread: bytes, unsent: bytes, *, is_declined: bool, is_idle: bool) -> None:
        """The lane has ended with it: go on from there."""
        self._lent = self._plain_count = 0
        if self._is_refused or self._transport.is_closing():
            return
        if is_idle:
            self._transport.abort()
            return
        self._lend_after = min(AFTER_MAX, 2 * self._lend_after)
        self._rest()
        self._transport.resume_reading()
        if unsent:
            self._transport.write(unsent)
        if unread:
            self._is_declined = is_declined
            self.data_received(unread)
            # Where it was not whole, what is left of it may be something else.
            self._is_declined = False

    def _send(self, status: int, kind: bytes, body: bytes) -> None:
        self._end()
        reason = _REASONS.get(status, b"OK")
        head = b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n"
        self._write(head % (status, reason, kind, len(body), self._cors), body)

    def _write(self, head: bytes, body: bytes) -> None:
        if self._is_last and not self._waiting:
            head = head[:-2] + b"Connection: close\r\n\r\n"
        if len(body) > 1 << 16:
            self._transport.writelines((head, body))
        else:
            self._transport.write(head + body)
        if self._is_last and not self._waiting:
            self._is_refused = True
            self._transport.close()
            return
        self._rest()
        if self._waiting:
            self._next()

    def _rest(self) -> None:
        """Nothing of it runs: the time until the next request counts, or until the rest of one that has begun."""
        if not self._is_busy and not self._is_blocked:
            limits = self._host.limits
            self.deadline = self._loop.time() + (limits.read_seconds if self._in_body else limits.idle_seconds)

    def _next(self) -> None:
        if self._is_beginning:
            # What is begun below may be answered at once, and comes here again: the loop goes on by itself.
            return
        self._is_beginning = True
        try:
            while self._waiting and not (self._is_busy or self._is_blocked or self._is_refused):
                size_bytes, begin = self._waiting.popleft()
                self._queued_bytes -= size_bytes
                begin()
        finally:
            self._is_beginning = False
        is_full = len(self._waiting) >= PIPELINED_MAX or self._queued_bytes > self._host.limits.body_bytes
        if not is_full and not self._is_refused and not self._transport.is_reading():
            self._transport.resume_reading()

    def _refuse_large(self) -> None:
        large = RpcError(Code.INVALID_REQUEST, f"body too large, at most {self._host.limits.body_bytes} bytes")
        self._refuse(413, encode_answer(JSON_NULL, large))

    def _refuse(self, status: int, body: bytes) -> None:
        """Answer and end: what the client goes on to send is thrown away for a moment, so that it sees the answer."""
        self._is_refused, self._is_last = True, True
        self._waiting.clear()
        self._body.clear()
        self._give_back(self._held_bytes)
        self.deadline = self._loop.time() + _LINGER_SECONDS
        origin = self._headers.get(b"origin")
        cors = b"" if origin is None else self._host.cors(origin.decode("latin-1"))
        head = b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n%bConnection: close\r\n\r\n"
        self._transport.write(head % (status, _REASONS[status], _JSON, len(body), cors) + body)
        if self._transport.can_write_eof():
            self._transport.write_eof()


def unpack(packed: bytes, body: bytes, most_bytes: int) -> bytes | None:
    """A compressed body in the clear, at most one byte more than is allowed; None for a coding that is not known."""
    bits = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}.get(packed)
    if bits is None:
        return None
    try:
        return zlib.decompressobj(bits).decompress(body, most_bytes + 1)
    except zlib.error:
        return None
