"""Shows that the embedded node and a real bitcoind stay alike through thousands of random steps, and share their files.

Both get the same transactions and the same blocks; after each step verdicts, mempools and tips must be equal.
"""

import asyncio
import random
import shutil
from dataclasses import dataclass, field

import pytest

from bedroll.bitcoin.builder import Input
from bedroll.bitcoin.client import RejectedTransaction
from bedroll.bitcoin.embedded import EmbeddedClient
from bedroll.bitcoin.rpc import RpcClient
from bedroll.bitcoin.script import ANCHOR_SCRIPT, data_script
from bedroll.bitcoin.transaction import OutPoint, Transaction, TxOut
from bedroll.primitives import L1Height, Satoshi, Unavailable
from tests.framework.bitcoind import connect, free_port, run_bitcoind, start_bitcoind
from tests.framework.chain import KeyHolder, ManualClock, RegtestChain, open_embedded, secret_key, spend

pytestmark = pytest.mark.bitcoind

SEED = 20_261_121
STEPS = 1_500
ALICE = KeyHolder(secret_key("alice"))
KINDS = ("plain", "plain", "chained", "double", "package", "truc", "truc_child", "broken", "data")


@dataclass
class Twins:
    """One embedded chain and one bitcoind that are told the same."""

    chain: RegtestChain
    other: RpcClient
    source: random.Random
    coins: list[tuple[OutPoint, int]] = field(default_factory=list)
    pending: list[Transaction] = field(default_factory=list)
    accepted: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    async def follow(self, count: int) -> None:
        """Give bitcoind the embedded chain's last blocks."""
        height = await self.chain.height()
        for at in range(height - count + 1, height + 1):
            block = await self.chain.client.block_hash(L1Height(at))
            await self.other.submit_block(await self.chain.client.block(block))
        assert await self.other.tip() == await self.chain.client.tip()

    async def hand_in(self, *package: Transaction) -> None:
        """The same verdict from both."""
        verdicts = [await _verdict(client, package) for client in (self.chain.client, self.other)]
        assert verdicts[0] == verdicts[1], [each.raw.hex() for each in package]
        if verdicts[0] == "":
            self.accepted += 1
            self.pending += package
        else:
            self.refused[verdicts[0]] = self.refused.get(verdicts[0], 0) + 1

    async def compare(self) -> None:
        """The same mempool in both, with the same fees and relations."""
        mine = set(await self.chain.client.mempool())
        theirs = {bytes.fromhex(each)[::-1] for each in await self.other._transport.call(list[str], "getrawmempool")}
        assert mine == theirs
        for txid in self.source.sample(sorted(mine), min(3, len(mine))):
            assert await self.chain.client.mempool_entry(txid) == await self.other.mempool_entry(txid)

    def spendable(self) -> list[Input]:
        """Confirmed outputs of Alice's."""
        return [ALICE.input(name, value) for name, value in self.coins]

    def unconfirmed(self) -> list[Input]:
        """Outputs of Alice's in what was handed in."""
        return [
            ALICE.input(each.out_point(at), output.value)
            for each in self.pending[-40:]
            for at, output in enumerate(each.outputs)
            if output.script == ALICE.script
        ]


async def _verdict(client, package):
    try:
        await client.broadcast([each.raw for each in package])
    except RejectedTransaction as refusal:
        return refusal.reason
    return ""


def _pay(source, inputs, *, version=2, extra=(), fee=None):
    value = sum(each.output.value for each in inputs) - sum(each.value for each in extra)
    fee = source.choice((0, 5, 30, 200, 1_000, source.randint(0, 20_000))) if fee is None else fee
    count = source.randint(1, 3)
    part = (value - fee) // count
    if part < 400:
        return None
    outputs = [*extra, *([TxOut(Satoshi(part), ALICE.script)] * count)]
    return spend(inputs, outputs, version=version)


def _make(twins, kind):
    """Transactions to hand in together, or None where the state has nothing for the kind."""
    source = twins.source
    confirmed, unconfirmed = twins.spendable(), twins.unconfirmed()
    some = source.sample(confirmed, min(len(confirmed), source.randint(1, 2)))
    if not some:
        return None
    version = source.choice((2, 2, 2, 3))
    if kind == "plain":
        return [_pay(source, some, version=version)]
    if kind == "chained":
        given = source.sample(unconfirmed, min(len(unconfirmed), source.randint(1, 2)))
        return [_pay(source, [*given, *some[:1]], version=version)] if given else None
    if kind == "double" and twins.pending:
        victim = source.choice(twins.pending[-30:])
        held = {each.previous: each for each in (*confirmed, *unconfirmed)}
        inputs = [held[each.previous] for each in victim.inputs if each.previous in held]
        return [_pay(source, inputs, version=victim.version, fee=source.randint(0, 40_000))] if inputs else None
    if kind == "data":
        size = source.choice((80, 3_000, 30_000, 99_000))
        return [_pay(source, some, version=version, extra=[TxOut(Satoshi(0), data_script(bytes(size)))], fee=size)]
    if kind in ("package", "truc"):
        version = 3 if kind == "truc" else 2
        anchor = [TxOut(Satoshi(source.choice((0, 0, 240))), ANCHOR_SCRIPT)]
        parent = _pay(source, some[:1], version=version, extra=anchor, fee=source.choice((0, 0, 500)))
        more = [each for each in confirmed if each.previous != some[0].previous]
        if parent is None or not more:
            return None
        inputs = [Input(parent.out_point(0), parent.outputs[0], None), source.choice(more)]
        child = _pay(source, inputs, version=source.choice((version, version, 2)))
        return [parent, child] if child is not None else None
    if kind == "truc_child":
        anchors = [
            Input(each.out_point(0), each.outputs[0], None)
            for each in twins.pending[-30:]
            if each.outputs[0].script == ANCHOR_SCRIPT
        ]
        return [_pay(source, [source.choice(anchors), some[0]], version=3)] if anchors else None
    broken = _pay(source, some)
    return None if broken is None else [broken.with_witness(0, (source.randbytes(64),))]


async def _mine(twins):
    """A block by the embedded miner, or a reorganisation, for both."""
    chain, source = twins.chain, twins.source
    if source.random() < 0.3:
        depth = source.randint(1, 3)
        await chain.reorg(depth)
        await twins.follow(depth + 1)
    else:
        await chain.mine()
        await twins.follow(1)
    twins.coins = [((OutPoint(each.txid, each.index)), each.value) for each in await chain.client.coins([ALICE.script])]
    twins.coins = source.sample(twins.coins, min(len(twins.coins), 60))
    held = set(await chain.client.mempool())
    twins.pending = [each for each in twins.pending if each.txid in held]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [SEED, SEED + 1, 4])
async def test_random_steps_lead_to_equal_mempools(tmp_path, seed):
    clock = ManualClock()
    async with run_bitcoind(tmp_path / "bitcoind") as other:
        client = await EmbeddedClient.open(tmp_path / "embedded", clock)
        chain = await RegtestChain.start(client, clock, mature=30)
        twins = Twins(chain, other, random.Random(seed))
        await twins.follow(await chain.height())
        for _ in range(6):
            await chain.fund(ALICE.script, Satoshi(2_000_000), 10)
            await twins.follow(1)
        await _mine(twins)
        for _ in range(STEPS):
            if twins.source.random() < 0.04:
                await _mine(twins)
            else:
                package = _make(twins, twins.source.choice(KINDS))
                if package is None or None in package:
                    continue
                await twins.hand_in(*package)
            await twins.compare()
        await client.close()
    print(f"seed {seed}: {twins.accepted} accepted, refused {twins.refused}")
    assert twins.accepted > STEPS // 4
    assert len(twins.refused) >= 8


async def test_bitcoind_opens_the_embedded_chains_files_and_agrees(tmp_path):
    async with open_embedded(tmp_path / "embedded") as chain:
        await chain.fund(ALICE.script, Satoshi(50_000), 20)
        await chain.mine(5)
        await chain.reorg(3)
        tip = await chain.client.tip()
        coins = await chain.client.coins([ALICE.script, chain.miner.script])
    folder = tmp_path / "bitcoind"
    for part in ("blocks", "chainstate"):
        shutil.copytree(tmp_path / "embedded/regtest" / part, folder / "regtest" / part)
    async with run_bitcoind(folder) as other:
        assert await other.tip() == tip
        assert await other.coins([ALICE.script, chain.miner.script]) == coins
        assert await other._transport.call(bool, "verifychain", 4, 0)


@pytest.mark.parametrize("zmq", [True, False])
async def test_a_restarted_bitcoind_is_found_again(tmp_path, zmq):
    port, zmq_port = free_port(), free_port()
    node = start_bitcoind(tmp_path, port, zmq_port)
    client = await connect(node, zmq=zmq)
    await client.mine(2, ALICE.script)
    known = await client.tip()
    waiting = asyncio.create_task(client.wait_for_tip(known.hash, 60))
    await client.block_hash(L1Height(0))
    node.stop()
    with pytest.raises(Unavailable):
        await client.tip()
    if zmq:
        waiting.cancel()  # Hears nothing any more, and asks again only after a while.
    with pytest.raises((Unavailable, asyncio.CancelledError)):
        await waiting
    node = start_bitcoind(tmp_path, port, zmq_port)
    await node.wait()
    assert await client.tip() == known
    waiting = asyncio.create_task(client.wait_for_tip(known.hash, 60))
    (mined,) = await client.mine(1, ALICE.script)
    assert (await waiting).hash == mined
    await client.close()
    node.stop()
