"""Shows that an embedded chain is served on loopback, to those who know the cookie, and that no request upsets it."""

import base64
import io
import json
import os
import stat

import aiohttp
import pytest

from bedroll.bitcoin.rpc import Access, RpcClient
from bedroll.bitcoin.server import RpcServer
from bedroll.primitives import Misconfigured, Unavailable

HASH = "00" * 32


@pytest.fixture
async def served(embedded_chain, tmp_path):
    server = RpcServer(embedded_chain.client, tmp_path / "served/.cookie")
    await server.start()
    yield server
    await server.stop()


async def post(server, body, *, cookie=None):
    secret = server.cookie.read_text() if cookie is None else cookie
    headers = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
    async with aiohttp.ClientSession(headers=headers) as session, session.post(server.url, data=body) as answer:
        return answer.status, await answer.text()


async def code_of(server, method, *params):
    status, text = await post(server, json.dumps({"method": method, "params": params, "id": 1}))
    assert status == 200
    return json.loads(text).get("error", {}).get("code", 0)


async def test_the_cookie_is_for_its_owner_and_goes_with_the_server(served):
    assert stat.S_IMODE(os.stat(served.cookie).st_mode) == 0o600
    status, _ = await post(served, "{}", cookie="__cookie__:guess")
    assert status == 401
    access = Access(served.url, user="__cookie__", password="guess")
    with pytest.raises(Unavailable):
        await RpcClient.open(access, "regtest")
    await served.stop()
    assert not served.cookie.exists()
    await served.stop()


async def test_a_restarted_server_has_another_cookie_and_the_client_goes_on(served):
    client = await RpcClient.open(Access(served.url, cookie=served.cookie), "regtest")
    tip = await client.tip()
    port = int(served.url.rsplit(":", 1)[1])
    before = served.cookie.read_text()
    await served.stop()
    with pytest.raises(Unavailable):
        await client.tip()
    await served.start(port=port)
    assert served.cookie.read_text() != before
    assert await client.tip() == tip
    await client.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
async def test_it_listens_on_loopback_only(embedded_chain, tmp_path, host):
    server = RpcServer(embedded_chain.client, tmp_path / "cookie")
    with pytest.raises(Misconfigured) as failure:
        await server.start(host)
    assert failure.value.value == host
    assert not server.cookie.exists()


async def test_a_port_in_use_is_misconfigured(served, embedded_chain, tmp_path):
    other = RpcServer(embedded_chain.client, tmp_path / "cookie")
    with pytest.raises(Misconfigured) as failure:
        await other.start(port=int(served.url.rsplit(":", 1)[1]))
    assert failure.value.option == "bitcoin.listen"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", -32700),
        ("{", -32700),
        ('{"method": "x", "params": ' + "[" * 50_000, -32700),
        (b"\xff", -32700),
        ("[]", -32600),
        ('{"params": []}', -32600),
        ('{"method": "getblockcount", "params": {}}', -32600),
        ('{"method": "stop", "params": []}', -32601),
        ('{"method": "__class__"}', -32601),
    ],
)
async def test_what_is_no_call_is_an_error(served, body, code):
    status, text = await post(served, body)
    assert status == 200
    assert json.loads(text)["error"]["code"] == code


async def test_a_request_longer_than_any_block_is_refused(served):
    status, _ = await post(served, io.BytesIO(b" " * (11 << 20)))
    assert status == 413


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("getblockhash", [], -8),
        ("getblockhash", [-1], -8),
        ("getblockhash", [10**9], -8),
        ("getblockhash", [True], -8),
        ("getblockhash", [1e3], -8),
        ("getblockheader", [HASH], -5),
        ("getblockheader", ["00"], -8),
        ("getblockheader", [7], -8),
        ("getblock", [HASH, 0], -5),
        ("getblock", [HASH, 2], -8),
        ("gettxout", [HASH], -8),
        ("gettxout", [HASH, 1 << 32], -8),
        ("getmempoolentry", [HASH], -5),
        ("sendrawtransaction", ["zz"], -22),
        ("sendrawtransaction", ["00"], -22),
        ("sendrawtransaction", [None], -22),
        ("submitpackage", [[]], -8),
        ("submitpackage", [["00"] * 26], -8),
        ("submitpackage", ["00"], -8),
        ("testmempoolaccept", [["00"]], -22),
        ("scantxoutset", ["status"], -8),
        ("scantxoutset", ["start", ["addr(x)"]], -8),
        ("scantxoutset", ["start", ["raw(zz)"]], -8),
        ("estimatesmartfee", [0], -8),
        ("generatetodescriptor", [1 << 20, "raw(51)"], -8),
        ("generatetodescriptor", [1], -8),
        ("submitblock", ["00"], -22),
        ("submitblock", ["x"], -8),
        ("waitfornewblock", ["soon"], -8),
    ],
)
async def test_bad_parameters_are_an_error_with_bitcoinds_code(served, method, params, code):
    assert await code_of(served, method, *params) == code


async def test_what_other_programs_ask_is_answered(served, embedded_chain):
    tip = await embedded_chain.client.tip()
    for method, expected in (("getblockcount", tip.height), ("getbestblockhash", tip.hash[::-1].hex())):
        _, text = await post(served, json.dumps({"method": method, "id": "x"}))
        assert json.loads(text) == {"jsonrpc": "2.0", "id": "x", "result": expected}
    assert await code_of(served, "getrawmempool") == 0
    assert await code_of(served, "getblockheader", tip.hash[::-1].hex(), False) == 0
