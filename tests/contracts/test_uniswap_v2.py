"""Uniswap v2 as published: a pool is opened, priced and traded through the official router."""

import pytest

from tests.framework.ledger import Ledger, address_of
from tests.framework.market import FOREVER, ONE, ExchangeV2
from tests.framework.official import Official


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.engine.close()


def out_of(amount, reserve_in, reserve_out):
    """The constant product with its fee of 0.3 %, as the whitepaper has it."""
    return amount * 997 * reserve_out // (reserve_in * 1000 + amount * 997)


def test_liquidity_is_added_and_traded_at_the_constant_product(ledger):
    owner, trader, *_ = ledger.keys
    market = ExchangeV2.open(ledger, owner)
    given = market.add(owner, 1_000 * ONE, 10 * ONE)
    place = market.factory.ask("getPair", *market.path)
    pair = Official.at(ledger, "uniswap_v2/UniswapV2Pair", bytes.fromhex(place[2:]))
    assert pair.events(given, "Mint")[0]["sender"] == market.router.hex
    assert sorted(pair.ask("getReserves")[:2]) == [10 * ONE, 1_000 * ONE]

    bought = out_of(ONE, 10 * ONE, 1_000 * ONE)
    assert market.router.ask("getAmountsOut", ONE, market.path)[1] == bought
    swapped = market.buy(trader, ONE)
    assert ledger.read(market.token, "balanceOf(address)", trader.address, gives="uint256") == bought
    assert {pair.events(swapped, "Swap")[0][name] for name in ("amount0Out", "amount1Out")} == {0, bought}

    ledger.send(trader, market.token, "approve(address,uint256)", market.router.hex, bought)
    before = ledger.engine.view().balance(address_of(trader))
    sold = market.router.send(trader, "swapExactTokensForETH", bought, 0, market.path[::-1], trader.address, FOREVER)
    fee = (sold.gas_used + sold.data_gas) * sold.effective_gas_price
    gained = ledger.engine.view().balance(address_of(trader)) - before + fee
    assert gained == out_of(bought, 1_000 * ONE - bought, 11 * ONE) < ONE


def test_a_trade_beyond_its_limit_or_time_reverts(ledger):
    owner = ledger.keys[0]
    market = ExchangeV2.open(ledger, owner)
    market.add(owner, 100 * ONE, ONE)
    path = market.path[::-1]
    sell = ("swapExactTokensForETH", ONE)
    assert market.router.refusal(*sell, ONE, path, owner.address, FOREVER, sender=owner).endswith("OUTPUT_AMOUNT")
    assert market.router.refusal(*sell, 0, path, owner.address, 1, sender=owner).endswith("EXPIRED")
