"""Uniswap v3 as published: a pool, a position and a swap whose price follows from the liquidity."""

import pytest

from tests.framework.ledger import TIMESTAMP_FIRST, Ledger
from tests.framework.official import Official, shown

FOREVER = TIMESTAMP_FIRST + 10**9
ONE = 10**18
FEE = 3_000
WHOLE_RANGE = (-887_220, 887_220)
PRICE = 1 << 96
"""Square root of 1, as the pools write it."""


@pytest.fixture
def market(tmp_path):
    """Factory, position holder, router, quoter, and two tokens in their order."""
    ledger = Ledger.open(tmp_path)
    owner = ledger.keys[0]
    wrapped = Official.deploy(ledger, owner, "uniswap_v2/WETH9")
    factory = Official.deploy(ledger, owner, "uniswap_v3/UniswapV3Factory")
    where = (factory.hex, wrapped.hex)
    positions = Official.deploy(ledger, owner, "uniswap_v3/NonfungiblePositionManager", *where, shown(bytes(20)))
    router = Official.deploy(ledger, owner, "uniswap_v3/SwapRouter", *where)
    quoter = Official.deploy(ledger, owner, "uniswap_v3/Quoter", *where)
    tokens = sorted(ledger.deploy(owner, "demo_token", (10**6 * ONE).to_bytes(32, "big")) for _ in range(2))
    for token in tokens:
        for spender in (positions, router):
            ledger.send(owner, token, "approve(address,uint256)", spender.hex, 2**256 - 1)
    yield ledger, factory, positions, router, quoter, tokens
    ledger.engine.close()


def swap_of(amount, liquidity):
    """What the first token buys of the second from price 1: the whitepaper's steps, each rounded against the trader."""
    paid = amount * (1_000_000 - FEE) // 1_000_000
    numerator = liquidity << 96
    after = -(-numerator * PRICE // (numerator + paid * PRICE))
    return liquidity * (PRICE - after) >> 96, after


def test_a_position_is_opened_and_traded_against_at_its_price(market):
    ledger, factory, positions, router, quoter, (first, second) = market
    owner, trader = ledger.keys[:2]
    positions.send(owner, "createAndInitializePoolIfNecessary", shown(first), shown(second), FEE, PRICE)
    pool = Official.at(
        ledger, "uniswap_v3/UniswapV3Pool",
        bytes.fromhex(factory.ask("getPool", shown(first), shown(second), FEE)[2:]),
    )  # fmt: skip
    order = (
        shown(first), shown(second), FEE, *WHOLE_RANGE, 1_000 * ONE, 1_000 * ONE, 0, 0, owner.address, FOREVER,
    )  # fmt: skip
    minted = positions.send(owner, "mint", order)
    liquidity = positions.events(minted, "IncreaseLiquidity")[0]["liquidity"]
    assert pool.ask("liquidity") == liquidity
    assert positions.ask("ownerOf", 1) == owner.address.lower()
    assert pool.ask("slot0")[0] == PRICE

    bought, price = swap_of(ONE, liquidity)
    assert quoter.ask("quoteExactInputSingle", shown(first), shown(second), FEE, ONE, 0) == bought
    trade = (shown(first), shown(second), FEE, trader.address, FOREVER, ONE, bought, 0)
    router.send(owner, "exactInputSingle", trade)
    assert ledger.read(second, "balanceOf(address)", trader.address, gives="uint256") == bought
    assert pool.ask("slot0")[0] == price
    greedy = (*trade[:6], bought + 1, 0)
    assert router.refusal("exactInputSingle", greedy, sender=owner) == "Too little received"


def test_a_position_is_closed_and_its_fees_are_collected(market):
    ledger, _factory, positions, router, _quoter, (first, second) = market
    owner = ledger.keys[0]
    positions.send(owner, "createAndInitializePoolIfNecessary", shown(first), shown(second), FEE, PRICE)
    order = (shown(first), shown(second), FEE, *WHOLE_RANGE, 100 * ONE, 100 * ONE, 0, 0, owner.address, FOREVER)
    liquidity = positions.events(positions.send(owner, "mint", order), "IncreaseLiquidity")[0]["liquidity"]
    router.send(owner, "exactInputSingle", (shown(first), shown(second), FEE, owner.address, FOREVER, 10 * ONE, 0, 0))
    freed = positions.send(owner, "decreaseLiquidity", (1, liquidity, 0, 0, FOREVER))
    own = positions.events(freed, "DecreaseLiquidity")[0]
    taken = positions.events(positions.send(owner, "collect", (1, owner.address, 2**128 - 1, 2**128 - 1)), "Collect")[0]
    earned = taken["amount0"] - own["amount0"]
    assert abs(earned - 10 * ONE * FEE // 1_000_000) <= 1
    assert taken["amount1"] == own["amount1"]
