"""A node takes settlement proofs, posted or for light clients alone, and gives the newest as a file that holds.

Statements are real runs over the devnet's Bitcoin, before its first batch; the proof system is a stand-in.
"""

from dataclasses import replace

import pytest

from bedroll.bitcoin.client import BitcoinClient
from bedroll.da import Proof, ProofSystem, StatementKind, object_id
from bedroll.light import AnchorFacts, BlockZero, Settlement, parameters_of, view_of_proof
from bedroll.light.settlement import LIMIT_BITS
from bedroll.node.header_walk import HeaderWalk, anchor_headers, first_of
from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.node.settlement_shelf import KEPT_FILE
from bedroll.primitives import Invalid, Misconfigured
from bedroll.protocol import MAINNET, REGTEST
from tests.framework.devnet import OPTION, open_rollup
from tests.framework.plain_rollup import shown
from tests.framework.settled_file import StandIn

VERIFIER = Sp1Verifier.of_network(REGTEST)


class NodeStandIn(StandIn):
    """The stand-in under the names of this version's programs."""

    circuit = VERIFIER.circuit

    def program_digest(self, kind):
        return VERIFIER.program_digest(kind)


def use_stand_in(node):
    node._verifier = node.deriver._pipeline._verifier = NodeStandIn()


async def headers_to_anchor(client: BitcoinClient, genesis, folder):
    return await anchor_headers(client, genesis, folder / "anchor.headers")


async def settled(rollup, folder, upto=None) -> Proof:
    """A proof up to an L1 block before the first batch; the newest derived one if not said."""
    genesis, client = rollup.devnet.genesis, rollup.devnet.client
    headers = await headers_to_anchor(client, genesis, folder)
    anchor = AnchorFacts.of_headers(genesis.anchor_height, headers, LIMIT_BITS["regtest"])
    zero = BlockZero.of(genesis)
    settlement = Settlement(
        parameters_of(genesis, anchor, zero, VERIFIER.circuit),
        REGTEST.parameters.tag,
        batch_key=VERIFIER.program_digest(StatementKind.BATCH),
        settlement_key=VERIFIER.program_digest(StatementKind.SETTLEMENT),
    )
    upto = rollup.node.deriver.height if upto is None else upto
    hashes = [await client.block_hash(height) for height in range(genesis.anchor_height + 1, upto + 1)]
    step = settlement.advance([await client.block(each) for each in hashes], [], [zero.header])
    return shown(step.statement, system=ProofSystem.COMPRESSED, statement=StatementKind.SETTLEMENT, size=3_000)


def check(rollup, found):
    return view_of_proof(found.file, rollup.devnet.genesis, NodeStandIn())


async def post(rollup, proof):
    named = rollup.node.submit_proof(proof.encode())
    await rollup.node.writer.step()
    await rollup.mine()
    return named


async def test_a_posted_proof_is_settled_and_given_with_all_headers_since(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        use_stand_in(rollup.node)
        assert await rollup.node.settlement_proof() is None
        proof = await settled(rollup, tmp_path)
        height = rollup.node.deriver.height
        named = await post(rollup, proof)
        assert named == object_id(proof.encode())
        assert rollup.node.object_status(named).state == "accepted"
        found = await rollup.node.settlement_proof()
        assert (found.l1_height, found.object_id, found.l2_height) == (height, named, 0)
        assert check(rollup, found).depth == 1
        await rollup.mine(2)
        seen = check(rollup, await rollup.node.settlement_proof())
        assert (seen.depth, seen.is_final, seen.newest.hash) == (3, True, rollup.node.deriver.hash)


async def test_every_node_sees_the_same_settled_tip_and_keeps_it_over_a_restart(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        use_stand_in(rollup.node)
        await post(rollup, await settled(rollup, tmp_path))
        for _ in range(2):
            node = await rollup.devnet.open_node(tmp_path / "second")
            try:
                use_stand_in(node)
                await node.deriver.catch_up()
                assert node.deriver.settled == rollup.node.deriver.settled
                assert (await node.settlement_proof()).file == (await rollup.node.settlement_proof()).file
            finally:
                await node.close()


async def test_a_proof_for_light_clients_alone_costs_nothing_and_is_kept(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        node = await rollup.devnet.open_node(tmp_path / "second")
        use_stand_in(node)
        await node.deriver.catch_up()
        proof = await settled(rollup, tmp_path)
        with pytest.raises(Invalid, match="posts nothing"):
            node.submit_proof(proof.encode())
        node.submit_proof(proof.encode(), posts=False)
        found = await node.settlement_proof()
        assert found.object_id is None
        assert check(rollup, found).depth == 0
        node._shelf.load(NodeStandIn())
        assert (await node.settlement_proof()).file == found.file
        await node.close()
        assert (tmp_path / "second" / KEPT_FILE).read_bytes() == proof.encode()
        again = await rollup.devnet.open_node(tmp_path / "second")
        assert await again.settlement_proof() is None, "the real verifier takes no stand-in's proof"
        await again.close()


async def test_the_later_one_is_given_and_one_on_a_dead_branch_is_not(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        use_stand_in(rollup.node)
        first = await settled(rollup, tmp_path)
        named = await post(rollup, first)
        await rollup.mine()
        later = await settled(rollup, tmp_path)
        rollup.node.submit_proof(later.encode(), posts=False)
        found = await rollup.node.settlement_proof()
        assert (found.l1_height, found.object_id) == (rollup.node.deriver.height, None)
        await embedded_chain.reorg(1)
        await rollup.follow()
        found = await rollup.node.settlement_proof()
        assert found.object_id == named
        assert check(rollup, found).depth > 0


async def test_what_would_not_count_is_not_posted(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        use_stand_in(rollup.node)
        proof = await settled(rollup, tmp_path)
        values = proof.public_values
        with pytest.raises(Invalid, match="does not show"):
            rollup.node.submit_proof(replace(proof, proof=bytes(3_000)).encode())
        for place, words in ((2, "another chain"), (34, "other programs"), (98, "best chain"), (170, "derived chain")):
            forged = values[:place] + bytes([values[place] ^ 1]) + values[place + 1 :]
            for posts in (True, False):
                with pytest.raises(Invalid, match=words):
                    rollup.node.submit_proof(replace(proof, public_values=forged).encode(), posts=posts)
        batch = shown(bytes([1]) + bytes(386))
        with pytest.raises(Invalid, match="only a settlement proof"):
            rollup.node.submit_proof(batch.encode(), posts=False)


async def test_headers_are_asked_for_once_and_a_spoilt_file_is_made_again(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        genesis, asked = rollup.devnet.genesis, []

        class Counted:
            async def header(self, block):
                asked.append(block)
                return await rollup.devnet.client.header(block)

        count = genesis.anchor_height - first_of(genesis.anchor_height) + 1
        headers = await headers_to_anchor(Counted(), genesis, tmp_path)
        assert len(asked) == len(headers) == count
        assert await headers_to_anchor(Counted(), genesis, tmp_path) == headers
        assert len(asked) == count
        (tmp_path / "anchor.headers").write_bytes(b"".join(headers)[:-1] + b"\xff")
        assert await headers_to_anchor(Counted(), genesis, tmp_path) == headers
        walk = HeaderWalk(Counted())
        asked.clear()
        for _ in range(2):
            assert await walk.back(genesis.anchor_hash, 5) == list(headers[-5:])
        assert len(asked) == 5


async def test_a_circuit_of_ones_own_is_one_of_the_chains_parameters(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain, replace(OPTION, circuit=b"circuit")) as rollup:
        assert rollup.node._verifier.circuit == b"circuit"
        use_stand_in(rollup.node)
        proof = await settled(rollup, tmp_path)
        with pytest.raises(Invalid, match="another chain"):
            rollup.node.submit_proof(proof.encode())
        with pytest.raises(Misconfigured, match="regtest alone"):
            Sp1Verifier.of_network(MAINNET, b"circuit")
