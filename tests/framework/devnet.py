"""A devnet driven step by step: nothing happens but what the test says, and time stands still in between.

async with open_rollup(tmp_path, embedded_chain) as rollup:
    await rollup.send(rollup.transfer(0, to=1))
    await rollup.block()
    await rollup.post()
    await rollup.mine()
    assert rollup.node.heads().safe == rollup.node.heads().latest
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bedroll.da import Forced, object_id
from bedroll.derivation.forced_queue import forced_id
from bedroll.execution.engine import Block, Engine
from bedroll.node.devnet import Devnet, DevnetOption, open_devnet
from bedroll.node.service import Node
from bedroll.primitives import Address, Gas, Hash32, Invalid, Wei
from bedroll.protocol import REGTEST
from bedroll.sequencer.policy import BatchPolicy
from bedroll.sequencer.service import Sequencer, SequencerOption
from tests.framework.chain import TIME_FIRST, RegtestChain

OPTION = DevnetOption(
    mine_seconds=0,
    sync=False,
    sequencer=SequencerOption(batch=BatchPolicy(age_seconds=0.0), stream_port=None),
)
"""Every block is due for a batch as soon as there is an origin or a transaction in it."""
CAP = Wei(10**12)


@dataclass
class Clock:
    """Seconds of the leader: each block is two later."""

    now: float = TIME_FIRST + 10_000_000

    def __call__(self) -> float:
        return self.now


@dataclass
class Rollup:
    """One devnet and its actors."""

    chain: RegtestChain
    devnet: Devnet
    clock: Clock
    nonces: dict[int, int] = field(default_factory=dict)

    @property
    def node(self) -> Node:
        return self.devnet.node

    @property
    def leader(self) -> Sequencer:
        assert self.node.sequencer is not None
        return self.node.sequencer

    # --- transactions

    def transfer(self, sender: int, to: int = 1, value: int = 10**15, tip: int = 10**9, data: bytes = b"") -> bytes:
        """The next transfer of an account, signed."""
        nonce = self.nonces.setdefault(sender, self.node.pending_nonce(self.devnet.accounts[sender].address))
        self.nonces[sender] = nonce + 1
        return self.sign(sender, nonce, self.devnet.accounts[to].address, value, tip, data)

    def sign(self, sender: int, nonce: int, to: Address, value: int, tip: int = 10**9, data: bytes = b"") -> bytes:
        """A transfer with any nonce."""
        return self.devnet.accounts[sender].sign_transaction(
            chain_id=REGTEST.chain_id, nonce=nonce, gas_limit=Gas(100_000 if data else 21_000), max_fee_per_gas=CAP,
            max_priority_fee_per_gas=Wei(tip), to=to, value=Wei(value), data=data,
        )  # fmt: skip

    async def send(self, *raws: bytes) -> list[Hash32]:
        """Hand in transactions; all must be taken."""
        answers = await self.node.send_transactions(raws)
        for answer in answers:
            if isinstance(answer, Invalid):
                raise answer
        return [answer for answer in answers if not isinstance(answer, Invalid)]

    # --- actors, each one step

    async def block(self, count: int = 1) -> Block:
        """The leader makes, signs and publishes blocks."""
        for _ in range(count):
            self.clock.now += 2
            block = await self.leader.producer.make_block()
            assert block is not None, self.leader.producer.stalled
        await self.leader.finisher.finish()
        return block

    async def post(self) -> None:
        """The leader's batcher and writer look once."""
        assert self.node.writer is not None
        await self.node.writer.step()
        await self.leader.batcher.step()
        await self.node.writer.step()

    async def mine(self, count: int = 1) -> None:
        """Mine L1 blocks, the mempool's content in the first, and have the leader derive them."""
        await self.chain.mine(count)
        await self.follow()

    async def follow(self) -> None:
        """Derivation and writer see what L1 is now."""
        assert self.node.writer is not None
        await self.node.deriver.catch_up()
        await self.node.writer.step()

    async def settle(self) -> None:
        """Post and mine until everything made is derived: a second time where an older batch was still on its way."""
        for _ in range(2):
            await self.post()
            await self.mine()
            if self.node.heads().safe == self.node.heads().latest:
                return
        raise AssertionError(f"not settled: {self.node.heads()}")

    async def force(self, payload: bytes, fee_sat: int = REGTEST.parameters.forced_fee) -> Hash32:
        """Post a forced message; its id. One L1 block is mined for it."""
        writer = self.node.writer
        assert writer is not None
        raw = Forced(network=REGTEST.number, payload=payload).encode()
        named = writer.put(raw, "forced", fee_output_sat=fee_sat)
        assert named == object_id(raw)
        await writer.step()
        posting = writer.find(named)
        assert posting is not None
        reveal = writer.transactions(posting)[1].transaction
        await self.mine()
        return Hash32(forced_id(REGTEST.number, reveal.wtxid))

    @asynccontextmanager
    async def fresh_node(self, folder: Path) -> AsyncIterator[Node]:
        """A node on an empty disk, derived from Bitcoin alone up to the tip."""
        node = await self.devnet.open_node(folder)
        try:
            await node.deriver.catch_up()
            yield node
        finally:
            await node.close()


@asynccontextmanager
async def open_rollup(
    folder: Path, chain: RegtestChain, option: DevnetOption = OPTION, clock: Clock | None = None
) -> AsyncIterator[Rollup]:
    """Open a devnet over a chain of the test's; its leader's intake runs, everything else is stepped."""
    clock = clock or Clock()
    async with open_devnet(folder, option, client=chain.client, clock=clock) as devnet:
        rollup = Rollup(chain, devnet, clock)
        await devnet.node.deriver.catch_up()
        await rollup.leader.begin()
        intake = asyncio.create_task(rollup.leader.intake.run())
        try:
            yield rollup
        finally:
            intake.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await intake


def assert_same_chain(one: Engine, other: Engine, upto: int) -> None:
    """Every block, receipt and log up to a height is the same, byte by byte."""
    for height in range(upto + 1):
        mine, theirs = one.block(height), other.block(height)
        assert mine is not None
        assert theirs is not None
        assert mine.header.rlp == theirs.header.rlp, f"block {height}"
        assert [each.raw for each in mine.transactions] == [each.raw for each in theirs.transactions]
        assert [describe(each) for each in mine.receipts] == [describe(each) for each in theirs.receipts]
        assert mine.forced == theirs.forced


def describe(receipt) -> tuple[object, ...]:
    """All of a receipt that consensus and RPC show."""
    return (
        receipt.transaction_hash,
        receipt.status,
        receipt.gas_used,
        receipt.data_gas,
        receipt.cumulative_gas_used,
        receipt.effective_gas_price,
        receipt.contract,
        [(each.address, each.topics, each.data) for each in receipt.logs],
        receipt.logs_bloom,
    )
