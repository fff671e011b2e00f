"""A simulation of a block's own calls does what the block did: the same receipts, to the root."""

import json
import random

import pytest
from eth_abi import encode as abi_encode

from tests.framework.ledger import Ledger, address_of, selector

EVM_GAS_MAX = 1 << 24
SUPPLY = 10**24


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path / "chain")
    yield made
    made.engine.close()


def draw(ledger, token, chance, nonces):
    """A signed transaction of some kind: transfers, token calls that succeed or fail, creations."""
    key = chance.choice(ledger.keys)
    fields = {"nonce": nonces[key.address], "maxPriorityFeePerGas": chance.choice([0, 10**6])}
    nonces[key.address] += 1
    to, data, value = address_of(chance.choice(ledger.keys)), b"", chance.randrange(10**18)
    kind = chance.randrange(5)
    if kind == 1:
        to, data = token, selector("transfer(address,uint256)") + abi_encode(["address", "uint256"], [to, value])
    elif kind == 2:
        to, data = token, selector("transfer(address,uint256)") + abi_encode(["address", "uint256"], [to, 2**255])
    elif kind == 3:
        to, data = None, bytes.fromhex(chance.choice(["60006000f3", "fe", "60016000556000600060006000a1"]))
    elif kind == 4:
        to, data = chance.randbytes(20), chance.randbytes(chance.randrange(200))
    if to == token:
        value = 0
    return ledger.sign(key, to=to, data=data, value=value, **fields)


def quantity(value):
    return hex(value)


def request_of(block):
    """The request that asks for exactly this block."""
    header = block.header
    calls = []
    for transaction, receipt in zip(block.transactions, block.receipts, strict=True):
        calls.append(
            {
                "from": "0x" + transaction.sender.hex(),
                "to": None if transaction.to is None else "0x" + transaction.to.hex(),
                "input": "0x" + transaction.input.hex(),
                "value": quantity(transaction.value),
                "nonce": quantity(transaction.nonce),
                "gas": quantity(min(transaction.gas_limit - receipt.data_gas, EVM_GAS_MAX)),
                "maxFeePerGas": quantity(transaction.max_fee_per_gas),
                "maxPriorityFeePerGas": quantity(transaction.max_priority_fee_per_gas),
            }
        )
    return {
        "validation": True,
        "blockStateCalls": [
            {
                "blockOverrides": {
                    "time": quantity(header.timestamp),
                    "baseFeePerGas": quantity(header.base_fee_per_gas),
                    "prevRandao": "0x" + header.prev_randao.hex(),
                },
                "calls": calls,
            }
        ],
    }


def test_a_simulation_of_a_blocks_own_calls_gives_its_receipts(ledger):
    seed = 20_261_121
    print(f"seed {seed}")
    chance = random.Random(seed)
    token = ledger.deploy(ledger.keys[0], "demo_token", abi_encode(["uint256"], [SUPPLY]))
    failed = 0
    for _ in range(25):
        view = ledger.engine.view()
        nonces = {key.address: view.nonce(address_of(key)) for key in ledger.keys}
        raws = [draw(ledger, token, chance, nonces) for _ in range(chance.randrange(1, 12))]
        block = ledger.block(*raws)
        told = view.simulate(json.dumps(request_of(block)), gas=1 << 40, result_bytes=10 << 20, seconds=30.0)
        (simulated,) = json.loads(told)
        header = block.header
        assert simulated["receiptsRoot"] == "0x" + header.receipts_root.hex()
        assert simulated["logsBloom"] == "0x" + header.logs_bloom.hex()
        assert int(simulated["gasUsed"], 16) == header.gas_used
        assert simulated["mixHash"] == "0x" + header.prev_randao.hex()
        assert simulated["parentBeaconBlockRoot"] == "0x" + header.origin_hash.hex()
        for call, receipt in zip(simulated["calls"], block.receipts, strict=True):
            assert (int(call["status"], 16), int(call["gasUsed"], 16)) == (receipt.status, receipt.gas_used)
            told = call["returnData"] if receipt.status else call["error"].get("data", "0x")
            assert told == "0x" + receipt.output.hex()
            logs = [("0x" + log.address.hex(), "0x" + log.data.hex()) for log in receipt.logs]
            assert [(log["address"], log["data"]) for log in call["logs"]] == logs
            failed += receipt.status == 0
    assert failed > 20
