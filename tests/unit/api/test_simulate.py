"""`eth_simulateV1` and overrides of blocks over the real engine: what carries over, what is refused with which code."""

import json
from dataclasses import replace

import pytest
from eth_account import Account as Reference
from web3 import AsyncHTTPProvider, AsyncWeb3, Web3

from bedroll.primitives import Invalid
from bedroll.sdk import RpcFailure

A, B, C = ("0x" + digit * 20 for digit in ("c0", "c1", "c2"))
EMITTER = "0x" + "ee" * 20
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
ENVIRONMENT = "0x43600052426020524460405241606052486080524560a0524a60c05260e06000f3"
"""Returns NUMBER, TIMESTAMP, PREVRANDAO, COINBASE, BASEFEE, GASLIMIT, BLOBBASEFEE."""
COUNTER = "0x600054600101806000556000526000600060206000a160206000f3"
"""Adds one to slot 0, logs topic 0 and returns the new value."""
REVERTING = "0x60006000fd"
BLOCK_HASH = "0x6000354060005260206000f3"
PAYER = "0x6000600060006000600134036000355af15060206000f3"
"""Passes the value but one wei on to the address in its input."""
DESTROYED = "0x6000ff"
RANDAO = "0x" + "c3" * 32
SHA256_OF_NOTHING = "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def word(value):
    return value.to_bytes(32, "big").hex()


def words(output):
    raw = bytes.fromhex(output[2:])
    return [int.from_bytes(raw[at : at + 32], "big") for at in range(0, len(raw), 32)]


async def simulate(rpc, *blocks, at="latest", **flags):
    return await rpc.call("eth_simulateV1", {"blockStateCalls": list(blocks), **flags}, at)


async def refused(rpc, *blocks, at="latest", **flags):
    with pytest.raises(RpcFailure) as caught:
        await simulate(rpc, *blocks, at=at, **flags)
    return caught.value.code


BLOCK = {
    "number": "0x64",
    "time": "0x77359400",
    "prevRandao": RANDAO,
    "feeRecipient": C,
    "baseFeePerGas": "0x7",
    "gasLimit": "0x989680",
    "blobBaseFee": "0x9",
}
SEEN = [0x64, 0x77359400, int(RANDAO, 16), int(C, 16), 7, 10_000_000, 9]


async def test_a_call_an_estimate_an_access_list_and_a_trace_see_the_block_that_is_wanted(rpc):
    state = {B: {"code": ENVIRONMENT}}
    payer = {A: {"balance": "0xffffffffffff"}}
    seen = await rpc.call("eth_call", {"from": A, "to": B, "gasPrice": "0x8"}, "latest", state | payer, BLOCK)
    assert words(seen) == SEEN
    # Without a price there is no base fee either, as in geth.
    free = [*SEEN[:4], 0, *SEEN[5:]]
    assert words(await rpc.call("eth_call", {"to": B}, "latest", state, BLOCK)) == free
    traced = await rpc.call(
        "debug_traceCall",
        {"to": B},
        "latest",
        {"tracer": "callTracer", "stateOverrides": state, "blockOverrides": BLOCK},
    )
    assert words(traced["output"]) == free
    # Writes a slot at height 100 alone.
    late = {B: {"code": "0x43606414600857005b600160005500"}}
    cheap = int(await rpc.call("eth_estimateGas", {"to": B}, "latest", late), 16)
    dear = int(await rpc.call("eth_estimateGas", {"to": B}, "latest", late, BLOCK), 16)
    assert dear - cheap > 20_000
    listed = await rpc.call("eth_createAccessList", {"to": B}, "latest", late, BLOCK)
    assert listed["accessList"] == [{"address": B, "storageKeys": ["0x" + word(0)]}]
    assert (await rpc.call("eth_createAccessList", {"to": B}, "latest", late))["accessList"] == []


async def test_a_call_above_the_chain_finds_no_hash_of_a_block_that_there_is_not(rpc):
    state = {B: {"code": BLOCK_HASH}}
    call = {"to": B, "data": "0x" + word(90)}
    assert words(await rpc.call("eth_call", call, "latest", state, {"number": "0x64"})) == [0]
    tip = await rpc.call("eth_getBlockByNumber", "latest", False)
    known = {"to": B, "data": "0x" + word(int(tip["number"], 16))}
    assert await rpc.call("eth_call", known, "latest", state, {"number": "0x20"}) == tip["hash"]


async def test_precompiles_can_be_replaced_and_moved(rpc):
    sha256 = "0x" + "2".rjust(40, "0")
    move = {sha256: {"movePrecompileToAddress": B}}
    assert await rpc.call("eth_call", {"to": B}, "latest", move) == SHA256_OF_NOTHING
    assert await rpc.call("eth_call", {"to": sha256}, "latest", move) == "0x"
    replaced = {sha256: {"code": ENVIRONMENT}}
    assert len(words(await rpc.call("eth_call", {"to": sha256}, "latest", replaced))) == 7
    both = {sha256: {"code": ENVIRONMENT, "movePrecompileToAddress": B}}
    assert await rpc.call("eth_call", {"to": B}, "latest", both) == SHA256_OF_NOTHING
    for wrong, text in (
        ({A: {"movePrecompileToAddress": B}}, "is not a precompile"),
        ({sha256: {"movePrecompileToAddress": B}, B: {"balance": "0x1"}}, "overridden already"),
    ):
        with pytest.raises(RpcFailure, match=text) as caught:
            await rpc.call("eth_call", {"to": B}, "latest", wrong)
        assert caught.value.code == -32000


async def test_an_authorization_gives_an_account_code_for_the_call(rpc, chain):
    signer = Reference.from_key(b"\x05" * 32)
    signed = signer.sign_authorization({"chainId": chain.network.chain_id, "address": C, "nonce": 0})
    grant = {
        "chainId": hex(signed.chain_id),
        "address": C,
        "nonce": "0x0",
        "yParity": hex(signed.y_parity),
        "r": hex(signed.r),
        "s": hex(signed.s),
    }
    call = {"to": signer.address, "authorizationList": [grant]}
    state = {C: {"code": ENVIRONMENT}}
    assert len(words(await rpc.call("eth_call", call, "latest", state))) == 7
    assert await rpc.call("eth_call", {"to": signer.address}, "latest", state) == "0x"
    with_list = int(await rpc.call("eth_estimateGas", call, "latest", state), 16)
    without = int(await rpc.call("eth_estimateGas", {"to": signer.address}, "latest", state), 16)
    assert with_list - without > 25_000
    (block,) = await simulate(rpc, {"stateOverrides": state, "calls": [call]}, returnFullTransactions=True)
    assert len(words(block["calls"][0]["returnData"])) == 7
    assert block["transactions"][0]["type"] == "0x4"
    assert block["transactions"][0]["authorizationList"] == [grant]


async def test_calls_build_upon_each_other_within_and_across_blocks(rpc):
    count = {"from": A, "to": B}
    blocks = await simulate(
        rpc, {"stateOverrides": {B: {"code": COUNTER}}, "calls": [count, count]}, {"calls": [count]}
    )
    tip = await rpc.call("eth_getBlockByNumber", "latest", False)
    assert [words(call["returnData"]) for block in blocks for call in block["calls"]] == [[1], [2], [3]]
    assert [int(block["number"], 16) - int(tip["number"], 16) for block in blocks] == [1, 2]
    assert [int(block["timestamp"], 16) - int(tip["timestamp"], 16) for block in blocks] == [2, 4]
    assert blocks[0]["parentHash"] == tip["hash"]
    assert blocks[1]["parentHash"] == blocks[0]["hash"]
    assert len({tip["stateRoot"], blocks[0]["stateRoot"], blocks[1]["stateRoot"]}) == 3
    logs = [log for call in blocks[0]["calls"] for log in call["logs"]]
    assert [log["logIndex"] for log in logs] == ["0x0", "0x1"]
    assert {log["blockHash"] for log in logs} == {blocks[0]["hash"]}
    assert [log["transactionHash"] for log in logs] == blocks[0]["transactions"]
    assert int(blocks[0]["gasUsed"], 16) == sum(int(call["gasUsed"], 16) for call in blocks[0]["calls"])
    assert int(blocks[0]["logsBloom"], 16) != 0
    assert await rpc.call("eth_getCode", B) == "0x"


async def test_gaps_are_filled_and_each_block_knows_the_hashes_before_it(rpc):
    tip = await rpc.call("eth_getBlockByNumber", "latest", False)
    height = int(tip["number"], 16)
    asked = [height, height + 1, height + 3, height + 4]
    calls = [{"to": B, "data": "0x" + word(number)} for number in asked]
    blocks = await simulate(
        rpc,
        {"stateOverrides": {B: {"code": BLOCK_HASH}}},
        {"blockOverrides": {"number": hex(height + 4)}, "calls": calls},
    )
    assert [int(block["number"], 16) - height for block in blocks] == [1, 2, 3, 4]
    told = [call["returnData"] for call in blocks[3]["calls"]]
    assert told == [tip["hash"], blocks[0]["hash"], blocks[2]["hash"], "0x" + word(0)]


async def test_a_block_has_what_overrides_name_and_later_ones_keep_limit_and_coinbase(rpc):
    state = {B: {"code": ENVIRONMENT}}
    override = BLOCK | {"number": "0x2", "beaconRoot": RANDAO, "difficulty": "0x5", "withdrawals": []}
    tip = int(await rpc.call("eth_blockNumber"), 16)
    override["number"] = hex(tip + 1)
    first, second = await simulate(
        rpc, {"blockOverrides": override, "stateOverrides": state, "calls": [{"to": B}]}, {"calls": [{"to": B}]}
    )
    assert words(first["calls"][0]["returnData"]) == [tip + 1, *SEEN[1:]]
    assert (first["miner"], first["mixHash"], first["parentBeaconBlockRoot"]) == (C, RANDAO, RANDAO)
    assert (first["baseFeePerGas"], first["difficulty"]) == ("0x7", "0x0")
    assert (second["miner"], second["gasLimit"], second["baseFeePerGas"]) == (C, "0x989680", "0x0")


async def test_moved_coins_are_told_as_logs_where_that_is_wanted(rpc):
    state = {A: {"balance": "0x100"}, B: {"code": PAYER}, C: {"code": DESTROYED, "balance": "0x9"}}
    to_d = "0x" + "d0".rjust(64, "0")
    calls = [{"from": A, "to": B, "value": "0x8", "data": to_d}, {"from": A, "to": C}, {"from": A, "value": "0x3"}]
    (told,) = await simulate(rpc, {"stateOverrides": state, "calls": calls}, traceTransfers=True)
    (silent,) = await simulate(rpc, {"stateOverrides": state, "calls": calls})
    logs = [log for call in told["calls"] for log in call["logs"]]
    assert [words(log["data"]) for log in logs] == [[8], [7], [9], [3]]
    assert {log["address"] for log in logs} == {EMITTER}
    assert {log["topics"][0] for log in logs} == {TRANSFER}
    assert logs[1]["topics"][1:] == ["0x" + B[2:].rjust(64, "0"), to_d]
    assert [log["logIndex"] for log in logs] == ["0x0", "0x1", "0x2", "0x3"]
    assert [call["logs"] for call in silent["calls"]] == [[], [], []]
    # They are no part of a receipt.
    assert (told["receiptsRoot"], told["stateRoot"]) == (silent["receiptsRoot"], silent["stateRoot"])


async def test_a_failed_call_is_told_in_its_place_and_leaves_no_log(rpc):
    state = {A: {"balance": "0x100"}, B: {"code": REVERTING}, C: {"code": "0xfe"}}
    calls = [{"from": A, "to": B, "value": "0x1"}, {"from": A, "to": C, "gas": "0xc350"}, {"from": A, "to": A}]
    (block,) = await simulate(rpc, {"stateOverrides": state, "calls": calls}, traceTransfers=True)
    assert [call["status"] for call in block["calls"]] == ["0x0", "0x0", "0x1"]
    assert block["calls"][0]["error"] == {"code": 3, "message": "execution reverted", "data": "0x"}
    assert block["calls"][1]["error"] == {"code": -32015, "message": "invalid opcode: INVALID"}
    assert block["calls"][1]["gasUsed"] == "0xc350"
    assert [call["logs"] for call in block["calls"]] == [[], [], []]


@pytest.mark.parametrize(
    ("code", "flags", "block"),
    [
        (-38010, {"validation": True}, {"calls": [{"from": B, "to": A, "nonce": "0x4", "maxFeePerGas": "0xff"}]}),
        (-38011, {"validation": True}, {"calls": [{"from": B, "to": A, "nonce": "0x6", "maxFeePerGas": "0xff"}]}),
        (-38012, {"validation": True}, {"calls": [{"from": B, "to": A}]}),
        (-38013, {}, {"calls": [{"from": B, "to": A, "gas": "0x5207"}]}),
        (-38014, {}, {"calls": [{"from": A, "to": B, "value": "0x1"}]}),
        (-38015, {}, {"blockOverrides": {"gasLimit": "0x5208"}, "calls": [{"to": A, "gas": "0x5209"}]}),
        (-38020, {}, {"blockOverrides": {"number": "0x0"}}),
        (-38021, {}, {"blockOverrides": {"time": "0x1"}}),
        (
            -38022,
            {},
            {"stateOverrides": {"0x" + "2".rjust(40, "0"): {"movePrecompileToAddress": "0x" + "2".rjust(40, "0")}}},
        ),
        (-38025, {}, {"calls": [{"from": A, "data": "0x" + "00" * 49_153}]}),
        (-38026, {}, {"blockOverrides": {"number": "0x1001"}}),
        (-32602, {}, {"calls": [{"to": "0x1"}]}),
        (-32602, {}, {"blockOverrides": {"withdrawals": [{}]}}),
        (-32000, {}, {"stateOverrides": {A: {"movePrecompileToAddress": B}}}),
        (-32000, {"at": "0x99"}, {}),
    ],
)
async def test_what_breaks_a_rule_ends_the_simulation_with_its_code(rpc, code, flags, block):
    state = {B: {"nonce": "0x5", "balance": "0xffffffffffff"}}
    override = {"baseFeePerGas": "0x1" if flags.get("validation") else "0x0"} | block.get("blockOverrides", {})
    block = block | {"blockOverrides": override}
    if "stateOverrides" not in block:
        block["stateOverrides"] = state
    assert await refused(rpc, block, **flags) == code


async def test_an_empty_request_is_refused(rpc):
    assert await refused(rpc) == -32602


async def test_gas_time_and_size_are_bounded_over_all_blocks(rpc, service):
    forever = {"stateOverrides": {B: {"code": "0x5b600056"}}, "calls": [{"to": B}]}
    service.limits = replace(service.limits, call_gas=100_000)
    (first, second) = await simulate(rpc, forever | {"calls": [{"to": B, "gas": "0xea60"}]}, forever)
    assert (first["gasUsed"], second["gasUsed"]) == (hex(60_000), hex(40_000))
    assert await refused(rpc, forever, {"calls": [{"to": B}]}) == -38013
    service.limits = replace(service.limits, call_gas=1 << 40, trace_seconds=0.05)
    large = {"blockOverrides": {"gasLimit": hex(1 << 40)}}
    assert await refused(rpc, forever | large) == -32016
    service.limits = replace(service.limits, trace_seconds=10.0, trace_bytes=2_000)
    assert await refused(rpc, {}, {}) == -38026


def test_the_number_of_calls_is_bounded_by_block_and_in_all(chain):
    for counts in ([5_001], [4_000, 4_000, 2_001]):
        request = {"blockStateCalls": [{"calls": [{"from": A}] * count} for count in counts]}
        with pytest.raises(Invalid, match="too many calls") as caught:
            chain.engine.view().simulate(json.dumps(request), gas=1, result_bytes=1, seconds=1.0)
        assert caught.value.fields["reason"] == "client_limit"


async def test_on_an_older_block_all_is_as_it_was_with_its_root(rpc, chain, token, service):
    sender = "0x" + chain.accounts[0].address.hex()
    store = {"stateOverrides": {B: {"code": "0x5f355f555f35600155"}}, "calls": [{"to": B, "data": "0x" + word(9)}]}
    blocks = [{"calls": [{"from": sender, "to": A, "value": "0x1"}]}, store, {"calls": [{"to": B}]}]
    before = await rpc.call("eth_getBlockByNumber", "latest", False)
    wanted = await simulate(rpc, *blocks)
    for value in ("0x5", "0x0"):
        await rpc.call("eth_sendTransaction", {"from": sender, "to": B, "value": value})
    assert await simulate(rpc, *blocks, at=before["number"]) == wanted
    assert len({block["stateRoot"] for block in wanted}) == 3
    service.limits = replace(service.limits, proof_changes=1)
    unrooted = await simulate(rpc, *blocks, at=before["number"])
    assert {block["stateRoot"] for block in unrooted} == {"0x" + word(0)}
    assert [block["calls"] for block in unrooted] == [block["calls"] for block in wanted]


async def test_web3_asks_for_it_by_its_own_name(server):
    client = AsyncWeb3(AsyncHTTPProvider(server.url))
    call = {"from": Web3.to_checksum_address(A), "to": Web3.to_checksum_address(B), "gas": 21_000}
    (block,) = await client.eth.simulate_v1({"blockStateCalls": [{"calls": [call]}]}, "latest")
    await client.provider.disconnect()
    assert block["calls"][0]["status"] == 1
