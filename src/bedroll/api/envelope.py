"""JSON-RPC 2.0 on the wire: from a body to calls, from answers to a body.

Reads: bytes of a stranger.  Gives: `parse_body`, `Call`, `encode_answer`.
Never: builds a structure before it is known to be small.  Spec: docs/spec/api.md#envelope
"""

from typing import Final

import msgspec

from bedroll.encoding.json import JsonTooDeep, JsonTooWide, check_json

from .error import Code, RpcError, invalid_params
from .limit import Limits

JSON_NULL: Final = msgspec.Raw(b"null")
_ID_BYTES_MAX: Final = 256


class _Member(msgspec.Struct):
    method: msgspec.Raw = msgspec.Raw()
    jsonrpc: msgspec.Raw = msgspec.Raw()
    id: msgspec.Raw = msgspec.Raw()
    params: msgspec.Raw = msgspec.Raw()


class Call(msgspec.Struct, frozen=True):
    """One call of a body.

    Attributes:
        id: JSON of the id, to be sent back as it came; None for a notification, which is never answered.
        method: Name.
        params: Positional parameters.
        error: What is wrong with the call as such; then it is answered and not run.
    """

    id: msgspec.Raw | None
    method: str
    params: list[object]
    error: RpcError | None


class Body(msgspec.Struct, frozen=True):
    """All calls of a body; `batch` says whether the answer is an array."""

    calls: list[Call]
    batch: bool


_member_decoder: Final = msgspec.json.Decoder(_Member)
_list_decoder: Final = msgspec.json.Decoder(list[msgspec.Raw])


def parse_body(body: bytes, limits: Limits) -> Body:
    """Decode a body into calls.

    Raises:
        RpcError: The body as a whole cannot be read, or is beyond a limit.
    """
    if len(body) > limits.body_bytes:
        raise RpcError(Code.INVALID_REQUEST, f"body too large: {len(body)} bytes, at most {limits.body_bytes}")
    check_structure(body, limits)
    if body.lstrip()[:1] != b"[":
        return Body([_parse_call(body, single=True)], batch=False)
    try:
        items = _list_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RpcError(Code.PARSE, f"parse error: {error}") from None
    if not items:
        raise RpcError(Code.INVALID_REQUEST, "empty batch")
    if len(items) > limits.batch_calls:
        raise RpcError(Code.INVALID_REQUEST, f"batch too large: {len(items)} calls, at most {limits.batch_calls}")
    return Body([_parse_call(bytes(item), single=False) for item in items], batch=True)


def check_structure(body: bytes, limits: Limits) -> None:
    """Refuse deep nesting and very many containers, before anything is built."""
    try:
        check_json(body, limits.depth, limits.containers, limits.values)
    except JsonTooDeep as error:
        raise RpcError(Code.INVALID_REQUEST, f"nested too deep, at most {error.limit} levels") from None
    except JsonTooWide as error:
        raise RpcError(Code.INVALID_REQUEST, f"{error.message}, at most {error.limit}") from None


def _parse_call(body: bytes, *, single: bool) -> Call:
    try:
        member = _member_decoder.decode(body)
    except msgspec.ValidationError:
        return _bad(JSON_NULL, "a call is an object")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if single:
            raise RpcError(Code.PARSE, f"parse error: {error}") from None
        return _bad(JSON_NULL, f"parse error: {error}")
    raw_id = bytes(member.id)
    call_id: msgspec.Raw | None = None
    if raw_id:
        if len(raw_id) > _ID_BYTES_MAX or raw_id[:1] in b"[{tf":
            return _bad(JSON_NULL, f"an id is a string, a number or null, at most {_ID_BYTES_MAX} bytes")
        call_id = msgspec.Raw(raw_id)
    try:
        if msgspec.json.decode(bytes(member.jsonrpc) or b"null") != "2.0":
            return _bad(call_id or JSON_NULL, 'jsonrpc is not "2.0"')
        method = msgspec.json.decode(bytes(member.method) or b"null")
        params = msgspec.json.decode(bytes(member.params) or b"[]")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _bad(call_id or JSON_NULL, f"parse error: {error}")
    if not isinstance(method, str):
        return _bad(call_id or JSON_NULL, "method is not a string")
    if params is None:
        params = []
    if not isinstance(params, list):
        return Call(call_id, method, [], invalid_params("non-array params: parameters are positional"))
    return Call(call_id, method, params, None)


def _bad(call_id: msgspec.Raw, why: str) -> Call:
    return Call(call_id, "", [], RpcError(Code.INVALID_REQUEST, f"invalid request: {why}"))


def encode_answer(call_id: msgspec.Raw, result: object) -> bytes:
    """One response; an `RpcError` becomes its `error` member."""
    if isinstance(result, RpcError):
        return msgspec.json.encode({"jsonrpc": "2.0", "id": call_id, "error": result.show()})
    return msgspec.json.encode({"jsonrpc": "2.0", "id": call_id, "result": result})


def join_answers(answers: list[bytes]) -> bytes:
    """The body of a batch's answers."""
    return b"[" + b",".join(answers) + b"]"
