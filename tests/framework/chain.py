"""A Bitcoin chain for tests: embedded by default, funded, with a clock of its own and reorganisations on demand.

    async def test_it(embedded_chain):
        chain = embedded_chain
        (coin,) = await chain.fund(script, Satoshi(50_000))
        await chain.mine(3)
        await chain.reorg(depth=2)

The same over any client that also takes blocks (`submit_block`): `RegtestChain.start(client)`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import pytest

from bedroll.bitcoin.block import Block
from bedroll.bitcoin.builder import Input, KeyPath, build_transaction, sign_transaction
from bedroll.bitcoin.client import BitcoinClient, Coin
from bedroll.bitcoin.embedded import EmbeddedClient, build_block
from bedroll.bitcoin.header import Header
from bedroll.bitcoin.taproot import TaprootOutput, tweak_secret_key
from bedroll.bitcoin.transaction import SEQUENCE_REPLACEABLE, OutPoint, Transaction, TxOut
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import BlockHash, L1Height, Satoshi

TIME_FIRST = 1_700_000_000
"""Time of the first mined block; far below the real clock, which bounds block times from above."""
BLOCK_SECONDS = 600
MATURITY = 100
FEE = Satoshi(1_000)


class Chain(BitcoinClient, Protocol):
    """A client that also takes whole blocks."""

    async def submit_block(self, raw: bytes) -> None:
        """Hand in a block on any parent."""
        ...


@dataclass
class ManualClock:
    """Seconds that stand still until asked: each question moves them by `step`."""

    now: int = TIME_FIRST
    step: int = BLOCK_SECONDS

    def __call__(self) -> int:
        self.now += self.step
        return self.now


def secret_key(name: str) -> SecretKey:
    """A key by its name: the same in every run."""
    return SecretKey(sha256(name.encode()).digest())


@dataclass
class KeyHolder:
    """A key whose plain taproot output (BIP-0086) receives and spends."""

    key: SecretKey

    @property
    def script(self) -> bytes:
        """Output script."""
        return TaprootOutput.build(self.key.x_only).script

    def input(self, previous: OutPoint, value: int, sequence: int = SEQUENCE_REPLACEABLE) -> Input:
        """An output of this script as an input."""
        output = TxOut(Satoshi(value), self.script)
        return Input(previous, output, KeyPath(tweak_secret_key(self.key)), sequence)

    def input_of(self, coin: Coin, sequence: int = SEQUENCE_REPLACEABLE) -> Input:
        """A coin as an input."""
        return self.input(OutPoint(coin.txid, coin.index), coin.value, sequence)


def spend(inputs: Sequence[Input], outputs: Sequence[TxOut], *, version: int = 2, lock_time: int = 0) -> Transaction:
    """Build and sign."""
    return sign_transaction(build_transaction(inputs, outputs, version=version, lock_time=lock_time), inputs)


@dataclass
class RegtestChain:
    """A chain with a miner who has matured coins.

    Attributes:
        client: The node.
        clock: Seconds for blocks that are built here.
        miner: Receives what is mined unless told otherwise.
    """

    client: Chain
    clock: Callable[[], int]
    miner: KeyHolder = field(default_factory=lambda: KeyHolder(secret_key("miner")))
    _forks: int = 0
    _promised: set[OutPoint] = field(default_factory=set)

    @classmethod
    async def start(cls, client: Chain, clock: Callable[[], int], mature: int = 20) -> "RegtestChain":
        """Mine so far that `mature` coinbases can be spent."""
        chain = cls(client, clock)
        await chain.mine(MATURITY + mature)
        return chain

    async def height(self) -> L1Height:
        """Of the tip."""
        return (await self.client.tip()).height

    async def mine(self, count: int = 1, script: bytes | None = None) -> list[BlockHash]:
        """Mine on the tip, the mempool's best included."""
        return await self.client.mine(count, script or self.miner.script)

    async def parsed(self, block: BlockHash) -> Block:
        """A block of the node."""
        return Block.parse(await self.client.block(block))

    async def matured(self, count: int = 1) -> list[Coin]:
        """Coins of the miner that nobody else took in this test, best first."""
        tip = await self.height()
        coins = [
            coin
            for coin in await self.client.coins([self.miner.script])
            if (not coin.coinbase or tip + 1 - coin.height >= MATURITY)
            and OutPoint(coin.txid, coin.index) not in self._promised
        ]
        chosen = sorted(coins, key=lambda coin: (-coin.value, coin.height, coin.txid))[:count]
        assert len(chosen) == count, f"the miner has {len(chosen)} matured coins, {count} are needed: mine more"
        self._promised.update(OutPoint(coin.txid, coin.index) for coin in chosen)
        return chosen

    async def pay(self, outputs: Sequence[TxOut], *, fee: Satoshi = FEE, version: int = 2) -> Transaction:
        """A signed transaction of the miner's with these outputs first and change last; not handed in."""
        (coin,) = await self.matured()
        change = coin.value - sum(output.value for output in outputs) - fee
        assert change > 0, "one coin of the miner does not suffice: fund less at once"
        return spend(
            [self.miner.input_of(coin)], [*outputs, TxOut(Satoshi(change), self.miner.script)], version=version
        )

    async def fund(
        self, script: bytes, value: Satoshi, count: int = 1, *, confirm: bool = True, version: int = 2
    ) -> list[OutPoint]:
        """Pay `count` outputs to a script, in a block unless told otherwise."""
        transaction = await self.pay([TxOut(value, script)] * count, fee=Satoshi(FEE + 50 * count), version=version)
        await self.client.broadcast([transaction.raw])
        if confirm:
            await self.mine()
        return [transaction.out_point(at) for at in range(count)]

    async def mine_on(
        self, parent: BlockHash, transactions: Sequence[Transaction] = (), script: bytes | None = None
    ) -> BlockHash:
        """Mine a block with these transactions on any known parent, leaving their fees to nobody, and hand it in."""
        block = await self.build_on(parent, transactions, script)
        await self.client.submit_block(block.raw)
        return block.hash

    async def build_on(
        self,
        parent: BlockHash,
        transactions: Sequence[Transaction] = (),
        script: bytes | None = None,
        fees: int = 0,
    ) -> Block:
        """The same without handing it in. Blocks of one parent and content differ."""
        raw, height = await self.client.header(parent)
        header = Header.parse(raw)
        times = [header.time]
        while len(times) < 11 and header.previous != bytes(32):
            header = Header.parse((await self.client.header(header.previous))[0])
            times.append(header.time)
        time = max(sorted(times)[len(times) // 2] + 1, self.clock())
        self._forks += 1
        mark = self._forks.to_bytes(4, "big")
        return build_block(parent, height + 1, time, script or self.miner.script, transactions, fees, mark)

    async def reorg(
        self, depth: int, *, extra: int = 1, transactions: Sequence[Sequence[Transaction]] = ()
    ) -> list[BlockHash]:
        """Replace the last `depth` blocks by `depth + extra` others.

        Args:
            depth: Blocks that leave the best chain.
            extra: By how many the new branch is longer: 0 makes a branch of equal work that does not win.
            transactions: What the new blocks hold, from the first on; the rest are empty.
        """
        height = await self.height()
        parent = await self.client.block_hash(L1Height(height - depth))
        assert parent is not None, f"the chain has {height} blocks, {depth} are to be replaced"
        branch = []
        for at in range(depth + extra):
            parent = await self.mine_on(parent, transactions[at] if at < len(transactions) else ())
            branch.append(parent)
        return branch


@asynccontextmanager
async def open_embedded(folder: Path, mature: int = 20) -> AsyncIterator[RegtestChain]:
    """A chain in a folder; opening one again goes on where it was."""
    clock = ManualClock()
    client = await EmbeddedClient.open(folder, clock)
    try:
        if (await client.tip()).height == 0:
            yield await RegtestChain.start(client, clock, mature)
        else:
            yield RegtestChain(client, clock)
    finally:
        await client.close()


@pytest.fixture
async def embedded_chain(tmp_path: Path) -> AsyncIterator[RegtestChain]:
    """A fresh embedded chain with twenty matured coinbases."""
    async with open_embedded(tmp_path / "bitcoin") as chain:
        yield chain
