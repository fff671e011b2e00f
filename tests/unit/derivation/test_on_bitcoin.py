"""On a chain that Bitcoin Core's own validation accepted: reveals are found, reorganisations followed, chains equal."""

from dataclasses import dataclass, replace

import pytest

from bedroll.bitcoin.header import Header
from bedroll.bitcoin.transaction import OutPoint, TxOut
from bedroll.da import Forced
from bedroll.da.reader import Connect, Reader
from bedroll.da.writer.envelope import Envelope, build_reveal
from bedroll.derivation.record import AutomaticBlocks, BatchAccepted, ForcedDone
from bedroll.primitives import L1Height, Satoshi
from bedroll.protocol import REGTEST
from tests.framework.chain import secret_key
from tests.framework.site import HOLDERS, LeaderSite, Site, Wallet, funded_genesis

REVEAL_FEE = 40_000


@dataclass
class L1View:
    """What a site asks of its chain, besides blocks."""

    anchor_height: int
    anchor_hash: bytes
    anchor_times: tuple
    height: int


async def view_of(chain):
    tip = await chain.client.tip()
    times, block = [], tip.hash
    while len(times) < 11:
        header = Header.parse((await chain.client.header(block))[0])
        times.append(header.time)
        block = header.previous
    return L1View(tip.height, tip.hash, tuple(reversed(times)), tip.height)


async def follow(site, chain):
    """Read Bitcoin up to its tip."""
    reader = Reader(chain.client, L1Height(site.pipeline.height), site.pipeline.hash, site.pipeline.hash_at)
    async for event in reader.caught_up():
        pipeline = site.pipeline
        step = pipeline.advance(event.raw) if isinstance(event, Connect) else pipeline.unwind(event.height)
        site.records.extend(step.records)
    site.chain.height = site.pipeline.height


async def inscribe(chain, raw, fee=0):
    """Commit, reveal, one block for each."""
    envelope = Envelope.build(secret_key(f"envelope {len(raw)}"), raw, fee)
    value = Satoshi(REVEAL_FEE + fee + 1_000)
    (point,) = await chain.fund(envelope.output.script, value)
    commit = _Commit(point, TxOut(value, envelope.output.script))
    reveal = build_reveal(commit, 0, envelope, chain.miner.script, REVEAL_FEE, REGTEST.parameters.tag)
    await chain.client.broadcast([reveal.raw])
    await chain.mine()
    return reveal


@dataclass
class _Commit:
    point: OutPoint
    output: TxOut

    @property
    def outputs(self):
        return [self.output]

    def out_point(self, index):
        return self.point


@pytest.fixture
async def sites(embedded_chain, tmp_path):
    view = await view_of(embedded_chain)
    genesis = funded_genesis(view)
    genesis = replace(genesis, timestamp=view.anchor_times[-1])
    leader = LeaderSite(tmp_path / "leader", genesis, view)
    made = [leader]

    def another(name):
        made.append(Site(tmp_path / name, genesis, replace(view)))
        return made[-1]

    yield embedded_chain, leader, another
    for site in made:
        site.close()


async def test_batches_and_forced_messages_travel_over_real_blocks(sites):
    chain, leader, another = sites
    await chain.mine(4)
    await follow(leader, chain)
    key = Wallet(HOLDERS[0])
    leader.seal([key.sign(value=5)])
    leader.seal([key.sign(value=6)])
    await inscribe(chain, leader.batch().encode())
    await inscribe(chain, Forced(network=3, payload=Wallet(HOLDERS[1]).sign(value=7)).encode(), fee=1_000)
    await chain.mine(10)
    await follow(leader, chain)
    accepted = [record for record in leader.records if isinstance(record, BatchAccepted)]
    assert [(record.first, record.last) for record in accepted] == [(1, 2)]
    assert [record.status for record in leader.records if isinstance(record, ForcedDone)] == ["executed"]
    assert any(isinstance(record, AutomaticBlocks) for record in leader.records)
    other = another("fresh")
    await follow(other, chain)
    assert other.pipeline.checkpoint() == leader.pipeline.checkpoint()
    assert other.engine.tip().rlp == leader.engine.tip().rlp
    assert leader.engine.view().balance(b"\x77" * 20) == 18
    assert leader.changes == [] or all(not change.removed for change in leader.changes)


@pytest.mark.parametrize("depth", [1, 3, 9])
async def test_a_follower_goes_with_bitcoin_where_it_reorganises(sites, depth):
    chain, leader, another = sites
    await chain.mine(4)
    follower = another("follower")
    await follow(leader, chain)
    leader.seal([Wallet(HOLDERS[0]).sign(value=5)])
    batch = leader.batch()
    await inscribe(chain, batch.encode())
    await chain.mine(depth)
    await follow(follower, chain)
    assert follower.engine.height_of(batch.header.tip_l2_hash) == 1
    await chain.reorg(depth + 1)
    await follow(follower, chain)
    fresh = another("fresh")
    await follow(fresh, chain)
    assert follower.pipeline.checkpoint() == fresh.pipeline.checkpoint()
    assert follower.engine.tip().rlp == fresh.engine.tip().rlp
