"""Shows that a node rebuilds the leader's chain from Bitcoin alone, over restarts, reorganisations and silence."""

import asyncio
from dataclasses import replace

import pytest

from bedroll.api.port import BlockAdded, BlockRemoved, Condition, HeadsMoved
from bedroll.bitcoin.wallet import SingleKeyring
from bedroll.crypto import schnorr
from bedroll.da import Rotate
from bedroll.execution.proof import Statement, run_program
from bedroll.node.devnet import devnet_key
from bedroll.node.service import LeaderSetup, Node, is_stale
from bedroll.primitives import Invalid, L1Height, L2Height, Misconfigured, Unavailable
from bedroll.protocol import MAINNET, REGTEST
from tests.framework.chain import secret_key
from tests.framework.devnet import OPTION, assert_same_chain, open_rollup

DEPTH = REGTEST.parameters.finality_depth
WINDOW = REGTEST.parameters.auto_block_window


async def test_a_node_on_an_empty_disk_has_every_block_and_receipt_of_the_leader(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        for round_number in range(3):
            for sender in range(4):
                await rollup.send(*(rollup.transfer(sender, to=9) for _ in range(5)))
                await rollup.block()
            await rollup.send(rollup.transfer(5, data=bytes(range(200)) * (round_number + 1)))
            await rollup.block(2)
            await rollup.settle()
        async with rollup.fresh_node(tmp_path / "fresh") as fresh:
            tip = rollup.node.heads().latest
            assert fresh.heads().safe == fresh.heads().latest == tip
            assert tip.height == 18
            assert_same_chain(rollup.node.engine, fresh.engine, tip.height)
            included = sum(len(fresh.engine.block(height).transactions) for height in range(1, 19))
            assert included >= 63


async def test_heads_move_from_latest_to_safe_to_finalized(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await rollup.send(rollup.transfer(0))
        block = await rollup.block()
        heads = rollup.node.heads()
        assert (heads.latest.hash, heads.safe.height) == (block.header.hash, 0)
        assert heads.durable == heads.latest
        await rollup.settle()
        assert rollup.node.heads().safe.hash == block.header.hash
        assert rollup.node.heads().finalized.height == 0
        await rollup.mine(DEPTH)
        assert rollup.node.heads().finalized.hash == block.header.hash
        status = rollup.node.batch_of(L2Height(1))
        assert (status.state, status.first_height, status.last_height) == ("accepted", 1, 1)
        assert rollup.node.object_status(status.id) == status


async def test_a_node_gives_what_proves_a_derived_batch_and_automatic_blocks(embedded_chain, tmp_path):
    """The input runs by itself to the statement that is given beside it, which names the node's own block."""
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await rollup.send(*(rollup.transfer(sender, to=9) for sender in range(3)))
        await rollup.block(2)
        assert await rollup.node.proof_range(L2Height(1)) is None
        await rollup.settle()
        await rollup.mine(WINDOW)
        safe = rollup.node.heads().safe.height
        batch, silent = [await rollup.node.proof_range(L2Height(height)) for height in (1, safe)]
        assert (batch.first, batch.last, batch.object_id) == (1, 2, rollup.node.batch_of(L2Height(1)).id)
        assert (silent.last, silent.object_id) == (safe, None)
        for found in (batch, silent):
            assert run_program(found.given) == found.stated
            assert Statement.decode(found.stated).tip == rollup.node.engine.header(found.last).hash


async def test_leader_and_follower_name_the_same_transaction_that_carries_a_block(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.send(rollup.transfer(0))
        await rollup.block()
        assert rollup.node.carriage_of(L2Height(1)) is None
        await rollup.settle()
        carriage = rollup.node.carriage_of(L2Height(1))
        assert carriage.object_id == rollup.node.batch_of(L2Height(1)).id
        assert carriage.txid in [payment.transaction.txid for payment in rollup.node.wallet.payments()]
        assert rollup.node.carriage_of(L2Height(0)) is None
        async with rollup.fresh_node(tmp_path / "fresh") as fresh:
            assert fresh.carriage_of(L2Height(1)) == carriage
        await embedded_chain.reorg(1)
        await rollup.follow()
        assert rollup.node.carriage_of(L2Height(1)) is None
        await rollup.post()
        await rollup.mine()
        assert rollup.node.carriage_of(L2Height(1)).l1_height > carriage.l1_height


async def test_a_restart_resumes_where_it_was(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.send(rollup.transfer(0))
        await rollup.block()
        await rollup.settle()
        await rollup.send(rollup.transfer(0))
        await rollup.block()
        waiting = rollup.transfer(0)
        await rollup.send(waiting)
        before = rollup.node.heads()
    async with open_rollup(tmp_path / "net", embedded_chain) as again:
        assert again.node.heads() == before
        assert again.node.deriver.started_height == await embedded_chain.height()
        assert again.node.pool_status().pending == 1
        await again.block()
        await again.settle()
        assert again.node.pool_status().pending == 0
        assert again.node.engine.view().nonce(again.devnet.accounts[0].address) == 3
        async with again.fresh_node(tmp_path / "fresh") as fresh:
            assert_same_chain(again.node.engine, fresh.engine, 3)


async def test_a_second_process_on_the_folder_is_refused_by_name(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        with pytest.raises(Misconfigured, match=r"in use by the sequencer \(process"):
            await Node.open(tmp_path / "sequencer", rollup.devnet.genesis, embedded_chain.client)


@pytest.mark.parametrize("depth", [1, 2, 3, DEPTH + 4])
async def test_a_reorganisation_that_brings_the_batch_again_changes_nothing(embedded_chain, tmp_path, depth):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.send(rollup.transfer(0))
        await rollup.block()
        await rollup.settle()
        await rollup.mine(depth - 1)
        latest = rollup.node.heads().latest
        reveals = [payment.transaction for payment in rollup.node.wallet.payments()]
        await embedded_chain.reorg(depth, transactions=[reveals])
        await rollup.follow()
        assert rollup.node.heads().latest == latest
        assert rollup.node.heads().safe == latest
        async with rollup.fresh_node(tmp_path / "fresh") as fresh:
            assert fresh.heads().safe == latest


async def test_a_batch_that_a_reorganisation_took_is_posted_again_and_the_blocks_stay_latest(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.send(rollup.transfer(0))
        await rollup.block()
        await rollup.settle()
        latest = rollup.node.heads().latest
        await embedded_chain.reorg(1)
        await rollup.follow()
        assert rollup.node.heads().latest == latest
        assert rollup.node.heads().safe.height == 0
        await rollup.post()
        await rollup.mine()
        assert rollup.node.heads().safe == latest
        async with rollup.fresh_node(tmp_path / "fresh") as fresh:
            assert fresh.heads().safe == latest


async def test_a_reorganisation_below_an_origin_brings_transactions_back_in_unsigned_blocks(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.block()
        await rollup.settle()
        await rollup.mine()
        await rollup.block()
        await rollup.settle()
        await rollup.mine(3)
        for count in (0, 0, 2, 1):
            await rollup.send(*(rollup.transfer(0) for _ in range(count)))
            await rollup.block()
        signed = rollup.leader.finisher.signed_height
        assert signed == 6
        events = rollup.node.subscribe()
        await embedded_chain.reorg(DEPTH + 3)
        await rollup.follow()
        assert rollup.node.heads().latest.height == 4
        assert rollup.node.pool_status().pending == 3
        removed = [event.block.header.number async for event in some(events, BlockRemoved, 2)]
        assert removed == [6, 5]
        block = await rollup.block()
        assert len(block.transactions) - block.forced_count == 3
        assert rollup.node._store.signature(L2Height(block.header.number), block.header.hash) is None
        while rollup.node.heads().latest.height <= signed:
            block = await rollup.block()
        assert rollup.node._store.signature(L2Height(block.header.number), block.header.hash) is not None
        await rollup.settle()
        async with rollup.fresh_node(tmp_path / "fresh") as fresh:
            assert_same_chain(rollup.node.engine, fresh.engine, rollup.node.heads().latest.height)
            assert fresh.engine.view().nonce(rollup.devnet.accounts[0].address) == 3


async def test_silence_voids_unposted_blocks_and_their_transactions_come_back(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.block()
        await rollup.settle()
        await rollup.send(*(rollup.transfer(0) for _ in range(3)))
        await rollup.block()
        await rollup.mine(WINDOW)
        assert rollup.node.engine.block(2).automatic
        assert rollup.node.pool_status().pending == 3
        await rollup.leader.batcher.step()
        assert "wait for Bitcoin" in rollup.leader.intake.throttled
        with pytest.raises(Unavailable, match="takes no transactions now"):
            await rollup.send(rollup.transfer(1))
        await rollup.block()
        await rollup.settle()
        await rollup.leader.batcher.step()
        assert rollup.leader.intake.throttled == ""
        block = await rollup.block()
        assert len(block.transactions) - block.forced_count == 3
        await rollup.settle()
        async with rollup.fresh_node(tmp_path / "fresh") as fresh:
            assert_same_chain(rollup.node.engine, fresh.engine, rollup.node.heads().latest.height)


async def test_a_forced_transaction_is_executed_and_its_status_follows(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.block()
        await rollup.settle()
        payload = rollup.transfer(3, value=7)
        message = await rollup.force(payload)
        assert rollup.node.forced_status(message).state == "seen"
        await rollup.mine(DEPTH)
        block = await rollup.block()
        while not block.forced:
            block = await rollup.block()
        status = rollup.node.forced_status(message)
        assert (status.state, status.l2_height) == ("executed", block.header.number)
        assert status.deadline_l1_height == status.l1_height + 30
        await rollup.settle()
        assert rollup.node.forced_status(message).state == "executed"
        async with rollup.fresh_node(tmp_path / "fresh") as fresh:
            assert fresh.forced_status(message).state == "executed"
            assert_same_chain(rollup.node.engine, fresh.engine, rollup.node.heads().latest.height)


async def test_a_forced_transaction_is_executed_without_the_leader(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.block()
        await rollup.settle()
        message = await rollup.force(rollup.transfer(3, value=7))
        await embedded_chain.mine(WINDOW)
        async with rollup.fresh_node(tmp_path / "fresh") as fresh:
            status = fresh.forced_status(message)
            assert status.state == "executed"
            assert fresh.engine.block(status.l2_height).automatic


async def test_events_tell_every_block_and_head(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        events = rollup.node.subscribe()
        await rollup.block(2)
        await rollup.settle()
        heights = [event.block.header.number async for event in some(events, BlockAdded, 2)]
        assert heights == [1, 2]
        moved = [event.heads.safe.height async for event in some(events, HeadsMoved, 1)]
        assert moved


async def test_metrics_and_health_tell_what_is(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await rollup.send(rollup.transfer(0))
        await rollup.block()
        await rollup.settle()
        text = rollup.node.metrics_text().decode()
        for line in (
            'bedroll_node_head_height{block_class="safe"} 1.0',
            "bedroll_node_blocks_total 1.0",
            "bedroll_mempool_pending_count 0.0",
            "bedroll_writer_unconfirmed_count 0.0",
        ):
            assert line in text
        health = rollup.node.health()
        assert health["heads"]["safe"]["height"] == 1
        assert health["l1"]["reachable"] is True
        assert health["role"] == "sequencer"


async def test_a_plain_node_takes_no_transactions(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup, rollup.fresh_node(tmp_path / "node") as node:
        with pytest.raises(Unavailable, match="takes no transactions"):
            await node.send_transaction(rollup.transfer(0))


async def test_a_genesis_of_another_bitcoin_chain_is_named(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        foreign = replace(rollup.devnet.genesis, anchor_hash=b"\x07" * 32)
        with pytest.raises(Misconfigured) as refusal:
            await Node.open(tmp_path / "node", foreign, embedded_chain.client, sync=False)
        assert refusal.value.option == "genesis"


async def test_a_wrong_leader_key_is_refused_at_start(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        key = secret_key("somebody else")
        setup = LeaderSetup(key=key, keyring=SingleKeyring(key), option=OPTION.sequencer, wallet_start=L1Height(1))
        with pytest.raises(Misconfigured, match="another key leads"):
            await Node.open(tmp_path / "node", rollup.devnet.genesis, embedded_chain.client, leader=setup, sync=False)


async def test_a_rotated_leader_ends_and_the_new_key_goes_on(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.send(rollup.transfer(0))
        await rollup.block()
        await rollup.settle()
        successor, genesis = devnet_key("successor"), rollup.devnet.genesis
        unsigned = Rotate(network=REGTEST.number, n=1, key=successor.x_only)
        signature = schnorr.sign(devnet_key("rotation"), unsigned.signing_hash())
        rollup.node.writer.put(replace(unsigned, signature=signature).encode(), "rotate")
        await rollup.node.writer.step()
        with pytest.raises(Misconfigured, match="another key leads now"):
            await rollup.mine(DEPTH + 1)
        assert rollup.node.deriver.leader == successor.x_only
        latest = rollup.node.heads().latest
    key = SingleKeyring(devnet_key("wallet"))
    setup = LeaderSetup(key=successor, keyring=key, option=OPTION.sequencer, wallet_start=L1Height(1))
    node = await Node.open(tmp_path / "net/sequencer", genesis, embedded_chain.client, leader=setup, sync=False)
    assert node.heads().latest == latest
    await node.close()


async def test_an_invalid_transaction_is_answered_and_changes_nothing(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        good = rollup.transfer(0)
        answers = await rollup.node.send_transactions([b"\x02garbage", good, good])
        assert isinstance(answers[0], Invalid)
        assert isinstance(answers[1], bytes)
        assert "already known" in str(answers[2])
        assert rollup.node.pool_status().pending == 1


def test_a_bitcoin_silent_for_hours_is_told_except_where_blocks_come_on_demand():
    assert is_stale(MAINNET, 3 * 3_600 + 1)
    assert not is_stale(MAINNET, 2 * 3_600)
    assert not is_stale(REGTEST, 10**9)


async def test_the_first_word_of_a_node_is_starting(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        assert rollup.node.condition is Condition.STARTING


async def some(events, kind, count):
    found = 0
    async with asyncio.timeout(10):
        async for event in events:
            if isinstance(event, kind):
                yield event
                found += 1
                if found == count:
                    return
