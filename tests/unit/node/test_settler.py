"""Inputs of the settlement program follow from Bitcoin alone: runs go on from one another, and end where the node is.

The proof system is a stand-in; node, Bitcoin, engine and both programs are real.
"""

import pytest

from bedroll.da import Proof, ProofSystem
from bedroll.derivation.settled import parse_settled
from bedroll.execution.proof import run_program
from bedroll.node.header_walk import anchor_headers
from bedroll.node.settler import Settler, Verdict
from bedroll.primitives import Invalid
from bedroll.protocol import REGTEST
from tests.framework.devnet import open_rollup
from tests.framework.plain_rollup import shown
from tests.unit.node.test_settlement_shelf import NodeStandIn
from tests.unit.sequencer.test_proven_leader import begin, post_body, statement


@pytest.fixture
async def rollup(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as made:
        yield made


@pytest.fixture
async def settler(rollup, tmp_path):
    genesis = rollup.devnet.genesis
    headers = await anchor_headers(rollup.devnet.client, genesis, tmp_path / "anchor.headers")
    opened = []

    def new():
        opened.append(Settler(tmp_path / f"settler.{len(opened)}", genesis, headers, NodeStandIn()))
        return opened[-1]

    yield new
    for each in opened:
        each.close()


async def history(rollup):
    """Batches, a forced message, silence with automatic blocks, a batch again."""
    await rollup.send(rollup.transfer(0), rollup.transfer(1))
    await rollup.block()
    await rollup.settle()
    await rollup.force(rollup.transfer(2))
    await rollup.mine(REGTEST.parameters.auto_block_window + 2)
    await rollup.block()
    await rollup.settle()


async def test_a_run_ends_where_the_node_stands_and_its_verdicts_are_the_programs(rollup, settler):
    await history(rollup)
    node = rollup.node
    run = await settler().run(rollup.devnet.client, node.deriver.height)
    said = parse_settled(run.step.statement)
    assert (said.l1_height, said.l1_hash) == (node.deriver.height, node.deriver.hash)
    assert (said.height, said.tip) == (node.heads().safe.height, node.heads().safe.hash)
    assert len(run.verified) >= 3
    for verdict in run.verified:
        assert run_program(verdict.given) == verdict.stated


async def test_many_runs_say_what_one_says(rollup, settler):
    await history(rollup)
    client, anchor, tip = rollup.devnet.client, rollup.devnet.genesis.anchor_height, rollup.node.deriver.height
    whole = await settler().run(client, tip)
    going, last, verified = settler(), None, []
    for height in range(anchor + 1, tip + 1):
        run = await going.run(client, height, last)
        assert (run.first, run.last) == (height, height)
        last, verified = run.step, [*verified, *run.verified]
    assert (last.statement, last.state) == (whole.step.statement, whole.step.state)
    assert verified == list(whole.verified)
    # And from the middle on, in an empty folder: what came before is derived but not stated again.
    middle = anchor + (tip - anchor) // 2
    first = await settler().run(client, middle)
    rest = await settler().run(client, tip, first.step)
    assert rest.step.statement == whole.step.statement
    assert [*first.verified, *rest.verified] == list(whole.verified)


@pytest.mark.parametrize("system", list(ProofSystem))
async def test_a_posted_proof_is_verified_by_recursion_if_it_is_compressed(rollup, settler, system):
    await begin(rollup)
    raw = await post_body(rollup)
    proof = shown(statement(rollup.node, raw), system=system, size=356 if system == ProofSystem.GROTH16 else 3_000)
    rollup.node.submit_proof(proof.encode())
    await rollup.node.writer.step()
    await rollup.mine()
    assert rollup.node.heads().safe == rollup.node.heads().latest
    run = await settler().run(rollup.devnet.client, rollup.node.deriver.height)
    assert parse_settled(run.step.statement).tip == rollup.node.heads().safe.hash
    kinds = [type(each) for each in run.verified]
    assert kinds == ([Verdict, Proof] if system == ProofSystem.COMPRESSED else [Verdict])


async def test_a_run_that_is_not_of_this_chain_or_ends_too_early_is_refused(rollup, settler, embedded_chain):
    client, tip = rollup.devnet.client, rollup.node.deriver.height
    run = await settler().run(client, tip)
    with pytest.raises(Invalid, match="ends after it begins"):
        await settler().run(client, tip, run.step)
    with pytest.raises(Invalid, match="no such block yet"):
        await settler().run(client, tip + 1)
    await embedded_chain.reorg(1, extra=2)
    with pytest.raises(Invalid, match="not of Bitcoin's best chain"):
        await settler().run(client, tip + 1, run.step)
