"""Uniswap v2 as published: a pool is opened, priced and traded through the official router."""

import pytest

from tests.framework.ledger import TIMESTAMP_FIRST, Ledger, address_of
from tests.framework.official import Official, shown

FOREVER = TIMESTAMP_FIRST + 10**9
ONE = 10**18


@pytest.fixture
def market(tmp_path):
    """Factory, router and wrapped bitcoin, and a token of the project's own."""
    ledger = Ledger.open(tmp_path)
    owner = ledger.keys[0]
    wrapped = Official.deploy(ledger, owner, "uniswap_v2/WETH9")
    factory = Official.deploy(ledger, owner, "uniswap_v2/UniswapV2Factory", owner.address)
    router = Official.deploy(ledger, owner, "uniswap_v2/UniswapV2Router02", factory.hex, wrapped.hex)
    token = ledger.deploy(owner, "demo_token", (10**6 * ONE).to_bytes(32, "big"))
    yield ledger, factory, router, wrapped, token
    ledger.engine.close()


def out_of(amount, reserve_in, reserve_out):
    """The constant product with its fee of 0.3 %, as the whitepaper has it."""
    return amount * 997 * reserve_out // (reserve_in * 1000 + amount * 997)


def test_liquidity_is_added_and_traded_at_the_constant_product(market):
    ledger, factory, router, wrapped, token = market
    owner, trader, *_ = ledger.keys
    ledger.send(owner, token, "approve(address,uint256)", router.hex, 2**256 - 1)
    given = router.send(
        owner, "addLiquidityETH", shown(token), 1_000 * ONE, 0, 0, owner.address,
        FOREVER, value=10 * ONE,
    )  # fmt: skip
    pair = Official.at(
        ledger, "uniswap_v2/UniswapV2Pair", bytes.fromhex(factory.ask("getPair", wrapped.hex, shown(token))[2:])
    )
    assert pair.events(given, "Mint")[0]["sender"] == router.hex
    assert sorted(pair.ask("getReserves")[:2]) == [10 * ONE, 1_000 * ONE]

    path = [wrapped.hex, shown(token)]
    assert router.ask("getAmountsOut", ONE, path)[1] == out_of(ONE, 10 * ONE, 1_000 * ONE)
    swapped = router.send(trader, "swapExactETHForTokens", 0, path, trader.address, FOREVER, value=ONE)
    bought = out_of(ONE, 10 * ONE, 1_000 * ONE)
    assert ledger.read(token, "balanceOf(address)", trader.address, gives="uint256") == bought
    assert {pair.events(swapped, "Swap")[0][name] for name in ("amount0Out", "amount1Out")} == {0, bought}

    ledger.send(trader, token, "approve(address,uint256)", router.hex, bought)
    before = ledger.engine.view().balance(address_of(trader))
    sold = router.send(trader, "swapExactTokensForETH", bought, 0, path[::-1], trader.address, FOREVER)
    fee = (sold.gas_used + sold.data_gas) * sold.effective_gas_price
    gained = ledger.engine.view().balance(address_of(trader)) - before + fee
    assert gained == out_of(bought, 1_000 * ONE - bought, 11 * ONE) < ONE


def test_a_trade_beyond_its_limit_or_time_reverts(market):
    ledger, _factory, router, wrapped, token = market
    owner = ledger.keys[0]
    address = shown(token)
    ledger.send(owner, token, "approve(address,uint256)", router.hex, 2**256 - 1)
    router.send(owner, "addLiquidityETH", address, 100 * ONE, 0, 0, owner.address, FOREVER, value=ONE)
    path = [address, wrapped.hex]
    assert router.refusal("swapExactTokensForETH", ONE, ONE, path, owner.address, FOREVER, sender=owner).endswith(
        "INSUFFICIENT_OUTPUT_AMOUNT"
    )
    assert router.refusal("swapExactTokensForETH", ONE, 0, path, owner.address, 1, sender=owner).endswith("EXPIRED")
