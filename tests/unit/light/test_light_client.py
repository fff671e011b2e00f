"""Through a served node, balances, slots and receipts are proved; a node that lies anywhere is found out.

The node is the real API over a real engine; the liar changes its answers on the way.
"""

import importlib.util
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bedroll.api import Limits, Server, ServerOptions, Service
from bedroll.cli import light
from bedroll.crypto.keccak import keccak256
from bedroll.light import Unproved, view_of_proof
from bedroll.light.proof_file import FILE_BYTES_MAX
from bedroll.light.view import HISTORY
from bedroll.primitives import Address, BedrollError, Hash32, Invalid, Unavailable
from bedroll.sdk import RpcClient
from bedroll.sdk.light_client import LightClient
from tests.framework.seal_chain import SealChain
from tests.framework.settled_file import SettledChain, StandIn

EXAMPLE = Path(__file__).parents[3] / "examples/light_wallet.py"


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    made = SettledChain(tmp_path_factory.mktemp("settled"))
    yield made
    made.close()


@pytest.fixture
async def url(chain):
    service = Service(SealChain(chain.site.engine, []), Limits(), {})
    server = Server(service, ServerOptions(port=0))
    await server.start()
    yield server.url
    await server.stop()
    service.worker.close()


@pytest.fixture
def view(chain):
    return view_of_proof(chain.file().encode(), chain.genesis, StandIn())


@pytest.fixture
async def client(view, url):
    async with RpcClient(url) as node:
        yield LightClient(view, node)


async def test_balances_and_nonces_are_proved(chain, client):
    assert (await client.account(chain.receiver)).balance == 5 + 7
    assert (await client.account(chain.holder)).nonce == 2
    assert (await client.account(Address(b"\x99" * 20))).balance == 0


async def test_a_slot_is_proved(chain, client):
    parent = chain.site.engine.header(1).hash
    assert await client.slot(Address(HISTORY), 1) == int.from_bytes(parent, "big")


async def test_receipts_of_the_tip_and_of_an_older_block_are_proved(chain, client):
    for number, raw in enumerate(chain.paid, 1):
        receipt = await client.receipt(Hash32(keccak256(raw)))
        assert (receipt.block.number, receipt.succeeded, receipt.logs) == (number, True, ())
        stored = chain.site.engine.block(number)
        assert stored.transactions[receipt.index].raw == raw
        assert receipt.cumulative_gas_used == stored.receipts[receipt.index].cumulative_gas_used


async def test_what_nobody_sent_and_what_is_not_settled_is_not_shown(chain, client):
    assert await client.receipt(Hash32(bytes(32))) is None
    with pytest.raises(Unproved, match="not settled yet"):
        await client.block(chain.site.pipeline.safe.height + 1)


def spoilt(value):
    """Each way in which one answer can be changed: a digit of every string, an item less, another kind of thing."""
    if isinstance(value, str) and len(value) > 2:
        place = 2 + (len(value) - 2) // 2
        yield value[:place] + format(int(value[place], 16) ^ 1, "x") + value[place + 1 :]
        yield value[:-2]
    elif isinstance(value, list) and value:
        yield value[:-1]
        for place, each in enumerate(value):
            for other in spoilt(each):
                yield [*value[:place], other, *value[place + 1 :]]
    elif isinstance(value, dict):
        for name in ("accountProof", "storageProof", "blockNumber", "proof"):
            for other in spoilt(value.get(name)):
                yield value | {name: other}
    yield from (None, [], {}, "0x", "zz", 7, [None], {"accountProof": 3, "storageProof": [7]})


class Liar:
    """A node between client and node, which changes the answer to one call."""

    def __init__(self, url):
        self.url, self.method, self.lie, self.seen = url, "", None, {}

    async def serve(self, request):
        call = await request.json()
        async with aiohttp.ClientSession() as session, session.post(self.url, json=call) as response:
            answer = await response.json()
        if isinstance(answer.get("result"), dict | list | str):
            self.seen[call["method"]] = answer["result"]
        if call["method"] == self.method:
            answer["result"] = self.lie
        return web.json_response(answer)


@pytest.fixture
async def liar(url):
    made = Liar(url)
    application = web.Application()
    application.router.add_post("/", made.serve)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.at = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield made
    await runner.cleanup()


async def test_no_lie_is_believed_and_none_ends_in_anything_but_our_errors(chain, view, liar):
    sent = Hash32(keccak256(chain.paid[0]))
    async with RpcClient(liar.at) as node:
        client = LightClient(view, node)

        async def read():
            return await client.account(chain.receiver), await client.receipt(sent), await client.slot(HISTORY, 1)

        true = await read()
        honest, told = dict(liar.seen), 0
        assert len(honest) == 5
        for liar.method, answer in honest.items():
            for liar.lie in spoilt(answer):
                told += 1
                try:
                    found = await read()
                except BedrollError:
                    continue
                # Of the node's word for where the transaction is, only the block's number is used.
                assert found in (true, (true[0], None, true[2])), (liar.method, liar.lie)
        assert told > 60


@pytest.mark.parametrize("answer", ["7", "[]", '{"id": 1}', '{"id": 1, "error": 5}', '{"id": 1, "error": {"a": 1}}'])
async def test_an_answer_that_is_none_is_said_to_be_none(view, answer):
    async def serve(_request):
        return web.Response(text=answer)

    application = web.Application()
    application.router.add_post("/", serve)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with RpcClient(f"http://127.0.0.1:{runner.addresses[0][1]}/") as node:
        with pytest.raises(Unavailable, match="no answer of JSON-RPC"):
            await LightClient(view, node).account(Address(bytes(20)))
    await runner.cleanup()


async def test_an_answer_without_end_is_cut(view):
    async def serve(_request):
        return web.Response(body=b" " * (1 << 20))

    application = web.Application()
    application.router.add_post("/", serve)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with RpcClient(f"http://127.0.0.1:{runner.addresses[0][1]}/", answer_bytes_max=1 << 16) as node:
        with pytest.raises(Unavailable, match="too large"):
            await LightClient(view, node).account(Address(bytes(20)))
    await runner.cleanup()


async def test_the_newest_proof_of_a_node_is_fetched(url, liar):
    assert await light._fetch(url) == b"BEDROLL"
    liar.method = "bedroll_getSettlementProof"
    for liar.lie in (None, 7, [], {}, {"file": 7}, {"file": "0xzz"}, {"file": "0x" + "00" * (FILE_BYTES_MAX + 1)}):
        with pytest.raises(Invalid):
            await light._fetch(liar.at)


async def test_the_example_reads_a_balance_and_a_receipt(chain, url, tmp_path, capsys):
    spec = importlib.util.spec_from_file_location("light_wallet", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    file = tmp_path / "newest.proof"
    file.write_bytes(chain.file().encode())
    sent = keccak256(chain.paid[1])
    await example.main(file, chain.genesis, StandIn(), url, chain.receiver, sent)
    said = capsys.readouterr().out
    assert "settles block 2; 3 blocks lie upon it" in said
    assert "has 12 wei" in said
    assert "succeeded in block 2, with 0 logs" in said
