"""`txpool_…`: senders and nonces as geth shows them, pages of a mempool that is too large for one answer."""

import dataclasses

import pytest

from bedroll.execution.engine import decode_transaction
from bedroll.execution.fee import FeeRule
from bedroll.execution.mempool import Mempool
from bedroll.primitives import Address, Gas, Wei
from bedroll.sdk import RpcFailure, checksum_address
from tests.framework.seal_chain import SealChain


@pytest.fixture
def chain(tmp_path):
    made = SealChain.open(tmp_path / "chain")
    made.manual = True
    yield made
    made.engine.close()


def pay(chain, sender, nonce, data=b""):
    return (
        "0x"
        + chain.accounts[sender]
        .sign_transaction(
            chain_id=chain.network.chain_id,
            nonce=nonce,
            gas_limit=Gas(50_000),
            max_fee_per_gas=Wei(10**10),
            max_priority_fee_per_gas=Wei(10**6),
            to=chain.accounts[1].address,
            value=Wei(5),
            data=data,
        )
        .hex()
    )


def name_of(chain, sender):
    return checksum_address(chain.accounts[sender].address)


async def fill(rpc, chain, *places):
    for sender, nonce in places:
        await rpc.call("eth_sendRawTransaction", pay(chain, sender, nonce))


def nonces(part):
    return {sender: list(rows) for sender, rows in part.items()}


async def test_what_waits_is_shown_by_sender_and_nonce(rpc, chain):
    await fill(rpc, chain, (0, 0), (0, 1), (0, 5), (2, 3))
    shown = await rpc.call("txpool_content")
    assert nonces(shown["pending"]) == {name_of(chain, 0): ["0", "1"]}
    assert nonces(shown["queued"]) == {name_of(chain, 0): ["5"], name_of(chain, 2): ["3"]}
    one = shown["queued"][name_of(chain, 2)]["3"]
    assert (one["nonce"], one["value"], one["blockHash"]) == ("0x3", "0x5", None)
    assert set(shown) == {"pending", "queued"}


async def test_of_one_sender_the_address_is_left_out(rpc, chain):
    await fill(rpc, chain, (0, 0), (0, 5))
    shown = await rpc.call("txpool_contentFrom", "0x" + chain.accounts[0].address.hex())
    assert (list(shown["pending"]), list(shown["queued"])) == (["0"], ["5"])
    assert await rpc.call("txpool_contentFrom", "0x" + "00" * 20) == {"pending": {}, "queued": {}}


async def test_a_line_says_receiver_value_and_gas(rpc, chain):
    await fill(rpc, chain, (0, 0))
    shown = await rpc.call("txpool_inspect")
    to = "0x" + chain.accounts[1].address.hex()
    assert shown["pending"][name_of(chain, 0)] == {"0": f"{to}: 5 wei + 50000 gas × 10000000000 wei"}


async def test_counts_are_quantities(rpc, chain):
    await fill(rpc, chain, (0, 0), (0, 1))
    assert await rpc.call("txpool_status") == {"pending": "0x2", "queued": "0x0"}


async def test_a_mempool_beyond_the_limit_is_refused_whole_and_given_in_pages(rpc, chain, service):
    service.limits = dataclasses.replace(service.limits, pool_shown=3)
    places = [(sender, nonce) for sender in (0, 2, 3) for nonce in range(3)]
    await fill(rpc, chain, *places)
    for method, params in (("txpool_content", []), ("txpool_inspect", [])):
        with pytest.raises(RpcFailure, match=r"9 transactions .* at most 3") as refused:
            await rpc.call(method, *params)
        assert refused.value.code == -32005
    seen, page = [], {}
    while page is not None:
        shown = await rpc.call("txpool_content", page | {"count": 2})
        rows = [(sender, nonce) for sender, part in shown["pending"].items() for nonce in part]
        assert 1 <= len(rows) <= 2
        seen += rows
        page = shown.get("bedrollNext")
    assert sorted(seen) == sorted((name_of(chain, sender), str(nonce)) for sender, nonce in places)


async def test_bytes_are_bounded_as_well_as_counts(rpc, chain, service):
    service.limits = dataclasses.replace(service.limits, pool_shown_bytes=1_500)
    for nonce in range(4):
        await rpc.call("eth_sendRawTransaction", pay(chain, 0, nonce, data=bytes(900)))
    with pytest.raises(RpcFailure, match="1500 bytes"):
        await rpc.call("txpool_contentFrom", "0x" + chain.accounts[0].address.hex())
    shown = await rpc.call("txpool_content", {})
    assert len(shown["pending"][name_of(chain, 0)]) == 2
    assert shown["bedrollNext"]["nonce"] == "0x2"


@pytest.mark.parametrize("page", [[], {"count": 0}, {"count": "0x1"}, {"sender": "0x12"}, {"pages": 1}, {"nonce": 1}])
async def test_a_page_that_cannot_be_read_is_refused(rpc, page):
    with pytest.raises(RpcFailure) as refused:
        await rpc.call("txpool_content", page)
    assert refused.value.code == -32602


def test_the_mempool_gives_senders_in_order(chain):
    pool = Mempool(chain.network.chain_id)
    for number in range(3):
        waiting = decode_transaction(bytes.fromhex(pay(chain, number, 0)[2:]))
        pool.add(waiting, chain.engine.view(), FeeRule(1, 1, 75))
    first, second, third = sorted(account.address for account in chain.accounts[:3])
    above = Address((int.from_bytes(first, "big") + 1).to_bytes(20, "big"))
    assert pool.senders(above, 1) == [second]
    assert pool.senders(Address(bytes(20)), 9) == [first, second, third]
