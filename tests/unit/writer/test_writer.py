"""Shows that the writer posts every object once, over kills at each named point, fees, reorganisations and chunks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bedroll.bitcoin.transaction import Transaction
from bedroll.bitcoin.wallet import SingleKeyring, State, Wallet
from bedroll.da import Commitment, Forced, object_id, parse_object, scan_block
from bedroll.da.writer import SCHEMA, PostingState, Queue, RatePolicy, Writer
from bedroll.primitives import FeeRate, L1Height, L2Height, Satoshi
from bedroll.protocol import REGTEST
from bedroll.protocol.fee_output import FEE_SCRIPT
from bedroll.storage import Database
from bedroll.storage.crash_point import arm, disarm, passages
from tests.framework.chain import RegtestChain, secret_key

SECRET = b"\x21" * 32
COMMITMENT = Commitment(
    parent_tip=b"\x01" * 32, new_tip=b"\x02" * 32, block_count=300, last_origin=900, anchor_hash=b"\x03" * 32
).encode()
POINTS = [
    "writer.after_enqueue",
    "writer.after_commit_build",
    "writer.after_build",
    "writer.after_commit_broadcast",
    "writer.after_reveal_broadcast",
    "writer.after_block",
]


class Killed(BaseException):
    """Stands for kill -9: nothing catches it, no clean-up of ours runs."""


def _kill(name: str) -> None:
    raise Killed(name)


@pytest.fixture(autouse=True)
def _unarmed() -> Iterator[None]:
    disarm()
    yield
    disarm()


@contextmanager
def open_writer(path: Path, chain: RegtestChain, rates: RatePolicy | None = None) -> Iterator[Writer]:
    database = Database.open(path / "wallet.sqlite", SCHEMA)
    try:
        wallet = Wallet(database, SingleKeyring(secret_key("writer")))
        yield Writer(chain.client, wallet, Queue(database), REGTEST, SECRET, start=L1Height(1), rates=rates)
    finally:
        database.close()


def wallet_of(writer: Writer) -> Wallet:
    return writer._wallet


async def fund(chain: RegtestChain, path: Path, count: int = 3, value: int = 2_000_000) -> None:
    with open_writer(path, chain) as writer:
        script = wallet_of(writer).receive_script()
    await chain.fund(script, Satoshi(value), count)


async def posted(chain: RegtestChain) -> list[tuple[bytes, int]]:
    """Every object in the best chain with the fee its transaction paid."""
    found = []
    for height in range(1, await chain.height() + 1):
        block = await chain.client.block_hash(L1Height(height))
        scan = scan_block(await chain.client.block(block), REGTEST.parameters.tag)
        found += [(raw, each.fee_paid) for each in scan.relevant for _, raw, _ in each.objects if raw is not None]
    return found


async def settle(writer: Writer, chain: RegtestChain, blocks: int = 2) -> None:
    for _ in range(blocks):
        await writer.step()
        await chain.mine()
    await writer.step()


async def test_a_commitment_is_posted_for_at_most_340_vbytes(embedded_chain, tmp_path):
    await fund(embedded_chain, tmp_path)
    with open_writer(tmp_path, embedded_chain) as writer:
        named = writer.put(COMMITMENT, "commitment")
        await settle(writer, embedded_chain)
        posting = writer.find(named)
        sizes = [payment.transaction.vsize for payment in writer.transactions(posting)]
    assert posting.state is PostingState.CONFIRMED
    assert await posted(embedded_chain) == [(COMMITMENT, 0)]
    assert len(sizes) == 2
    assert sum(sizes) <= 300


async def test_a_forced_message_pays_the_fee_output(embedded_chain, tmp_path):
    raw = Forced(network=REGTEST.number, payload=b"\x02" + bytes(100)).encode()
    await fund(embedded_chain, tmp_path)
    with open_writer(tmp_path, embedded_chain) as writer:
        named = writer.put(raw, "forced", fee_output_sat=REGTEST.parameters.forced_fee)
        await settle(writer, embedded_chain)
        reveal = writer.transactions(writer.find(named))[1].transaction
    assert await posted(embedded_chain) == [(raw, 1_000)]
    assert reveal.outputs[0].script == FEE_SCRIPT


@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_at_any_point_posts_nothing_twice_and_loses_nothing(embedded_chain, tmp_path, point):
    await fund(embedded_chain, tmp_path)
    arm(point, _kill, passage=2 if point == "writer.after_block" else 1)
    objects = [COMMITMENT, COMMITMENT[:-1] + b"\x07"]
    killed = 0
    for raw in objects:
        try:
            with open_writer(tmp_path, embedded_chain) as writer:
                writer.put(raw, "commitment")
                await settle(writer, embedded_chain, 1)
        except Killed:
            killed += 1
    assert killed == 1
    disarm()
    with open_writer(tmp_path, embedded_chain) as writer:
        for raw in objects:
            writer.put(raw, "commitment")
        await settle(writer, embedded_chain, 4)
        states = [writer.find(object_id(raw)).state for raw in objects]
        balance = wallet_of(writer).balance()
    assert states == [PostingState.CONFIRMED] * 2
    assert sorted(raw for raw, _ in await posted(embedded_chain)) == sorted(objects)
    assert balance.locked == 0
    assert balance.available > 5_990_000


async def test_an_unconfirmed_commit_is_replaced_by_one_that_pays_more_and_its_reveal_is_rebuilt(
    embedded_chain, tmp_path
):
    await fund(embedded_chain, tmp_path)
    with open_writer(tmp_path, embedded_chain, RatePolicy(patience_blocks=1)) as writer:
        named = writer.put(COMMITMENT, "commitment")
        await writer.step()
        first = [payment.transaction for payment in writer.transactions(writer.find(named))]
        await mine_without_mempool(embedded_chain)
        await writer.step()
        second = writer.transactions(writer.find(named))
        assert [payment.transaction.txid for payment in second] != [transaction.txid for transaction in first]
        assert all(payment.state is State.PENDING for payment in second)
        assert await embedded_chain.client.mempool_entry(first[0].txid) is None
        assert await embedded_chain.client.mempool_entry(second[1].transaction.txid) is not None
        rate = sum(payment.fee for payment in second) * 1000 / sum(payment.transaction.vsize for payment in second)
        assert rate >= 1_250
        await settle(writer, embedded_chain, 1)
        assert writer.find(named).state is PostingState.CONFIRMED
    assert await posted(embedded_chain) == [(COMMITMENT, 0)]


async def test_a_commit_that_was_to_be_replaced_and_is_mined_after_all_keeps_its_own_reveal(embedded_chain, tmp_path):
    await fund(embedded_chain, tmp_path)
    with open_writer(tmp_path, embedded_chain, RatePolicy(patience_blocks=1)) as writer:
        named = writer.put(COMMITMENT, "commitment")
        await writer.step()
        commit = writer.transactions(writer.find(named))[0].transaction
        await mine_without_mempool(embedded_chain)
        await writer.step()
        assert writer.transactions(writer.find(named))[0].transaction.txid != commit.txid
        await mine_without_mempool(embedded_chain, commit)
        await settle(writer, embedded_chain, 2)
        assert writer.find(named).state is PostingState.CONFIRMED
        assert writer.transactions(writer.find(named))[0].transaction.txid == commit.txid
    assert await posted(embedded_chain) == [(COMMITMENT, 0)]


async def test_a_big_reveal_is_lifted_by_a_child(embedded_chain, tmp_path):
    await fund(embedded_chain, tmp_path, value=50_000_000)
    with open_writer(tmp_path, embedded_chain, RatePolicy(patience_blocks=1)) as writer:
        raw = batch_object(300_000)
        named = writer.put(raw, "batch")
        await writer.step()
        commit, reveal = writer.transactions(writer.find(named))
        await mine_without_mempool(embedded_chain)
        await writer.step()
        assert [p.transaction.txid for p in writer.transactions(writer.find(named))] == [
            commit.transaction.txid,
            reveal.transaction.txid,
        ]
        (child,) = wallet_of(writer).payments(purpose="posting 1 child", state=State.PENDING)
        assert await embedded_chain.client.mempool_entry(child.transaction.txid) is not None
        package = [commit, reveal, child]
        assert sum(p.fee for p in package) * 1000 // sum(p.transaction.vsize for p in package) >= 1_250
        await mine_without_mempool(embedded_chain)
        await writer.step()
        (second,) = wallet_of(writer).payments(purpose="posting 1 child", state=State.PENDING)
        assert second.fee > child.fee
        await settle(writer, embedded_chain, 1)
        assert writer.find(named).state is PostingState.CONFIRMED
    assert await posted(embedded_chain) == [(raw, 0)]


async def test_a_rate_stops_at_the_cap_and_says_so(embedded_chain, tmp_path):
    await fund(embedded_chain, tmp_path)
    with open_writer(tmp_path, embedded_chain, RatePolicy(patience_blocks=1, cap=1_300)) as writer:
        named = writer.put(COMMITMENT, "commitment")
        for _ in range(5):
            await writer.step()
            await mine_without_mempool(embedded_chain)
        await writer.step()
        package = writer.transactions(writer.find(named))
        assert sum(p.fee for p in package) * 1000 / sum(p.transaction.vsize for p in package) <= 1_300 * 1.05
        assert "fee cap" in writer.find(named).reason


async def test_an_object_larger_than_a_reveal_becomes_a_series(embedded_chain, tmp_path):
    await fund(embedded_chain, tmp_path, value=50_000_000)
    raw = batch_object(900_000)
    with open_writer(tmp_path, embedded_chain) as writer:
        named = writer.put(raw, "batch")
        await settle(writer, embedded_chain, 3)
        assert writer.find(named).state is PostingState.CONFIRMED
    chunks = [parse_object(found) for found, _ in await posted(embedded_chain)]
    assert sorted(chunk.index for chunk in chunks) == [0, 1, 2]
    assert b"".join(chunk.data for chunk in sorted(chunks, key=lambda chunk: chunk.index)) == raw


async def test_a_posting_comes_back_after_every_depth_of_reorganisation(embedded_chain, tmp_path):
    await fund(embedded_chain, tmp_path)
    with open_writer(tmp_path, embedded_chain) as writer:
        named = writer.put(COMMITMENT, "commitment")
        await settle(writer, embedded_chain, 1)
        for depth in (1, 3, 10):
            await embedded_chain.mine(depth - 1)
            await writer.step()
            assert writer.find(named).state is PostingState.CONFIRMED
            await embedded_chain.reorg(depth)
            await writer.step()
            assert writer.find(named).state is PostingState.SENT
            await settle(writer, embedded_chain, 1)
            assert writer.find(named).state is PostingState.CONFIRMED
    assert await posted(embedded_chain) == [(COMMITMENT, 0)]


async def test_an_empty_wallet_waits_and_goes_on_when_it_is_funded(embedded_chain, tmp_path):
    with open_writer(tmp_path, embedded_chain) as writer:
        named = writer.put(COMMITMENT, "commitment")
        await settle(writer, embedded_chain, 1)
        assert writer.find(named).state is PostingState.QUEUED
        assert "coins do not suffice" in writer.state().reason
        await embedded_chain.fund(wallet_of(writer).receive_script(), Satoshi(100_000))
        await settle(writer, embedded_chain, 1)
        assert writer.find(named).state is PostingState.CONFIRMED


async def test_unconfirmed_coins_of_others_are_never_spent(embedded_chain, tmp_path):
    with open_writer(tmp_path, embedded_chain) as writer:
        await embedded_chain.fund(wallet_of(writer).receive_script(), Satoshi(100_000), confirm=False)
        named = writer.put(COMMITMENT, "commitment")
        await writer.step()
        assert writer.find(named).state is PostingState.QUEUED


async def test_many_postings_chain_on_own_change_and_all_arrive_in_order(embedded_chain, tmp_path):
    await fund(embedded_chain, tmp_path, count=1)
    objects = [COMMITMENT[:-1] + bytes([number]) for number in range(8)]
    with open_writer(tmp_path, embedded_chain) as writer:
        for raw in objects:
            writer.put(raw, "commitment", heights=(L2Height(1), L2Height(2)))
        await settle(writer, embedded_chain, 1)
        assert [writer.find(object_id(raw)).state for raw in objects] == [PostingState.CONFIRMED] * 8
        assert writer.state().unconfirmed == 0
    assert [raw for raw, _ in await posted(embedded_chain)] == objects


async def test_an_expired_posting_is_given_up_only_if_nothing_of_it_was_sent(embedded_chain, tmp_path):
    with open_writer(tmp_path, embedded_chain) as writer:
        await writer.step()
        tip = await embedded_chain.height()
        named = writer.put(COMMITMENT, "commitment", expires_l1=L1Height(tip + 1))
        await embedded_chain.mine(2)
        await writer.step()
        assert writer.find(named).state is PostingState.CANCELLED


async def test_crash_points_of_this_list_were_all_passed(embedded_chain, tmp_path):
    await fund(embedded_chain, tmp_path)
    with open_writer(tmp_path, embedded_chain) as writer:
        writer.put(COMMITMENT, "commitment")
        await settle(writer, embedded_chain, 1)
    assert set(POINTS) <= set(passages())


def test_the_rate_rises_once_a_block_and_never_above_the_cap():
    rates = RatePolicy(patience_blocks=2, cap=2_000)
    tip = L1Height(10)
    assert rates.first(FeeRate(0)) == 1_000
    assert rates.first(FeeRate(9_000)) == 2_000
    assert rates.bumped(FeeRate(1_500), FeeRate(1_000), tip, tip) is None
    assert rates.bumped(FeeRate(1_500), FeeRate(1_000), L1Height(9), tip) == 1_500
    assert rates.bumped(FeeRate(1_000), FeeRate(1_000), L1Height(9), tip) is None
    assert rates.bumped(FeeRate(1_000), FeeRate(1_000), L1Height(8), tip) == 1_250
    assert rates.bumped(FeeRate(9_000), FeeRate(2_000), L1Height(1), tip) is None


def batch_object(size: int) -> bytes:
    """Bytes of an object of this size; what is inside does not matter to the writer."""
    return b"\x01\x01" + (bytes(range(256)) * (size // 256 + 1))[: size - 2]


async def mine_without_mempool(chain: RegtestChain, *transactions: Transaction) -> None:
    await chain.mine_on((await chain.client.tip()).hash, transactions)
