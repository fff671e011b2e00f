"""A batch without signatures waits, a prover asks its node for the input, hands the proof over, and the batch is safe.

Node, API, key file and hand-over are real; the proof system is a stand-in, so that what is proved is proved at once.
"""

import asyncio

import pytest

from bedroll._core._native import Statement
from bedroll.api import Limits, Server, ServerOptions, Service
from bedroll.api.key import ApiKeys, hash_key, make_key, write_keys
from bedroll.cli.prover import RpcSource
from bedroll.cli.prover_submit import NodeTaker
from bedroll.da import object_id, parse_object
from bedroll.execution.proof import run_program
from bedroll.prover import Finished, Job, JobState
from bedroll.sdk import RpcClient, RpcFailure
from tests.framework.devnet import open_rollup
from tests.framework.plain_rollup import shown
from tests.unit.sequencer.test_proven_leader import begin, post_body, postings

SETTLEMENT_BYTES = 362


@pytest.fixture
async def rollup(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as made:
        yield made


@pytest.fixture
async def served(rollup, tmp_path):
    """Address of the leader's API, and a key for it."""
    key = make_key()
    write_keys(tmp_path / "keys", {"prover": hash_key(key)})
    service = Service(rollup.node, Limits(), {}, keys=ApiKeys(tmp_path / "keys"))
    server = Server(service, ServerOptions(port=0))
    await server.start()
    yield server.url, key
    await server.stop()
    service.worker.close()


def finished(values):
    """What a prover hands over; the proof is one that the stand-in takes."""
    job = Job(id="0" * 64, title="batch", state=JobState.PROVED)
    return Finished(job=job, proof=shown(values).proof, values=values)


class Kept:
    def __init__(self):
        self.proofs = []

    async def __call__(self, proof):
        self.proofs.append(proof)


async def test_a_batch_that_waits_is_proved_handed_over_and_safe(rollup, served):
    url, key = served
    await begin(rollup)
    raw = await post_body(rollup)
    waiting, before = parse_object(raw).header, rollup.node.heads()
    assert before.safe.height < waiting.first_height
    async with RpcClient(url, key=key) as node:
        found = await RpcSource(node).range_of(waiting.first_height)
        last = waiting.first_height + waiting.block_count - 1
        assert (found.first, found.last, found.kind) == (waiting.first_height, last, "batch")
        values = run_program(found.given)
        said = Statement.decode(values)
        assert (said.header_id, said.tip) == (waiting.id(), waiting.tip_l2_hash)
        kept = Kept()
        take = NodeTaker(node, kept)
        # As after a kill between the node's answer and the queue's note: the same proof is handed over again.
        for _ in range(2):
            await take(finished(values))
        assert len(kept.proofs) == 2
        assert len(postings(rollup, "proof")) == 1
        await rollup.node.writer.step()
        await rollup.mine()
        assert rollup.node.heads().safe == rollup.node.heads().latest
        assert (await RpcSource(node).range_of(waiting.first_height)).given is None, "its proof is on Bitcoin"
        await take(finished(values))
        assert len(postings(rollup, "proof")) == 1


async def test_a_proof_of_a_batch_with_signatures_stays_a_file(rollup, served, caplog):
    url, key = served
    await rollup.block()
    await rollup.settle()
    async with RpcClient(url, key=key) as node:
        found = await RpcSource(node).range_of(1)
        kept = Kept()
        with caplog.at_level("INFO", "bedroll.prover"):
            await NodeTaker(node, kept)(finished(run_program(found.given)))
    assert len(kept.proofs) == 1
    assert [each.message for each in caplog.records] == ["the node has no use for a proof"]
    assert postings(rollup, "proof") == []


async def test_a_key_that_is_made_later_and_a_node_that_comes_later_are_waited_for(rollup, served, tmp_path):
    url, _ = served
    await begin(rollup)
    raw = await post_body(rollup)
    async with RpcClient(url) as node:
        values = run_program((await RpcSource(node).range_of(parse_object(raw).header.first_height)).given)
    waits, key = [], make_key()

    async def wait(seconds):
        waits.append(seconds)
        if len(waits) == 2:
            write_keys(tmp_path / "keys", {"prover": hash_key(key)})
        await asyncio.sleep(0)

    class Coming(RpcClient):
        async def call(self, method, *params):
            self.url = "http://127.0.0.1:1" if not waits else url
            return await super().call(method, *params)

    async with Coming(url, key=key) as node:
        await NodeTaker(node, Kept(), wait=wait)(finished(values))
    assert len(waits) == 2
    assert len(postings(rollup, "proof")) == 1


async def test_without_a_key_nothing_is_taken(served):
    url, _ = served
    async with RpcClient(url) as node:
        with pytest.raises(RpcFailure, match="needs an API key"):
            await node.call("admin_submitProof", "0x" + shown(bytes(SETTLEMENT_BYTES)).encode().hex())


async def test_a_node_without_the_leaders_blocks_has_no_input_of_a_batch_that_waits(rollup, tmp_path):
    await begin(rollup)
    raw = await post_body(rollup)
    header = parse_object(raw).header
    node = await rollup.devnet.open_node(tmp_path / "second")
    try:
        await node.deriver.catch_up()
        assert object_id(raw) in node.deriver.pending_bodies
        assert await node.proof_range(header.first_height) is None
    finally:
        await node.close()
