"""Otterscan's searches: pages in both directions, makers of contracts, nonces."""

import pytest

from bedroll.sdk import RpcFailure

FRESH = "0x" + "42" * 20


def address_of(chain, index=0):
    return "0x" + chain.accounts[index].address.hex()


async def send(rpc, chain, *, sender=0, **fields):
    sent = await rpc.call("eth_sendTransaction", {"from": address_of(chain, sender), "gas": "0xf4240"} | fields)
    return await rpc.call("eth_getTransactionReceipt", sent)


async def test_pages_backward_hold_everything_newest_first(rpc, chain):
    hashes = [
        (await send(rpc, chain, sender=number % 3, to=FRESH, value="0x1"))["transactionHash"] for number in range(7)
    ]
    first = await rpc.call("ots_searchTransactionsBefore", FRESH, 0, 3)
    assert [one["hash"] for one in first["txs"]] == hashes[:3:-1]
    assert (first["firstPage"], first["lastPage"]) == (True, False)
    assert [receipt["transactionHash"] for receipt in first["receipts"]] == hashes[:3:-1]
    assert isinstance(first["receipts"][0]["timestamp"], int)
    second = await rpc.call("ots_searchTransactionsBefore", FRESH, int(first["txs"][-1]["blockNumber"], 16), 3)
    third = await rpc.call("ots_searchTransactionsBefore", FRESH, int(second["txs"][-1]["blockNumber"], 16), 3)
    found = [one["hash"] for page in (first, second, third) for one in page["txs"]]
    assert found == hashes[::-1]
    assert (third["firstPage"], third["lastPage"]) == (False, True)


async def test_pages_forward_begin_with_the_oldest(rpc, chain):
    hashes = [(await send(rpc, chain, to=FRESH, value="0x1"))["transactionHash"] for _ in range(5)]
    oldest = await rpc.call("ots_searchTransactionsAfter", FRESH, 0, 3)
    assert [one["hash"] for one in oldest["txs"]] == hashes[2::-1]
    assert (oldest["firstPage"], oldest["lastPage"]) == (False, True)
    rest = await rpc.call("ots_searchTransactionsAfter", FRESH, int(oldest["txs"][0]["blockNumber"], 16), 3)
    assert [one["hash"] for one in rest["txs"]] == [hashes[4], hashes[3]]
    assert (rest["firstPage"], rest["lastPage"]) == (True, False)


async def test_an_address_that_only_a_contract_paid_is_found(rpc, chain):
    runtime = bytes.fromhex(f"600060006000600034 73{FRESH[2:]} 5af1 00".replace(" ", ""))
    creation = bytes.fromhex(f"61{len(runtime):04x}600e60003961{len(runtime):04x}6000f3") + runtime
    forwarder = (await send(rpc, chain, data="0x" + creation.hex()))["contractAddress"]
    paid = await send(rpc, chain, to=forwarder, value="0x5")
    found = await rpc.call("ots_searchTransactionsBefore", FRESH, 0, 25)
    assert [one["hash"] for one in found["txs"]] == [paid["transactionHash"]]
    everything = await rpc.call("ots_searchTransactionsBefore", forwarder, 0, 25)
    assert len(everything["txs"]) == 2


async def test_nobody_s_page_is_empty_first_and_last(rpc):
    for method in ("ots_searchTransactionsBefore", "ots_searchTransactionsAfter"):
        found = await rpc.call(method, FRESH, 0, 25)
        assert found == {"txs": [], "receipts": [], "firstPage": True, "lastPage": True}


async def test_the_maker_of_a_contract_is_its_signer_or_the_contract_that_made_it(rpc, chain):
    made = await send(rpc, chain, data="0x6001600c60003960016000f300")
    assert await rpc.call("ots_getContractCreator", made["contractAddress"]) == {
        "hash": made["transactionHash"],
        "creator": address_of(chain),
    }
    inner = "6001600c60003960016000f300"
    size = len(inner) // 2
    factory_code = bytes.fromhex(f"6c{inner}60005260{size:02x}60{32 - size:02x}6000f060005260206000f3")
    creation = bytes.fromhex(f"61{len(factory_code):04x}600e60003961{len(factory_code):04x}6000f3") + factory_code
    factory = (await send(rpc, chain, data="0x" + creation.hex()))["contractAddress"]
    used = await send(rpc, chain, to=factory)
    (row,) = await rpc.call("ots_getInternalOperations", used["transactionHash"])
    assert await rpc.call("ots_getContractCreator", row["to"]) == {"hash": used["transactionHash"], "creator": factory}


async def test_accounts_and_predeploys_have_no_maker(rpc, chain):
    assert await rpc.call("ots_getContractCreator", address_of(chain)) is None
    assert await rpc.call("ots_getContractCreator", FRESH) is None


async def test_a_transaction_is_found_by_sender_and_nonce(rpc, chain):
    hashes = [(await send(rpc, chain, to=FRESH))["transactionHash"] for _ in range(4)]
    for nonce, expected in enumerate(hashes):
        assert await rpc.call("ots_getTransactionBySenderAndNonce", address_of(chain), nonce) == expected
    assert await rpc.call("ots_getTransactionBySenderAndNonce", address_of(chain), 4) is None
    assert await rpc.call("ots_getTransactionBySenderAndNonce", FRESH, 0) is None


@pytest.mark.parametrize("params", [[FRESH, 0, 0], [FRESH, 0, 101], [FRESH, -1, 5], ["0x12", 0, 5], [FRESH, 0]])
async def test_what_cannot_be_read_is_refused(rpc, params):
    with pytest.raises(RpcFailure) as refused:
        await rpc.call("ots_searchTransactionsBefore", *params)
    assert refused.value.code == -32602
