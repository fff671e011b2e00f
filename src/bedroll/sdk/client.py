"""A client of the JSON-RPC API.

Reads: answers of a node.  Gives: `RpcClient`.
Never: tries a call twice.  Spec: docs/spec/sdk.md#client
"""

import itertools
import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

import aiohttp
import msgspec

from bedroll.encoding.json import CONTAINERS_MAX, DEPTH_MAX, check_json
from bedroll.primitives import Invalid, Unavailable

_TIMEOUT_SECONDS: Final = 60.0
_ANSWER_BYTES_MAX: Final = 2 << 30
_CHUNK_BYTES: Final = 1 << 16


class RpcFailure(Invalid):
    """The node answered with an error; `.code` and `.reason` are its words."""

    code: int
    reason: str
    data: object


class RpcClient:
    """One node's API over HTTP. Use as an asynchronous context manager."""

    def __init__(
        self,
        url: str,
        *,
        nesting_max: int = DEPTH_MAX,
        containers_max: int = CONTAINERS_MAX,
        answer_bytes_max: int = _ANSWER_BYTES_MAX,
        key: str = "",
    ) -> None:
        """Name a node.

        Args:
            url: Of its API.
            nesting_max: How deep an answer's JSON may be; traces of calls nest deeper than everything else.
            containers_max: Arrays and objects in it.
            answer_bytes_max: Largest answer.
            key: API key for methods that need one.
        """
        self.url = url
        self._headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
        self._answer_bytes_max = answer_bytes_max
        self._bounds = (nesting_max, containers_max)
        self._ids = itertools.count(1)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "RpcClient":
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(self, method: str, *params: object) -> Any:
        """Run one method.

        Raises:
            RpcFailure: The node refused.
            Unavailable: The node did not answer.
        """
        answer = await self._post(self._request(method, params))
        return _result(method, answer)

    async def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        """Run many methods in one request; results in the order of the calls.

        Raises:
            RpcFailure: The node refused one of them.
            Unavailable: The node did not answer.
        """
        requests = [self._request(method, params) for method, params in calls]
        answers = await self._post(requests)
        if not isinstance(answers, list):
            return [_result("batch", answers)]
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        return [_result(str(request["method"]), by_id.get(request["id"])) for request in requests]

    def _request(self, method: str, params: Sequence[object]) -> dict[str, object]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    async def _post(self, body: object) -> Any:
        if self._session is None:
            raise Unavailable("the client is not open", url=self.url)
        try:
            async with self._session.post(self.url, data=msgspec.json.encode(body), headers=self._headers) as response:
                raw = await self._read(response)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable("no answer from the node", url=self.url, reason=_reason(error)) from None
        try:
            check_json(raw, *self._bounds)
            return msgspec.json.decode(raw)
        except (msgspec.DecodeError, Invalid) as error:
            text = raw[:80].decode(errors="replace")
            raise Unavailable("the answer is not JSON", url=self.url, answer=text) from error

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """An answer, as far as it may go: whoever answers may be hostile."""
        parts, size = [], 0
        async for part in response.content.iter_chunked(_CHUNK_BYTES):
            size += len(part)
            if size > self._answer_bytes_max:
                raise Unavailable("the answer is too large", url=self.url, limit=self._answer_bytes_max)
            parts.append(part)
        return b"".join(parts)


def _reason(error: Exception) -> str:
    """The system's own word where there is one: aiohttp's text repeats address and options."""
    if isinstance(error, aiohttp.ClientConnectorError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or "timeout"


def _result(method: str, answer: Any) -> Any:
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict) and isinstance(error.get("message"), str) and isinstance(error.get("code"), int):
        raise RpcFailure(
            f"{method} failed: {error['message']}", code=error["code"], reason=error["message"], data=error.get("data")
        )
    if error is not None or not isinstance(answer, dict) or "result" not in answer:
        raise Unavailable("the answer is no answer of JSON-RPC", method=method)
    return answer["result"]
