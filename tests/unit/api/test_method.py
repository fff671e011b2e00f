"""Methods over the real engine: blocks, receipts, state, calls, logs, fees, proofs, transactions of a devnet."""

import hashlib

import pytest
import rlp
from eth_account import Account as Reference
from eth_account.messages import encode_defunct
from web3 import Web3

from bedroll.encoding.rlp import encode_integer, encode_rlp
from bedroll.primitives import Address, Gas, Wei
from bedroll.sdk import RpcFailure

ABSENT = "0x" + "99" * 20
NO_HASH = "0x" + "77" * 32
SUPPLY = 10**24


def word(value):
    return value.to_bytes(32, "big").hex()


def selector(text):
    return Web3.keccak(text=text)[:4].hex()


def data_of(text, *values):
    return "0x" + selector(text) + "".join(word(value) for value in values)


async def deploy(rpc, chain, token):
    sender = "0x" + chain.accounts[0].address.hex()
    creation = token["creation"] + word(SUPPLY)
    sent = await rpc.call("eth_sendTransaction", {"from": sender, "data": creation})
    receipt = await rpc.call("eth_getTransactionReceipt", sent)
    assert receipt["status"] == "0x1"
    return receipt


def pay(chain, *, nonce=0, to=None, value=1, data=b"", gas=100_000, cap=10**10, tip=10**6, sender=0, chain_id=None):
    return (
        "0x"
        + chain.accounts[sender]
        .sign_transaction(
            chain_id=chain_id or chain.network.chain_id,
            nonce=nonce,
            gas_limit=Gas(gas),
            max_fee_per_gas=Wei(cap),
            max_priority_fee_per_gas=Wei(tip),
            to=to or chain.accounts[1].address,
            value=Wei(value),
            data=data,
        )
        .hex()
    )


async def test_the_chain_says_what_it_is(rpc):
    assert await rpc.call("eth_chainId") == hex(21_000_102)
    assert await rpc.call("net_version") == "21000102"
    assert (await rpc.call("web3_clientVersion")).startswith("bedroll/v")
    assert await rpc.call("eth_syncing") is False
    assert await rpc.call("net_listening") is True
    assert await rpc.call("net_peerCount") == "0x0"
    assert await rpc.call("web3_sha3", "0x") == "0x" + Web3.keccak(b"").hex()


async def test_a_block_hashes_to_what_its_fields_say(rpc, chain):
    await rpc.call("eth_sendRawTransaction", pay(chain))
    for height in ("0x0", "0x1", "latest"):
        block = await rpc.call("eth_getBlockByNumber", height, False)
        quantities = ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")
        fields = {name: encode_integer(int(block[name], 16)) for name in (*quantities, "baseFeePerGas", "blobGasUsed")}
        fields["excessBlobGas"] = encode_integer(int(block["excessBlobGas"], 16))
        order = [
            "parentHash",
            "sha3Uncles",
            "miner",
            "stateRoot",
            "transactionsRoot",
            "receiptsRoot",
            "logsBloom",
            "difficulty",
            "number",
            "gasLimit",
            "gasUsed",
            "timestamp",
            "extraData",
            "mixHash",
            "nonce",
            "baseFeePerGas",
            "withdrawalsRoot",
            "blobGasUsed",
            "excessBlobGas",
            "parentBeaconBlockRoot",
            "requestsHash",
        ]
        rlp = encode_rlp([fields.get(name) if name in fields else bytes.fromhex(block[name][2:]) for name in order])
        assert "0x" + Web3.keccak(rlp).hex() == block["hash"], height
    assert block["requestsHash"] == "0x" + hashlib.sha256(b"").hexdigest()


async def test_blocks_are_found_by_tag_height_and_hash(rpc, chain):
    await rpc.call("eth_sendRawTransaction", pay(chain))
    latest = await rpc.call("eth_getBlockByNumber", "latest", True)
    assert latest == await rpc.call("eth_getBlockByHash", latest["hash"], True)
    assert latest["number"] == await rpc.call("eth_blockNumber") == "0x2"
    assert (await rpc.call("eth_getBlockByNumber", "earliest", False))["number"] == "0x0"
    assert await rpc.call("eth_getBlockByNumber", "0x63", False) is None
    assert await rpc.call("eth_getBlockByHash", NO_HASH, False) is None
    assert await rpc.call("eth_getBlockTransactionCountByNumber", "0x2") == "0x1"
    assert await rpc.call("eth_getBlockTransactionCountByHash", latest["hash"]) == "0x1"
    assert await rpc.call("eth_getUncleCountByBlockNumber", "0x2") == "0x0"
    assert await rpc.call("eth_getUncleCountByBlockHash", NO_HASH) is None
    assert await rpc.call("eth_getUncleByBlockHashAndIndex", latest["hash"], "0x0") is None
    first = await rpc.call("eth_getTransactionByBlockNumberAndIndex", "0x2", "0x0")
    assert first == latest["transactions"][0]
    assert await rpc.call("eth_getTransactionByBlockHashAndIndex", latest["hash"], "0x1") is None


async def test_classes_follow_the_heads(rpc, chain):
    await rpc.call("bedroll_mine", "0x3")
    chain.safe, chain.finalized = 2, 1
    shown = [(await rpc.call("eth_getBlockByNumber", hex(height), False))["class"] for height in range(4)]
    assert shown == ["finalized", "finalized", "safe", "latest"]
    assert (await rpc.call("eth_getBlockByNumber", "safe", False))["number"] == "0x2"
    assert (await rpc.call("eth_getBlockByNumber", "finalized", False))["number"] == "0x1"
    answer = await rpc.call("bedroll_getBlockClass", "0x2")
    assert answer == {"number": "0x2", "class": "safe", "committed": True}


async def test_derived_blocks_and_receipts_name_the_bitcoin_transaction(rpc, chain):
    sent = await rpc.call("eth_sendRawTransaction", pay(chain))
    block = await rpc.call("eth_getBlockByNumber", "latest", False)
    receipt = await rpc.call("eth_getTransactionReceipt", sent)
    assert (block["bedrollBitcoin"], receipt["bedrollBitcoin"]) == (None, None)
    chain.safe = 2
    carried = {"txid": bytes(range(32))[::-1].hex(), "height": "0x9", "batch": "0x" + "00" * 31 + "01"}
    for method, params in (
        ("eth_getBlockByNumber", ("0x2", False)),
        ("eth_getBlockByHash", (block["hash"], True)),
        ("eth_getTransactionReceipt", (sent,)),
        ("erigon_getHeaderByNumber", (2,)),
    ):
        assert (await rpc.call(method, *params))["bedrollBitcoin"] == carried, method
    (listed,) = await rpc.call("eth_getBlockReceipts", "0x2")
    assert listed["bedrollBitcoin"] == carried
    assert (await rpc.call("eth_getBlockByNumber", "0x0", False))["bedrollBitcoin"] is None
    chain.safe = 0
    assert (await rpc.call("eth_getTransactionReceipt", sent))["bedrollBitcoin"] is None


async def test_the_first_transaction_of_an_origin_is_the_l1_info_call(rpc):
    block = await rpc.call("eth_getBlockByNumber", "0x1", True)
    info = block["transactions"][0]
    assert (info["type"], info["gasPrice"]) == ("0x7e", "0x0")
    receipt = await rpc.call("eth_getTransactionReceipt", info["hash"])
    assert (receipt["gasUsed"], receipt["status"]) == ("0x0", "0x1")


async def test_a_receipt_says_what_the_sender_paid(rpc, chain):
    sender = "0x" + chain.accounts[0].address.hex()
    before = int(await rpc.call("eth_getBalance", sender, "latest"), 16)
    sent = await rpc.call("eth_sendRawTransaction", pay(chain, value=5, data=bytes(range(1, 200))))
    receipt = await rpc.call("eth_getTransactionReceipt", sent)
    after = int(await rpc.call("eth_getBalance", sender, "latest"), 16)
    gas, evm, data = (int(receipt[name], 16) for name in ("gasUsed", "evmGasUsed", "dataGasUsed"))
    assert gas == evm + data
    assert data > 0
    assert before - after == 5 + gas * int(receipt["effectiveGasPrice"], 16)
    assert receipt["cumulativeGasUsed"] == receipt["evmGasUsed"]
    assert receipt == (await rpc.call("eth_getBlockReceipts", receipt["blockNumber"]))[0]
    shown = await rpc.call("eth_getTransactionByHash", sent)
    assert shown["gasPrice"] == receipt["effectiveGasPrice"]
    assert Reference.recover_transaction(pay(chain, value=5, data=bytes(range(1, 200)))).lower() == shown["from"]


async def test_a_waiting_transaction_is_shown_without_a_block(rpc, chain):
    chain.manual = True
    sent = await rpc.call("eth_sendRawTransaction", pay(chain))
    shown = await rpc.call("eth_getTransactionByHash", sent)
    assert shown["blockHash"] is None
    assert await rpc.call("eth_getTransactionReceipt", sent) is None
    sender = "0x" + chain.accounts[0].address.hex()
    assert await rpc.call("eth_getTransactionCount", sender, "latest") == "0x0"
    assert await rpc.call("eth_getTransactionCount", sender, "pending") == "0x1"
    pending = await rpc.call("eth_getBlockByNumber", "pending", False)
    assert (pending["hash"], pending["number"], pending["transactions"]) == (None, "0x2", [sent])


async def test_refusals_have_ethereums_words(rpc, chain):
    with pytest.raises(RpcFailure) as caught:
        await rpc.call("eth_sendRawTransaction", "0x02c0")
    assert caught.value.code == -32000


async def test_a_batch_of_transactions_is_answered_one_by_one(rpc, chain):
    calls = [pay(chain), "0x02c0", pay(chain), pay(chain, nonce=1)]
    body = [
        {"jsonrpc": "2.0", "id": index, "method": "eth_sendRawTransaction", "params": [raw]}
        for index, raw in enumerate([*calls, "0x0"])
    ]
    answers = await rpc._post(body)
    assert [answer["id"] for answer in answers] == [0, 1, 2, 3, 4]
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32000, -32000, None, -32602]
    assert "nonce too low" in answers[2]["error"]["message"]


async def test_state_is_read_at_any_kept_block(rpc, chain, token):
    receipt = await deploy(rpc, chain, token)
    contract = receipt["contractAddress"]
    assert len(await rpc.call("eth_getCode", contract, "latest")) > 100
    assert await rpc.call("eth_getCode", contract, "0x1") == "0x"
    assert await rpc.call("eth_getCode", contract, {"blockHash": receipt["blockHash"]}) != "0x"
    assert await rpc.call("eth_getStorageAt", contract, "0x0", "latest") == "0x" + word(SUPPLY)
    assert await rpc.call("eth_getStorageAt", contract, "0x" + word(0), "0x1") == "0x" + word(0)
    assert await rpc.call("eth_getBalance", ABSENT) == "0x0"
    found = await rpc.call("eth_getAccountInfo", contract, "latest")
    assert found == {"balance": "0x0", "nonce": "0x1", "code": await rpc.call("eth_getCode", contract, "latest")}
    with pytest.raises(RpcFailure, match="header not found"):
        await rpc.call("eth_getBalance", ABSENT, "0x63")
    with pytest.raises(RpcFailure, match="header not found"):
        await rpc.call("eth_getBalance", ABSENT, {"blockHash": NO_HASH})


async def test_state_that_is_no_longer_kept_is_said_so(rpc, chain):
    await rpc.call("bedroll_mine", 5)
    chain.engine.commit()
    chain.engine.prune(3)
    with pytest.raises(RpcFailure, match="missing trie node: state of block 1 is not kept"):
        await rpc.call("eth_getBalance", ABSENT, "0x1")
    assert await rpc.call("eth_getBalance", ABSENT, "latest") == "0x0"


async def test_calls_return_revert_and_take_overrides(rpc, chain, token):
    contract = (await deploy(rpc, chain, token))["contractAddress"]
    owner = int.from_bytes(chain.accounts[0].address, "big")
    balance_of = {"to": contract, "data": data_of("balanceOf(address)", owner)}
    assert await rpc.call("eth_call", balance_of, "latest") == "0x" + word(SUPPLY)
    too_much = {"to": contract, "input": data_of("transfer(address,uint256)", 1, 1)}
    with pytest.raises(RpcFailure) as caught:
        await rpc.call("eth_call", too_much, "latest")
    assert (caught.value.code, caught.value.reason) == (3, "execution reverted: balance too low")
    assert caught.value.data.startswith("0x08c379a0")
    with pytest.raises(RpcFailure) as caught:
        await rpc.call("eth_estimateGas", too_much)
    assert (caught.value.code, caught.value.reason) == (3, "execution reverted: balance too low")
    code = {contract: {"code": "0x602a60005260206000f3"}}
    assert await rpc.call("eth_call", balance_of, "latest", code) == "0x" + word(42)
    diff = {contract: {"stateDiff": {"0x" + word(0): "0x" + word(7)}}}
    assert await rpc.call(
        "eth_call", {"to": contract, "data": data_of("totalSupply()")}, "latest", diff
    ) == "0x" + word(7)
    with pytest.raises(RpcFailure) as caught:
        await rpc.call("eth_call", {"to": ABSENT, "data": "0x"}, "latest", {ABSENT: {"code": "0xfe"}})
    assert caught.value.code == -32000


async def test_an_estimate_suffices_and_one_gas_less_does_not(rpc, chain, token):
    contract = (await deploy(rpc, chain, token))["contractAddress"]
    sender = "0x" + chain.accounts[0].address.hex()
    request = {"from": sender, "to": contract, "data": data_of("transfer(address,uint256)", 2, 10**18)}
    gas = int(await rpc.call("eth_estimateGas", request), 16)
    sent = await rpc.call("eth_sendTransaction", request | {"gas": hex(gas)})
    receipt = await rpc.call("eth_getTransactionReceipt", sent)
    assert receipt["status"] == "0x1"
    assert int(receipt["gasUsed"], 16) <= gas
    assert int(await rpc.call("eth_estimateGas", {"from": sender, "to": ABSENT, "value": "0x1"}), 16) == 21_000


async def test_an_access_list_names_what_a_call_touches_and_saves_no_wrong_slot(rpc, chain, token):
    contract = (await deploy(rpc, chain, token))["contractAddress"]
    sender = "0x" + chain.accounts[0].address.hex()
    request = {"from": sender, "to": contract, "data": data_of("transfer(address,uint256)", 2, 10**18)}
    made = await rpc.call("eth_createAccessList", request)
    assert [entry["address"] for entry in made["accessList"]] == [contract.lower()]
    assert len(made["accessList"][0]["storageKeys"]) == 2
    assert "error" not in made
    sent = await rpc.call("eth_sendTransaction", request | {"accessList": made["accessList"]})
    receipt = await rpc.call("eth_getTransactionReceipt", sent)
    assert (receipt["status"], receipt["evmGasUsed"]) == ("0x1", made["gasUsed"])
    plain = await rpc.call("eth_createAccessList", {"from": sender, "to": ABSENT, "value": "0x1"})
    assert plain == {"accessList": [], "gasUsed": hex(21_000)}
    failing = await rpc.call(
        "eth_createAccessList", request | {"data": data_of("transfer(address,uint256)", 2, 2**255)}
    )
    assert failing["error"] == "execution reverted"


async def test_what_a_sender_leaves_out_is_filled_in_and_the_raw_form_lacks_only_a_signature(rpc, chain):
    account = chain.accounts[0]
    sender = "0x" + account.address.hex()
    filled = await rpc.call("eth_fillTransaction", {"from": sender, "to": ABSENT, "value": "0x1"})
    fields = filled["tx"]
    assert (fields["nonce"], fields["gas"], fields["value"]) == (
        await rpc.call("eth_getTransactionCount", sender, "pending"),
        hex(21_000),
        "0x1",
    )
    signed = account.sign_transaction(
        chain_id=int(fields["chainId"], 16),
        nonce=int(fields["nonce"], 16),
        gas_limit=Gas(21_000),
        max_fee_per_gas=Wei(int(fields["maxFeePerGas"], 16)),
        max_priority_fee_per_gas=Wei(int(fields["maxPriorityFeePerGas"], 16)),
        to=Address(bytes.fromhex(ABSENT[2:])),
        value=Wei(1),
    )
    assert rlp.decode(bytes.fromhex(filled["raw"][4:]))[:9] == rlp.decode(signed[1:])[:9]
    assert rlp.decode(bytes.fromhex(filled["raw"][4:]))[9:] == [b"", b"", b""]
    assert await rpc.call("eth_sendRawTransaction", "0x" + signed.hex())


async def test_logs_are_found_by_address_topic_and_range(rpc, chain, token):
    receipt = await deploy(rpc, chain, token)
    contract = receipt["contractAddress"]
    sender = "0x" + chain.accounts[0].address.hex()
    for amount in range(1, 4):
        data = data_of("transfer(address,uint256)", amount, amount)
        await rpc.call("eth_sendTransaction", {"from": sender, "to": contract, "data": data})
    topic = "0x" + Web3.keccak(text="Transfer(address,address,uint256)").hex()
    everything = await rpc.call("eth_getLogs", {"fromBlock": "0x0", "address": contract})
    assert len(everything) == 4
    assert everything[0] == receipt["logs"][0]
    wanted = {"fromBlock": "earliest", "toBlock": "latest", "topics": [topic, None, ["0x" + word(2), "0x" + word(3)]]}
    assert [int(log["data"], 16) for log in await rpc.call("eth_getLogs", wanted)] == [2, 3]
    assert await rpc.call("eth_getLogs", {"blockHash": receipt["blockHash"]}) == receipt["logs"]
    assert await rpc.call("eth_getLogs", {"fromBlock": "0x63"}) == []
    with pytest.raises(RpcFailure, match="beyond current head") as caught:
        await rpc.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x63"})
    assert caught.value.code == -32602
    assert await rpc.call("eth_getLogs", {"address": ABSENT, "fromBlock": "0x0"}) == []
    with pytest.raises(RpcFailure, match="invalid block range"):
        await rpc.call("eth_getLogs", {"fromBlock": "0x3", "toBlock": "0x1"})


async def test_log_limits_are_said(rpc, chain, token):
    contract = (await deploy(rpc, chain, token))["contractAddress"]
    sender = "0x" + chain.accounts[0].address.hex()
    for _ in range(21):
        data = data_of("transfer(address,uint256)", 5, 1)
        await rpc.call("eth_sendTransaction", {"from": sender, "to": contract, "data": data})
    with pytest.raises(RpcFailure) as caught:
        await rpc.call("eth_getLogs", {"fromBlock": "0x1", "address": contract})
    assert caught.value.code == -32005
    await rpc.call("bedroll_mine", 100)
    with pytest.raises(RpcFailure, match="at most 100"):
        await rpc.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})


async def test_fees_follow_the_newest_blocks(rpc, chain):
    base = int((await rpc.call("eth_getBlockByNumber", "pending", False))["baseFeePerGas"], 16)
    tip = int(await rpc.call("eth_maxPriorityFeePerGas"), 16)
    assert tip == max(1, base // 8)
    assert int(await rpc.call("eth_gasPrice"), 16) == base + tip
    await rpc.call("eth_sendRawTransaction", pay(chain, tip=10**9))
    assert int(await rpc.call("eth_maxPriorityFeePerGas"), 16) == 10**9
    history = await rpc.call("eth_feeHistory", "0x2", "latest", [0, 50, 100])
    assert history["oldestBlock"] == "0x1"
    assert len(history["baseFeePerGas"]) == 3
    assert history["reward"] == [["0x0"] * 3, [hex(10**9)] * 3]
    assert "reward" not in await rpc.call("eth_feeHistory", 4, "latest")
    with pytest.raises(RpcFailure):
        await rpc.call("eth_feeHistory", "0x2", "latest", [50, 10])


async def test_proofs_are_of_any_kept_block_and_take_short_slots(rpc, chain, token):
    contract = (await deploy(rpc, chain, token))["contractAddress"]
    answer = await rpc.call("eth_getProof", contract, ["0x0", "0x" + word(5)], "latest")
    assert [int(row["value"], 16) for row in answer["storageProof"]] == [SUPPLY, 0]
    tip = await rpc.call("eth_getBlockByNumber", "latest", False)
    assert "0x" + Web3.keccak(hexstr=answer["accountProof"][0]).hex() == tip["stateRoot"]
    assert "0x" + Web3.keccak(hexstr=answer["storageProof"][0]["proof"][0]).hex() == answer["storageHash"]
    before = await rpc.call("eth_getBlockByNumber", "0x1", False)
    absent = await rpc.call("eth_getProof", contract, ["0x0"], {"blockHash": before["hash"]})
    assert "0x" + Web3.keccak(hexstr=absent["accountProof"][0]).hex() == before["stateRoot"]
    assert absent["storageProof"] == [{"key": "0x0", "value": "0x0", "proof": []}]
    sender = "0x" + chain.accounts[0].address.hex()
    data = data_of("transfer(address,uint256)", 5, 1)
    await rpc.call("eth_sendTransaction", {"from": sender, "to": contract, "data": data})
    assert await rpc.call("eth_getProof", contract, ["0x0", "0x" + word(5)], tip["number"]) == answer


async def test_a_devnet_signs_for_its_accounts(rpc, chain):
    accounts = await rpc.call("eth_accounts")
    assert accounts == ["0x" + account.address.hex() for account in chain.accounts]
    signature = await rpc.call("eth_sign", accounts[0], "0x68656c6c6f")
    assert Reference.recover_message(encode_defunct(b"hello"), signature=signature).lower() == accounts[0]
    assert await rpc.call("personal_sign", "0x68656c6c6f", accounts[0]) == signature
    with pytest.raises(RpcFailure, match="unknown account"):
        await rpc.call("eth_sign", ABSENT, "0x")
    with pytest.raises(RpcFailure, match="typed data"):
        await rpc.call("eth_signTypedData_v4", accounts[0], {"types": {}})
    sent = await rpc.call(
        "eth_sendTransaction", {"from": accounts[0], "to": accounts[1], "value": "0x1", "gasPrice": hex(10**10)}
    )
    shown = await rpc.call("eth_getTransactionByHash", sent)
    assert shown["maxFeePerGas"] == shown["maxPriorityFeePerGas"] == hex(10**10)


async def test_bedrolls_own_methods_show_state_and_reasons(rpc, chain):
    status = await rpc.call("bedroll_status")
    assert status["condition"] == "running"
    assert status["heads"]["latest"]["number"] == "0x1"
    assert status["l1"]["tipHash"] == bytes(range(32))[::-1].hex()
    rejected = await rpc.call("bedroll_getObject", "0x" + "00" * 32)
    assert (rejected["state"], rejected["reason"]) == ("rejected", "wrong parent")
    assert await rpc.call("bedroll_getObject", NO_HASH) is None
    assert await rpc.call("bedroll_getBatch", "latest") is None
    chain.safe = 1
    assert (await rpc.call("bedroll_getBatch", "latest"))["lastBlock"] == "0x1"
    assert (await rpc.call("bedroll_getForced", NO_HASH))["state"] == "unknown"
    assert await rpc.call("bedroll_getEvidence") == []
    (found,) = await rpc.call("bedroll_getEvidence", "0x" + "00" * 32)
    assert (found["l1Height"], found["first"]) == (5, "0x" + "01" * 32)


async def test_a_transaction_of_another_branch_is_gone(rpc, chain):
    sent = await rpc.call("eth_sendRawTransaction", pay(chain))
    assert await rpc.call("eth_getTransactionReceipt", sent) is not None
    chain.unwind(1)
    assert await rpc.call("eth_getTransactionReceipt", sent) is None
    assert await rpc.call("eth_blockNumber") == "0x1"


async def test_contract_creation_and_7702_are_shown_whole(rpc, chain):
    key = chain.accounts[1].secret
    authority = Reference.from_key(key)
    authorization = authority.sign_authorization(
        {"chainId": chain.network.chain_id, "address": bytes(19) + b"\x05", "nonce": 0}
    )
    signed = Reference.sign_transaction(
        {
            "type": 4,
            "chainId": chain.network.chain_id,
            "nonce": 0,
            "gas": 200_000,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 1,
            "to": Address(bytes(19) + b"\x09"),
            "value": 0,
            "data": b"",
            "accessList": [],
            "authorizationList": [authorization],
        },
        chain.accounts[0].secret,
    )
    sent = await rpc.call("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
    shown = await rpc.call("eth_getTransactionByHash", sent)
    row = shown["authorizationList"][0]
    assert row["chainId"] == hex(chain.network.chain_id)
    assert row["r"] == hex(authorization.r)
    assert shown["yParity"] in ("0x0", "0x1")
    delegated = await rpc.call("eth_getCode", "0x" + chain.accounts[1].address.hex(), "latest")
    assert delegated == "0xef0100" + (bytes(19) + b"\x05").hex()


async def test_a_call_for_another_chain_is_refused(rpc, chain):
    wrong, right = {"to": "0x" + "11" * 20, "chainId": "0x1"}, hex(chain.network.chain_id)
    sender = "0x" + chain.accounts[0].address.hex()
    for method, *params in (
        ("eth_call", wrong, "latest"),
        ("eth_estimateGas", wrong),
        ("eth_createAccessList", wrong),
        ("eth_fillTransaction", wrong),
        ("eth_sendTransaction", wrong | {"from": sender}),
        ("debug_traceCall", wrong, "latest", {}),
        ("trace_call", wrong, ["trace"]),
        ("trace_callMany", [[wrong, ["trace"]]]),
        ("eth_simulateV1", {"blockStateCalls": [{"calls": [wrong]}]}, "latest"),
    ):
        with pytest.raises(RpcFailure, match=r"chainId does not match node's \(have=1, want=") as caught:
            await rpc.call(method, *params)
        assert caught.value.code == -32000, method
    assert await rpc.call("eth_call", wrong | {"chainId": right}, "latest") == "0x"


async def test_headers_and_raw_transactions_are_those_of_their_blocks(rpc, chain):
    sent = await rpc.call("eth_sendRawTransaction", pay(chain))
    receipt = await rpc.call("eth_getTransactionReceipt", sent)
    number, block_hash, index = (receipt[name] for name in ("blockNumber", "blockHash", "transactionIndex"))
    block = await rpc.call("eth_getBlockByHash", block_hash, False)
    del block["transactions"]
    assert await rpc.call("eth_getHeaderByHash", block_hash) == block
    assert await rpc.call("eth_getHeaderByNumber", number) == block
    assert await rpc.call("eth_getHeaderByNumber", "0xffff") is None
    raw = await rpc.call("eth_getRawTransactionByHash", sent)
    assert raw == await rpc.call("debug_getRawTransaction", sent) != "0x"
    assert await rpc.call("eth_getRawTransactionByBlockHashAndIndex", block_hash, index) == raw
    assert await rpc.call("eth_getRawTransactionByBlockNumberAndIndex", number, index) == raw
    assert await rpc.call("eth_getRawTransactionByBlockNumberAndIndex", number, "0x99") == "0x"
    assert await rpc.call("eth_getRawTransactionByHash", "0x" + "11" * 32) == "0x"


async def test_an_estimate_is_one_that_the_sender_can_pay_for(rpc, chain, token):
    contract = (await deploy(rpc, chain, token))["contractAddress"]
    poor, rich, fee = "0x" + "77" * 20, "0x" + chain.accounts[0].address.hex(), 10**10
    pay_out = {"from": poor, "to": "0x" + "11" * 20, "value": "0x1", "maxFeePerGas": hex(fee)}

    async def estimate(call, balance):
        return await rpc.call("eth_estimateGas", call, "latest", {poor: {"balance": hex(balance)}})

    async def refusal(call, balance):
        with pytest.raises(RpcFailure) as caught:
            await estimate(call, balance)
        assert caught.value.code == -32000
        return caught.value.reason

    assert await estimate(pay_out, 21_000 * fee + 1) == "0x5208"
    assert await refusal(pay_out, 21_000 * fee) == "gas required exceeds allowance (20999)"
    assert await refusal(pay_out, 1) == "gas required exceeds allowance (0)"
    assert await refusal(pay_out, 0) == "insufficient funds for transfer: balance 0, value 1"
    assert await refusal(pay_out | {"maxFeePerGas": "0x1"}, 10**18) == (
        f"max fee per gas less than block base fee: maxFeePerGas: 1, baseFee: {chain.engine.tip().base_fee_per_gas}"
    )
    approve = {"from": poor, "to": contract, "data": data_of("approve(address,uint256)", 5, 1)}
    needed = int(await estimate(approve, 0), 16)
    # A price is part of the transaction's size, for which data gas is paid.
    assert abs(int(await estimate(approve | {"gasPrice": hex(fee)}, 10**18), 16) - needed) < 1_000
    assert "gas required exceeds allowance (25000)" in await refusal(approve | {"gasPrice": hex(fee)}, 25_000 * fee)
    assert await rpc.call("eth_estimateGas", {"from": rich, "to": poor, "gas": "0x5207"}) == "0x5208"


async def test_what_ends_a_call_is_said_in_the_same_words_everywhere(rpc, chain):
    call = {"data": "0xfe"}
    listed = await rpc.call("eth_createAccessList", call)
    with pytest.raises(RpcFailure) as caught:
        await rpc.call("eth_call", call, "latest")
    assert listed["error"] == caught.value.reason == "invalid opcode: INVALID"
    assert (await rpc.call("eth_createAccessList", {"data": "0x5f5ffd"}))["error"] == "execution reverted"
