"""Shows that a leader lives through a Bitcoin that is gone, comes back, stands still, or forks deeper than is kept."""

import asyncio
import contextlib
from dataclasses import replace

import msgspec
import pytest

from bedroll.api.port import Condition
from bedroll.bitcoin.rpc import Access, RpcClient
from bedroll.bitcoin.server import RpcServer
from bedroll.node.devnet import open_devnet
from bedroll.node.service import REBUILD_MARK, Node
from bedroll.primitives import Reorg
from bedroll.protocol import REGTEST
from tests.framework.devnet import OPTION, Rollup, assert_same_chain, open_rollup


async def until(node, condition, events) -> None:
    """Read events until something holds; a leader that makes blocks never lets them end."""
    async with asyncio.timeout(60):
        while not condition():
            await anext(events)


@pytest.mark.faults
async def test_a_bitcoin_that_is_gone_and_comes_back_stops_nothing(embedded_chain, tmp_path):
    server = RpcServer(embedded_chain.client, tmp_path / "cookie")
    await server.start()
    port = int(server.url.rsplit(":", 1)[1].strip("/"))
    client = await RpcClient.open(Access(url=server.url, cookie=tmp_path / "cookie"), "regtest", call_seconds=2.0)
    option = replace(OPTION, sequencer=replace(OPTION.sequencer, block_time_seconds=0.2))
    try:
        async with open_devnet(tmp_path / "net", option, client=client) as devnet:
            rollup = Rollup(embedded_chain, devnet, clock=None)
            task = asyncio.create_task(devnet.node.run())
            events = devnet.node.subscribe()
            await until(devnet.node, lambda: devnet.node.heads().latest.height >= 1, events)
            await server.stop()
            await until(devnet.node, lambda: devnet.node.condition is Condition.L1_UNAVAILABLE, events)
            assert devnet.node.health()["healthy"] is False
            before = devnet.node.heads().latest.height
            (sent,) = await rollup.send(rollup.transfer(0))
            await until(devnet.node, lambda: devnet.node.heads().latest.height >= before + 2, events)
            assert devnet.node.engine.find_transaction(sent) is not None
            server = RpcServer(embedded_chain.client, tmp_path / "cookie")
            await server.start(port=port)
            await until(devnet.node, lambda: devnet.node.condition is Condition.RUNNING, events)
            reached = devnet.node.heads().latest.height
            async with asyncio.timeout(60):
                while devnet.node.heads().safe.height < reached:
                    await embedded_chain.mine()
                    await anext(events)
            assert not task.done()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    finally:
        await client.close()
        await server.stop()


async def test_a_bitcoin_that_stands_still_stops_blocks_with_a_clear_word_and_a_block_frees_them(
    embedded_chain, tmp_path
):
    async with open_rollup(tmp_path, embedded_chain) as rollup:
        await rollup.block()
        head = rollup.leader.producer._head
        # As if 3,600 blocks had been made: making them takes minutes.
        rollup.leader.producer._head = msgspec.structs.replace(head, origin_blocks=3_600)
        assert await rollup.leader.producer.make_block() is None
        assert "waiting for an L1 block" in rollup.leader.producer.stalled
        await rollup.mine()
        assert await rollup.leader.producer.make_block() is not None
        assert rollup.leader.producer.stalled == ""


async def test_a_reorganisation_beyond_what_is_kept_is_derived_again_from_the_anchor(embedded_chain, tmp_path):
    kept = REGTEST.parameters.auto_block_window + REGTEST.parameters.finality_depth
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.send(*(rollup.transfer(0) for _ in range(3)))
        await rollup.block()
        await rollup.settle()
        await rollup.mine(kept + 1)
        await embedded_chain.reorg(kept + 3)
        with pytest.raises(ExceptionGroup) as stopped:
            async with asyncio.timeout(30):
                await rollup.node.run()
        assert stopped.group_contains(Reorg)
        assert rollup.node.condition is Condition.STOPPED
        assert (tmp_path / "net/sequencer" / REBUILD_MARK).exists()
    async with open_rollup(tmp_path / "net", embedded_chain) as again:
        assert again.node.pool_status().pending == 3
        block = await again.block()
        while len(block.transactions) - block.forced_count != 3:
            block = await again.block()
        await again.settle()
        async with again.fresh_node(tmp_path / "fresh") as fresh:
            assert_same_chain(again.node.engine, fresh.engine, again.node.heads().latest.height)
        assert (tmp_path / "net/sequencer/chain.0").is_dir()


class Sick:
    """A Bitcoin node that gives half a block, then none, then the truth."""

    def __init__(self, client) -> None:
        self._client = client
        self.lies = [lambda raw: raw[: len(raw) // 2], lambda raw: b"", lambda raw: raw[:-1] + bytes([raw[-1] ^ 1])]
        self.told = 0

    def __getattr__(self, name):
        return getattr(self._client, name)

    async def block(self, block):
        raw = await self._client.block(block)
        if not self.lies:
            return raw
        self.told += 1
        return self.lies.pop()(raw)


async def test_blocks_that_are_none_are_asked_for_again(embedded_chain, tmp_path):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        await rollup.send(rollup.transfer(0))
        await rollup.block()
        await rollup.settle()
        sick = Sick(embedded_chain.client)
        node = await Node.open(tmp_path / "node", rollup.devnet.genesis, sick, sync=False)
        task = asyncio.create_task(node.run())
        async with asyncio.timeout(60):
            await node.deriver.synced.wait()
        assert sick.told == 3
        assert node.heads().safe == rollup.node.heads().safe
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await node.close()
