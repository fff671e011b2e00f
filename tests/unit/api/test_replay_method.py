"""`trace_call` and its family: calls upon calls, transactions that are not handed in, one call of many."""

import dataclasses

import pytest

from bedroll.primitives import Gas, Wei
from bedroll.sdk import RpcFailure

SUPPLY = (10**24).to_bytes(32, "big").hex()
ABSENT = "0x" + "42" * 20
ALL = ["trace", "vmTrace", "stateDiff"]


def word(value):
    return value.to_bytes(32, "big").hex()


def sender_of(chain, index=0):
    return "0x" + chain.accounts[index].address.hex()


@pytest.fixture
async def deployed(rpc, chain, token):
    """Receipt of a token's deployment."""
    sent = await rpc.call("eth_sendTransaction", {"from": sender_of(chain), "data": token["creation"] + SUPPLY})
    return await rpc.call("eth_getTransactionReceipt", sent)


def transfer(chain, token, amount, *, sender, to):
    data = "0xa9059cbb" + "00" * 12 + chain.accounts[to].address.hex() + word(amount)
    return {"from": sender_of(chain, sender), "to": token, "data": data}


async def test_a_call_tells_the_wanted_parts_and_changes_nothing(rpc, chain, deployed):
    call = transfer(chain, deployed["contractAddress"], 7, sender=0, to=1)
    told = await rpc.call("trace_call", call, ALL)
    assert told["output"] == "0x" + word(1)
    assert told["trace"][0]["action"]["to"] == deployed["contractAddress"]
    assert told["vmTrace"]["ops"]
    assert deployed["contractAddress"] in told["stateDiff"]
    again = await rpc.call("trace_call", call, ["trace"], "latest")
    assert (again["vmTrace"], again["stateDiff"], again["trace"]) == (None, None, told["trace"])


async def test_a_call_at_an_old_block_sees_its_state(rpc, chain, deployed):
    call = transfer(chain, deployed["contractAddress"], 7, sender=0, to=1)
    assert (await rpc.call("trace_call", call, ["trace"], "0x1"))["output"] == "0x"


async def test_later_calls_see_what_earlier_ones_left(rpc, chain, deployed):
    token = deployed["contractAddress"]
    pairs = [
        [transfer(chain, token, 5, sender=1, to=2), ["trace"]],
        [transfer(chain, token, 5, sender=0, to=1), []],
        [transfer(chain, token, 5, sender=1, to=2), ["trace", "stateDiff"]],
    ]
    first, second, third = await rpc.call("trace_callMany", pairs, "latest")
    assert first["trace"][0]["error"] == "Reverted"
    assert (second["trace"], second["output"]) == ([], "0x" + word(1))
    assert third["output"] == "0x" + word(1)
    (alone,) = await rpc.call("trace_callMany", pairs[2:])
    assert alone["trace"][0]["error"] == "Reverted"
    assert await rpc.call("trace_callMany", []) == []


async def test_a_signed_transaction_is_traced_as_it_then_runs(rpc, chain):
    raw = chain.accounts[0].sign_transaction(
        chain_id=chain.network.chain_id,
        nonce=0,
        gas_limit=Gas(50_000),
        max_fee_per_gas=Wei(10**10),
        max_priority_fee_per_gas=Wei(0),
        to=chain.accounts[1].address,
        value=Wei(9),
    )
    told = await rpc.call("trace_rawTransaction", "0x" + raw.hex(), ["trace"])
    assert await rpc.call("eth_blockNumber") == "0x1"
    sent = await rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
    ran = await rpc.call("trace_replayTransaction", sent, ["trace"])
    assert told["trace"] == ran["trace"]


async def test_one_call_is_got_by_its_place(rpc, deployed):
    name = deployed["transactionHash"]
    (root,) = await rpc.call("trace_transaction", name)
    assert await rpc.call("trace_get", name, []) == root
    assert await rpc.call("trace_get", name, ["0x0"]) is None
    assert await rpc.call("trace_get", "0x" + "77" * 32, []) is None


async def test_a_block_is_traced_by_its_bytes(rpc, deployed):
    raw = await rpc.call("debug_getRawBlock", deployed["blockNumber"])
    options = {"tracer": "callTracer"}
    by_bytes = await rpc.call("debug_traceBlock", raw, options)
    assert by_bytes == await rpc.call("debug_traceBlockByNumber", deployed["blockNumber"], options)


@pytest.mark.parametrize("raw", ["0x", "0x00", "0xc0", "0xc1c0", "0xf9ffff", "0xff" + "ff" * 8])
async def test_bytes_that_are_no_block_of_the_chain_are_refused(rpc, raw):
    with pytest.raises(RpcFailure) as refused:
        await rpc.call("debug_traceBlock", raw)
    assert refused.value.code in (-32000, -32602)


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("trace_callMany", [[[{"to": ABSENT}, ["trace"]]] * 101], "too many calls: 101, at most 100"),
        ("trace_callMany", [[{"to": ABSENT}]], "pairs of call and trace types"),
        ("trace_callMany", [[[{"to": ABSENT}, ["steps"]]]], "one of trace, vmTrace, stateDiff"),
        ("trace_call", [{"to": ABSENT}], "missing value for required argument 1"),
        ("trace_get", ["0x" + "77" * 32, [0]], "a quantity"),
        ("trace_rawTransaction", ["0x", ["trace"]], "transaction"),
    ],
)
async def test_what_cannot_be_read_is_refused_by_name(rpc, method, params, text):
    with pytest.raises(RpcFailure, match=text) as refused:
        await rpc.call(method, *params)
    assert refused.value.code in (-32602, -32000)


async def test_the_calls_of_one_request_share_its_bounds(rpc, chain, service):
    service.limits = dataclasses.replace(service.limits, trace_bytes=100_000)
    sent = await rpc.call("eth_sendTransaction", {"from": sender_of(chain), "data": "0x625b5f565f526003601df3"})
    loop = (await rpc.call("eth_getTransactionReceipt", sent))["contractAddress"]
    call = [{"to": loop, "gas": "0x54b0"}, ["vmTrace"]]
    (one,) = await rpc.call("trace_callMany", [call])
    assert len(one["vmTrace"]["ops"]) > 20
    with pytest.raises(RpcFailure, match="more than 100000 bytes") as refused:
        await rpc.call("trace_callMany", [call] * 100)
    assert refused.value.code == -32005
    with pytest.raises(RpcFailure, match="more than 100000 bytes"):
        await rpc.call("trace_call", {"to": loop, "gas": "0xf4240"}, ["vmTrace"])
