"""Shows that whatever a bitcoind does, the RPC client gives a result or `Unavailable` with the cause, and recovers."""

import asyncio
import base64
import json

import pytest

from bedroll.bitcoin.client import RejectedTransaction
from bedroll.bitcoin.rpc import Access, RpcClient, RpcError
from bedroll.bitcoin.rpc.notification import Notification
from bedroll.bitcoin.rpc.transport import ANSWER_SIZE_MAX_BYTES, CONCURRENCY_MAX
from bedroll.primitives import BlockHash, Invalid, Misconfigured, Txid, Unavailable
from tests.framework.bitcoin_hostile import (
    CHAIN,
    drop,
    error,
    flood,
    hang,
    hang_halfway,
    healthy,
    respond,
    result,
    run_hostile,
)

CALL_SECONDS = 0.2
TXID = Txid(bytes(31) + b"\x01")
TRANSACTION = bytes.fromhex("02000000" + "01" + "11" * 36 + "00ffffffff" + "01" + "00" * 8 + "0151" + "00000000")


def access(node):
    return Access(node.url, user="someone", password="secret")


async def opened(node):
    """A client of a node that answers well at first; then the script goes on."""
    script, node.script = node.script, [healthy()]
    client = await RpcClient.open(access(node), "regtest", call_seconds=CALL_SECONDS)
    node.script = script
    return client


OUTAGES = {
    "hangs": (hang, "no answer within 0.2 seconds"),
    "hangs halfway": (hang_halfway, "no answer within 0.2 seconds"),
    "drops": (drop, "ServerDisconnectedError"),
    "is full": (respond("Work queue depth exceeded", status="503 Service Unavailable"), "HTTP 503"),
    "forgets us": (respond("", status="401 Unauthorized"), "HTTP 401"),
    "is elsewhere": (respond("", status="302 Found", headers=["Location: http://127.0.0.1:1/"]), "HTTP 302"),
    "answers half": (respond('{"jsonrpc": "2.0", "id": 1, "resu', length=1_000), "ClientPayloadError"),
    "answers half and says so": (respond('{"jsonrpc": "2.0", "id": 1, "resu'), "does not parse"),
    "answers in no JSON": (respond("<html>"), "does not parse"),
    "answers in no text": (respond(b'{"id": 1, "result": "\xff\xfe"}'), "does not parse"),
    "nests without end": (respond("[" * 100_000), "does not parse"),
    "answers another type": (result({"chain": "regtest", "blocks": "7", "bestblockhash": "ab"}), "does not parse"),
    "answers nothing": (result(None), "does not parse"),
    "warms up": (error(-28, "Loading block index…"), "warming up: Loading block index…"),
    "floods": (flood, f"longer than {ANSWER_SIZE_MAX_BYTES} bytes"),
    "is no server": (respond("", status="999 ☃"), ""),
}


@pytest.mark.parametrize("name", OUTAGES)
async def test_an_outage_is_unavailable_with_its_cause_and_passes(name):
    act, cause = OUTAGES[name]
    async with run_hostile(act, healthy()) as node:
        client = await opened(node)
        with pytest.raises(Unavailable) as failure:
            await client.tip()
        assert cause in str(failure.value.fields["reason"])
        assert (await client.tip()).height == 7
        await client.close()


@pytest.mark.parametrize("name", OUTAGES)
async def test_an_outage_while_connecting_leaves_nothing_open(name):
    act, _ = OUTAGES[name]
    async with run_hostile(act) as node:
        with pytest.raises(Unavailable):
            await RpcClient.open(access(node), "regtest", call_seconds=CALL_SECONDS)


async def test_a_node_that_is_gone_is_unavailable_until_it_is_back(tmp_path):
    cookie = tmp_path / "cookie"
    cookie.write_text("__cookie__:one")
    async with run_hostile(healthy()) as node:
        client = await RpcClient.open(Access(node.url, cookie=cookie), "regtest", call_seconds=CALL_SECONDS)
        cookie.unlink()
        with pytest.raises(Unavailable) as failure:
            await client.tip()
        assert "cookie" in failure.value.message
        cookie.write_text("__cookie__:two")
        await client.tip()
        users = [base64.b64decode(each.authorization.removeprefix("Basic ")).decode() for each in node.requests]
        assert users[0] == "__cookie__:one"
        assert users[-1] == "__cookie__:two"
    with pytest.raises(Unavailable) as failure:
        await client.tip()
    assert "ClientConnectorError" in failure.value.fields["reason"]
    await client.close()
    with pytest.raises(Unavailable) as failure:
        await client.tip()
    assert failure.value.fields["reason"] == "the client is closed"


async def test_another_network_is_misconfigured():
    for chain, genesis in (({**CHAIN, "chain": "main"}, "00" * 32), (CHAIN, "11" * 32)):
        async with run_hostile(result(chain), result(genesis)) as node:
            with pytest.raises(Misconfigured) as failure:
                await RpcClient.open(access(node), "regtest")
            assert failure.value.option == "network"


async def test_a_node_that_is_catching_up_is_unavailable():
    genesis = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
    async with run_hostile(result({**CHAIN, "chain": "main"}), result(genesis)) as node:
        with pytest.raises(Unavailable) as failure:
            await RpcClient.open(access(node), "main")
        assert failure.value.fields["reason"] == "at block 7"


async def test_mining_elsewhere_than_on_regtest_is_misconfigured():
    genesis = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
    synced = {**CHAIN, "chain": "main", "initialblockdownload": False}
    async with run_hostile(result(synced), result(genesis)) as node:
        client = await RpcClient.open(access(node), "main")
        with pytest.raises(Misconfigured) as failure:
            await client.mine(1, b"\x51")
        assert failure.value.value == "main"
        await client.close()


@pytest.mark.parametrize(
    "value",
    [
        {"url": "ftp://x"},
        {"url": "http://"},
        {"url": "http://a:secret@localhost"},
        {"url": "http://localhost:99999"},
        {"url": "http://[::1"},
        {"url": "http://localhost", "user": ""},
    ],
)
def test_an_access_that_cannot_work_is_misconfigured(value):
    with pytest.raises(Misconfigured) as failure:
        Access(**{"user": "someone", **value})
    assert "secret" not in str(failure.value)


def test_an_access_does_not_show_its_password():
    assert "secret" not in repr(Access("http://localhost:8332", user="someone", password="secret"))


@pytest.mark.parametrize("amount", ["1e999999999", "-0.1", "21000001", "0.000000001", "1e-30"])
async def test_an_impossible_amount_is_unavailable(amount):
    answer = json.dumps(
        {"id": 1, "result": {"vsize": 1, "fees": {"base": 0}, "ancestorcount": 1, "descendantcount": 1}}
    )
    async with run_hostile(respond(answer.replace('"base": 0', f'"base": {amount}'))) as node:
        client = await opened(node)
        with pytest.raises(Unavailable):
            await client.mempool_entry(TXID)
        await client.close()


async def test_a_header_of_another_block_is_unavailable():
    answer = {"height": 1, "version": 1, "merkleroot": "00" * 32, "time": 1, "nonce": 0, "bits": "207fffff"}
    async with run_hostile(result(answer)) as node:
        client = await opened(node)
        with pytest.raises(Unavailable) as failure:
            await client.header(BlockHash(bytes(32)))
        assert "another block" in failure.value.message
        await client.close()


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (-25, "bad-txns-inputs-missingorspent", "missing-inputs"),
        (-26, "min relay fee not met, 0 < 11", "min relay fee not met"),
        (-26, "dust, tx with dust output must be 0-fee", "dust"),
        (-22, "TX decode failed. Make sure the tx has at least one input.", "TX decode failed"),
    ],
)
async def test_a_refusal_has_the_nodes_reason(code, text, reason):
    async with run_hostile(error(code, text)) as node:
        client = await opened(node)
        with pytest.raises(RejectedTransaction) as refusal:
            await client.broadcast([TRANSACTION])
        assert refusal.value.reason == reason
        await client.close()


async def test_known_already_is_success_and_other_errors_are_unavailable():
    async with run_hostile(error(-27, "Transaction outputs already in utxo set"), error(-1, "odd")) as node:
        client = await opened(node)
        await client.broadcast([TRANSACTION])
        with pytest.raises(RpcError) as failure:
            await client.broadcast([TRANSACTION])
        assert (failure.value.code, failure.value.reason) == (-1, "odd")
        await client.close()


async def test_no_more_calls_are_open_than_the_node_bears():
    busy = most = 0
    gate = asyncio.Event()

    async def count(request, writer):
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        if busy == CONCURRENCY_MAX:
            gate.set()
        await gate.wait()
        await result(CHAIN)(request, writer)
        busy -= 1

    async with run_hostile(healthy()) as node:
        client = await RpcClient.open(access(node), "regtest")
        node.script = [count]
        await asyncio.gather(*(client.tip() for _ in range(40)))
        assert most == CONCURRENCY_MAX
        await client.close()


async def test_a_long_wait_survives_an_answer_for_the_same_tip():
    known = BlockHash(bytes.fromhex("ab" * 32))
    moved = {**CHAIN, "blocks": 8, "bestblockhash": "cd" * 32}
    script = [result(CHAIN), result({"hash": "ab" * 32, "height": 7}), result(moved)]
    async with run_hostile(*script) as node:
        client = await opened(node)
        assert (await client.wait_for_tip(known, 5)).height == 8
        assert [each.method for each in node.requests[-3:]] == [
            "getblockchaininfo",
            "waitfornewblock",
            "getblockchaininfo",
        ]
        await client.close()


async def test_a_node_that_answers_at_once_is_not_asked_without_pause():
    async with run_hostile(*[result(CHAIN), result({"hash": "ab" * 32, "height": 7})] * 30) as node:
        client = await opened(node)
        asked = len(node.requests)
        tip = await client.wait_for_tip(BlockHash(bytes.fromhex("ab" * 32)), 0.3)
        assert tip.height == 7
        assert len(node.requests) - asked < 12
        await client.close()


async def test_bad_arguments_are_refused_before_the_node_is_asked():
    async with run_hostile(healthy()) as node:
        client = await opened(node)
        asked = len(node.requests)
        with pytest.raises(Invalid):
            await client.block(BlockHash(b"short"))
        with pytest.raises(Invalid):
            await client.fee_rate(0)
        with pytest.raises(RejectedTransaction):
            await client.broadcast([bytes(4_000_001)])
        with pytest.raises(Invalid):
            await client.submit_block(bytes(4_000_001))
        assert len(node.requests) == asked
        await client.close()


async def test_a_gap_in_zmq_messages_wakes_the_waiter():
    notification = Notification("tcp://127.0.0.1:1")
    event = bytes(32)
    notification._hear([b"sequence", event + b"A" + bytes(8), (5).to_bytes(4, "little")])
    assert not await notification.wait(0)
    notification._hear([b"sequence", event + b"C", (6).to_bytes(4, "little")])
    assert await notification.wait(0)
    notification._hear([b"sequence", event + b"A" + bytes(8), (9).to_bytes(4, "little")])
    assert await notification.wait(0)
    assert notification.gaps == 1
    for odd in ([], [b"sequence"], [b"other", event + b"C", bytes(4)], [b"sequence", b"", b"toolong"]):
        notification._hear(odd)
    assert not await notification.wait(0)
    await notification.close()
