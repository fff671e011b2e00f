"""Random lives of a leader, a rival with his key, and a follower over real engines: all end where a fresh node ends."""

import random

import pytest

from bedroll.da import Forced
from bedroll.derivation.record import AutomaticBlocks, BatchAccepted, ForcedDone
from tests.framework.site import HOLDERS, LeaderSite, Site, Wallet, new_rollup


class Life:
    """A seeded sequence of what happens to a rollup."""

    def __init__(self, folder, seed):
        self.folder = folder
        self.chance = random.Random(seed)
        self.leader = new_rollup(folder / "leader")
        self.rival = LeaderSite(folder / "rival", self.leader.genesis, self.leader.chain)
        self.follower = Site(folder / "follower", self.leader.genesis, self.leader.chain)
        self.sites = [self.leader, self.rival, self.follower]
        self.fresh = 0
        self.highest = self.leader.chain.height
        self.counts = {"seals": 0, "posts": 0, "reorganisations": 0}
        self.follow()

    @property
    def chain(self):
        return self.leader.chain

    def follow(self):
        for site in self.sites:
            site.follow()
        self.highest = max(self.highest, self.chain.height)

    def seal(self, site):
        """Blocks with whatever of the holders' transactions the chain takes."""
        for _ in range(self.chance.randint(1, 3)):
            raws = []
            for holder in self.chance.sample(HOLDERS[1:], 3):
                wallet = Wallet(holder)
                nonce = site.engine.view().nonce(bytes.fromhex(holder.address[2:]))
                raws.append(wallet.sign(value=self.chance.randint(1, 10**9), nonce=nonce))
            site.seal(raws)
            self.counts["seals"] += 1

    def post(self, site):
        """A batch of some of a site's underived blocks, at times with a false tip."""
        first, tip = site.pipeline.safe.height + 1, site.engine.tip().number
        if tip < first:
            return
        last = self.chance.randint(first, tip)
        while last >= first and site.engine.block(last).origin_height > site.youngest:
            last -= 1
        if last >= first:
            false = {"tip_l2_hash": bytes(32)} if self.chance.random() < 0.15 else {}
            self.chain.mine(self.leader.grinder.carry(site.batch(first, last, **false).encode()))
            self.counts["posts"] += 1

    def force(self):
        payload = Wallet(HOLDERS[0]).sign(value=3, nonce=self.chance.randint(0, 9))
        raw = Forced(network=3, payload=self.chance.choice([payload, b"junk", payload[:-1]])).encode()
        self.chain.mine(self.leader.grinder.carry(raw, fee=self.chance.choice([0, 1_000, 1_000])))

    def reorganise(self):
        """Any depth that all can return to; the new branch is longer."""
        lowest = max(self.highest - 10, self.chain.anchor_height)
        if self.chain.height <= lowest:
            return
        old = self.chain.height
        fork = self.chance.randint(lowest, self.chain.height - 1)
        self.chain.fork(fork)
        for site in self.sites:
            site.pipeline.unwind(fork)
            site.records = []
        while self.chain.height <= old:
            self.chain.mine()
        self.counts["reorganisations"] += 1

    def act(self):
        site = self.chance.choice([self.leader, self.leader, self.rival])
        roll = self.chance.random()
        if roll < 0.35:
            self.seal(site)
        elif roll < 0.6:
            self.post(site)
        elif roll < 0.7:
            self.force()
        elif roll < 0.8:
            self.reorganise()
        else:
            for _ in range(self.chance.choice([1, 1, 2, 3, 9])):
                self.chain.mine()
        self.follow()
        assert len({site.pipeline.safe.hash for site in self.sites}) == 1

    def check(self):
        """A node that never saw a dead branch has the same chain and the same state of every stage."""
        self.fresh += 1
        site = Site(self.folder / f"fresh{self.fresh}", self.leader.genesis, self.chain)
        site.follow()
        for other in self.sites:
            assert other.pipeline.checkpoint() == site.pipeline.checkpoint()
            for height in range(1, site.pipeline.safe.height + 1):
                assert other.engine.block(height).header.rlp == site.engine.block(height).header.rlp
        assert self.follower.engine.tip().rlp == site.engine.tip().rlp
        assert site.engine.tip().number == site.pipeline.safe.height
        site.close()


def live(folder, seed, acts):
    print("seed", seed)
    life, kinds = Life(folder, seed), set()
    for number in range(acts):
        life.act()
        kinds |= {type(record) for record in life.follower.records}
        if number % 20 == 19:
            life.check()
    for site in life.sites:
        site.close()
    return life.counts, kinds


@pytest.mark.parametrize("seed", range(3))
def test_every_node_ends_where_a_fresh_one_ends(tmp_path, seed):
    counts, kinds = live(tmp_path, seed, 60)
    assert all(counts.values())
    assert {BatchAccepted, AutomaticBlocks, ForcedDone} <= kinds


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_every_node_ends_where_a_fresh_one_ends_for_long(tmp_path, seed):
    live(tmp_path, seed, 160)
