"""A leader who posts without signatures: bodies count as posted while they wait, proofs come to him and go to Bitcoin
with their fee, late ones are overtaken by signatures; and a node that follows from Bitcoin alone learns signatures.

The proof system is a stand-in (`PlainVerifier`), put into the nodes by the tests alone.
"""

from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from bedroll.da import BatchForm, object_id, parse_object
from bedroll.da.writer import PostingState
from bedroll.derivation.statement import l1_digest
from bedroll.node.signature_exchange import SignatureExchange, is_incomplete
from bedroll.primitives import Invalid
from bedroll.protocol import REGTEST
from tests.framework.devnet import OPTION, open_rollup
from tests.framework.plain_rollup import PlainVerifier, shown

POLICY = OPTION.sequencer.batch


def use_stand_in(node):
    node._verifier = PlainVerifier()
    node.deriver._pipeline._verifier = node._verifier


def postings(rollup, kind):
    found = rollup.node.writer._queue.postings(*PostingState)
    return [posting for posting in found if posting.kind == kind]


def statement(node, raw):
    """What a true proof says of a body whose parent is the derived tip."""
    pipeline, engine, batch = node.deriver._pipeline, node.engine, parse_object(raw)
    tip, header = pipeline.safe, batch.header
    origins = [pipeline.origin(height) for height in range(tip.origin_height + 1, header.last_origin + 1)]
    parts = [bytes([1, header.network]), engine.rules_digest(), bytes(header.signing_hash()), tip.hash]
    parts += [engine.facts_digest(tip.height), l1_digest(origins), bytes(160), b"\x00"]
    return b"".join([*parts, header.tip_l2_hash, bytes(32)])


async def begin(rollup):
    """One batch with signatures ends the silence since the anchor; from then on without."""
    use_stand_in(rollup.node)
    await rollup.block()
    await rollup.settle()
    rollup.leader.batcher._policy = replace(POLICY, form=BatchForm.PROVEN)


async def post_body(rollup):
    """A block with transfers, posted without their signatures and mined; the body's bytes."""
    await rollup.send(rollup.transfer(0), rollup.transfer(1))
    await rollup.block()
    await rollup.post()
    await rollup.mine()
    posting = postings(rollup, "batch")[-1]
    return rollup.node.deriver._pipeline.object_bytes(posting.object_id)


async def test_a_body_is_posted_once_and_its_proof_makes_it_safe(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await begin(rollup)
        raw = await post_body(rollup)
        before = rollup.node.heads()
        assert before.safe.height < before.latest.height
        await rollup.post()
        assert len(postings(rollup, "batch")) == 2
        proof = shown(statement(rollup.node, raw)).encode()
        named = rollup.node.submit_proof(proof)
        assert named == object_id(proof) == rollup.node.submit_proof(proof)
        await rollup.node.writer.step()
        await rollup.mine()
        assert len(postings(rollup, "proof")) == 1
        assert rollup.node.object_status(named).state == "accepted"
        heads = rollup.node.heads()
        assert heads.safe == heads.latest
        assert rollup.node.deriver.proven.height == 0, "the first batch is covered by no proof"
        with pytest.raises(Invalid, match="names no pending body"):
            rollup.node.submit_proof(proof[:-1] + b"\x01")


async def test_only_a_true_proof_of_a_waiting_body_is_posted(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await begin(rollup)
        raw = await post_body(rollup)
        said = statement(rollup.node, raw)
        for wrong in (replace(shown(said), proof=bytes(356)), shown(said[:34] + bytes(32) + said[66:])):
            with pytest.raises(Invalid):
                rollup.node.submit_proof(wrong.encode())
        with pytest.raises(Invalid):
            rollup.node.submit_proof(raw)
        assert postings(rollup, "proof") == []


async def test_bodies_whose_proofs_are_late_are_posted_with_signatures(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await begin(rollup)
        await post_body(rollup)
        await rollup.mine(REGTEST.parameters.auto_block_window // 2)
        await rollup.post()
        await rollup.mine()
        heads = rollup.node.heads()
        assert heads.safe == heads.latest
        forms = [parse_object(_raw(rollup, each)).header.form for each in postings(rollup, "batch")]
        assert forms[-1] == BatchForm.SIGNED


def _raw(rollup, posting):
    return rollup.node.writer._queue.object_of(posting)


async def test_a_node_learns_signatures_from_another_and_takes_no_false_one(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await begin(rollup)
        raw = await post_body(rollup)
        rollup.node.submit_proof(shown(statement(rollup.node, raw)).encode())
        await rollup.node.writer.step()
        await rollup.mine()
        height = rollup.node.heads().safe.height
        assert height > 0
        node = await rollup.devnet.open_node(tmp_path / "second")
        try:
            use_stand_in(node)
            await node.deriver.catch_up()
            assert node.heads().safe == rollup.node.heads().safe
            incomplete = [number for number in range(1, height + 1) if is_incomplete(node.engine.block(number))]
            assert incomplete
            await _exchange(rollup.node.engine, node, lies=True)
            assert [n for n in range(1, height + 1) if is_incomplete(node.engine.block(n))] == incomplete
            await _exchange(rollup.node.engine, node, lies=False)
            for number in range(1, height + 1):
                assert node.engine.block(number).own_raws() == rollup.node.engine.block(number).own_raws()
        finally:
            await node.close()


async def _exchange(source, node, *, lies):
    """One round with a server that answers from `source`; a liar gives each signature to the next transaction."""

    async def answer(request):
        call = await request.json()
        assert call["method"] == "bedroll_getSignatures"
        height = source.height_of(bytes.fromhex(call["params"][0][2:]))
        found = [each.hex() for each in source.block(height).own_signatures()]
        found = found[1:] + found[:1] if lies else found
        return web.json_response({"jsonrpc": "2.0", "id": 1, "result": {"signatures": ["0x" + each for each in found]}})

    application = web.Application()
    application.router.add_post("/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        exchange = SignatureExchange(node.engine, node._thread, ["http://127.0.0.1:1/", url])
        for number in range(1, node.engine.tip().number + 1):
            exchange.added(node.engine.block(number))
        async with aiohttp.ClientSession() as session:
            await exchange.step(session)
        assert (exchange.learned > 0, exchange.refused > 0) == (not lies, lies)
    finally:
        await runner.cleanup()
