"""Hostile parameters for every method: each call is answered, none by an internal error, and the node goes on."""

import random

import msgspec
import pytest

from bedroll.api import Code, Dispatcher

SEED = 4_711
CALLS_A_METHOD = 250
HASH = "0x" + "ab" * 32
ADDRESS = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
VALUES = [
    None, True, False, 0, -1, 2**63, 2**70, 1.5, 1e300, "", "0x", "0x0", "0x00", "0x1", "0xffffffffffffffff",
    "0x" + "f" * 64, "0x" + "f" * 65, "latest", "pending", "earliest", "safe", "finalized", "LATEST", "\x00", "é" * 40,
    "x" * 5_000, HASH, ADDRESS, ADDRESS.upper(), "0x02c0", "0x7e", "0x6001600255", [], {}, [[]], [{}], [None], [HASH],
    [ADDRESS] * 5, [0, 50, 100], [100, 0], {"blockHash": HASH}, {"blockNumber": "0x1"}, {"blockHash": 1},
    {"to": ADDRESS}, {"from": ADDRESS, "to": ADDRESS, "value": "0x1"}, {"data": "0xfe"}, {"data": "0x5b600056"},
    {"to": ADDRESS, "gas": "0xffffffffffffffff"}, {"to": ADDRESS, "value": "0x" + "f" * 64, "from": ADDRESS},
    {"from": ADDRESS, "gasPrice": "0x" + "f" * 32}, {"from": ADDRESS, "data": "0x" + "60" * 60_000},
    {"accessList": [{"address": ADDRESS, "storageKeys": [HASH]}]}, {"address": ADDRESS, "fromBlock": "0x0"},
    {"fromBlock": "0x0", "toBlock": "0xffff"}, {"topics": [None, [HASH, None]]}, {"topics": {}}, {"blockHash": HASH},
    {ADDRESS: {"balance": "0x1", "code": "0x5f5ffd"}}, {ADDRESS: {"stateDiff": {HASH: HASH}}}, {ADDRESS: {"state": []}},
    {"types": {"EIP712Domain": []}, "primaryType": "EIP712Domain", "domain": {}, "message": {}}, {"types": []},
    '{"types":{}}', "newHeads", "logs", {"number": {"x": [1, [2, [3]]]}},
]  # fmt: skip


def draw_params(draw):
    """A list of values from the pool, sometimes nested in one another."""
    params = [draw.choice(VALUES) for _ in range(draw.randrange(6))]
    if params and draw.random() < 0.1:
        params[0] = {"to": params[0], "data": draw.choice(VALUES), "nonce": draw.choice(VALUES)}
    return params


@pytest.fixture
def dispatcher(service):
    return Dispatcher(service, devnet=True)


async def test_no_parameters_make_an_internal_error(dispatcher, chain, caplog):
    draw = random.Random(SEED)
    answered = refused = 0
    for method in sorted(dispatcher.table.methods):
        if method == "bedroll_mine":
            continue
        for _ in range(CALLS_A_METHOD):
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": draw_params(draw)}
            answer = msgspec.json.decode(await dispatcher.answer(msgspec.json.encode(body)))
            if "error" in answer:
                refused += 1
                assert answer["error"]["code"] != Code.INTERNAL, (SEED, body, caplog.text)
            else:
                answered += 1
    assert answered > 500, f"seed {SEED}: too few calls got through"
    assert refused > 5_000
    chain.seal()
    assert chain.engine.tip().number >= 2


async def test_batches_of_hostile_calls_are_answered_one_by_one(dispatcher):
    draw = random.Random(SEED + 1)
    methods = [*dispatcher.table.methods, "no_such", "eth_sendRawTransaction", "eth_sendRawTransaction"]
    for _ in range(100):
        calls = [
            {"jsonrpc": "2.0", "id": number, "method": draw.choice(methods), "params": draw_params(draw)}
            for number in range(draw.randrange(1, 20))
        ]
        calls = [call for call in calls if call["method"] != "bedroll_mine"]
        while len(msgspec.json.encode(calls)) > dispatcher.service.limits.body_bytes:
            calls.pop()
        calls = calls or [{"jsonrpc": "2.0", "id": 0}]
        answers = msgspec.json.decode(await dispatcher.answer(msgspec.json.encode(calls)))
        assert [answer["id"] for answer in answers] == [call["id"] for call in calls]
        assert all(answer.get("error", {}).get("code") != Code.INTERNAL for answer in answers), SEED
