"""Shows that the leader makes valid blocks whatever clock, mempool and Bitcoin do, and posts each block once."""

from dataclasses import replace

from bedroll.da.envelope import Carrier
from bedroll.da.writer import PostingState
from bedroll.derivation.record import CommitmentSeen
from bedroll.primitives import Gas, Wei
from bedroll.protocol import REGTEST
from bedroll.sequencer.backlog import Backlog
from tests.framework.devnet import CAP, OPTION, assert_same_chain, open_rollup

ENDLESS = bytes.fromhex("5b600056")
"""Init code that jumps to itself until its gas is gone."""


def postings(rollup, kind: str):
    found = rollup.node.writer._queue.postings(*PostingState)
    return [posting for posting in found if posting.kind == kind]


async def test_any_jump_of_the_clock_makes_valid_blocks(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        for jump in (0, 3_600, -7_200, 1, -1, 86_400, -1_000_000_000, 0):
            rollup.clock.now += jump
            for _ in range(12):
                await rollup.send(rollup.transfer(0))
                rollup.clock.now -= 2
                await rollup.block()
        stamps = [rollup.node.engine.header(height).timestamp for height in range(1, 97)]
        assert stamps == sorted(stamps)
        assert max(map(stamps.count, stamps)) == REGTEST.parameters.second_blocks_max
        await rollup.settle()
        async with rollup.fresh_node(tmp_path / "fresh") as fresh:
            assert_same_chain(rollup.node.engine, fresh.engine, 96)


async def test_a_transaction_that_a_forced_one_overtook_is_dropped_and_blocks_go_on(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await rollup.block()
        await rollup.settle()
        address = rollup.devnet.accounts[4].address
        message = await rollup.force(rollup.sign(4, 0, address, 1))
        origin = rollup.node.forced_status(message).l1_height
        await rollup.mine(REGTEST.parameters.finality_depth)
        while rollup.node.engine.block(rollup.node.heads().latest.height).origin_height < origin - 1:
            await rollup.block()
        (late,) = await rollup.send(rollup.sign(4, 0, address, 2))
        block = await rollup.block()
        assert [status for _, _, status, _ in block.forced] == ["executed"]
        assert rollup.node.engine.view().nonce(address) == 1
        assert rollup.node.pool_status().pending == 0
        assert rollup.node.engine.find_transaction(late) is None
        await rollup.send(rollup.sign(4, 1, address, 3))
        block = await rollup.block()
        assert len(block.transactions) - block.forced_count == 1


async def test_what_does_not_fit_into_a_block_is_in_the_next(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        raws = [
            rollup.devnet.accounts[sender].sign_transaction(
                chain_id=REGTEST.chain_id, nonce=0, gas_limit=Gas(17_000_000), max_fee_per_gas=CAP,
                max_priority_fee_per_gas=Wei(10**9), data=ENDLESS,
            )
            for sender in range(3)
        ]  # fmt: skip
        await rollup.send(*raws)
        blocks = [await rollup.block() for _ in range(3)]
        assert [len(block.transactions) - block.forced_count for block in blocks] == [1, 1, 1]
        assert all(block.receipts[-1].status == 0 for block in blocks)
        assert rollup.node.pool_status().pending == 0


async def test_a_block_whose_gas_limits_no_batch_could_hold_is_not_made(embedded_chain, tmp_path, monkeypatch):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        small = replace(REGTEST, parameters=replace(REGTEST.parameters, batch_gas_limit=3 * 21_000))
        monkeypatch.setattr(rollup.leader.producer, "_network", small)
        await rollup.send(*(rollup.transfer(0) for _ in range(5)))
        blocks = [await rollup.block() for _ in range(3)]
        assert [len(block.transactions) - block.forced_count for block in blocks] == [3, 2, 0]


async def test_a_batch_on_its_way_is_not_posted_again_and_the_next_begins_after_it(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await rollup.send(rollup.transfer(0))
        await rollup.block(2)
        for _ in range(3):
            await rollup.post()
        await rollup.send(rollup.transfer(0))
        await rollup.block(2)
        await rollup.post()
        assert [(each.first_height, each.last_height) for each in postings(rollup, "batch")] == [(1, 2)]
        await rollup.mine()
        await rollup.post()
        await rollup.mine()
        assert [(each.first_height, each.last_height) for each in postings(rollup, "batch")] == [(1, 2), (3, 4)]
        assert rollup.node.heads().safe.height == 4


async def test_nothing_is_decided_while_writer_and_derivation_see_different_blocks(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await rollup.send(rollup.transfer(0))
        await rollup.block()
        await rollup.node.writer.step()
        await embedded_chain.mine()
        await rollup.node.deriver.catch_up()
        await rollup.leader.batcher.step()
        assert postings(rollup, "batch") == []
        await rollup.node.writer.step()
        await rollup.leader.batcher.step()
        assert len(postings(rollup, "batch")) == 1


async def test_blocks_are_committed_on_bitcoin_before_their_batch(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await rollup.block()
        await rollup.settle()
        batcher = rollup.leader.batcher
        batcher._policy = replace(batcher._policy, age_seconds=10**9)
        await rollup.send(rollup.transfer(0))
        await rollup.block(2)
        await rollup.post()
        await rollup.block()
        await rollup.mine()
        assert rollup.node.heads().committed.height == 3
        await rollup.post()
        await rollup.mine()
        heads = rollup.node.heads()
        assert (heads.committed.height, heads.safe.height) == (4, 1)
        first, second = postings(rollup, "commitment")
        assert (first.first_height, first.last_height) == (2, 3)
        assert (second.first_height, second.last_height) == (4, 4)
        seen = [
            record
            for posting in (first, second)
            for record in rollup.node._store.records_of(posting.object_id)
            if isinstance(record, CommitmentSeen)
        ]
        assert [record.block_count for record in seen] == [2, 1]
        status = rollup.node.object_status(second.object_id)
        assert (status.kind, status.first_height, status.last_height) == ("commitment", 4, 4)


async def test_a_batch_ends_before_any_limit(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        for _ in range(6):
            await rollup.send(*(rollup.transfer(0) for _ in range(3)))
            await rollup.block()
        backlog = Backlog(lambda: 0.0)
        backlog.refill(rollup.leader._unsafe_blocks())
        numbers = REGTEST.parameters
        assert backlog.batch_end(0, numbers) == 6
        assert backlog.batch_end(0, replace(numbers, batch_blocks_max=4)) == 4
        assert backlog.batch_end(2, replace(numbers, batch_blocks_max=3)) == 5
        assert backlog.batch_end(0, replace(numbers, batch_gas_limit=2 * 63_000)) == 2
        assert backlog.batch_end(0, replace(numbers, object_size_max=1_000)) == 2
        assert backlog.batch_end(6, numbers) is None


async def test_unposted_bytes_beyond_bitcoins_room_stop_transactions_until_a_batch_is_in(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await rollup.send(*(rollup.transfer(0) for _ in range(5)))
        await rollup.block()
        batcher = rollup.leader.batcher
        room = rollup.leader.backlog.size_bytes
        # Seven of eight silent blocks have passed, and the last one has room for what there is and no more.
        assert room < 1_000_000
        await embedded_chain.mine(3)
        await rollup.follow()
        batcher._throttle()
        assert rollup.leader.intake.throttled == ""
        rollup.leader.backlog._blocks.append(replace(rollup.leader.backlog._blocks[-1], size_bytes=8_000_000))
        batcher._throttle()
        assert "wait for Bitcoin" in rollup.leader.intake.throttled
        assert not await rollup.leader.producer._execute_ready()
        rollup.leader.backlog._blocks.pop()
        batcher._throttle()
        assert rollup.leader.intake.throttled == ""


async def test_a_replaced_transaction_of_the_log_does_not_come_back(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        address = rollup.devnet.accounts[1].address
        await rollup.send(rollup.sign(0, 0, address, 1, tip=10**9))
        (kept,) = await rollup.send(
            rollup.devnet.accounts[0].sign_transaction(
                chain_id=REGTEST.chain_id, nonce=0, gas_limit=Gas(21_000), max_fee_per_gas=Wei(2 * CAP),
                max_priority_fee_per_gas=Wei(2 * 10**9), to=address, value=Wei(2),
            )
        )  # fmt: skip
    async with open_rollup(tmp_path / "net", embedded_chain) as again:
        assert again.node.pool_status().pending == 1
        assert again.node.pool_transaction(kept) is not None


async def test_batches_in_the_drop_form_are_derived_like_others(embedded_chain, tmp_path):
    async with open_rollup(tmp_path, embedded_chain, replace(OPTION, carrier=Carrier.DROP)) as rollup:
        await rollup.send(*(rollup.transfer(0, data=bytes(600)) for _ in range(3)))
        await rollup.block(2)
        await rollup.settle()
        assert rollup.node.heads().safe.height >= 2
        async with rollup.fresh_node(tmp_path / "fresh") as fresh:
            assert_same_chain(rollup.node.engine, fresh.engine, 2)
