"""`eth_sendRawTransactionSync`: a receipt in one call, and what is told where there is none in time."""

import asyncio

import pytest

from bedroll.api.share import Shares
from bedroll.primitives import Gas, Wei
from bedroll.sdk import RpcFailure


def pay(chain, *, nonce=0, cap=10**10):
    return (
        "0x"
        + chain.accounts[0]
        .sign_transaction(
            chain_id=chain.network.chain_id,
            nonce=nonce,
            gas_limit=Gas(50_000),
            max_fee_per_gas=Wei(cap),
            max_priority_fee_per_gas=Wei(1),
            to=chain.accounts[1].address,
            value=Wei(1),
        )
        .hex()
    )


async def test_the_answer_is_the_receipt(rpc, chain):
    receipt = await rpc.call("eth_sendRawTransactionSync", pay(chain))
    assert receipt["status"] == "0x1"
    assert receipt == await rpc.call("eth_getTransactionReceipt", receipt["transactionHash"])


async def test_it_comes_as_soon_as_a_block_has_the_transaction(rpc, chain, service):
    chain.manual = True
    raws = [pay(chain), pay(chain, nonce=1)]
    calls = [asyncio.create_task(rpc.call("eth_sendRawTransactionSync", raw, 30_000)) for raw in raws]
    async with asyncio.timeout(10):
        while len(service.inclusion) < 2 or len(chain.readers) < 2:
            await asyncio.sleep(0)
        chain.seal(*(bytes.fromhex(raw[2:]) for raw in raws))
        receipts = await asyncio.gather(*calls)
        assert {receipt["blockNumber"] for receipt in receipts} == {"0x2"}
        while len(chain.readers) > 1:
            await asyncio.sleep(0)
    assert len(service.inclusion) == 0


async def test_lost_events_do_not_lose_a_receipt(rpc, chain, service):
    chain.manual = True
    raw = pay(chain)
    call = asyncio.create_task(rpc.call("eth_sendRawTransactionSync", raw, 30_000))
    async with asyncio.timeout(10):
        while not len(service.inclusion) or len(chain.readers) < 2:
            await asyncio.sleep(0)
        readers, chain.readers = chain.readers, []
        chain.seal(bytes.fromhex(raw[2:]))
        chain.readers = readers
        chain.lose_events()
        assert (await call)["status"] == "0x1"


async def test_beyond_the_time_the_hash_is_told_with_code_4(rpc, chain):
    chain.manual = True
    with pytest.raises(RpcFailure, match=r"wasn't processed in 0\.001 s") as late:
        await rpc.call("eth_sendRawTransactionSync", pay(chain), "0x1")
    assert late.value.code == 4
    assert await rpc.call("eth_getTransactionByHash", late.value.data) is not None


async def test_a_price_below_the_base_fee_is_told_with_code_5(rpc, chain):
    chain.manual = True
    with pytest.raises(RpcFailure, match="cannot be executed now: it pays at most 1 wei") as late:
        await rpc.call("eth_sendRawTransactionSync", pay(chain, cap=1), 1)
    assert late.value.code == 5
    assert len(late.value.data) == 66


async def test_a_nonce_gap_is_told_at_once_with_code_6_and_the_next_nonce(rpc, chain):
    chain.manual = True
    await rpc.call("eth_sendRawTransaction", pay(chain))
    chain.pending_nonce = lambda _sender: 1
    with pytest.raises(RpcFailure, match="nonce 7, the sender's next is 1") as gap:
        await rpc.call("eth_sendRawTransactionSync", pay(chain, nonce=7), 30_000)
    assert (gap.value.code, gap.value.data) == (6, "0x1")


async def test_what_the_mempool_refuses_is_refused_in_its_words(rpc, chain):
    await rpc.call("eth_sendRawTransactionSync", pay(chain))
    with pytest.raises(RpcFailure, match="nonce") as refused:
        await rpc.call("eth_sendRawTransactionSync", pay(chain))
    assert refused.value.code == -32000


async def test_more_than_may_wait_are_refused_before_they_are_handed_in(rpc, chain, service):
    service.inclusion._places = Shares("calls", 0, 0)
    with pytest.raises(RpcFailure, match="at most 0") as refused:
        await rpc.call("eth_sendRawTransactionSync", pay(chain))
    assert refused.value.code == -32005
    assert await rpc.call("eth_blockNumber") == "0x1"


@pytest.mark.parametrize("timeout", [-1, 1.5, "soon", True, "0x01"])
async def test_a_timeout_that_cannot_be_read_is_refused(rpc, chain, timeout):
    with pytest.raises(RpcFailure) as refused:
        await rpc.call("eth_sendRawTransactionSync", pay(chain), timeout)
    assert refused.value.code == -32602
