"""Shows that a follower takes the leader's signed blocks, refuses everything else, and that slow readers go."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest

from bedroll.api.port import BlockAdded
from bedroll.crypto import schnorr
from bedroll.node.devnet import devnet_key
from bedroll.node.follower import BadStream
from bedroll.node.service import Node
from bedroll.primitives import Invalid, L2Height
from bedroll.protocol import REGTEST
from bedroll.sequencer import stream as stream_module
from bedroll.sequencer.finisher import streamed
from bedroll.sequencer.signer import block_digest
from bedroll.sequencer.wire import Hello, Refusal, StreamedBlock, Unwound, Welcome, parse_message
from tests.framework.devnet import Rollup, assert_same_chain, open_rollup


@asynccontextmanager
async def following(rollup: Rollup, folder) -> AsyncIterator[Node]:
    """A node that follows the leader's stream, running."""
    await rollup.leader.stream.start("127.0.0.1", 0)
    node = await rollup.devnet.open_node(folder, follow=True)
    task = asyncio.create_task(node.run())
    try:
        yield node
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await node.close()
        await rollup.leader.stream.stop()


@asynccontextmanager
async def opened(rollup: Rollup, folder) -> AsyncIterator[Node]:
    """A follower that is fed by hand."""
    node = await Node.open(
        folder, rollup.devnet.genesis, rollup.chain.client, follow_url="http://127.0.0.1:1", sync=False
    )
    try:
        await node.deriver.catch_up()
        yield node
    finally:
        await node.close()


async def until(node: Node, events, height: int) -> None:
    async with asyncio.timeout(20):
        while node.heads().latest.height < height:
            async for event in events:
                if isinstance(event, BlockAdded) and event.block.header.number >= height:
                    return


def sent(rollup: Rollup, height: int) -> StreamedBlock:
    block = rollup.node.engine.block(height)
    return streamed(block, rollup.node._store.signature(L2Height(height), block.header.hash))


def signed(block: StreamedBlock, key=None) -> StreamedBlock:
    digest = block_digest(REGTEST.number, L2Height(block.height), block.hash)
    return replace(block, signature=schnorr.sign(key or devnet_key("leader"), digest))


async def test_a_follower_has_the_leaders_latest_blocks_and_those_from_before_it_came(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.send(rollup.transfer(0))
        await rollup.block(3)
        async with following(rollup, tmp_path / "node") as node:
            events = node.subscribe()
            await rollup.send(*(rollup.transfer(0) for _ in range(4)))
            await rollup.block(3)
            await until(node, events, 6)
            assert node.heads().latest == rollup.node.heads().latest
            assert node.heads().safe.height == 0
            assert_same_chain(rollup.node.engine, node.engine, 6)
            assert node._store.signature(L2Height(6), node.heads().latest.hash) is not None
            assert node.health()["reason"] == ""


async def test_a_block_that_nobody_signed_right_is_refused(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup, opened(rollup, tmp_path / "node") as node:
        await rollup.block()
        good = sent(rollup, 1)
        stranger = devnet_key("rotation")
        for bad in (
            signed(good, stranger),
            replace(good, signature=bytes(64)),
            replace(good, automatic=True),
            replace(good, hash=bytes(32)),
        ):
            with pytest.raises(BadStream):
                await node._follower.take([bad])
        assert node.heads().latest.height == 0
        await node._follower.take([good])
        assert node.heads().latest.height == 1


async def test_a_signed_block_that_executes_to_another_hash_is_refused_and_leaves_no_trace(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup, opened(rollup, tmp_path / "node") as node:
        await rollup.send(rollup.transfer(0))
        await rollup.block(2)
        first, second = sent(rollup, 1), sent(rollup, 2)
        for bad in (
            signed(replace(first, hash=b"\x01" * 32)),
            signed(replace(first, timestamp=first.timestamp + 1, hash=b"\x02" * 32)),
            signed(replace(first, transactions=(), hash=b"\x03" * 32)),
            signed(replace(first, transactions=(b"\x02junk",), hash=b"\x04" * 32)),
            signed(replace(first, height=2, hash=b"\x05" * 32)),
        ):
            with pytest.raises(Invalid):
                await node._follower.take([bad])
            assert node.engine.tip().number == 0
        await node._follower.take([first, second])
        assert node.heads().latest == rollup.node.heads().latest


async def test_what_contradicts_bitcoin_is_refused(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.block()
        await rollup.settle()
        async with opened(rollup, tmp_path / "node") as node:
            with pytest.raises(BadStream, match="contradicts Bitcoin"):
                await node._follower.take([signed(replace(sent(rollup, 1), hash=b"\x07" * 32))])


async def test_an_unsigned_block_waits_for_a_signed_descendant(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup, opened(rollup, tmp_path / "node") as node:
        await rollup.block(3)
        blocks = [sent(rollup, height) for height in (1, 2, 3)]
        await node._follower.take([replace(block, signature=None) for block in blocks[:2]])
        assert node.heads().latest.height == 0
        await node._follower.take(blocks[2:])
        assert node.heads().latest == rollup.node.heads().latest


async def test_unsigned_blocks_at_heights_that_were_signed_are_taken_after_an_unwinding(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup, opened(rollup, tmp_path / "node") as node:
        await rollup.block(3)
        await node._follower.take([sent(rollup, height) for height in (1, 2, 3)])
        await node._follower.take([Unwound(2)])
        assert node.heads().latest.height == 2
        await node._follower.take([replace(sent(rollup, 3), signature=None)])
        assert node.heads().latest.height == 3


async def test_a_follower_goes_with_the_leader_through_silence(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.block()
        await rollup.settle()
        async with following(rollup, tmp_path / "node") as node:
            events = node.subscribe()
            await rollup.send(*(rollup.transfer(0) for _ in range(3)))
            await rollup.block()
            await until(node, events, 2)
            voided = node.heads().latest.hash
            await rollup.mine(REGTEST.parameters.auto_block_window)
            automatic = rollup.node.heads().latest.height
            assert rollup.node.engine.block(automatic).automatic
            await rollup.block()
            await rollup.settle()
            await rollup.leader.batcher.step()
            await rollup.block()
            await until(node, events, rollup.node.heads().latest.height)
            async with asyncio.timeout(20):
                while node.heads().latest != rollup.node.heads().latest:
                    await anext(events)
            assert node.engine.height_of(voided) is None
            assert_same_chain(rollup.node.engine, node.engine, rollup.node.heads().latest.height)
            assert node._follower.refused == 0


async def test_a_follower_of_another_chain_is_told_so(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.leader.stream.start("127.0.0.1", 0)
        for hello in (Hello(REGTEST.number, bytes(32), 0, bytes(32)).encode(), b"\x01garbage", b""):
            answer = await ask(rollup, hello)
            assert isinstance(answer, Refusal)
        genesis = rollup.node.engine.header(0).hash
        assert await ask(rollup, Hello(REGTEST.number, genesis, 0, genesis).encode()) == Welcome(0, 0)
        await rollup.leader.stream.stop()


async def test_a_slow_reader_is_dropped_and_the_leader_goes_on(embedded_chain, tmp_path, monkeypatch):
    monkeypatch.setattr(stream_module, "SEND_SECONDS", 0.1)
    monkeypatch.setattr(stream_module, "RECENT_BYTES_MAX", 1 << 30)
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.block()
        await rollup.leader.stream.start("127.0.0.1", 0)
        genesis = rollup.node.engine.header(0).hash
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{rollup.leader.stream.port}/stream"
            async with session.ws_connect(url) as socket:
                await socket.send_bytes(Hello(REGTEST.number, genesis, 0, genesis).encode())
                assert parse_message((await socket.receive()).data) == Welcome(0, 1)
                heavy = replace(sent(rollup, 1), transactions=(bytes(2 << 20),))
                rollup.leader.stream.publish([replace(heavy, height=height) for height in range(2, 50)])
                async with asyncio.timeout(20):
                    while rollup.leader.stream.dropped == 0:
                        await asyncio.sleep(0)
        await rollup.block()
        await rollup.leader.stream.stop()


async def test_the_running_leader_seals_each_transaction_and_followers_keep_up(embedded_chain, tmp_path):
    from tests.framework.devnet import OPTION

    option = replace(OPTION, sequencer=replace(OPTION.sequencer, block_time_seconds=0.0, stream_port=0))
    from bedroll.node.devnet import open_devnet

    async with open_devnet(tmp_path / "net", option, client=embedded_chain.client) as devnet:
        task = asyncio.create_task(devnet.run())
        events = devnet.node.subscribe()
        rollup = Rollup(embedded_chain, devnet, clock=None)
        await until(devnet.node, events, 1)
        node = await devnet.open_node(tmp_path / "node", follow=True)
        following_task = asyncio.create_task(node.run())
        seen = node.subscribe()
        await rollup.send(*(rollup.transfer(sender) for sender in range(5) for _ in range(8)))
        await until(devnet.node, events, 41)
        await until(node, seen, 41)
        sizes = [len(node.engine.block(height).transactions) for height in range(2, 42)]
        assert all(size <= 2 for size in sizes)
        stamps = [node.engine.header(height).timestamp for height in range(1, 42)]
        assert max(map(stamps.count, stamps)) <= 10
        assert stamps == sorted(stamps)
        for each in (following_task, task):
            each.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await each
        await node.close()


async def ask(rollup: Rollup, hello: bytes):
    url = f"http://127.0.0.1:{rollup.leader.stream.port}/stream"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.send_bytes(hello)
        return parse_message((await socket.receive()).data)
