"""With the real engine: what derivation rebuilds from L1 alone is what the leader's node has, receipt by receipt."""

import random

import pytest
import rlp
from coincurve import PublicKey
from eth_account import Account
from eth_utils import keccak

from bedroll.da import Forced
from bedroll.da.codec import encode_batch
from bedroll.derivation import Accepted, Rejected, derive
from bedroll.derivation.record import AutomaticBlocks, ForcedDone, ObjectJudged
from bedroll.node.executor import EngineExecutor, native_origin
from bedroll.primitives import Invalid
from tests.framework.plain_rollup import LEADER
from tests.framework.site import HOLDERS, LeaderSite, Site, Wallet, address_of, new_rollup

DEPLOY = bytes.fromhex("6005600c60003960056000f3" + "6001600055")
"""Creation code of a contract that sets slot 0 to 1 and stops."""


@pytest.fixture
def leader(tmp_path):
    made = new_rollup(tmp_path / "leader")
    yield made
    made.close()


def wallets():
    return [Wallet(holder) for holder in HOLDERS]


def fresh(leader, tmp_path, name="fresh"):
    """A node on an empty disk that has read the whole of L1."""
    site = Site(tmp_path / name, leader.genesis, leader.chain)
    site.follow()
    return site


def receipts(block):
    return [
        (
            r.transaction_hash,
            (r.status, r.gas_used, r.data_gas, r.cumulative_gas_used, r.effective_gas_price, r.contract),
            [(log.address, tuple(log.topics), log.data) for log in r.logs],
            r.logs_bloom,
        )
        for r in block.receipts
    ]


def assert_equal_chains(one, other, upto=None):
    upto = one.engine.tip().number if upto is None else upto
    for height in range(1, upto + 1):
        left, right = one.engine.block(height), other.engine.block(height)
        assert right is not None, height
        assert left.header.rlp == right.header.rlp, height
        assert [t.raw for t in left.transactions] == [t.raw for t in right.transactions]
        assert receipts(left) == receipts(right)
        assert left.forced == right.forced
        assert (left.automatic, left.origin_step, left.book_length) == (
            right.automatic,
            right.origin_step,
            right.book_length,
        )


def busy(leader, keys, blocks=3):
    """Some blocks with transfers, a creation and calls."""
    for _ in range(blocks):
        raws = [key.sign(value=10**15 + number) for number, key in enumerate(keys)]
        raws.append(keys[0].sign(to=None, data=DEPLOY, gas=200_000, value=0))
        leader.seal(raws)


def forced(raw):
    return Forced(network=3, payload=raw)


def last_verdict(site):
    return [record.verdict for record in site.records if isinstance(record, ObjectJudged)][-1]


def test_a_node_on_an_empty_disk_rebuilds_every_block_and_receipt(leader, tmp_path):
    keys = wallets()
    busy(leader, keys)
    leader.post(leader.batch())
    assert isinstance(last_verdict(leader), Accepted)
    leader.post(forced(keys[1].sign(value=7)), b"\x01\x03\x03garbage", fee=1_000)
    for _ in range(3):
        leader.chain.mine()
    leader.follow()
    for _ in range(3):
        leader.seal()
    busy(leader, keys, 1)
    leader.post(leader.batch())
    for _ in range(12):
        leader.chain.mine()
    leader.follow()
    statuses = {record.status for record in leader.records if isinstance(record, ForcedDone)}
    assert statuses == {"executed", "ineligible"}
    assert any(isinstance(record, AutomaticBlocks) for record in leader.records)
    other = fresh(leader, tmp_path)
    assert other.engine.tip().number == leader.engine.tip().number > 10
    assert_equal_chains(leader, other)
    assert other.pipeline.checkpoint() == leader.pipeline.checkpoint()
    assert other.records == leader.records
    other.close()


def test_derive_is_the_pipeline_in_a_loop(leader, tmp_path):
    busy(leader, wallets())
    leader.post(leader.batch())
    for _ in range(9):
        leader.chain.mine()
    leader.follow()
    site = Site(tmp_path / "pure", leader.genesis, leader.chain)
    steps = list(derive(leader.genesis, leader.chain.anchor_times, leader.chain.blocks, site.executor))
    assert [step.height for step in steps] == list(range(201, leader.chain.height + 1))
    assert steps[-1].safe == leader.pipeline.safe
    assert steps[-1].finalized == leader.pipeline.finalized
    assert [record for step in steps for record in step.records] == leader.records
    assert_equal_chains(leader, site)
    site.close()


def test_the_leaders_own_blocks_are_not_executed_again(leader):
    busy(leader, wallets(), 5)
    tip = leader.engine.tip().hash
    leader.post(leader.batch(1, 3))
    assert leader.pipeline.safe.height == 3
    assert leader.engine.tip().hash == tip
    assert leader.changes == []
    leader.seal()
    leader.post(leader.batch(4, 5))
    assert leader.pipeline.safe.height == 5
    assert leader.engine.tip().number == 6
    assert leader.changes == []


def twin(leader, tmp_path):
    """Another leader with the same key, who sees the same L1."""
    other = LeaderSite(tmp_path / "twin", leader.genesis, leader.chain)
    other.follow()
    return other


def test_other_blocks_on_l1_replace_the_leaders_unsafe_ones_and_are_reported(leader, tmp_path):
    keys = wallets()
    other = twin(leader, tmp_path)
    first = leader.seal()
    other.seal()
    leader.seal([keys[0].sign(value=1)])
    leader.seal([keys[1].sign(value=1)])
    other.seal([wallets()[2].sign(value=9)])
    leader.post(other.batch())
    other.follow()
    assert leader.pipeline.safe.height == 2
    assert leader.engine.tip().hash == other.engine.tip().hash
    (change,) = leader.changes
    assert change.fork == first.header.number
    assert [block.header.number for block in change.removed] == [3, 2]
    assert change.tip == 2
    assert_equal_chains(other, leader)
    other.close()


def test_an_invalid_batch_leaves_the_leaders_unsafe_blocks_as_they_were(leader, tmp_path):
    other = twin(leader, tmp_path)
    keys = wallets()
    for number in range(3):
        leader.seal([keys[0].sign(value=number + 1)])
        other.seal([wallets()[1].sign(value=5)] if number == 0 else [])
    before = [block.header.hash for block in leader.blocks()]
    leader.post(other.batch(tip_l2_hash=bytes(32)))
    assert last_verdict(leader) == Rejected("executing it gives another tip than it names")
    assert [block.header.hash for block in leader.blocks()] == before
    assert leader.changes == []
    other.close()


def test_a_batch_that_a_reorganisation_took_away_stays_as_unsafe_blocks_of_the_leader(leader, tmp_path):
    follower = Site(tmp_path / "follower", leader.genesis, leader.chain)
    busy(leader, wallets(), 2)
    batch = leader.batch()
    leader.post(batch)
    follower.follow()
    fork = leader.chain.height - 1
    leader.chain.fork(fork)
    assert leader.pipeline.unwind(fork).safe.height == 0
    assert follower.pipeline.unwind(fork).safe.height == 0
    assert leader.engine.tip().number == 2
    assert follower.engine.tip().number == 0
    assert [change.tip for change in follower.changes] == [2, 0]
    leader.post(batch)
    follower.follow()
    assert [change.removed for change in leader.changes] == [()]
    assert_equal_chains(leader, follower)
    follower.close()


def test_blocks_whose_origin_died_leave_even_the_leader(leader):
    for _ in range(3):
        leader.seal()
    assert leader.engine.block(3).origin_height == 203
    fork = 202
    leader.chain.fork(fork)
    leader.pipeline.unwind(fork)
    assert leader.engine.tip().number == 2
    (change,) = leader.changes
    assert (change.fork, len(change.removed)) == (2, 1)


def test_an_open_block_whose_origin_died_is_abandoned(leader):
    leader.seal()
    leader.seal()
    origin = leader.pipeline.origin(203)
    leader.engine.begin(max(leader.engine.tip().timestamp, origin.median_time), native_origin(origin))
    leader.chain.fork(202)
    leader.pipeline.unwind(202)
    (change,) = leader.changes
    assert (change.fork, change.removed, change.tip) == (2, (), 2)
    with pytest.raises(Invalid):
        leader.engine.seal()


def test_automatic_blocks_replace_what_the_leader_never_posted(leader, tmp_path):
    keys = wallets()
    for number in range(4):
        leader.seal([keys[0].sign(value=number + 1)])
    for _ in range(6):
        leader.chain.mine()
    leader.follow()
    other = fresh(leader, tmp_path)
    assert leader.pipeline.safe.height == leader.engine.tip().number
    assert_equal_chains(leader, other)
    other.close()


@pytest.mark.parametrize("depth", range(1, 11))
def test_after_a_reorganisation_of_any_depth_a_follower_equals_a_fresh_node(leader, tmp_path, depth):
    follower = Site(tmp_path / "follower", leader.genesis, leader.chain)
    keys = wallets()
    for _ in range(4):
        leader.seal([key.sign(value=3) for key in keys])
        leader.post(leader.batch(), forced(keys[0].sign(value=1, nonce=keys[0].nonce + 5)), fee=1_000)
    for _ in range(9):
        leader.chain.mine()
    leader.follow()
    follower.follow()
    fork = leader.chain.height - depth
    leader.chain.fork(fork)
    leader.pipeline.unwind(fork)
    follower.pipeline.unwind(fork)
    for _ in range(depth + 2):
        leader.chain.mine()
    leader.follow()
    follower.follow()
    other = fresh(leader, tmp_path)
    assert follower.engine.tip().hash == other.engine.tip().hash
    assert follower.pipeline.checkpoint() == other.pipeline.checkpoint()
    assert_equal_chains(other, follower)
    other.close()
    follower.close()


def test_a_restart_goes_on_from_its_checkpoints_and_executes_nothing_again(leader, tmp_path):
    site = Site(tmp_path / "site", leader.genesis, leader.chain)
    checkpoints, objects = [], {}
    busy(leader, wallets(), 3)
    leader.post(leader.batch())
    for _ in range(10):
        leader.chain.mine()
    leader.follow()
    for raw in leader.chain.blocks:
        site.pipeline.advance(raw)
        checkpoints.append(site.pipeline.checkpoint())
        objects |= {ref: site.pipeline.object_bytes(ref) for ref in checkpoints[-1].references}
    final = checkpoints[-1]
    site.close()
    again = Site(tmp_path / "site", leader.genesis, leader.chain)
    assert again.engine.tip().number == site.pipeline.safe.height
    assert again.pipeline.restore(checkpoints[:6], objects.__getitem__)
    again.follow()
    assert again.pipeline.checkpoint() == final
    assert again.changes == []
    again.close()


def test_a_restart_after_a_reorganisation_returns_no_further_than_the_engine_can(leader, tmp_path):
    site = Site(tmp_path / "site", leader.genesis, leader.chain)
    checkpoints = []
    for _ in range(30):
        leader.chain.mine()
    for raw in leader.chain.blocks:
        site.pipeline.advance(raw)
        checkpoints.append(site.pipeline.checkpoint())
    leader.chain.fork(leader.chain.height - 6)
    site.pipeline.unwind(leader.chain.height)
    site.close()
    again = Site(tmp_path / "site", leader.genesis, leader.chain)
    assert again.pipeline.restore(checkpoints[:-6], {}.__getitem__)
    lowest = min(height for height in range(201, leader.chain.height) if again.pipeline.hash_at(height))
    assert lowest >= leader.chain.height + 6 - 10 - 2
    again.pipeline.unwind(lowest)
    leader.chain.fork(lowest)
    for _ in range(12):
        leader.chain.mine()
    again.follow()
    other = fresh(leader, tmp_path)
    assert_equal_chains(other, again)
    assert again.pipeline.checkpoint() == other.pipeline.checkpoint()
    other.close()
    again.close()


@pytest.mark.parametrize("seed", range(3))
def test_mutated_bodies_are_decoded_or_refused_and_never_halt(leader, tmp_path, seed):
    print("seed", seed)
    chance = random.Random(seed)
    busy(leader, wallets(), 2)
    body = encode_batch(leader.engine, 1, 2)
    site = fresh(leader, tmp_path)
    for _ in range(40):
        mutated = bytearray(body)
        for _ in range(chance.randint(1, 4)):
            mutated[chance.randrange(len(mutated))] = chance.randrange(256)
        if chance.random() < 0.3:
            del mutated[chance.randrange(len(mutated)) :]
        batch = leader.batch(body=bytes(mutated))
        leader.chain.mine(leader.grinder.carry(batch.encode()))
        step = site.follow()
        assert step.safe.height == 0 or bytes(mutated) == body or step.safe.hash == batch.header.tip_l2_hash
        leader.chain.fork(leader.chain.height - 1)
        site.pipeline.unwind(leader.chain.height)
    leader.post(leader.batch())
    assert site.follow().safe.height == 2
    assert_equal_chains(leader, site)
    site.close()


@pytest.mark.parametrize("size", [0, 1, 1_000, 300_000])
@pytest.mark.parametrize("blocks", [1, 10_000])
def test_bodies_that_expand_or_are_noise_are_refused_before_execution(leader, size, blocks):
    noise = random.Random(size).randbytes(size)
    for body in (noise, bytes(size), b"\xff" * size):
        leader.seal()
        batch = leader.batch(1, 1, body=body, block_count=blocks)
        leader.post(batch)
        verdict = last_verdict(leader)
        assert isinstance(verdict, Rejected)
        leader.chain.fork(leader.chain.height - 1)
        leader.pipeline.unwind(leader.chain.height)
    assert leader.pipeline.safe.height == 0


def test_a_batch_with_a_transaction_that_does_not_fit_is_refused_whole(leader, tmp_path):
    """The twin funds an account in a block that never came; its next batch spends from it."""
    other = twin(leader, tmp_path)
    poor = Wallet(Account.from_key(b"\x55" * 32))
    rich = Wallet(HOLDERS[0])
    other.seal([rich.sign(to=address_of(poor.account), value=10**18)])
    other.seal([poor.sign(value=10**15)], step=False)
    body = encode_batch(other.engine, 2, 2)
    genesis = other.engine.header(0)
    batch = other.batch(
        2, 2, body=body, parent_l2_hash=genesis.hash, first_height=1, first_origin=201, last_origin=201, key=LEADER
    )
    leader.post(batch)
    assert isinstance(last_verdict(leader), Rejected)
    assert leader.engine.tip().number == 0
    other.close()


def test_an_open_block_outlives_the_leaders_own_batch(leader):
    keys = wallets()
    busy(leader, keys, 2)
    batch = leader.batch()
    leader.engine.begin(leader.engine.tip().timestamp + 2)
    leader.engine.add(keys[0].sign(value=1))
    leader.post(batch)
    assert leader.pipeline.safe.height == 2
    assert leader.engine.seal().header.number == 3


def test_an_open_block_is_gone_where_other_blocks_come(leader, tmp_path):
    other = twin(leader, tmp_path)
    other.seal([wallets()[2].sign(value=9)])
    leader.seal()
    leader.engine.begin(leader.engine.tip().timestamp + 2)
    leader.post(other.batch())
    assert leader.engine.tip().hash == other.engine.tip().hash
    with pytest.raises(Invalid):
        leader.engine.seal()
    leader.seal()
    other.close()


def test_a_batch_longer_than_what_the_leader_has_is_executed_from_where_it_goes_on(leader, tmp_path):
    other = twin(leader, tmp_path)
    keys = wallets()
    for number in range(3):
        raw = keys[0].sign(value=number + 1)
        other.seal([raw])
        if number < 2:
            leader.seal([raw])
    leader.post(other.batch())
    assert leader.engine.tip().number == leader.pipeline.safe.height == 3
    (change,) = leader.changes
    assert (change.fork, change.removed, change.tip) == (2, (), 3)
    assert_equal_chains(other, leader)
    other.close()


def test_a_batch_with_the_same_blocks_and_another_signature_replaces_what_is_stored(leader, tmp_path):
    """Block hashes do not hang on signatures: the safe chain's own stay, so that every node serves the same bytes."""
    account = HOLDERS[0]
    raw = Wallet(account).sign(value=5)
    other = twin(leader, tmp_path)
    leader.seal([raw])
    other.seal([again_signed(raw, account)])
    assert leader.engine.tip().hash == other.engine.tip().hash
    leader.post(other.batch())
    assert isinstance(last_verdict(leader), Accepted)
    assert_equal_chains(other, leader)
    other.close()


def again_signed(raw, account):
    """The same transaction under another nonce of ECDSA."""
    fields = rlp.decode(raw[1:])
    digest = keccak(b"\x02" + rlp.encode(fields[:9]))
    curve_order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    point = PublicKey.from_valid_secret((7).to_bytes(32, "big")).point()
    r = point[0] % curve_order
    secret = int.from_bytes(account.key, "big")
    s = pow(7, -1, curve_order) * (int.from_bytes(digest, "big") + r * secret) % curve_order
    parity = point[1] & 1
    if s > curve_order // 2:
        s, parity = curve_order - s, parity ^ 1
    tail = [part.to_bytes((part.bit_length() + 7) // 8, "big") for part in (parity, r, s)]
    return b"\x02" + rlp.encode([*fields[:9], *tail])


@pytest.mark.slow
def test_five_thousand_forced_messages_in_one_block_pass_in_order_and_the_last_is_honest(leader, tmp_path):
    honest = Wallet(HOLDERS[0]).sign(value=1)
    carried = [leader.grinder.carry(forced(b"%d" % number).encode(), fee=1_000) for number in range(4_999)]
    leader.chain.mine(*carried, leader.grinder.carry(forced(honest).encode(), fee=1_000))
    for _ in range(14):
        leader.chain.mine()
    leader.follow()
    done = [record for record in leader.records if isinstance(record, ForcedDone)]
    assert [record.status for record in done] == ["ineligible"] * 4_999 + ["executed"]
    assert done[-1].height <= 205 + 30
    other = fresh(leader, tmp_path)
    assert_equal_chains(leader, other)
    other.close()


@pytest.mark.parametrize("archive", [True, False])
def test_an_engine_forgets_what_no_reorganisation_needs_unless_it_is_an_archive(leader, tmp_path, archive):
    site = Site(tmp_path / "site", leader.genesis, leader.chain)
    site.executor = EngineExecutor(site.engine, archive=archive)
    site.pipeline = site.new_pipeline()
    for _ in range(30):
        leader.chain.mine()
    site.follow()
    assert (site.engine.oldest_state() == 0) is archive
    assert site.executor.oldest() == site.engine.oldest_state()
    deepest = leader.chain.height - 10
    assert site.pipeline.hash_at(deepest)
    assert site.pipeline.unwind(deepest).safe.height == site.engine.tip().number
    site.close()
