"""Choosing coins.

Reads: coins that may be spent, what is to be paid.  Gives: coins, in an order that depends on nothing else.
Never: looks at locks or confirmations (the wallet has).  Spec: docs/spec/bitcoin.md#wallet
"""

from collections.abc import Sequence
from typing import Final

from bedroll.primitives import FeeRate, Satoshi, VSize

from ..builder import InsufficientValue
from ..fee import fee_of
from .coin import WalletCoin

INPUT_WEIGHT: Final = 4 * 41 + 66
"""Weight of a taproot input spent by key, weight units."""
TRIES_MAX: Final = 20_000
"""Steps of the search for coins that need no change."""
INPUTS_MAX: Final = 1_500
"""Most inputs of a transaction of ours: they weigh 345,000 weight units."""


def select(
    coins: Sequence[WalletCoin],
    target: Satoshi,
    rate: FeeRate,
    *,
    change_cost: Satoshi,
    fixed: Sequence[WalletCoin] = (),
) -> list[WalletCoin]:
    """Choose coins worth a target after paying for their own inputs.

    Looks for a choice that needs no change (branch and bound), else takes the largest coins first.

    Args:
        coins: To choose from.
        target: Outputs and the fee of everything but the inputs.
        rate: At which inputs are paid.
        change_cost: What a change output costs to make and to spend, with dust: a choice may exceed the target so far.
        fixed: Coins that are spent in any case.

    Raises:
        InsufficientValue: All coins together are worth less; `.missing_sat` says how much.
    """
    input_fee = fee_of(VSize(-(-INPUT_WEIGHT // 4)), rate)
    left = target - sum(coin.value - input_fee for coin in fixed)
    if left <= 0:
        return list(fixed)
    # A coin that costs more to spend than it is worth makes every choice worse.
    useful = sorted((coin for coin in coins if coin.value > input_fee), key=lambda coin: (-coin.value, coin.out_point))[
        : INPUTS_MAX - len(fixed)
    ]
    total = sum(coin.value - input_fee for coin in useful)
    if total < left:
        raise InsufficientValue("coins do not suffice", missing_sat=left - total, coins=len(useful))
    values = [coin.value - input_fee for coin in useful]
    exact = _without_change(values, left, left + change_cost)
    if exact is not None:
        return [*fixed, *(useful[at] for at in exact)]
    chosen, value = list(fixed), 0
    for coin in useful:
        chosen.append(coin)
        value += coin.value - input_fee
        if value >= left + change_cost:
            break
    return chosen


def _without_change(values: list[int], low: int, high: int) -> list[int] | None:
    """Positions of values whose sum lies in [low, high], the smallest sum found; values descend."""
    rest = [0] * (len(values) + 1)
    for at in range(len(values) - 1, -1, -1):
        rest[at] = rest[at + 1] + values[at]
    best: list[int] | None = None
    best_sum = high + 1
    chosen: list[int] = []
    total, at = 0, 0
    for _ in range(TRIES_MAX):
        hopeless = total + rest[at] < low or total >= best_sum
        if not hopeless and total >= low:
            best, best_sum = list(chosen), total
            hopeless = True
        if hopeless or at == len(values):
            if not chosen:
                break
            # Leave out the last one taken, and go on behind it.
            at = chosen.pop()
            total -= values[at]
            at += 1
        else:
            chosen.append(at)
            total += values[at]
            at += 1
    return best
