"""Shows that keys are those of BIP-0032 and BIP-0086, and that coins are chosen well and alike in every run."""

import hashlib
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.bitcoin.address import encode_address
from bedroll.bitcoin.builder import InsufficientValue
from bedroll.bitcoin.fee import fee_of
from bedroll.bitcoin.script import taproot_script
from bedroll.bitcoin.transaction import OutPoint
from bedroll.bitcoin.wallet import Branch, ExtendedKey, SeedKeyring, WalletCoin
from bedroll.bitcoin.wallet.key import script_of
from bedroll.bitcoin.wallet.selection import INPUTS_MAX, select
from bedroll.encoding.base58 import decode_base58check
from bedroll.primitives import FeeRate, Invalid, L1Height, Satoshi, Txid, VSize
from bedroll.protocol import MAINNET, REGTEST

FILE = Path(__file__).parents[2] / "vectors/bitcoin/bip32-derivation.json"
DERIVED = json.loads(FILE.read_text())["bip32"]
MNEMONIC = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"


@pytest.mark.parametrize("case", DERIVED, ids=lambda case: case["path"])
def test_published_derivations(case: dict[str, str]) -> None:
    found = ExtendedKey.from_seed(bytes.fromhex(case["seed"])).derive(case["path"])
    payload = decode_base58check(case["xprv"])
    assert (found.chain_code, b"\0" + found.key.secret) == (payload[13:45], payload[45:])


@pytest.mark.parametrize(
    ("branch", "index", "address"),
    [
        (Branch.RECEIVE, 0, "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"),
        (Branch.RECEIVE, 1, "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh"),
        (Branch.CHANGE, 0, "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7"),
    ],
)
def test_published_outputs_of_bip_0086(branch: Branch, index: int, address: str) -> None:
    seed = hashlib.pbkdf2_hmac("sha512", MNEMONIC.encode(), b"mnemonic", 2_048)
    assert encode_address(script_of(SeedKeyring(seed, MAINNET).key(branch, index)), MAINNET) == address
    assert script_of(SeedKeyring(seed, REGTEST).key(branch, index)) != script_of(
        SeedKeyring(seed, MAINNET).key(branch, index)
    )


@pytest.mark.parametrize(
    "path", ["x", "1/", "-1", "2147483648", "0h/h", "1.5", "", "0hh", "m/", "/1", "²", "9" * 5_000]
)
def test_a_malformed_path_is_refused(path: str) -> None:
    with pytest.raises(Invalid, match="path is malformed"):
        ExtendedKey.from_seed(bytes(32)).derive(path)


@pytest.mark.parametrize("size", [0, 15, 65])
def test_a_seed_has_sixteen_to_sixty_four_bytes(size: int) -> None:
    with pytest.raises(Invalid, match="wrong length"):
        ExtendedKey.from_seed(bytes(size))


def _coins(values: list[int]) -> list[WalletCoin]:
    return [
        WalletCoin(
            OutPoint(Txid(at.to_bytes(32, "big")), 0), Satoshi(value), taproot_script(bytes(32)), Branch.RECEIVE, at,
            L1Height(1), coinbase=False, purpose=None,
        )
        for at, value in enumerate(values)
    ]  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    values=st.lists(st.integers(1, 5_000), min_size=1, max_size=9),
    target=st.integers(1, 20_000),
    rate=st.integers(0, 5_000),
    change=st.integers(0, 1_500),
)
def test_a_choice_without_change_is_the_tightest_there_is(
    values: list[int], target: int, rate: int, change: int
) -> None:
    input_fee = fee_of(VSize(58), FeeRate(rate))
    worth = [value - input_fee for value in values if value > input_fee]
    sums = {sum(some) for size in range(len(worth) + 1) for some in itertools.combinations(worth, size)}
    coins = _coins(values)
    if max(sums) < target:
        with pytest.raises(InsufficientValue) as caught:
            select(coins, Satoshi(target), FeeRate(rate), change_cost=Satoshi(change))
        assert caught.value.missing_sat == target - max(sums)
        return
    chosen = select(coins, Satoshi(target), FeeRate(rate), change_cost=Satoshi(change))
    total = sum(coin.value - input_fee for coin in chosen)
    assert len({coin.out_point for coin in chosen}) == len(chosen)
    assert total >= target
    exact = [each for each in sums if target <= each <= target + change]
    if exact:
        assert total == min(exact)
    assert select(coins[::-1], Satoshi(target), FeeRate(rate), change_cost=Satoshi(change)) == chosen


def test_fixed_coins_come_first_and_may_suffice() -> None:
    coins = _coins([5_000, 3_000])
    assert select(coins[:1], Satoshi(2_000), FeeRate(1_000), change_cost=Satoshi(0), fixed=coins[1:]) == coins[1:]
    more = select(coins[:1], Satoshi(4_000), FeeRate(1_000), change_cost=Satoshi(0), fixed=coins[1:])
    assert more == [coins[1], coins[0]]


def test_many_coins_are_chosen_from_in_bounded_steps_and_number() -> None:
    coins = _coins([10_007 + at for at in range(3_000)])
    chosen = select(coins, Satoshi(12_000_003), FeeRate(1_000), change_cost=Satoshi(1))
    assert len(chosen) < INPUTS_MAX
    with pytest.raises(InsufficientValue):
        select(coins, Satoshi(25_000_000), FeeRate(1_000), change_cost=Satoshi(1))
