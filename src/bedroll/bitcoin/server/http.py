"""The HTTP side: one address on loopback, one cookie, one call a request.

Reads: requests of bounded size.  Gives: JSON-RPC 2.0.  Never: says to a stranger more than 401.
Spec: docs/spec/bitcoin.md#client
"""

import base64
import hmac
import ipaddress
import logging
import os
import secrets
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web

from bedroll.encoding.json import check_json
from bedroll.primitives import BedrollError, Invalid, Misconfigured

from ..embedded import EmbeddedClient
from .method import METHODS, MethodError

REQUEST_SIZE_MAX_BYTES: Final = 10 << 20
"""A block in hex, and a little."""
COOKIE_USER: Final = "__cookie__"
STOP_SECONDS: Final = 1.0
"""How long calls in flight may take when the server stops."""

_CODE_PARSE: Final = -32_700
_CODE_REQUEST: Final = -32_600
_CODE_METHOD: Final = -32_601
_CODE_INTERNAL: Final = -1

_log: Final = logging.getLogger(__name__)
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class _Question(msgspec.Struct):
    method: str
    params: list[Any] = []
    id: int | str | None = None


class RpcServer:
    """Serves one embedded chain; `start` listens and writes the cookie.

    Attributes:
        url: Where it listens, once started.
        cookie: File that clients of this machine read.
    """

    def __init__(self, client: EmbeddedClient, cookie: Path) -> None:
        self.cookie = cookie
        self.url = ""
        self._client = client
        self._secret = ""
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one.

        Raises:
            Misconfigured: The address is not loopback or is taken.
        """
        _require_loopback(host)
        self._secret = secrets.token_hex(32)
        application = web.Application(client_max_size=REQUEST_SIZE_MAX_BYTES)
        application.router.add_post("/", self._answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=STOP_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as failure:
            await runner.cleanup()
            raise Misconfigured(
                "cannot listen here",
                option="bitcoin.listen", value=f"{host}:{port}", allowed="a free port", reason=str(failure),
            ) from failure  # fmt: skip
        self._runner = runner
        address = runner.addresses[0]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{address[1]}"
        _write_secret(self.cookie, f"{COOKIE_USER}:{self._secret}")

    async def stop(self) -> None:
        """Stop listening and take the cookie away."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        self.cookie.unlink(missing_ok=True)
        await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        if not self._is_known(request.headers.get("Authorization", "")):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="jsonrpc"'})
        try:
            body = await request.read()
            check_json(body)
            question = msgspec.json.decode(body, type=_Question)
        except msgspec.ValidationError as failure:
            return _error(None, _CODE_REQUEST, f"not a call: {failure}")
        except (msgspec.DecodeError, Invalid) as failure:
            return _error(None, _CODE_PARSE, f"not JSON: {failure}")
        method = METHODS.get(question.method)
        if method is None:
            return _error(question.id, _CODE_METHOD, "Method not found")
        try:
            result = await method(self._client, question.params)
        except MethodError as failure:
            return _error(question.id, failure.code, failure.text)
        except BedrollError as failure:
            _log.warning("call failed", extra={"method": question.method, "reason": str(failure)})
            return _error(question.id, _CODE_INTERNAL, str(failure))
        return _reply({"jsonrpc": "2.0", "id": question.id, "result": result})

    def _is_known(self, authorization: str) -> bool:
        wanted = base64.b64encode(f"{COOKIE_USER}:{self._secret}".encode())
        return hmac.compare_digest(authorization.encode(errors="replace"), b"Basic " + wanted)


def _reply(body: object) -> web.Response:
    return web.Response(body=_encoder.encode(body), content_type="application/json")


def _error(number: int | str | None, code: int, text: str) -> web.Response:
    return _reply({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": text}})


def _require_loopback(host: str) -> None:
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass
    raise Misconfigured(
        "an embedded chain is served to this machine only",
        option="bitcoin.listen",
        value=host,
        allowed="127.0.0.1, ::1",
    )


def _write_secret(path: Path, secret: str) -> None:
    """Put the cookie in place whole, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secret)
    fresh.replace(path)
