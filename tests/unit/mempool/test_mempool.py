"""Shows who may wait in the mempool, in what order transactions go, and that refusals speak Ethereum's words."""

from dataclasses import dataclass, field

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from bedroll.execution.admission import Refused
from bedroll.execution.engine import Transaction, decode_transaction
from bedroll.execution.fee import FeeRule, cost_wei
from bedroll.execution.mempool import Mempool, PoolLimit
from bedroll.primitives import Address, Gas, Wei
from bedroll.sdk.account import Account

CHAIN = 21_000_102
ALICE, BOB, CAROL = (Account(bytes([index]) * 32) for index in (1, 2, 3))
FEE = FeeRule(base_fee_wei=1_000, l1_rate_wei=0, transfer_bytes=75)
TO = Address(b"\x99" * 20)
ETHER = 10**18


@dataclass
class State:
    """Nonces and balances by address."""

    nonces: dict[bytes, int] = field(default_factory=dict)
    balances: dict[bytes, int] = field(default_factory=dict)

    def nonce(self, address: bytes) -> int:
        return self.nonces.get(address, 0)

    def balance(self, address: bytes) -> int:
        return self.balances.get(address, ETHER)


def sign(
    account: Account, nonce: int, *, tip: int = 10, cap: int = 2_000, gas: int = 21_000, value: int = 1,
    data: bytes = b"", chain: int = CHAIN, to: Address | None = TO,
) -> Transaction:  # fmt: skip
    return decode_transaction(
        account.sign_transaction(
            chain_id=chain, nonce=nonce, gas_limit=Gas(gas), max_fee_per_gas=Wei(cap),
            max_priority_fee_per_gas=Wei(tip), to=to, value=Wei(value), data=data,
        )
    )  # fmt: skip


def ready(pool: Mempool, fee: FeeRule = FEE, gas: int = 30_000_000, limit: int = 1_000) -> list[tuple[bytes, int]]:
    return [(each.sender, each.nonce) for each in pool.take_ready(fee, gas, limit)]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"chain": 1}, "invalid chain id for signer: have 1 want 21000102"),
        ({"gas": 20_999}, "intrinsic gas too low: gas 20999, minimum needed 21000"),
        ({"tip": 3_000}, "max priority fee per gas higher than max fee per gas"),
        ({"value": ETHER}, "insufficient funds for gas * price + value: balance 1000000000000000000"),
        ({"nonce": 2}, "nonce too low: next nonce 5, tx nonce 2"),
        ({"nonce": 99_999}, "nonce too high: next nonce 5"),
        ({"data": b"\x01" * (129 << 10), "gas": 30_000_000}, "oversized data"),
        ({"to": None, "data": bytes(49_153), "gas": 30_000_000}, "max initcode size exceeded"),
    ],
)
def test_refusals_speak_ethereum(made, words):
    pool, state = Mempool(CHAIN), State(nonces={ALICE.address: 5})
    with pytest.raises(Refused, match=words.replace("*", r"\*").replace("+", r"\+")):
        pool.add(sign(ALICE, **{"nonce": 5, **made}), state, FEE)
    assert len(pool) == 0


def test_a_known_transaction_is_refused_as_known():
    pool = Mempool(CHAIN)
    pool.add(sign(ALICE, 0), State(), FEE)
    with pytest.raises(Refused, match="already known"):
        pool.add(sign(ALICE, 0), State(), FEE)


def test_a_replacement_pays_a_tenth_more_in_both_fields():
    pool, state = Mempool(CHAIN), State()
    old = sign(ALICE, 0, tip=100, cap=2_000)
    pool.add(old, state, FEE)
    for tip, cap in ((109, 2_200), (110, 2_199)):
        with pytest.raises(Refused, match="replacement transaction underpriced"):
            pool.add(sign(ALICE, 0, tip=tip, cap=cap), state, FEE)
    new = sign(ALICE, 0, tip=110, cap=2_200)
    assert pool.add(new, state, FEE) == [old]
    assert pool.get(new.hash) == new
    assert pool.get(old.hash) is None
    assert len(pool) == 1


def test_a_gap_queues_and_filling_it_makes_both_ready():
    pool, state = Mempool(CHAIN), State()
    pool.add(sign(ALICE, 1), state, FEE)
    assert pool.count() == (0, 1)
    assert ready(pool) == []
    pool.add(sign(ALICE, 0), state, FEE)
    assert pool.count() == (2, 0)
    assert ready(pool) == [(ALICE.address, 0), (ALICE.address, 1)]
    assert pool.next_nonce(ALICE.address, state) == 2


def test_the_best_tip_goes_first_and_a_sender_keeps_its_order():
    pool, state = Mempool(CHAIN), State()
    for account, nonce, tip in ((ALICE, 0, 1), (ALICE, 1, 900), (BOB, 0, 50), (CAROL, 0, 50)):
        pool.add(sign(account, nonce, tip=tip), state, FEE)
    assert ready(pool) == [
        (BOB.address, 0), (CAROL.address, 0), (ALICE.address, 0), (ALICE.address, 1),
    ]  # fmt: skip


def test_a_transaction_below_the_base_fee_waits_until_the_fee_falls():
    pool = Mempool(CHAIN)
    pool.add(sign(ALICE, 0, cap=2_000), State(), FEE)
    assert ready(pool, FeeRule(2_001, 0, 75)) == []
    assert ready(pool, FeeRule(2_000, 0, 75)) == []
    pool.refresh()
    assert ready(pool, FeeRule(2_000, 0, 75)) == [(ALICE.address, 0)]


def test_a_limit_that_does_not_cover_the_data_waits():
    pool, state = Mempool(CHAIN), State()
    transaction = sign(ALICE, 0, data=bytes(range(200)), gas=30_000)
    pool.add(transaction, state, FEE)
    dear = FeeRule(1_000, 1_000_000, 75)
    assert dear.data_gas(transaction.size) > 9_000
    assert ready(pool, dear) == []
    pool.refresh()
    assert ready(pool, FeeRule(1_000, 1_000, 75)) == [(ALICE.address, 0)]


def test_data_gas_is_rounded_up_and_nothing_up_to_a_transfer():
    rule = FeeRule(1_000, 1_001, 75)
    assert [rule.data_gas(size) for size in (0, 75, 76, 77)] == [0, 0, 2, 3]


def test_what_does_not_fit_into_the_block_is_not_given():
    pool, state = Mempool(CHAIN), State()
    for nonce in range(3):
        pool.add(sign(ALICE, nonce, gas=100_000), state, FEE)
    assert len(ready(pool, gas=250_000)) == 2


def test_all_waiting_transactions_together_must_be_covered():
    pool = Mempool(CHAIN)
    one = cost_wei(sign(ALICE, 0, value=1_000))
    state = State(balances={ALICE.address: 2 * one + 1})
    pool.add(sign(ALICE, 0, value=1_000), state, FEE)
    pool.add(sign(ALICE, 1, value=1_000), state, FEE)
    with pytest.raises(Refused, match=r"insufficient funds .* queued cost"):
        pool.add(sign(ALICE, 2, value=1_000), state, FEE)


def test_executed_and_refused_leave_and_what_follows_moves_up_or_waits():
    pool, state = Mempool(CHAIN), State()
    sent = [sign(ALICE, nonce) for nonce in range(4)]
    for each in sent:
        pool.add(each, state, FEE)
    pool.executed(sent[0])
    assert ready(pool) == [(ALICE.address, 1), (ALICE.address, 2), (ALICE.address, 3)]
    pool.refused(sent[1])
    assert pool.count() == (0, 2)
    assert ready(pool) == []


def test_a_reset_drops_used_nonces_and_reopens_those_that_came_back():
    pool, state = Mempool(CHAIN), State()
    for nonce in range(3):
        pool.add(sign(ALICE, nonce), state, FEE)
    dropped = pool.reset(State(nonces={ALICE.address: 2}))
    assert [each.nonce for each in dropped] == [0, 1]
    pool.reset(State(nonces={ALICE.address: 1}))
    assert pool.count() == (0, 1)
    pool.add(sign(ALICE, 1), State(nonces={ALICE.address: 1}), FEE)
    assert ready(pool) == [(ALICE.address, 1), (ALICE.address, 2)]


def test_a_full_pool_gives_up_its_cheapest_tails_or_refuses_the_newcomer():
    pool, state = Mempool(CHAIN, PoolLimit(count=4)), State()
    for account, tip in ((ALICE, 5), (BOB, 50)):
        for nonce in range(2):
            pool.add(sign(account, nonce, tip=tip), state, FEE)
    with pytest.raises(Refused, match="transaction underpriced"):
        pool.add(sign(CAROL, 0, tip=5), state, FEE)
    (gone,) = pool.add(sign(CAROL, 0, tip=60), state, FEE)
    assert (gone.sender, gone.nonce) == (ALICE.address, 1)
    assert len(pool) == 4


def test_one_sender_cannot_fill_the_pool():
    pool, state = Mempool(CHAIN, PoolLimit(account_count=3)), State()
    for nonce in range(3):
        pool.add(sign(ALICE, nonce), state, FEE)
    with pytest.raises(Refused, match="account limit exceeded"):
        pool.add(sign(ALICE, 3), state, FEE)
    pool.add(sign(BOB, 0), state, FEE)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(1, 5), st.sampled_from(["add", "take", "reset"])),
        max_size=60,
    )
)
def test_counts_bytes_and_runs_stay_true_over_any_history(steps):
    pool, state = Mempool(CHAIN, PoolLimit(count=12)), State()
    through = 0
    for who, nonce, tip, action in steps:
        account = (ALICE, BOB, CAROL)[who]
        if action == "add":
            try:
                pool.add(sign(account, nonce, tip=tip * 100, cap=1_000 + tip * 100), state, FEE)
                through += 1
            except Refused:
                pass
        elif action == "take":
            for each in pool.take_ready(FEE, 30_000_000, tip):
                assert each.nonce == state.nonce(each.sender)
                state.nonces[each.sender] = each.nonce + 1
                pool.executed(each)
        else:
            state.nonces[account.address] = nonce
            pool.reset(state)
        waiting = pool.transactions()
        assert len(waiting) == len(pool) == sum(pool.count())
        assert pool.size_bytes == sum(len(each.raw) for each in waiting)
        assert all(each.nonce >= state.nonce(each.sender) for each in waiting)
        assert len(pool) <= 12
    event(f"accepted {through * 2 >= sum(action == 'add' for *_, action in steps)}")


def test_a_flood_that_is_too_cheap_is_refused_until_room_comes():
    pool, state = Mempool(CHAIN, PoolLimit(count=2)), State()
    first = sign(ALICE, 0, tip=50)
    pool.add(first, state, FEE)
    pool.add(sign(BOB, 0, tip=50), state, FEE)
    for tip in (50, 40, 10):
        with pytest.raises(Refused, match="transaction underpriced"):
            pool.add(sign(CAROL, 0, tip=tip), state, FEE)
    pool.executed(first)
    pool.add(sign(CAROL, 0, tip=10), state, FEE)
    assert len(pool) == 2
