"""Call objects, overrides and log filters of strangers: what is taken, and what is refused with which words."""

import json

import pytest

from bedroll.api import Code, RpcError
from bedroll.api.block_tag import BlockRef, parse_block, parse_number
from bedroll.api.call import parse_call
from bedroll.api.error import revert_reason, reverted
from bedroll.api.fee_method import TABLE as FEES
from bedroll.api.log_method import parse_filter
from bedroll.api.override import parse_block_overrides, parse_overrides
from bedroll.api.simulate_method import parse_simulation
from bedroll.sdk import RpcFailure

A = "0x" + "11" * 20
H = "0x" + "22" * 32
GRANT = {"chainId": "0x0", "address": A, "nonce": "0x1", "yParity": "0x1", "r": "0x5", "s": "0x6"}


def test_both_names_of_the_input_are_taken_if_equal():
    assert parse_call({"data": "0x01"}).data == parse_call({"input": "0x01", "data": "0x01"}).data == b"\x01"
    with pytest.raises(RpcError, match="not equal"):
        parse_call({"data": "0x01", "input": "0x02"})


def test_authorizations_are_read_with_either_name_of_the_parity():
    old = {key: item for key, item in GRANT.items() if key != "yParity"} | {"v": "0x1"}
    calls = [parse_call({"to": A, "authorizationList": [grant]}) for grant in (GRANT, old)]
    assert calls[0].authorizations == calls[1].authorizations == [(0, bytes.fromhex(A[2:]), 1, 1, 5, 6)]


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "0x",
        {"to": "0x12"},
        {"form": A},
        {"gasPrice": "0x1", "maxFeePerGas": "0x1"},
        {"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"},
        {"blobVersionedHashes": []},
        {"to": A, "authorizationList": [{}]},
        {"to": A, "authorizationList": {}},
        {"authorizationList": [GRANT]},
        {"to": A, "authorizationList": [GRANT | {"yParity": "0x100"}]},
        {"to": A, "authorizationList": [GRANT | {"more": "0x1"}]},
        {"gas": "0x10000000000000000"},
        {"value": 1},
        {"accessList": {}},
        {"accessList": [{"address": A, "storageKeys": ["0x0"]}]},
        {"accessList": [{"storageKeys": []}]},
        {"accessList": [[]]},
    ],
)
def test_what_is_no_call_is_refused(value):
    with pytest.raises(RpcError) as caught:
        parse_call(value)
    assert caught.value.code == Code.INVALID_PARAMS


def test_overrides_reach_the_core_in_one_spelling():
    given = {A.upper().replace("0X", "0x"): {"balance": "0x1", "nonce": "0x2", "code": "0x60", "stateDiff": {H: H}}}
    assert json.loads(parse_overrides(given)) == {
        A: {"balance": "0x1", "nonce": "0x2", "code": "0x60", "stateDiff": {H: H}}
    }
    assert parse_overrides({}) == ""


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"0x12": {}},
        {A: []},
        {A: {"balance": 1}},
        {A: {"state": {}, "stateDiff": {}}},
        {A: {"state": {"0x0": H}}},
        {A: {"stateDiff": []}},
        {A: {"movePrecompileToAddress": "0x1"}},
        {A: {"moved": A}},
    ],
)
def test_what_is_no_override_is_refused(value):
    with pytest.raises(RpcError):
        parse_overrides(value)


def test_block_overrides_are_taken_in_every_spelling_that_clients_use():
    geth = {"number": "0x5", "time": "0x6", "feeRecipient": A, "prevRandao": H, "baseFeePerGas": "0x7"}
    others = {"blockNumber": "0x5", "timestamp": "0x6", "coinbase": A, "random": H, "baseFee": "0x7"}
    assert json.loads(parse_block_overrides(geth)) == json.loads(parse_block_overrides(others)) == geth
    assert parse_block_overrides({"difficulty": "0x1", "gasLimit": None}) == parse_block_overrides(None) == ""
    assert json.loads(parse_block_overrides({"prevRandao": "0x2"}))["prevRandao"] == "0x" + "2".rjust(64, "0")


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"numbr": "0x1"},
        {"number": 1},
        {"number": "0x10000000000000000"},
        {"time": "0x1", "timestamp": "0x1"},
        {"feeRecipient": "0x1"},
        {"baseFeePerGas": "0x10000000000000000"},
        {"beaconRoot": H},
        {"withdrawals": [{}]},
        {"blockHash": {"0x1": H}},
    ],
)
def test_what_is_no_block_override_is_refused(value):
    with pytest.raises(RpcError) as caught:
        parse_block_overrides(value)
    assert caught.value.code == Code.INVALID_PARAMS


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], Code.INVALID_PARAMS),
        ({"blockStateCalls": {}}, Code.INVALID_PARAMS),
        ({"blockStateCalls": [[]]}, Code.INVALID_PARAMS),
        ({"blockStateCalls": [{"call": []}]}, Code.INVALID_PARAMS),
        ({"blockStateCalls": [{"calls": {}}]}, Code.INVALID_PARAMS),
        ({"blockStateCalls": [{"calls": [{"form": A}]}]}, Code.INVALID_PARAMS),
        ({"blockStateCalls": [{"stateOverrides": {A: {"state": {}, "stateDiff": {}}}}]}, Code.INVALID_PARAMS),
        ({"blockStateCalls": [{}], "validate": True}, Code.INVALID_PARAMS),
        ({"blockStateCalls": [{}], "validation": 1}, Code.INVALID_PARAMS),
        ({"blockStateCalls": [{}] * 257}, Code.CLIENT_LIMIT),
    ],
)
def test_what_is_no_simulation_is_refused(value, code):
    with pytest.raises(RpcError) as caught:
        parse_simulation(value)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("latest", BlockRef(tag="latest")),
        ("0x10", BlockRef(number=16)),
        (H, BlockRef(hash=bytes.fromhex(H[2:]))),
        ({"blockHash": H, "requireCanonical": True}, BlockRef(hash=bytes.fromhex(H[2:]))),
        ({"blockNumber": "safe"}, BlockRef(tag="safe")),
    ],
)
def test_blocks_are_named_in_every_way_of_eip_1898(value, expected):
    assert parse_block(value) == expected


@pytest.mark.parametrize(
    "value",
    [1, "1", "0x01", "newest", "0x10000000000000000", {}, {"blockHash": H, "blockNumber": "0x1"}, {"hash": H}, True],
)
def test_what_names_no_block_is_refused(value):
    with pytest.raises(RpcError):
        parse_block(value)
    with pytest.raises(RpcError):
        parse_number(value)


def test_filters_take_one_or_many_addresses_and_null_topics():
    other = "0x" + "33" * 32
    wanted = parse_filter({"address": [A, A[:-1] + "2"], "topics": [None, H, [H, other], [None, H]]})
    assert len(wanted.addresses) == 2
    assert [len(row) for row in wanted.topics] == [0, 1, 2, 0]
    assert parse_filter({"address": A}).addresses == {bytes.fromhex(A[2:])}


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"topics": [None] * 5},
        {"topics": H},
        {"topics": ["0x0"]},
        {"topics": [[H] * 1_001]},
        {"address": [A] * 1_001},
        {"address": 5},
        {"blockHash": H, "fromBlock": "0x1"},
        {"fromBlock": 1},
        {"from": A},
    ],
)
def test_what_is_no_filter_is_refused(value):
    with pytest.raises(RpcError):
        parse_filter(value)


def test_a_revert_carries_its_reason_and_its_bytes():
    word = lambda number: number.to_bytes(32, "big")  # noqa: E731
    output = bytes.fromhex("08c379a0") + word(32) + word(3) + b"no!".ljust(32, b"\0")
    error = reverted(output)
    assert (error.code, error.message, error.data) == (3, "execution reverted: no!", "0x" + output.hex())
    assert revert_reason(bytes.fromhex("4e487b71") + word(0x11)) == "arithmetic underflow or overflow"
    assert reverted(b"").show() == {"code": 3, "message": "execution reverted", "data": "0x"}


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        bytes(63),
        (32).to_bytes(32, "big") + b"\xff" * 32,
        (32).to_bytes(32, "big") + (1).to_bytes(32, "big") + b"\xff",
    ],
)
def test_a_malformed_reason_is_left_out(tail):
    assert revert_reason(bytes.fromhex("08c379a0") + tail) is None


@pytest.mark.parametrize(
    "params",
    [
        [],
        ["0x0", "latest"],
        [True, "latest"],
        ["0x1"],
        ["0x1", "latest", [50, 10]],
        ["0x1", "latest", [101]],
        ["0x1", "latest", ["5"]],
        ["0x1", "latest", [True]],
        ["0x1", "latest", [1] * 101],
        ["0x1", "latest", [], 1],
    ],
)
def test_fee_history_refuses_bad_parameters(params):
    with pytest.raises(RpcError) as caught:
        FEES.methods["eth_feeHistory"].bind(params)
    assert caught.value.code == Code.INVALID_PARAMS


def test_fee_history_takes_a_number_as_geths_client_sends_it():
    assert FEES.methods["eth_feeHistory"].bind([4, "latest"])[0] == 4
    assert FEES.methods["eth_feeHistory"].bind(["0x4", "latest", [1, 2.5]])[0] == 4


def test_hashes_of_blobs_are_read_where_they_may_stand():
    call = {"to": A, "blobVersionedHashes": [H], "maxFeePerBlobGas": "0x5"}
    read = parse_call(call, blobs=True)
    assert (read.blob_hashes, read.max_fee_per_blob_gas) == ([bytes.fromhex(H[2:])], 5)
    beside = {"blobs": ["0x00"], "commitments": ["0x00"], "cellProofs": []}
    assert parse_call(call | beside, blobs=True) == read
    for given in (
        call | {"blobVersionedHashes": [H] * 129},
        call | {"blobVersionedHashes": []},
        {**call, "to": None},
        call | {"blobs": "0x00"},
        {"to": A} | beside,
    ):
        with pytest.raises(RpcError) as caught:
            parse_call(given, blobs=True)
        assert caught.value.code == Code.INVALID_PARAMS


@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas", "eth_simulateV1", "debug_traceCall"])
async def test_a_chain_without_blobs_runs_no_call_with_any(rpc, method):
    call = {"to": A, "blobVersionedHashes": [H]}
    given = {"blockStateCalls": [{"calls": [call]}]} if method == "eth_simulateV1" else call
    with pytest.raises(RpcFailure, match="blob transactions do not exist on this chain") as caught:
        await rpc.call(method, given, "latest")
    assert caught.value.code == Code.INVALID_PARAMS
