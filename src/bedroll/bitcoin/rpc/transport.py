"""JSON-RPC 2.0 over HTTP to a bitcoind that may be slow, restarting, or not one at all.

Reads: answers, up to a size.  Gives: typed results, `RpcError` for the node's own errors, `Unavailable` for the rest.
Never: waits without a limit, asks more than the node's queue holds, or takes money for a float.
Spec: docs/spec/bitcoin.md#client
"""

import asyncio
import base64
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from bedroll.encoding.json import check_json
from bedroll.primitives import Invalid, Misconfigured, Unavailable

CONCURRENCY_MAX: Final = 12
"""Calls at once: bitcoind has 16 threads, and answers 503 when its queue is full."""
LONG_POLLS_MAX: Final = 2
"""Calls at once that wait for something to happen; they hold a thread of the node each."""
CALL_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 5.0
KEEP_ALIVE_SECONDS: Final = 20.0
"""Below the 30 seconds after which bitcoind drops an idle connection."""
ANSWER_SIZE_MAX_BYTES: Final = 16 << 20
"""A block in hex is 8 MB at most."""
WARMING_UP: Final = -28
"""Code of a bitcoind that is still loading."""

T = TypeVar("T")


class RpcError(Unavailable):
    """The node answered with an error that the caller has no other name for; `.code` is Bitcoin Core's."""

    code: int
    reason: str


class _Fault(msgspec.Struct):
    code: int
    message: str


class _Answer(msgspec.Struct):
    id: int | None
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: _Fault | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """Where a bitcoind listens and how it knows us.

    Attributes:
        url: `http://host:port`.
        cookie: File that bitcoind writes anew at each start; used if there is no user.
        user: From `rpcauth`, with `password`.
    """

    url: str
    cookie: Path | None = None
    user: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not _is_address(self.url):
            raise Misconfigured(
                "cannot reach bitcoind at this address",
                option="bitcoin.url", value=self.url.rpartition("@")[2], allowed="http://host:port",
            )  # fmt: skip
        if self.cookie is None and not self.user:
            raise Misconfigured(
                "bitcoind wants to know who asks",
                option="bitcoin.cookie", value=None, allowed="the path of bitcoind's .cookie, or a user and password",
            )  # fmt: skip

    def authorization(self) -> str:
        """Header for one request: the cookie is read each time, because a restarted bitcoind has a new one."""
        secret = f"{self.user}:{self.password}"
        if not self.user:
            assert self.cookie is not None
            try:
                secret = self.cookie.read_text().strip()
            except OSError as failure:
                raise Unavailable("bitcoind's cookie is not there", reason=str(failure)) from failure
        return "Basic " + base64.b64encode(secret.encode()).decode()


class Transport:
    """Calls to one node."""

    def __init__(self, access: Access, call_seconds: float = CALL_SECONDS) -> None:
        self._access = access
        self._call_seconds = call_seconds
        self._numbers = itertools.count(1)
        self._calls = asyncio.Semaphore(CONCURRENCY_MAX)
        self._long_polls = asyncio.Semaphore(LONG_POLLS_MAX)
        self._session: aiohttp.ClientSession | None = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=CONCURRENCY_MAX + LONG_POLLS_MAX, keepalive_timeout=KEEP_ALIVE_SECONDS
            ),
            auto_decompress=False,
            read_bufsize=1 << 20,
        )

    async def call(
        self,
        kind: type[T],
        method: str,
        *params: object,
        seconds: float | None = None,
        size_max_bytes: int = ANSWER_SIZE_MAX_BYTES,
        long_poll: bool = False,
    ) -> T:
        """Call a method and give its result as `kind`.

        Args:
            kind: What the result must be.
            method: As bitcoind names it.
            params: By position.
            seconds: Limit of the whole call.
            size_max_bytes: Limit of the answer.
            long_poll: It waits for an event, not for a thread.

        Raises:
            RpcError: The node answered with an error.
            Unavailable: It did not answer, not in time, or not in the protocol; `.reason` says which.
        """
        raw = await self._ask(method, params, seconds, size_max_bytes, long_poll=long_poll)
        return _decode(raw, kind, method)

    async def call_or_none(self, kind: type[T], method: str, *params: object) -> T | None:
        """The same for a method that may answer `null`."""
        raw = await self._ask(method, params, None, ANSWER_SIZE_MAX_BYTES, long_poll=False)
        return None if bytes(raw) == b"null" else _decode(raw, kind, method)

    async def close(self) -> None:
        """Let go of all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(
        self, method: str, params: Sequence[object], seconds: float | None, size_max_bytes: int, *, long_poll: bool
    ) -> msgspec.Raw:
        gate = self._long_polls if long_poll else self._calls
        limit = self._call_seconds if seconds is None else seconds
        async with gate:
            body = await self._post(method, params, limit, size_max_bytes)
        answer = _decode(body, _Answer, method)
        if answer.error is None:
            return answer.result
        if answer.error.code == WARMING_UP:
            raise _unavailable(method, f"warming up: {answer.error.message[:200]}")
        raise RpcError("bitcoind refused a call", method=method, code=answer.error.code, reason=answer.error.message)

    async def _post(self, method: str, params: Sequence[object], seconds: float, size_max_bytes: int) -> bytes:
        if self._session is None:
            raise _unavailable(method, "the client is closed")
        number = next(self._numbers)
        question = msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        headers = {"Authorization": self._access.authorization(), "Content-Type": "application/json"}
        timeout = aiohttp.ClientTimeout(total=seconds, connect=CONNECT_SECONDS)
        try:
            async with self._session.post(
                # A stream, because a block in hex is too long for one write.
                self._access.url,
                data=io.BytesIO(question),
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                if answer.status == 401:
                    raise _unavailable(method, "HTTP 401: bitcoind does not know the cookie or password")
                if answer.status == 503:
                    raise _unavailable(method, "HTTP 503: bitcoind's work queue is full")
                if answer.status not in (200, 404, 500):  # The last two carry errors of the older protocol.
                    raise _unavailable(method, f"HTTP {answer.status}")
                return await _read(answer, method, size_max_bytes)
        except TimeoutError as failure:
            raise _unavailable(method, f"no answer within {seconds:g} seconds") from failure
        except (aiohttp.ClientError, OSError) as failure:
            raise _unavailable(method, f"{type(failure).__name__}: {failure}") from failure


def _decode(raw: bytes | msgspec.Raw, kind: type[T], method: str) -> T:
    try:
        if isinstance(raw, bytes):  # Part of a whole that was looked at, otherwise.
            check_json(raw, containers_max=len(raw))
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, Invalid, UnicodeDecodeError) as failure:
        raise _unavailable(method, f"answer does not parse: {failure}") from failure


async def _read(answer: aiohttp.ClientResponse, method: str, size_max_bytes: int) -> bytes:
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > size_max_bytes:
            raise _unavailable(method, f"answer is longer than {size_max_bytes} bytes")
    return bytes(body)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = not parts.username and not parts.query and port != 0
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain


def _unavailable(method: str, reason: str) -> Unavailable:
    return Unavailable("bitcoind does not answer", method=method, reason=reason)
