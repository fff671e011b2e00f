"""Shows the arithmetic of fees against a plain model, and that nothing of them is lost on the way."""

from fractions import Fraction
from math import ceil

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.execution.engine import decode_transaction
from bedroll.execution.rate import l1_rate
from bedroll.primitives import Invalid
from bedroll.protocol import BASE_FEE_VAULT, REGTEST, TIP_VAULT
from tests.framework.ledger import FUNDS, Ledger, address_of

TO = b"\x77" * 20
NUMBERS = REGTEST.parameters
RATE_MIN, RATE_MAX = 10**10 // 4, 200 * 10**10 // 4
fees = st.lists(st.integers(0, 10 * 10**8), min_size=1, max_size=144)
rates = st.integers(RATE_MIN, RATE_MAX)


def model_rate(fees_sat: list[int], previous: int | None) -> int:
    median = sorted(fees_sat)[(len(fees_sat) - 1) // 2]
    rate = min(max(median * 10**10 // (4 * 10**6), RATE_MIN), RATE_MAX)
    if previous is None:
        return rate
    return min(max(rate, previous - previous // 8), previous + previous // 8)


def base_fee_floor(rate: int) -> int:
    return rate * NUMBERS.transfer_bytes // 21_000


@given(fees, st.none() | rates)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_the_rate_is_that_of_the_model(fees_sat, previous):
    rate = l1_rate(fees_sat, previous)
    assert rate == model_rate(fees_sat, previous)
    assert RATE_MIN <= rate <= RATE_MAX


@given(fees, rates)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_one_block_cannot_move_the_rate_far(fees_sat, previous):
    assert abs(l1_rate([*fees_sat, 10**12], previous) - previous) <= previous // 8


def sealed_at(chain: Ledger, rate: int, *raws: bytes):
    """A block on an origin of this rate."""
    origin = chain.next_origin()
    step = type(origin)(
        height=origin.height, hash=origin.hash, header=origin.header, witness_root=origin.witness_root,
        median_time=origin.median_time, l1_rate=rate, forced=[],
    )  # fmt: skip
    return chain.block(*raws, origin=step)


def test_the_floor_lifts_the_base_fee_with_its_own_origin(ledger):
    for rate in (RATE_MIN, 10**11, RATE_MAX, RATE_MIN):
        assert ledger.engine.next_base_fee(rate) >= base_fee_floor(rate)
        expected = ledger.engine.next_base_fee(rate)
        assert sealed_at(ledger, rate).header.base_fee_per_gas == expected
    fee = ledger.engine.tip().base_fee_per_gas
    assert ledger.block().header.base_fee_per_gas == max(fee - fee // 8, base_fee_floor(RATE_MIN))


def test_data_gas_is_the_models_and_is_paid_at_the_effective_price(ledger):
    key = ledger.keys[0]
    rate = 10**11
    sealed_at(ledger, rate)
    base_fee = ledger.engine.next_base_fee()
    raw = ledger.sign(key, to=TO, data=bytes(range(256)) * 2, maxPriorityFeePerGas=5, maxFeePerGas=3 * base_fee)
    before = ledger.engine.view().balance(address_of(key))
    block = ledger.block(raw)
    receipt = block.receipts[-1]
    beyond = decode_transaction(raw).size - NUMBERS.transfer_bytes
    assert beyond > 200
    assert receipt.data_gas == ceil(Fraction(rate * beyond, base_fee))
    assert receipt.gas_used == block.header.gas_used == receipt.cumulative_gas_used
    spent = (receipt.gas_used + receipt.data_gas) * receipt.effective_gas_price
    assert receipt.effective_gas_price == base_fee + 5
    assert ledger.engine.view().balance(address_of(key)) == before - spent


def test_a_limit_that_does_not_cover_data_gas_waits(ledger):
    sealed_at(ledger, RATE_MAX)
    raw = ledger.sign(ledger.keys[0], to=TO, data=bytes(range(256)), gas=40_000, maxFeePerGas=10**12)
    ledger.engine.begin(ledger.engine.tip().timestamp + 1)
    with pytest.raises(Invalid) as caught:
        ledger.engine.add(raw)
    assert caught.value.reason == "data_gas"
    ledger.engine.abandon()


def test_the_balance_must_cover_the_signed_limit(ledger):
    """Also the part of it that is data gas, or that no transaction may use."""
    key = ledger.keys[0]
    raw = ledger.sign(key, to=TO, gas=2**40, maxFeePerGas=10**12)
    ledger.engine.begin(ledger.engine.tip().timestamp + 1, ledger.next_origin())
    with pytest.raises(Invalid) as caught:
        ledger.engine.add(raw)
    assert caught.value.reason == "funds"
    ledger.engine.abandon()


def transfer_fields(chain, kind, price):
    if kind == "legacy":
        return {"gasPrice": price}
    return {"maxFeePerGas": price, "maxPriorityFeePerGas": price}


@pytest.mark.parametrize("kind", ["legacy", "tip is max fee"])
def test_send_max_leaves_exactly_nothing(ledger, kind):
    key = ledger.keys[0]
    ledger.block()
    price = 3 * ledger.engine.next_base_fee()
    balance = ledger.engine.view().balance(address_of(key))
    fields = {"nonce": 0, "gas": 21_000, "chainId": REGTEST.chain_id, "to": "0x" + TO.hex(), "data": b""}
    fields |= transfer_fields(ledger, kind, price) | {"value": balance - 21_000 * price}
    ledger.block(bytes(key.sign_transaction(fields).raw_transaction))
    assert ledger.engine.view().balance(address_of(key)) == 0


def test_nothing_is_burnt(ledger):
    """Over transfers, creations, reverts, data gas, tips and forced messages the supply stays what genesis made."""
    keys = ledger.keys
    forced = [(bytes([n]) * 32, ledger.sign(keys[n], to=TO, nonce=0, value=n, gas=30_000), True) for n in range(3)]
    forced.append((b"\x09" * 32, ledger.sign(keys[3], to=TO, nonce=0, gas=30_000, maxFeePerGas=2), True))
    tip = {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 77}
    raws = [
        ledger.sign(keys[0], to=TO, value=10**18, nonce=1, **tip),
        ledger.sign(keys[1], to=None, data=bytes.fromhex("5f5ffd"), nonce=1, **tip),
        ledger.sign(keys[2], to=TO, data=bytes(range(256)) * 3, nonce=1, **tip),
        ledger.sign(keys[3], to=None, data=bytes.fromhex("5b5f56"), nonce=1, gas=100_000, **tip),
    ]
    block = ledger.block(*raws, origin=ledger.next_origin(forced))
    assert [end[2] for end in block.forced] == ["executed"] * 4
    view = ledger.engine.view()
    base_fee = block.header.base_fee_per_gas
    base = tips = 0
    for receipt in block.receipts:
        gas = receipt.gas_used + receipt.data_gas
        base += min(receipt.effective_gas_price, base_fee) * gas
        tips += max(receipt.effective_gas_price - base_fee, 0) * gas
    assert view.balance(BASE_FEE_VAULT) == base > 0
    assert view.balance(TIP_VAULT) == tips > 0
    held = sum(view.balance(address_of(key)) for key in keys)
    assert held + base + tips + view.balance(TO) == FUNDS * len(keys)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 10**18), st.binary(max_size=120), st.integers(0, 10**9)),
        max_size=12,
    ),
    rates,
)
@settings(max_examples=12, deadline=None, derandomize=True)
def test_the_supply_is_conserved_by_any_block(tmp_path_factory, sends, rate):
    chain = Ledger.open(tmp_path_factory.mktemp("chain"))
    nonces = [0] * 4
    raws = []
    for who, value, data, tip in sends:
        raw = chain.sign(
            chain.keys[who], to=TO, value=value, data=data, nonce=nonces[who], maxFeePerGas=10**13,
            maxPriorityFeePerGas=tip,
        )  # fmt: skip
        nonces[who] += 1
        raws.append(raw)
    block = sealed_at(chain, rate, *raws)
    view = chain.engine.view()
    holders = [*(address_of(key) for key in chain.keys), TO, BASE_FEE_VAULT, TIP_VAULT]
    assert sum(map(view.balance, holders)) == FUNDS * 4
    cost = rate * sum(max(tx.size - 75, 0) + 75 for tx in block.transactions[1:])
    paid = sum(receipt.effective_gas_price * (receipt.gas_used + receipt.data_gas) for receipt in block.receipts)
    assert paid >= cost * 999 // 1000
    chain.engine.close()


def test_an_estimate_survives_moves_of_rate_and_base_fee(ledger):
    """What `estimate_gas` says still runs after the rate rose and the base fee fell for a few blocks."""
    key = Account.from_key(b"\x01".rjust(32, b"\0"))
    assert address_of(key) == address_of(ledger.keys[0])
    rate = 10**11
    sealed_at(ledger, rate)
    data = bytes(range(256)) * 4
    gas = ledger.engine.view().estimate_gas(
        sender=address_of(key), to=TO, data=data, value=1, gas_limit=None, max_fee_per_gas=None, access_list=[],
        overrides="",
    )  # fmt: skip
    assert isinstance(gas, int)
    raw = ledger.sign(key, to=TO, data=data, value=1, gas=gas, maxFeePerGas=10**13)
    ledger.block()
    sealed_at(ledger, rate + rate // 8)
    assert ledger.block(raw).receipts[-1].status == 1
