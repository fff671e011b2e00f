"""What the API says of blobs on a chain of Ethereum's own: what waits, what blobs cost, and what its blocks did."""

import asyncio
import json

import pytest

from bedroll.api.dispatch import Dispatcher
from bedroll.api.service import Service
from bedroll.primitives import Invalid
from tests.framework.blob_chain import (
    BURNER,
    ONES,
    TELLER,
    ZEROS,
    BlobForm,
    add_block,
    block_rlp,
    call,
    open_blob_chain,
)
from tests.framework.evm_case import address_of

EXCESS = 200_000_000
SENDER = "0x" + address_of(1).hex()
FORM = BlobForm(blobs=(ZEROS, ONES), blob_cap=10**12)
NOBODY = "0x" + "00" * 20


@pytest.fixture
def chain(tmp_path):
    made = open_blob_chain(tmp_path / "chain", "Osaka", EXCESS)
    yield made
    made.engine.close()


@pytest.fixture
def ask(chain):
    service = Service(chain)
    dispatcher = Dispatcher(service, devnet=True)

    def answer(method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        told = json.loads(asyncio.run(dispatcher.answer(body.encode())))
        assert "result" in told, told
        return told["result"]

    yield answer
    service.worker.close()


def price(excess):
    """EIP-4844, in the words of its specification."""
    fraction, place, output = 11_684_671, 1, 0
    accumulator = fraction
    while accumulator > 0:
        output += accumulator
        accumulator = accumulator * excess // (fraction * place)
        place += 1
    return output // fraction


def test_a_transaction_with_blobs_waits_without_them(ask):
    name = ask("eth_sendRawTransaction", "0x" + FORM.network().hex())
    shown = ask("eth_getTransactionByHash", name)
    assert (shown["type"], shown["hash"], shown["blockHash"], shown["from"]) == ("0x3", name, None, SENDER)
    assert shown["maxFeePerBlobGas"] == hex(10**12)
    assert [one[:4] for one in shown["blobVersionedHashes"]] == ["0x01"] * 2
    assert not {"blobs", "commitments", "proofs", "sidecar"} & shown.keys()
    assert ask("debug_getRawTransaction", name) == "0x" + FORM.transaction().hex()
    assert ask("txpool_status") == {"pending": "0x1", "queued": "0x0"}
    content = ask("txpool_contentFrom", SENDER)["pending"]
    assert content["0"] == shown
    assert ask("eth_getTransactionCount", SENDER, "pending") == "0x1"


def test_a_block_made_of_what_waits_comes_with_its_blobs(ask, chain):
    ask("eth_sendRawTransaction", "0x" + FORM.network().hex())
    tip = chain.engine.tip()
    attributes = {"timestamp": hex(tip.timestamp + 12), "prevRandao": "0x" + "00" * 32, "suggestedFeeRecipient": NOBODY}
    for given in (None, ["0x" + FORM.network().hex()]):
        built = ask("testing_buildBlockV1", "0x" + tip.hash.hex(), attributes, given)
        payload, bundle = built["executionPayload"], built["blobsBundle"]
        assert payload["transactions"] == ["0x" + FORM.transaction().hex()]
        assert payload["blobGasUsed"] == hex(2 << 17)
        assert bundle["blobs"] == ["0x" + ZEROS[0].hex(), "0x" + ONES[0].hex()]
        assert bundle["commitments"] == ["0x" + ZEROS[1].hex(), "0x" + ONES[1].hex()]
        assert len(bundle["proofs"]) == 256


def test_a_block_has_no_more_blobs_than_its_fork_lets_it(ask, chain):
    forms = [BlobForm(blobs=(ZEROS,) * 6, nonce=nonce, blob_cap=10**12) for nonce in range(4)]
    for form in forms:
        ask("eth_sendRawTransaction", "0x" + form.network().hex())
    tip = chain.engine.tip()
    attributes = {"timestamp": hex(tip.timestamp + 12), "prevRandao": "0x" + "00" * 32, "suggestedFeeRecipient": NOBODY}
    built = ask("testing_buildBlockV1", "0x" + tip.hash.hex(), attributes, None)
    assert built["executionPayload"]["blobGasUsed"] == hex(18 << 17)
    assert len(built["executionPayload"]["transactions"]) == 3


def test_a_call_sees_the_hashes_of_the_blobs_that_come_with_it(ask):
    hashes = ["0x01" + "11" * 31]
    beside = {"blobs": ["0x" + ZEROS[0].hex()], "commitments": ["0x" + ZEROS[1].hex()], "cellProofs": ["0x"] * 128}
    call = {"from": SENDER, "to": "0x" + address_of(2).hex(), "blobVersionedHashes": hashes, **beside}
    assert ask("eth_estimateGas", call | {"maxFeePerBlobGas": hex(10**12)}) == "0x5208"
    first_hash = {call["to"]: {"code": "0x5f495f5260205ff3"}}
    assert ask("eth_call", call, "latest", first_hash) == hashes[0]
    told = ask("debug_traceCall", call, "latest", {"tracer": "callTracer", "stateOverrides": first_hash})
    assert told["output"] == hashes[0]
    assert "error" not in ask("eth_createAccessList", call, "latest", first_hash)


def test_blobs_cost_what_their_excess_says(ask, chain):
    assert ask("eth_blobBaseFee") == hex(price(EXCESS))
    block = add_block(chain, FORM.network(), call(TELLER, 1))
    excess = EXCESS - (14 << 17)
    assert dict(block.header.ethereum)["excessBlobGas"] == hex(excess)
    assert ask("eth_blobBaseFee") == hex(price(excess))
    history = ask("eth_feeHistory", "0x5", "latest", [])
    after = excess + (2 << 17) - (14 << 17)
    assert history["baseFeePerBlobGas"] == [hex(price(EXCESS)), hex(price(excess)), hex(price(after))]
    assert history["blobGasUsedRatio"] == [0.0, 2 / 21]
    assert ask("eth_feeHistory", "0x1", "0x0", [])["baseFeePerBlobGas"] == [hex(price(EXCESS)), hex(price(excess))]
    receipt = ask("eth_getTransactionReceipt", "0x" + block.transactions[0].hash.hex())
    assert (receipt["blobGasPrice"], receipt["blobGasUsed"]) == (hex(price(excess)), hex(2 << 17))


def test_traces_see_the_price_that_the_block_saw(ask, chain):
    block = add_block(chain, FORM.network(), call(BURNER, 1), call(TELLER, 2), call(BURNER, 3))
    told = price(EXCESS - (14 << 17))
    assert int.from_bytes(block.receipts[2].logs[0].data, "big") == told
    names = ["0x" + one.hash.hex() for one in block.transactions]
    called = ask("debug_traceTransaction", names[2], {"tracer": "callTracer", "tracerConfig": {"withLog": True}})
    assert int(called["logs"][0]["data"], 16) == told
    steps = ask("debug_traceTransaction", names[2], {})["structLogs"]
    assert int(steps[1]["stack"][-1], 16) == told
    diff = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
    (_, changed, _, _) = ask("debug_traceBlockByNumber", "0x1", diff)
    stored = changed["result"]["post"]["0x" + BURNER.hex()]["storage"]
    assert [int(value, 16) for value in stored.values()] == [told]
    for place, parts in enumerate(ask("trace_replayBlockTransactions", "0x1", ["trace", "stateDiff"])):
        assert int(parts["trace"][0]["result"]["gasUsed"], 16) == block.receipts[place].gas_used - 21_000
    assert len(ask("trace_block", "0x1")) == 4
    witness = ask("debug_executionWitness", "0x1")
    assert len(witness["codes"]) == 6


def test_a_simulated_block_goes_on_from_the_blobs_before_it(ask, chain):
    add_block(chain, FORM.network(), call(TELLER, 1))
    request = {"blockStateCalls": [{"calls": [{"from": SENDER, "to": "0x" + TELLER.hex()}]}]}
    (block,) = ask("eth_simulateV1", request, "latest")
    after = EXCESS - (14 << 17) + (2 << 17) - (14 << 17)
    assert (block["excessBlobGas"], block["blobGasUsed"]) == (hex(after), "0x0")
    assert int(block["calls"][0]["logs"][0]["data"], 16) == price(after)
    assert block["requestsHash"] == "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_block_whose_blobs_do_not_add_up_is_not_taken_in(chain):
    raw = block_rlp(add_block(chain, FORM.network()))
    chain.engine.unwind_to(0)
    right = EXCESS - (14 << 17)
    assert raw.count(right.to_bytes(4, "big")) == 1
    with pytest.raises(Invalid, match=f"excess blob gas {right + 1} is not {right}"):
        chain.engine.import_block(raw.replace(right.to_bytes(4, "big"), (right + 1).to_bytes(4, "big")))
    assert chain.engine.import_block(raw).header.number == 1
