"""Shows that a node takes what the wallet makes, that its minimums are minimums, and that its books are the node's."""

import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bedroll.bitcoin.builder import InsufficientValue, build_transaction, sign_transaction
from bedroll.bitcoin.client import RejectedTransaction
from bedroll.bitcoin.fee import fee_of
from bedroll.bitcoin.script import ANCHOR_SCRIPT, taproot_script
from bedroll.bitcoin.transaction import TxOut
from bedroll.bitcoin.wallet import (
    MIGRATIONS,
    ClusterFull,
    SeedKeyring,
    State,
    Wallet,
    broadcast_pending,
    follow,
)
from bedroll.primitives import FeeRate, Invalid, L1Height, Satoshi
from bedroll.protocol import REGTEST
from bedroll.storage import Database
from tests.framework.bitcoind import run_bitcoind
from tests.framework.chain import ManualClock, RegtestChain, open_embedded

ELSEWHERE = taproot_script(b"\x07" * 32)
RATE = FeeRate(2_000)


@pytest.fixture(params=["embedded", pytest.param("bitcoind", marks=pytest.mark.bitcoind)])
async def any_chain(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RegtestChain]:
    if request.param == "embedded":
        async with open_embedded(tmp_path / "bitcoin") as chain:
            yield chain
    else:
        async with run_bitcoind(tmp_path / "bitcoind", "-acceptnonstdtxn=0") as client:
            yield await RegtestChain.start(client, ManualClock())


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "wallet.sqlite", MIGRATIONS)
    yield opened
    opened.close()


def _open(database: Database) -> Wallet:
    return Wallet(database, SeedKeyring(bytes(range(32)), REGTEST))


async def _fund(chain: RegtestChain, wallet: Wallet, *values: int) -> None:
    for value in values:
        await chain.fund(wallet.receive_script(), Satoshi(value))
    await follow(wallet, chain.client, L1Height(0))


async def test_a_payment_a_bump_and_a_child_are_taken_and_mined(any_chain: RegtestChain, database: Database) -> None:
    chain, wallet = any_chain, _open(database)
    await _fund(chain, wallet, 500_000, 300_000)
    first = wallet.pay([TxOut(Satoshi(200_000), ELSEWHERE)], RATE, "one")
    await chain.client.broadcast([first.transaction.raw])
    second = wallet.bump(first.transaction.txid, FeeRate(3_000))
    await chain.client.broadcast([second.transaction.raw])
    child = wallet.pay_for(second.transaction.txid, FeeRate(9_000), "child")
    await chain.client.broadcast([child.transaction.raw])
    entry = await chain.client.mempool_entry(child.transaction.txid)
    assert entry is not None
    assert (entry.fee, entry.size, entry.ancestors) == (child.fee, child.transaction.vsize, 2)
    assert await chain.client.mempool_entry(first.transaction.txid) is None
    await chain.mine()
    await follow(wallet, chain.client, L1Height(0))
    assert [each.state for each in wallet.payments()] == [State.REPLACED, State.MINED, State.MINED]


@pytest.mark.parametrize("with_child", [False, True])
async def test_one_satoshi_less_would_not_replace(
    any_chain: RegtestChain, database: Database, with_child: bool
) -> None:
    chain, wallet = any_chain, _open(database)
    await _fund(chain, wallet, 500_000)
    first = wallet.pay([TxOut(Satoshi(200_000), ELSEWHERE)], RATE, "one")
    if with_child:
        wallet.pay_for(first.transaction.txid, FeeRate(4_000), "child")
    assert await broadcast_pending(wallet, chain.client) == []
    bump = wallet.bump(first.transaction.txid, FeeRate(1))
    signed = bump.transaction
    # The least that the node takes is what the wallet paid, or what beats the old rate, whichever is more.
    least = sum(each.fee for each in wallet.payments(state=State.REPLACED)) + fee_of(signed.vsize, FeeRate(100))
    assert bump.fee == least
    change = signed.outputs[1]._replace(value=Satoshi(signed.outputs[1].value + 1))
    (coin,) = (wallet._ledger.coin(each.previous) for each in signed.inputs)
    assert coin is not None
    inputs = [wallet._input(coin)]
    cheaper = sign_transaction(build_transaction(inputs, [signed.outputs[0], change]), inputs)
    (verdict,) = await chain.client.test_accept([cheaper.raw])
    assert (verdict.accepted, verdict.reason) == (False, "insufficient fee")
    await chain.client.broadcast([signed.raw])


async def test_a_version_three_parent_goes_with_its_child(any_chain: RegtestChain, database: Database) -> None:
    chain, wallet = any_chain, _open(database)
    await _fund(chain, wallet, 500_000)
    parent = wallet.pay([TxOut(Satoshi(240), ANCHOR_SCRIPT)], FeeRate(100), "bridge", version=3)
    await chain.client.broadcast([parent.transaction.raw])
    child = wallet.pay_for(parent.transaction.txid, FeeRate(10_000), "child")
    await chain.client.broadcast([parent.transaction.raw, child.transaction.raw])
    bumped = wallet.bump(child.transaction.txid, FeeRate(40_000))
    assert bumped.transaction.version == 3
    await chain.client.broadcast([bumped.transaction.raw])


async def test_a_twin_in_a_block_and_a_reorganisation(any_chain: RegtestChain, database: Database) -> None:
    chain, wallet = any_chain, _open(database)
    await _fund(chain, wallet, 500_000)
    first = wallet.pay([TxOut(Satoshi(200_000), ELSEWHERE)], RATE, "one")
    await chain.client.broadcast([first.transaction.raw])
    second = wallet.bump(first.transaction.txid, FeeRate(5_000))
    # The node never saw the bump: the twin is mined.
    await chain.mine()
    await follow(wallet, chain.client, L1Height(0))
    assert [each.state for each in wallet.payments()] == [State.MINED, State.CONFLICTED]
    await chain.reorg(1)
    assert await follow(wallet, chain.client, L1Height(0)) == 1
    assert [each.state for each in wallet.payments()] == [State.REPLACED, State.PENDING]
    assert await broadcast_pending(wallet, chain.client) == []
    await chain.mine()
    await follow(wallet, chain.client, L1Height(0))
    assert [each.state for each in wallet.payments()] == [State.REPLACED, State.MINED]
    assert second.transaction.txid == wallet.payments()[1].transaction.txid


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_books_are_the_nodes_after_any_sequence(
    any_chain: RegtestChain, database: Database, seed: int
) -> None:
    chain, wallet, source = any_chain, _open(database), random.Random(seed)
    print(f"seed {seed}")
    await _fund(chain, wallet, *(source.randrange(50_000, 900_000) for _ in range(4)))
    done = {"pay": 0, "bump": 0, "child": 0, "mine": 0, "reorg": 0, "restart": 0}
    refused, other = 0, set()
    for step in range(60):
        act = source.choice([*done, "pay", "pay", "bump", "child", "mine"])
        pending = wallet.pending()
        try:
            if act == "pay":
                value = source.randrange(400, 60_000)
                wallet.pay([TxOut(Satoshi(value), ELSEWHERE)], FeeRate(source.randrange(100, 6_000)), f"step {step}")
            elif act in ("bump", "child"):
                if not pending:
                    continue
                txid = source.choice(pending).transaction.txid
                rate = FeeRate(source.randrange(100, 20_000))
                _ = wallet.bump(txid, rate) if act == "bump" else wallet.pay_for(txid, rate, f"step {step}")
            elif act == "mine":
                await chain.mine()
            elif act == "reorg":
                await chain.reorg(source.randrange(1, 4))
            else:
                wallet = _open(database)
            done[act] += 1
        except (InsufficientValue, ClusterFull):
            refused += 1
        except Invalid as error:
            other.add(error.message)
            refused += 1
        await follow(wallet, chain.client, L1Height(0))
        refusals = await broadcast_pending(wallet, chain.client)
        assert [each.reason for each in refusals] == [], f"step {step}: {act}"
        theirs = {
            (coin.txid, coin.index, coin.value, coin.height) for coin in await chain.client.coins(wallet.scripts())
        }
        spent = {each.previous for payment in wallet.pending() for each in payment.transaction.inputs}
        ours = {(*coin.out_point, coin.value, coin.height) for coin in wallet.coins(confirmed_only=True)}
        assert ours == {each for each in theirs if (each[0], each[1]) not in spent}, f"step {step}: {act}"
    print(done, "refused", refused)
    assert other <= {"payment has no output that the wallet can spend"}
    assert min(done.values()) > 0
    assert sum(done.values()) > 2 * refused


async def test_a_lie_about_an_input_is_refused_by_the_node(any_chain: RegtestChain, database: Database) -> None:
    chain, wallet = any_chain, _open(database)
    await _fund(chain, wallet, 500_000)
    payment = wallet.pay([TxOut(Satoshi(200_000), ELSEWHERE)], RATE, "one")
    greedy = replace(payment.transaction, outputs=(TxOut(Satoshi(300_000), ELSEWHERE),))
    with pytest.raises(RejectedTransaction) as caught:
        await chain.client.broadcast([greedy.raw])
    assert "Schnorr" in caught.value.reason
