"""`ots_…` as Otterscan reads it: blocks in pages, calls with depth, transfers that happened, errors."""

import dataclasses

import pytest

from bedroll.primitives import Gas, Wei
from bedroll.sdk import RpcFailure

NO_HASH = "0x" + "77" * 32


def sender_of(chain):
    return "0x" + chain.accounts[0].address.hex()


async def send(rpc, chain, **fields):
    sent = await rpc.call("eth_sendTransaction", {"from": sender_of(chain), "gas": "0xf4240"} | fields)
    return await rpc.call("eth_getTransactionReceipt", sent)


async def deploy(rpc, chain, runtime, **fields):
    size = len(runtime)
    creation = bytes.fromhex(f"61{size:04x}600e60003961{size:04x}6000f3") + runtime
    return (await send(rpc, chain, data="0x" + creation.hex(), **fields))["contractAddress"]


def call_of(to, *, value=0, opcode="f1"):
    """Code that calls and forgets the answer."""
    stack = "6000600060006000" + (f"61{value:04x}" if opcode == "f1" else "")
    return bytes.fromhex(f"{stack}73{to[2:]}5a{opcode}50")


async def test_the_level_is_the_one_otterscan_asks_for(rpc):
    assert await rpc.call("ots_getApiLevel") == 8


async def test_code_is_told_by_yes_and_no(rpc, chain):
    contract = await deploy(rpc, chain, b"\x00")
    assert await rpc.call("ots_hasCode", contract, "latest") is True
    assert await rpc.call("ots_hasCode", contract, 1) is False
    assert await rpc.call("ots_hasCode", sender_of(chain)) is False


async def test_details_are_the_block_without_its_transactions(rpc, chain):
    receipt = await send(rpc, chain, to="0x" + "42" * 20, value="0x5")
    block = await rpc.call("eth_getBlockByNumber", "latest", False)
    details = await rpc.call("ots_getBlockDetails", int(block["number"], 16))
    assert details == await rpc.call("ots_getBlockDetailsByHash", block["hash"])
    transactions = block.pop("transactions")
    assert details["block"] == block | {"logsBloom": None, "transactionCount": len(transactions)}
    fee = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    assert int(details["totalFees"], 16) == fee
    assert details["issuance"]["issuance"] == "0x0"
    header = await rpc.call("erigon_getHeaderByNumber", "latest")
    assert (header["hash"], "transactions" in header) == (block["hash"], False)
    for height in (99, "0x63"):
        assert await rpc.call("ots_getBlockDetails", height) is None
        assert await rpc.call("erigon_getHeaderByNumber", height) is None
    assert await rpc.call("ots_getBlockDetailsByHash", NO_HASH) is None


async def test_pages_of_a_block_end_with_its_last_transactions(rpc, chain):
    account = chain.accounts[0]
    raws = [
        account.sign_transaction(
            chain_id=chain.network.chain_id,
            nonce=nonce,
            gas_limit=Gas(100_000),
            max_fee_per_gas=Wei(10**10),
            max_priority_fee_per_gas=Wei(1),
            to=chain.accounts[1].address,
            value=Wei(nonce),
            data=bytes(range(1, 20)),
        )
        for nonce in range(5)
    ]
    chain.seal(*raws)
    height = chain.engine.tip().number
    pages = [await rpc.call("ots_getBlockTransactions", height, page, 2) for page in range(4)]
    values = [[int(one["value"], 16) for one in page["fullblock"]["transactions"]] for page in pages]
    assert values == [[3, 4], [1, 2], [0], []]
    assert {page["fullblock"]["transactionCount"] for page in pages} == {5}
    first = pages[0]
    assert first["fullblock"]["transactions"][0]["input"] == "0x01020304"
    hashes = [one["hash"] for one in first["fullblock"]["transactions"]]
    assert [receipt["transactionHash"] for receipt in first["receipts"]] == hashes
    assert [receipt["logs"] for receipt in first["receipts"]] == [None, None]
    assert await rpc.call("ots_getBlockTransactions", 99, 0, 2) is None


async def test_an_error_is_what_the_transaction_gave_back(rpc, chain):
    reverting = await deploy(rpc, chain, bytes.fromhex("6301020304600052600460" + "1cfd"))
    failed = await send(rpc, chain, to=reverting)
    assert failed["status"] == "0x0"
    assert await rpc.call("ots_getTransactionError", failed["transactionHash"]) == "0x01020304"
    well = await send(rpc, chain, to="0x" + "42" * 20)
    assert await rpc.call("ots_getTransactionError", well["transactionHash"]) == "0x"
    with pytest.raises(RpcFailure, match="transaction not found"):
        await rpc.call("ots_getTransactionError", NO_HASH)


async def test_calls_are_told_with_their_depth(rpc, chain):
    leaf = await deploy(rpc, chain, bytes.fromhex("60ff60005260206000f3"))
    middle = await deploy(rpc, chain, call_of(leaf, opcode="fa") + call_of(leaf, opcode="f4") + b"\x00")
    top = await deploy(rpc, chain, call_of(middle) + call_of(leaf) + b"\x00")
    receipt = await send(rpc, chain, to=top, value="0x7", data="0x1234")
    told = await rpc.call("ots_traceTransaction", receipt["transactionHash"])
    shown = [(row["type"], row["depth"], row["to"], row["value"]) for row in told]
    assert shown == [
        ("CALL", 0, top, "0x7"),
        ("CALL", 1, middle, "0x0"),
        ("STATICCALL", 2, leaf, None),
        ("DELEGATECALL", 2, leaf, None),
        ("CALL", 1, leaf, "0x0"),
    ]
    assert (told[0]["input"], told[4]["output"]) == ("0x1234", "0x" + "ff".rjust(64, "0"))


async def test_operations_are_those_that_lasted(rpc, chain):
    target = "0x" + "42" * 20
    dying = await deploy(rpc, chain, bytes.fromhex(f"73{target[2:]}ff"))
    failing = await deploy(rpc, chain, call_of(target, value=9) + bytes.fromhex("60006000fd"))
    making = bytes.fromhex("600060006000f050" + "6001600060006000f550")
    code = call_of(target, value=5) + call_of(failing, value=20) + call_of(dying, value=3) + making + b"\x00"
    top = await deploy(rpc, chain, code)
    receipt = await send(rpc, chain, to=top, value="0x64")
    assert receipt["status"] == "0x1"
    told = await rpc.call("ots_getInternalOperations", receipt["transactionHash"])
    assert [(row["type"], row["from"], int(row["value"], 16)) for row in told] == [
        (0, top, 5),
        (0, top, 3),
        (1, dying, 3),
        (2, top, 0),
        (3, top, 0),
    ]
    assert (told[2]["to"], told[0]["to"]) == (target, target)
    assert await rpc.call("eth_getCode", told[3]["to"]) == "0x"


async def test_calls_that_are_hundreds_deep_are_told(rpc, chain):
    top = await deploy(rpc, chain, bytes.fromhex("60006000600060006000305af100"))
    receipt = await send(rpc, chain, to=top, gas=hex(1 << 24))
    told = await rpc.call("ots_traceTransaction", receipt["transactionHash"])
    assert max(row["depth"] for row in told) > 100


async def test_a_trace_beyond_the_bound_is_refused(rpc, chain, service):
    top = await deploy(rpc, chain, bytes.fromhex("60006000600060006000305af100"))
    receipt = await send(rpc, chain, to=top)
    service.limits = dataclasses.replace(service.limits, trace_bytes=1_000)
    with pytest.raises(RpcFailure) as refused:
        await rpc.call("ots_traceTransaction", receipt["transactionHash"])
    assert refused.value.code == -32005


@pytest.mark.parametrize("params", [[1, 0, 0], [1, 0, 101], [1, -1, 5], [1, "latest", 5], [True, 0, 5], [1.5, 0, 5]])
async def test_pages_that_cannot_be_read_are_refused(rpc, params):
    with pytest.raises(RpcFailure) as refused:
        await rpc.call("ots_getBlockTransactions", *params)
    assert refused.value.code == -32602
