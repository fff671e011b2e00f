"""JSON-RPC 2.0: what a body may be, and that hostile ones are refused cheaply and with the right code."""

import random

import msgspec
import pytest

from bedroll.api import Code, Limits, RpcError
from bedroll.api.envelope import encode_answer, parse_body

LIMITS = Limits(body_bytes=100_000, batch_calls=10, depth=16, containers=500)
SEED = 7


def body(**members):
    return msgspec.json.encode({"jsonrpc": "2.0", "method": "eth_chainId"} | members)


def refusal(raw):
    with pytest.raises(RpcError) as caught:
        parse_body(raw, LIMITS)
    return caught.value


def test_a_single_call_keeps_its_id_to_the_digit():
    for call_id in (b"1", b'"x"', b"null", b"1.5", b"123456789012345678901234567890", b'"\\u00e9"'):
        raw = b'{"jsonrpc":"2.0","method":"m","id":' + call_id + b"}"
        call = parse_body(raw, LIMITS).calls[0]
        assert encode_answer(call.id, 1) == b'{"jsonrpc":"2.0","id":' + call_id + b',"result":1}'


def test_a_call_without_id_is_a_notification():
    assert parse_body(body(), LIMITS).calls[0].id is None


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", Code.PARSE),
        (b"{", Code.PARSE),
        (b"[1,", Code.PARSE),
        (b'{"jsonrpc":"2.0","method":"a\xff"', Code.PARSE),
        (b"[]", Code.INVALID_REQUEST),
        (b"[" + b",".join([b"1"] * 11) + b"]", Code.INVALID_REQUEST),
        (b" " * 100_001, Code.INVALID_REQUEST),
        (b"[" * 17 + b"]" * 17, Code.INVALID_REQUEST),
        (b"[" * 90_000, Code.INVALID_REQUEST),
        (b'{"a":' * 9_000, Code.INVALID_REQUEST),
        (b"[" + b"[]," * 1_000 + b"[]]", Code.INVALID_REQUEST),
    ],
)
def test_a_body_that_is_no_request_is_refused_as_a_whole(raw, code):
    assert refusal(raw).code == code


@pytest.mark.parametrize(
    "raw",
    [
        b"1",
        b'"x"',
        b"null",
        b'{"method":"m","id":1}',
        b'{"jsonrpc":"1.0","method":"m","id":1}',
        b'{"jsonrpc":2.0,"method":"m","id":1}',
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","method":7,"id":1}',
        b'{"jsonrpc":"2.0","method":"m","id":{}}',
        b'{"jsonrpc":"2.0","method":"m","id":[1]}',
        b'{"jsonrpc":"2.0","method":"m","id":true}',
        b'{"jsonrpc":"2.0","method":"m","id":"' + b"x" * 300 + b'"}',
    ],
)
def test_a_call_that_is_none_is_answered_with_invalid_request(raw):
    call = parse_body(raw, LIMITS).calls[0]
    assert call.id is not None
    assert call.error is not None
    assert call.error.code == Code.INVALID_REQUEST


def test_named_parameters_are_refused_and_null_ones_are_none():
    assert parse_body(body(params={"a": 1}, id=1), LIMITS).calls[0].error.code == Code.INVALID_PARAMS
    assert parse_body(body(params=None, id=1), LIMITS).calls[0].params == []


def test_a_bad_call_in_a_batch_leaves_the_others_alone():
    parsed = parse_body(b"[1," + body(id=1) + b',{"jsonrpc":"2.0"}]', LIMITS)
    assert parsed.batch
    assert [call.error is None for call in parsed.calls] == [False, True, False]


def test_brackets_inside_strings_do_not_count_as_depth():
    raw = body(params=["[{" * 1000 + '\\"' * 50], id=1)
    assert parse_body(raw, LIMITS).calls[0].error is None


def test_quotes_that_never_close_cost_linear_time():
    limits = Limits()
    for raw in (b'{"' + b'\\"' * 2_000_000 + b"[" * 100, b'"' * 4_000_000 + b"[" * 100, b"\\" * 4_000_000 + b"[" * 100):
        with pytest.raises(RpcError):
            parse_body(raw, limits)


def test_mutated_requests_never_raise_anything_but_an_rpc_error():
    draw = random.Random(SEED)
    seed_body = b'[{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"0x00","data":"0x"},"latest",null,1e5]}]'
    refused = 0
    for _ in range(20_000):
        raw = bytearray(seed_body)
        for _ in range(draw.randrange(1, 6)):
            place = draw.randrange(len(raw))
            action = draw.randrange(3)
            if action == 0:
                raw[place] = draw.randrange(256)
            elif action == 1:
                del raw[place : place + draw.randrange(1, 8)]
            else:
                raw[place:place] = draw.choice([b"[", b"{", b'"', b"\\", b"}", b"\x00", b"9" * 400, b"\xed\xa0\x80"])
        try:
            for call in parse_body(bytes(raw), LIMITS).calls:
                refused += call.error is not None
        except RpcError:
            refused += 1
    assert 1_000 < refused < 20_000, f"seed {SEED}"
