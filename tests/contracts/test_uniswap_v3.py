"""Uniswap v3 as published: a pool, a position and a swap whose price follows from the liquidity."""

import pytest

from tests.framework.ledger import Ledger
from tests.framework.market import FOREVER, ONE, POOL_FEE, PRICE_ONE, ExchangeV3
from tests.framework.official import Official, shown


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.engine.close()


def swap_of(amount, liquidity):
    """What the first token buys of the second from price 1: the whitepaper's steps, each rounded against the trader."""
    paid = amount * (1_000_000 - POOL_FEE) // 1_000_000
    numerator = liquidity << 96
    after = -(-numerator * PRICE_ONE // (numerator + paid * PRICE_ONE))
    return liquidity * (PRICE_ONE - after) >> 96, after


def test_a_position_is_opened_and_traded_against_at_its_price(ledger):
    owner, trader = ledger.keys[:2]
    market = ExchangeV3.open(ledger, owner)
    place = market.factory.ask("getPool", shown(market.first), shown(market.second), POOL_FEE)
    pool = Official.at(ledger, "uniswap_v3/UniswapV3Pool", bytes.fromhex(place[2:]))
    liquidity = market.mint(owner, 1_000 * ONE)
    assert pool.ask("liquidity") == liquidity
    assert market.positions.ask("ownerOf", 1) == owner.address.lower()
    assert pool.ask("slot0")[0] == PRICE_ONE

    bought, price = swap_of(ONE, liquidity)
    pair = (shown(market.first), shown(market.second))
    assert market.quoter.ask("quoteExactInputSingle", *pair, POOL_FEE, ONE, 0) == bought
    market.router.send(owner, "exactInputSingle", market.order(trader, ONE, bought))
    assert ledger.read(market.second, "balanceOf(address)", trader.address, gives="uint256") == bought
    assert pool.ask("slot0")[0] == price
    greedy = market.order(trader, ONE, bought + 1)
    assert market.router.refusal("exactInputSingle", greedy, sender=owner) == "Too little received"


def test_a_position_is_closed_and_its_fees_are_collected(ledger):
    owner = ledger.keys[0]
    market = ExchangeV3.open(ledger, owner)
    liquidity = market.mint(owner, 100 * ONE)
    market.router.send(owner, "exactInputSingle", market.order(owner, 10 * ONE))
    positions = market.positions
    freed = positions.send(owner, "decreaseLiquidity", (1, liquidity, 0, 0, FOREVER))
    own = positions.events(freed, "DecreaseLiquidity")[0]
    taken = positions.events(positions.send(owner, "collect", (1, owner.address, 2**128 - 1, 2**128 - 1)), "Collect")[0]
    earned = taken["amount0"] - own["amount0"]
    assert abs(earned - 10 * ONE * POOL_FEE // 1_000_000) <= 1
    assert taken["amount1"] == own["amount1"]
