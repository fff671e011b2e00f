"""`debug_` and `trace_` over the wire: what geth's and Parity's clients send is taken, all else is refused by name."""

import json

import pytest
from web3 import Web3

from bedroll.api import Code, RpcError
from bedroll.api.override import Overrides
from bedroll.api.trace_option import parse_call_options, parse_options, parse_parts, parse_trace_filter
from bedroll.encoding.rlp import decode_rlp, encode_rlp
from bedroll.sdk import RpcFailure

NO_HASH = "0x" + "77" * 32
SUPPLY = (10**24).to_bytes(32, "big").hex()


@pytest.fixture
async def deployed(rpc, chain, token):
    """Receipt of a token's deployment."""
    sent = await rpc.call(
        "eth_sendTransaction", {"from": "0x" + chain.accounts[0].address.hex(), "data": token["creation"] + SUPPLY}
    )
    return await rpc.call("eth_getTransactionReceipt", sent)


async def test_a_deployment_is_traced_by_hash_and_with_its_block(rpc, deployed):
    tracer = {"tracer": "callTracer", "tracerConfig": {"withLog": True}, "timeout": "5s", "reexec": 128}
    root = await rpc.call("debug_traceTransaction", deployed["transactionHash"], tracer)
    assert (root["type"], root["to"]) == ("CREATE", deployed["contractAddress"])
    assert root["gasUsed"] == deployed["evmGasUsed"]
    assert len(root["logs"]) == len(deployed["logs"])
    by_number = await rpc.call("debug_traceBlockByNumber", deployed["blockNumber"], tracer)
    by_hash = await rpc.call("debug_traceBlockByHash", deployed["blockHash"], tracer)
    assert by_number == by_hash == [{"txHash": deployed["transactionHash"], "result": root}]


async def test_parity_s_methods_agree_with_each_other(rpc, deployed):
    name, height = deployed["transactionHash"], deployed["blockNumber"]
    rows = await rpc.call("trace_transaction", name)
    assert rows == await rpc.call("trace_block", height)
    assert rows[0]["type"] == "create"
    assert rows[0]["result"]["address"] == deployed["contractAddress"]
    found = await rpc.call(
        "trace_filter", {"fromBlock": "0x0", "toBlock": "latest", "fromAddress": [deployed["from"]], "count": 5}
    )
    assert found == rows
    told = await rpc.call("trace_replayTransaction", name, ["trace", "stateDiff"])
    (listed,) = await rpc.call("trace_replayBlockTransactions", height, ["trace", "stateDiff"])
    assert listed.pop("transactionHash") == name
    assert listed == told
    assert told["stateDiff"][deployed["contractAddress"]]["nonce"] == {"+": "0x1"}
    assert await rpc.call("trace_transaction", NO_HASH) is None


async def test_tracers_run_side_by_side(rpc, deployed):
    config = {"callTracer": {}, "4byteTracer": {}, "prestateTracer": {"diffMode": True}, "noopTracer": None}
    told = await rpc.call(
        "debug_traceTransaction", deployed["transactionHash"], {"tracer": "muxTracer", "tracerConfig": config}
    )
    assert told.keys() == config.keys()
    assert told["callTracer"]["to"] == deployed["contractAddress"]
    assert told["prestateTracer"]["post"][deployed["contractAddress"]]["nonce"] == 1


async def test_a_call_is_traced_with_overrides(rpc, chain):
    to = "0x" + "42" * 20
    told = await rpc.call(
        "debug_traceCall",
        {"to": to, "gas": "0x100000"},
        "latest",
        {"tracer": "callTracer", "stateOverrides": {to: {"code": "0x5f5ffd"}}},
    )
    assert (told["error"], told["to"]) == ("execution reverted", to)
    steps = await rpc.call("debug_traceCall", {"to": to}, "latest", {"stateOverrides": {to: {"code": "0x5f5ffd"}}})
    assert [step["op"] for step in steps["structLogs"]] == ["PUSH0", "PUSH0", "REVERT"]
    assert steps["failed"] is True


async def test_raw_bytes_hash_to_what_the_chain_says(rpc, deployed, chain):
    height = deployed["blockNumber"]
    header = bytes.fromhex((await rpc.call("debug_getRawHeader", height))[2:])
    assert "0x" + Web3.keccak(header).hex() == deployed["blockHash"]
    block = decode_rlp(bytes.fromhex((await rpc.call("debug_getRawBlock", height))[2:]))
    raw = bytes.fromhex((await rpc.call("debug_getRawTransaction", deployed["transactionHash"]))[2:])
    assert (encode_rlp(block[0]), block[1:]) == (header, [[raw], [], []])
    assert "0x" + Web3.keccak(raw).hex() == deployed["transactionHash"]
    (leaf,) = [bytes.fromhex(leaf[2:]) for leaf in await rpc.call("debug_getRawReceipts", height)]
    # A trie of one leaf: its key is the RLP of index 0, after the mark of a leaf with an even count of nibbles.
    assert Web3.keccak(encode_rlp([b"\x20\x80", leaf])) == block[0][5]
    assert await rpc.call("debug_getRawTransaction", NO_HASH) == "0x"


async def test_what_is_not_there_and_what_is_too_much_is_said(rpc, deployed, service):
    async def refusal(method, *params):
        with pytest.raises(RpcFailure) as caught:
            await rpc.call(method, *params)
        return caught.value.code, caught.value.message.removeprefix(f"{method} failed: ")

    assert await refusal("debug_traceTransaction", NO_HASH) == (Code.SERVER, f"transaction not found: {NO_HASH}")
    assert await refusal("debug_traceBlockByNumber", "0x0") == (Code.SERVER, "genesis is not traceable")
    code, said = await refusal("debug_traceTransaction", deployed["transactionHash"], {"tracer": "{fault: 1}"})
    assert (code, "JavaScript tracers are not enabled" in said) == (Code.INVALID_PARAMS, True)
    config = {"tracer": "callTracer", "tracerConfig": {"withLog": 5}}
    code, said = await refusal("debug_traceTransaction", deployed["transactionHash"], config)
    assert (code, said) == (Code.INVALID_PARAMS, "invalid tracer config")
    loop = {"0x" + "42" * 20: {"code": "0x5b5f56"}}
    code, said = await refusal("debug_traceCall", {"to": "0x" + "42" * 20}, "latest", {"stateOverrides": loop})
    assert (code, "more than" in said) == (Code.LIMIT, True)
    quick = {"stateOverrides": loop, "tracer": "noopTracer", "timeout": "0ms"}
    code, said = await refusal("debug_traceCall", {"to": "0x" + "42" * 20}, "latest", quick)
    assert (code, "execution timeout" in said) == (Code.LIMIT, True)


async def test_a_filter_of_many_blocks_is_refused(rpc, chain, service):
    for _ in range(service.limits.trace_range_blocks):
        chain.seal()
    with pytest.raises(RpcFailure) as caught:
        await rpc.call("trace_filter", {"fromBlock": "0x0"})
    assert caught.value.code == Code.LIMIT
    assert await rpc.call("trace_filter", {"fromBlock": "0x2", "toBlock": "0xffff"}) == []


@pytest.mark.parametrize(
    "value",
    [
        [],
        "callTracer",
        {"tracers": "callTracer"},
        {"tracer": 1},
        {"tracer": "function"},
        {"tracer": "callTracer", "tracerConfig": []},
        {"tracer": "muxTracer"},
        {"tracer": "muxTracer", "tracerConfig": {"muxTracer": {}}},
        {"tracer": "muxTracer", "tracerConfig": {"{}": {}}},
        {"timeout": "5"},
        {"timeout": 5},
        {"limit": -1},
        {"limit": True},
        {"disableStack": 1},
        {"tracer": "callTracer", "tracerConfig": {"a": "b" * 20_000}},
        {"stateOverrides": {}},
    ],
)
def test_what_is_no_option_is_refused(value):
    with pytest.raises(RpcError) as caught:
        parse_options(value)
    assert caught.value.code == Code.INVALID_PARAMS


def test_a_traced_call_takes_overrides_of_state_and_block():
    assert parse_call_options({"blockOverrides": {}, "stateOverrides": {}}).overrides == Overrides()
    read = parse_call_options({"blockOverrides": {"number": "0x1"}}).overrides
    assert json.loads(read.block) == {"number": "0x1"}
    with pytest.raises(RpcError, match="block overrides"):
        parse_call_options({"blockOverrides": {"height": "0x1"}})


@pytest.mark.parametrize("value", ["trace", ["trace", "steps"], [["trace"]], ["trace"] * 4])
def test_what_is_no_part_of_a_trace_is_refused(value):
    with pytest.raises(RpcError):
        parse_parts(value)


@pytest.mark.parametrize(
    "value", [[], {"from": "0x"}, {"mode": "either"}, {"count": -1}, {"after": "1"}, {"fromAddress": ["0x12"]}]
)
def test_what_is_no_filter_of_calls_is_refused(value):
    with pytest.raises(RpcError):
        parse_trace_filter(value)
