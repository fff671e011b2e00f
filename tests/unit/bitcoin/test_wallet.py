"""Shows that the wallet keeps its coins straight: locks, change, bumps, children, blocks that come and go, restarts."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from bedroll.bitcoin.block import Block, commitment_script
from bedroll.bitcoin.builder import InsufficientValue
from bedroll.bitcoin.fee import fee_of, rate_of
from bedroll.bitcoin.header import Header
from bedroll.bitcoin.merkle import merkle_root
from bedroll.bitcoin.policy import NonStandard
from bedroll.bitcoin.transaction import NULL_OUT_POINT, OutPoint, Transaction, TxIn, TxOut
from bedroll.bitcoin.wallet import (
    MIGRATIONS,
    Balance,
    ClusterFull,
    SeedKeyring,
    SingleKeyring,
    State,
    Wallet,
    broadcast_pending,
    follow,
)
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import BlockHash, FeeRate, Invalid, L1Height, Reorg, Satoshi, Txid, Unavailable
from bedroll.protocol import REGTEST
from bedroll.storage import Database

SEED = bytes(range(32))
ELSEWHERE = b"\x51\x20" + b"\x07" * 32
RATE = FeeRate(2_000)


class Chain:
    """Blocks without work: enough for whoever trusts the node."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []

    def mine(self, *transactions: Transaction, script: bytes = ELSEWHERE, salt: int = 0) -> Block:
        height = len(self.blocks)
        coinbase = Transaction(
            (TxIn(NULL_OUT_POINT, bytes((2, height % 256, height // 256, salt)), witness=(bytes(32),)),),
            (TxOut(Satoshi(5_000_000_000), script), TxOut(Satoshi(0), commitment_script(transactions))),
        )
        everything = (coinbase, *transactions)
        previous = self.blocks[-1].hash if self.blocks else BlockHash(bytes(32))
        header = Header(4, previous, merkle_root([each.txid for each in everything]), height, 0x207FFFFF, salt)
        self.blocks.append(Block(header, everything))
        return self.blocks[-1]


class Node:
    """The questions `follow` asks, answered from a chain."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.sent: list[bytes] = []

    async def block_hash(self, height: L1Height) -> BlockHash | None:
        return self.chain.blocks[height].hash if height < len(self.chain.blocks) else None

    async def block(self, block: BlockHash) -> bytes:
        return next(each.raw for each in self.chain.blocks if each.hash == block)

    async def broadcast(self, package: Sequence[bytes]) -> None:
        self.sent += package


class Setting:
    """A wallet on a chain, with a way to give it coins and to start it again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.chain = Chain()
        self.gifts = 0
        self.database = Database.open(path, MIGRATIONS)
        self.wallet = Wallet(self.database, SeedKeyring(SEED, REGTEST))

    def restart(self) -> None:
        self.database.close()
        self.database = Database.open(self.path, MIGRATIONS)
        self.wallet = Wallet(self.database, SeedKeyring(SEED, REGTEST))

    def mine(self, *transactions: Transaction, script: bytes = ELSEWHERE, salt: int = 0) -> Block:
        block = self.chain.mine(*transactions, script=script, salt=salt)
        self.wallet.connect(block, L1Height(len(self.chain.blocks) - 1))
        return block

    def undo(self) -> Block:
        self.wallet.disconnect()
        return self.chain.blocks.pop()

    def gift(self, *values: int) -> Transaction:
        """A stranger pays the wallet."""
        self.gifts += 1
        outputs = tuple(TxOut(Satoshi(value), self.wallet.receive_script()) for value in values)
        return Transaction((TxIn(OutPoint(Txid(bytes([self.gifts]) * 32), 0), witness=(b"\x01" * 64,)),), outputs)

    def fund(self, *values: int) -> None:
        self.mine(self.gift(*values))


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Setting]:
    setting = Setting(tmp_path / "wallet.sqlite")
    setting.mine()
    yield setting
    setting.database.close()


def test_a_payment_keeps_its_fee_rate_and_returns_change(here: Setting) -> None:
    here.fund(100_000)
    payment = here.wallet.pay([TxOut(Satoshi(30_000), ELSEWHERE)], RATE, "rent")
    assert payment.fee == fee_of(payment.transaction.vsize, RATE)
    assert payment.transaction.output_value + payment.fee == 100_000
    # The change is ours at once; the spent coin is gone.
    assert here.wallet.balance().available == 70_000 - payment.fee
    here.mine(payment.transaction)
    assert here.wallet.balance() == Balance(Satoshi(70_000 - payment.fee), Satoshi(0), Satoshi(0), Satoshi(0))
    found = here.wallet.payment(payment.transaction.txid)
    assert found is not None
    assert (found.state, found.height) == (State.MINED, 2)
    assert (here.wallet.fees_mined("re"), here.wallet.fees_mined("other")) == (payment.fee, 0)


def test_strangers_unconfirmed_coins_are_not_spent(here: Setting) -> None:
    here.fund(100_000)
    here.undo()
    assert here.wallet.balance() == Balance(Satoshi(0), Satoshi(0), Satoshi(0), Satoshi(100_000))
    with pytest.raises(InsufficientValue) as caught:
        here.wallet.pay([TxOut(Satoshi(30_000), ELSEWHERE)], RATE, "rent")
    assert caught.value.missing_sat > 30_000


def test_coinbase_outputs_wait_a_hundred_blocks(here: Setting) -> None:
    here.mine(script=here.wallet.receive_script())
    for _ in range(98):
        here.mine()
    assert here.wallet.balance().immature == 5_000_000_000
    assert here.wallet.coins() == []
    here.mine()
    assert here.wallet.balance().available == 5_000_000_000


def test_change_that_would_be_dust_becomes_fee(here: Setting) -> None:
    here.fund(10_500)
    payment = here.wallet.pay([TxOut(Satoshi(10_000), ELSEWHERE)], RATE, "rent")
    assert len(payment.transaction.outputs) == 1
    assert payment.fee == 500


def test_a_locked_coin_serves_its_purpose_only(here: Setting) -> None:
    here.fund(50_000, 40_000)
    large, small = sorted(here.wallet.coins(), key=lambda coin: -coin.value)
    here.wallet.lock([large.out_point], "anchor")
    with pytest.raises(Invalid, match="locked for another purpose"):
        here.wallet.lock([large.out_point], "other")
    assert here.wallet.balance().locked == 50_000
    with pytest.raises(InsufficientValue):
        here.wallet.pay([TxOut(Satoshi(45_000), ELSEWHERE)], RATE, "rent")
    with pytest.raises(Invalid, match="locked for another purpose"):
        here.wallet.pay([TxOut(Satoshi(1_000), ELSEWHERE)], RATE, "rent", coins=[large.out_point])
    payment = here.wallet.pay([TxOut(Satoshi(45_000), ELSEWHERE)], RATE, "anchor")
    assert [each.previous for each in payment.transaction.inputs] == [large.out_point]
    here.wallet.lock([small.out_point], "rest")
    here.wallet.free("rest")
    assert here.wallet.balance().locked == 0
    with pytest.raises(Invalid, match="no such unspent coin"):
        here.wallet.lock([large.out_point], "anchor")


def test_a_restart_keeps_locks_payments_and_keys(here: Setting) -> None:
    here.fund(50_000, 40_000)
    here.wallet.lock([here.wallet.coins()[0].out_point], "anchor")
    payment = here.wallet.pay([TxOut(Satoshi(10_000), ELSEWHERE)], RATE, "rent")
    before = (here.wallet.balance(), here.wallet.tip(), here.wallet.coins())
    here.restart()
    assert (here.wallet.balance(), here.wallet.tip(), here.wallet.coins()) == before
    assert here.wallet.payments(purpose="rent") == [payment]
    assert here.wallet.pending() == [payment]
    assert here.wallet.receive_script() not in {coin.script for coin in here.wallet.coins()}


def test_a_bump_pays_for_what_it_evicts(here: Setting) -> None:
    here.fund(100_000, 100_000)
    first = here.wallet.pay([TxOut(Satoshi(30_000), ELSEWHERE)], RATE, "rent")
    child = here.wallet.pay_for(first.transaction.txid, FeeRate(5_000), "rent child")
    bumped = here.wallet.bump(first.transaction.txid, FeeRate(2_001))
    assert bumped.fee >= first.fee + child.fee + fee_of(bumped.transaction.vsize, FeeRate(100))
    assert rate_of(bumped.fee, bumped.transaction.vsize) > rate_of(first.fee, first.transaction.vsize)
    assert {each.previous for each in bumped.transaction.inputs} >= {each.previous for each in first.transaction.inputs}
    assert bumped.transaction.outputs[0] == first.transaction.outputs[0]
    assert bumped.replaces == first.transaction.txid
    states = {each.purpose + str(each.fee): each.state for each in here.wallet.payments()}
    assert list(states.values()) == [State.REPLACED, State.REPLACED, State.PENDING]
    with pytest.raises(Invalid, match="not pending"):
        here.wallet.bump(first.transaction.txid, FeeRate(9_000))


def test_a_bump_adds_confirmed_coins_where_change_does_not_suffice(here: Setting) -> None:
    here.fund(31_000, 100_000)
    small = min(here.wallet.coins(), key=lambda coin: coin.value)
    first = here.wallet.pay([TxOut(Satoshi(30_000), ELSEWHERE)], RATE, "rent", coins=[small.out_point])
    assert len(first.transaction.inputs) == 1
    bumped = here.wallet.bump(first.transaction.txid, FeeRate(50_000))
    assert len(bumped.transaction.inputs) == 2
    assert bumped.transaction.outputs[0] == first.transaction.outputs[0]
    assert rate_of(bumped.fee, bumped.transaction.vsize) >= 50_000


def test_a_child_lifts_its_package_to_the_rate(here: Setting) -> None:
    here.fund(1_000_000)
    parent = here.wallet.pay([TxOut(Satoshi(30_000), ELSEWHERE)], FeeRate(100), "rent")
    child = here.wallet.pay_for(parent.transaction.txid, FeeRate(20_000), "rent child")
    fees, size = parent.fee + child.fee, parent.transaction.vsize + child.transaction.vsize
    assert 20_000 <= rate_of(Satoshi(fees), size) < 20_100  # type: ignore[arg-type]
    assert [each.transaction.txid for each in here.wallet.pending()] == [
        parent.transaction.txid,
        child.transaction.txid,
    ]


def test_the_replaced_twin_may_be_mined(here: Setting) -> None:
    here.fund(100_000)
    first = here.wallet.pay([TxOut(Satoshi(30_000), ELSEWHERE)], RATE, "rent")
    second = here.wallet.bump(first.transaction.txid, FeeRate(4_000))
    here.mine(first.transaction)
    assert [each.state for each in here.wallet.payments()] == [State.MINED, State.CONFLICTED]
    assert here.wallet.balance().available == 70_000 - first.fee
    here.undo()
    assert [each.state for each in here.wallet.payments()] == [State.REPLACED, State.PENDING]
    assert here.wallet.balance().available == 70_000 - second.fee
    here.mine(second.transaction)
    assert [each.state for each in here.wallet.payments()] == [State.REPLACED, State.MINED]


def test_a_conflict_takes_descendants_along_and_a_reorganisation_brings_them_back(here: Setting) -> None:
    here.fund(100_000)
    coin = here.wallet.coins()[0]
    first = here.wallet.pay([TxOut(Satoshi(30_000), ELSEWHERE)], RATE, "rent")
    child = here.wallet.pay([TxOut(Satoshi(20_000), ELSEWHERE)], RATE, "more")
    assert child.transaction.inputs[0].previous.txid == first.transaction.txid
    thief = Transaction((TxIn(coin.out_point, witness=(b"\x02" * 64,)),), (TxOut(Satoshi(99_000), ELSEWHERE),))
    here.mine(thief)
    assert {each.state for each in here.wallet.payments()} == {State.CONFLICTED}
    assert here.wallet.balance().available == 0
    here.restart()
    here.undo()
    assert {each.state for each in here.wallet.payments()} == {State.PENDING}
    assert here.wallet.balance().available == 50_000 - first.fee - child.fee
    here.mine(first.transaction, child.transaction)
    assert {each.state for each in here.wallet.payments()} == {State.MINED}


def test_an_abandoned_payment_frees_its_coins_and_may_still_be_mined(here: Setting) -> None:
    here.fund(100_000)
    payment = here.wallet.pay([TxOut(Satoshi(30_000), ELSEWHERE)], RATE, "rent")
    here.wallet.abandon(payment.transaction.txid)
    assert here.wallet.balance().available == 100_000
    assert here.wallet.pending() == []
    here.mine(payment.transaction)
    assert here.wallet.payments()[0].state is State.MINED
    assert here.wallet.balance().available == 70_000 - payment.fee


def test_the_same_payment_after_abandoning_is_pending_again(here: Setting) -> None:
    here.fund(100_000)
    outputs = [TxOut(Satoshi(99_700), ELSEWHERE)]
    payment = here.wallet.pay(outputs, RATE, "rent")
    here.wallet.abandon(payment.transaction.txid)
    again = here.wallet.pay(outputs, RATE, "rent")
    assert again.transaction == payment.transaction
    assert [each.state for each in here.wallet.payments()] == [State.PENDING]


def test_a_transaction_signed_elsewhere_gives_change(here: Setting) -> None:
    here.fund(100_000)
    commit = here.wallet.pay([TxOut(Satoshi(30_000), ELSEWHERE)], RATE, "commit")
    reveal = Transaction(
        (TxIn(commit.transaction.out_point(0), witness=(bytes(64),)),),
        (TxOut(Satoshi(29_000), here.wallet.change_script()),),
    )
    recorded = here.wallet.record(reveal, [commit.transaction.outputs[0]], "reveal")
    assert recorded.fee == 1_000
    assert here.wallet.record(reveal, [commit.transaction.outputs[0]], "reveal") == recorded
    assert here.wallet.balance().available == 70_000 - commit.fee + 29_000
    with pytest.raises(Invalid, match="not the wallet's to sign"):
        here.wallet.bump(reveal.txid, FeeRate(50_000))
    child = here.wallet.pay_for(reveal.txid, FeeRate(50_000), "child")
    assert child.transaction.inputs[0].previous.txid == reveal.txid
    here.wallet.bump(commit.transaction.txid, FeeRate(60_000))
    assert here.wallet.payments(purpose="reveal")[0].state is State.REPLACED


def test_a_transaction_signed_elsewhere_may_replace_another(here: Setting) -> None:
    here.fund(100_000)
    commit = here.wallet.pay([TxOut(Satoshi(30_000), ELSEWHERE)], RATE, "commit")
    spent = [commit.transaction.outputs[0]]
    change = here.wallet.change_script()

    def reveal(value: int, witness: bytes = bytes(64)) -> Transaction:
        inputs = (TxIn(commit.transaction.out_point(0), witness=(witness,)),)
        return Transaction(inputs, (TxOut(Satoshi(value), change),))

    first = here.wallet.record(reveal(29_000), spent, "reveal")
    least = first.fee + fee_of(first.transaction.vsize, FeeRate(100))
    with pytest.raises(NonStandard) as caught:
        here.wallet.record(reveal(30_000 - least + 1), spent, "reveal")
    assert (caught.value.reason, caught.value.fields["limit"]) == ("insufficient fee", least)
    second = here.wallet.record(reveal(30_000 - least), spent, "reveal")
    assert second.replaces == first.transaction.txid
    assert [each.state for each in here.wallet.payments(purpose="reveal")] == [State.REPLACED, State.PENDING]
    # The same transaction under another witness takes its own place.
    here.wallet.abandon(second.transaction.txid)
    third = here.wallet.record(reveal(30_000 - least, b"\x01" * 64), spent, "reveal")
    assert here.wallet.payments(purpose="reveal", state=State.PENDING) == [replace(third, replaces=None)]
    assert third.transaction.txid == second.transaction.txid


class Failing:
    """A store that fails at one of its statements, as a full disk or a killed process does."""

    def __init__(self, database: Database, after: int) -> None:
        self.database = database
        self.left = after
        self.transaction = database.transaction

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.left -= 1
        if self.left < 0:
            raise Unavailable("disk is full")
        return self.database.execute(sql, values)

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self.left -= 1
        if self.left < 0:
            raise Unavailable("disk is full")
        self.database.execute_many(sql, rows)


ACTS = {
    "pay": lambda wallet, chain: wallet.pay([TxOut(Satoshi(30_000), ELSEWHERE)], RATE, "rent"),
    "bump": lambda wallet, chain: wallet.bump(wallet.pending()[0].transaction.txid, FeeRate(5_000)),
    "child": lambda wallet, chain: wallet.pay_for(wallet.pending()[0].transaction.txid, FeeRate(5_000), "child"),
    "abandon": lambda wallet, chain: wallet.abandon(wallet.pending()[0].transaction.txid),
    "connect": lambda wallet, chain: wallet.connect(chain.mine(wallet.pending()[0].transaction), L1Height(2)),
    "disconnect": lambda wallet, chain: wallet.disconnect(),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_a_failure_at_any_statement_leaves_the_wallet_as_it_was(here: Setting, act: Any) -> None:
    here.fund(100_000, 50_000)
    here.wallet.pay([TxOut(Satoshi(30_000), ELSEWHERE)], RATE, "before")

    def books() -> list[Any]:
        tables = ("chain", "branch", "coin", "payment", "spend")
        return [here.database.execute(f"select * from {table} order by 1, 2") for table in tables]

    before = books()
    for after in itertools.count():
        store = Failing(here.database, 1_000)
        wallet = Wallet(store, SeedKeyring(SEED, REGTEST))
        store.left = after
        chain = Chain()
        chain.blocks = list(here.chain.blocks)
        try:
            act(wallet, chain)
        except Unavailable:
            assert books() == before
        else:
            break
    assert books() != before
    assert after > 3


def test_too_long_a_chain_of_change_waits_for_a_block(here: Setting) -> None:
    here.fund(1_000_000)
    for number in range(25):
        here.wallet.pay([TxOut(Satoshi(1_000), ELSEWHERE)], RATE, f"step {number}")
    with pytest.raises(ClusterFull) as caught:
        here.wallet.pay([TxOut(Satoshi(1_000), ELSEWHERE)], RATE, "step 25")
    assert caught.value.fields["transactions"] == 26
    assert len(here.wallet.pending()) == 25


def test_confirmed_coins_come_before_change(here: Setting) -> None:
    here.fund(100_000, 60_000)
    first = here.wallet.pay([TxOut(Satoshi(10_000), ELSEWHERE)], RATE, "one")
    second = here.wallet.pay([TxOut(Satoshi(10_000), ELSEWHERE)], RATE, "two")
    assert second.transaction.inputs[0].previous.txid != first.transaction.txid
    with pytest.raises(InsufficientValue):
        here.wallet.pay([TxOut(Satoshi(10_000), ELSEWHERE)], RATE, "three", confirmed_only=True)


def test_an_output_of_dust_is_refused_with_its_limit(here: Setting) -> None:
    here.fund(100_000)
    with pytest.raises(NonStandard) as caught:
        here.wallet.pay([TxOut(Satoshi(329), ELSEWHERE)], RATE, "rent")
    assert (caught.value.reason, caught.value.fields["limit"]) == ("dust", 330)
    with pytest.raises(Invalid, match="no such value"):
        here.wallet.pay([TxOut(Satoshi(-1), ELSEWHERE)], RATE, "rent")
    assert here.wallet.payments() == []
    assert here.wallet.balance().available == 100_000


def test_version_three_stays_among_itself(here: Setting) -> None:
    here.fund(100_000)
    parent = here.wallet.pay([TxOut(Satoshi(10_000), ELSEWHERE)], RATE, "bridge", version=3)
    with pytest.raises(InsufficientValue):
        here.wallet.pay([TxOut(Satoshi(10_000), ELSEWHERE)], RATE, "rent")
    child = here.wallet.pay_for(parent.transaction.txid, FeeRate(9_000), "child")
    assert child.transaction.version == 3
    with pytest.raises(InsufficientValue):
        here.wallet.pay([TxOut(Satoshi(10_000), ELSEWHERE)], RATE, "second", version=3)


def test_a_block_off_the_tip_is_a_reorganisation(here: Setting) -> None:
    here.fund(100_000)
    stranger = Chain()
    stranger.mine(salt=1)
    with pytest.raises(Reorg) as caught:
        here.wallet.connect(stranger.mine(salt=2), L1Height(2))
    assert caught.value.height == 1
    for _ in range(2):
        here.wallet.disconnect()
    with pytest.raises(Invalid, match="no block to disconnect"):
        here.wallet.disconnect()


async def test_following_walks_back_to_the_fork(here: Setting) -> None:
    here.fund(100_000)
    payment = here.wallet.pay([TxOut(Satoshi(30_000), ELSEWHERE)], RATE, "rent")
    here.mine(payment.transaction)
    here.mine()
    gift = here.chain.blocks[1].transactions[1]
    fork = Chain()
    fork.blocks = here.chain.blocks[:1]
    fork.mine(salt=9)
    fork.mine(gift, salt=9)
    node = Node(fork)
    assert await follow(here.wallet, node, L1Height(0)) == 3  # type: ignore[arg-type]
    assert here.wallet.tip() == (2, fork.blocks[-1].hash)
    assert here.wallet.payments()[0].state is State.PENDING
    assert await broadcast_pending(here.wallet, node) == []  # type: ignore[arg-type]
    assert node.sent == [payment.transaction.raw]
    assert await follow(here.wallet, node, L1Height(0)) == 0  # type: ignore[arg-type]


def test_a_single_key_has_one_script(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "single.sqlite", MIGRATIONS)
    wallet = Wallet(database, SingleKeyring(SecretKey(b"\x01" * 32)))
    assert wallet.scripts() == [wallet.receive_script()]
    assert wallet.receive_script() == wallet.change_script()
    chain = Chain()
    wallet.connect(chain.mine(script=wallet.receive_script()), L1Height(0))
    assert wallet.balance().immature == 5_000_000_000
    database.close()


def test_a_payment_to_a_key_far_ahead_is_seen(here: Setting) -> None:
    scripts = here.wallet.scripts()
    gift = Transaction((TxIn(OutPoint(Txid(b"\x09" * 32), 0)),), (TxOut(Satoshi(5_000), scripts[19]),))
    here.mine(gift)
    assert here.wallet.balance().available == 5_000
    assert len(here.wallet.scripts()) > len(scripts)
    assert here.wallet.receive_script() not in scripts


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    values=st.lists(st.integers(400, 200_000), min_size=1, max_size=12),
    share=st.integers(1, 99),
    rate=st.integers(100, 30_000),
    raises=st.lists(st.integers(0, 20_000), min_size=1, max_size=3),
)
def test_every_bump_meets_the_rules_of_replacement(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], share: int, rate: int, raises: list[int]
) -> None:
    setting = Setting(tmp_path_factory.mktemp("bump") / "wallet.sqlite")
    setting.mine()
    setting.fund(*values)
    try:
        payment = setting.wallet.pay(
            [TxOut(Satoshi(max(330, sum(values) * share // 100)), ELSEWHERE)], FeeRate(rate), "x"
        )
        assert rate_of(payment.fee, payment.transaction.vsize) >= rate
        for step in raises:
            old, rate = payment, rate + step
            payment = setting.wallet.bump(old.transaction.txid, FeeRate(rate))
            size = payment.transaction.vsize
            assert payment.fee >= old.fee + fee_of(size, FeeRate(100))
            assert rate_of(payment.fee, size) >= max(rate, rate_of(old.fee, old.transaction.vsize) + 1)
            assert {e.previous for e in old.transaction.inputs} <= {e.previous for e in payment.transaction.inputs}
            assert old.transaction.outputs[0] in payment.transaction.outputs
    except InsufficientValue:
        event("coins do not suffice")
    finally:
        setting.database.close()
