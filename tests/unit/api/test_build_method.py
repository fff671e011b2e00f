"""`testing_buildBlockV1` over the real engine: the block that the chain would make, and nothing of it is kept."""

import pytest

from bedroll.primitives import Gas, Wei
from bedroll.sdk import RpcFailure

ZERO = "0x" + "00" * 32
NOBODY = "0x" + "00" * 20
OTHER = "0x" + "42" * 20


def signed(chain, nonce, *, sender=0, value=1, tip=10**6):
    """A transfer, signed."""
    return chain.accounts[sender].sign_transaction(
        chain_id=chain.network.chain_id,
        nonce=nonce,
        gas_limit=Gas(1_000_000),
        max_fee_per_gas=Wei(10**12),
        max_priority_fee_per_gas=Wei(tip),
        to=bytes.fromhex(OTHER[2:]),
        value=Wei(value),
        data=b"",
    )


def attributes(chain, **given):
    """Attributes that leave all to the chain but the time, a second after the newest block."""
    timestamp = hex(chain.engine.tip().timestamp + 1)
    return {"timestamp": timestamp, "prevRandao": ZERO, "suggestedFeeRecipient": NOBODY, "withdrawals": [], **given}


async def build(rpc, chain, *transactions, parent=None, **given):
    parent = parent or chain.engine.tip().hash
    raws = ["0x" + raw.hex() for raw in transactions]
    return await rpc.call("testing_buildBlockV1", "0x" + parent.hex(), attributes(chain, **given), raws)


async def refusal(rpc, chain, *transactions, **given):
    with pytest.raises(RpcFailure) as caught:
        await build(rpc, chain, *transactions, **given)
    return caught.value.code, caught.value.reason


async def test_a_built_block_is_the_one_that_the_chain_then_makes(rpc, chain):
    raws = [signed(chain, 0), signed(chain, 1), signed(chain, 0, sender=1)]
    before = chain.engine.tip().hash
    built = await build(rpc, chain, *raws)
    assert chain.engine.tip().hash == before
    chain.seal(*raws)
    block = chain.engine.block(chain.engine.tip().number)
    payload = built["executionPayload"]
    assert payload["blockHash"] == "0x" + block.header.hash.hex()
    assert payload["transactions"] == ["0x" + raw.hex() for raw in raws]
    assert payload["stateRoot"] == "0x" + block.header.state_root.hex()
    assert (payload["withdrawals"], payload["extraData"], payload["blobGasUsed"]) == ([], "0x", "0x0")
    tips = sum(one.gas_used * (one.effective_gas_price - block.header.base_fee_per_gas) for one in block.receipts)
    assert built["blockValue"] == hex(tips)
    assert tips == 3 * 21_000 * 10**6
    assert built["executionRequests"] == []
    assert built["shouldOverrideBuilder"] is False


async def test_a_block_is_built_on_an_earlier_one_too(rpc, chain):
    parent = chain.engine.tip()
    chain.seal(signed(chain, 0))
    made = chain.engine.tip()
    chain.seal(signed(chain, 1))
    built = await build(rpc, chain, signed(chain, 0), parent=parent.hash, timestamp=hex(made.timestamp))
    assert built["executionPayload"]["blockHash"] == "0x" + made.hash.hex()


async def test_an_empty_list_makes_an_empty_block_whatever_waits(rpc, chain):
    chain.manual = True
    await chain.send_transaction(signed(chain, 0))
    built = await build(rpc, chain)
    assert built["executionPayload"]["transactions"] == []


async def test_null_takes_what_waits_by_tip_and_leaves_out_what_cannot_be_executed(rpc, chain):
    chain.manual = True
    first, second = signed(chain, 0), signed(chain, 1, tip=10**9)
    dearer, beyond = signed(chain, 0, sender=1, tip=2 * 10**6), signed(chain, 7, sender=2)
    for raw in (first, second, dearer, beyond):
        await chain.send_transaction(raw)
    parent = "0x" + chain.engine.tip().hash.hex()
    for given in ([parent, attributes(chain)], [parent, attributes(chain), None, None]):
        built = await rpc.call("testing_buildBlockV1", *given)
        wanted = ["0x" + raw.hex() for raw in (dearer, first, second)]
        assert built["executionPayload"]["transactions"] == wanted
    assert len(chain.waiting) == 4


async def test_what_the_rules_decide_may_be_given_as_they_have_it(rpc, chain):
    payload = (await build(rpc, chain))["executionPayload"]
    given = {
        "prevRandao": payload["prevRandao"],
        "suggestedFeeRecipient": payload["feeRecipient"],
        "parentBeaconBlockRoot": "0x" + chain.engine.tip().origin_hash.hex(),
    }
    assert (await build(rpc, chain, **given))["executionPayload"] == payload


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"prevRandao": "0x" + "11" * 32}, "prevRandao 0x1111"),
        ({"parentBeaconBlockRoot": "0x" + "11" * 32}, "parentBeaconBlockRoot 0x1111"),
        ({"suggestedFeeRecipient": OTHER}, "suggestedFeeRecipient 0x4242"),
        (
            {"withdrawals": [{"index": "0x0", "validatorIndex": "0x0", "address": OTHER, "amount": "0x1"}]},
            "withdrawals do not exist on this chain",
        ),
    ],
)
async def test_attributes_that_are_not_this_chains_are_refused(rpc, chain, given, text):
    code, message = await refusal(rpc, chain, **given)
    assert code == -32000
    assert text in message


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"withdrawals": [{"index": "0x0"}]}, "objects of index"),
        ({"withdrawals": {}}, "an array of at most 1000"),
        ({"timestamp": "0x01"}, "a quantity"),
        ({"prevRandao": None}, "without prevRandao"),
        ({"slotNumber": "0x1"}, "unknown member 'slotNumber'"),
    ],
)
async def test_attributes_that_cannot_be_read_are_refused(rpc, chain, given, text):
    code, message = await refusal(rpc, chain, **given)
    assert code == -32602
    assert text in message


@pytest.mark.parametrize(
    ("extra", "code", "text"),
    [("0x00", -32000, "extraData is empty on this chain"), ("0x" + "00" * 33, -32602, "at most 32 bytes, not 33")],
)
async def test_extra_data_is_empty_on_this_chain(rpc, chain, extra, code, text):
    parent = "0x" + chain.engine.tip().hash.hex()
    with pytest.raises(RpcFailure, match=text) as caught:
        await rpc.call("testing_buildBlockV1", parent, attributes(chain), [], extra)
    assert caught.value.code == code


async def test_a_transaction_that_cannot_be_executed_is_an_error(rpc, chain):
    assert await refusal(rpc, chain, signed(chain, 999)) == (-32000, "nonce too high: 999, next is 0")
    code, message = await refusal(rpc, chain, signed(chain, 0), signed(chain, 0))
    assert (code, message[:13]) == (-32000, "nonce too low")
    code, message = await refusal(rpc, chain, signed(chain, 0), b"\x02\x00")
    assert (code, message[:14]) == (-32602, "transaction 1:")
    code, message = await refusal(rpc, chain, b"\x03\x00")
    assert (code, message) == (-32602, "transaction 0: blob transactions are not accepted")


async def test_time_and_parent_follow_the_chain(rpc, chain):
    code, message = await refusal(rpc, chain, timestamp=hex(chain.engine.tip().timestamp - 1))
    assert code == -32000, message
    code, message = await refusal(rpc, chain, parent=b"\x77" * 32)
    assert (code, message[:16]) == (-32000, "header not found")
