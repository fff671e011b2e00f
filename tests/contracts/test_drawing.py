"""A real swap, run by the engine and drawn: names from the package, events in place, a reason where it fails."""

import msgspec

from bedroll.cli.call_frame import explain, nest_flat, parse_frame
from bedroll.cli.call_tree import draw
from bedroll.sdk.signature import SignatureBook, known_signatures
from tests.framework.ledger import Ledger
from tests.framework.market import ONE, ExchangeV2
from tests.framework.official import shown

SWAP = """\
[151,803] ROUTER.swapExactETHForTokens{0.1 BTC}(amountOutMin: 0, path: [WRAPPED, TOKEN], to: TRADER, deadline: 2700000000)
├── [2,504] PAIR.getReserves() [static]
│   └── ← _reserve0: 1000000000000000000000, _reserve1: 10000000000000000000, _blockTimestampLast: 1700000006
├── [23,802] WRAPPED.deposit{0.1 BTC}()
│   ├── event Deposit(account: ROUTER, amount: 100000000000000000)
│   └── ← ok
├── [7,801] WRAPPED.transfer(to: PAIR, amount: 100000000000000000)
│   ├── event Transfer(from: ROUTER, to: PAIR, amount: 100000000000000000)
│   └── ← true
├── [98,391] PAIR.swap(amount0Out: 9871580343970612988, amount1Out: 0, to: TRADER, data: 0x)
│   ├── [29,578] TOKEN.transfer(to: TRADER, amount: 9871580343970612988)
│   │   ├── event Transfer(from: PAIR, to: TRADER, amount: 9871580343970612988)
│   │   └── ← true
│   ├── [333] TOKEN.balanceOf(account: PAIR) [static]
│   │   └── ← 990128419656029387012
│   ├── [457] WRAPPED.balanceOf(account: PAIR) [static]
│   │   └── ← 10100000000000000000
│   ├── event Sync(reserve0: 990128419656029387012, reserve1: 10100000000000000000)
│   ├── event Swap(sender: ROUTER, amount0In: 0, amount1In: 100000000000000000, amount0Out: 9871580343970612988, amount1Out: 0, to: TRADER)
│   └── ← ok
└── ← amounts: [100000000000000000, 9871580343970612988]"""  # noqa: E501


def drawn(ledger, transaction_hash):
    height, index = ledger.engine.find_transaction(transaction_hash)
    options = '{"tracer":"callTracer","tracerConfig":{"withLog":true}}'
    raw = ledger.engine.trace(height, index, options, result_bytes=1 << 20, seconds=10.0)
    call = explain(parse_frame(msgspec.json.decode(raw)), SignatureBook(known_signatures()))
    return "\n".join(line.plain for line in draw(call, depth=32, calls=100))


def test_a_swap_is_drawn_as_the_contracts_made_it(tmp_path):
    ledger = Ledger.open(tmp_path)
    owner, trader, *_ = ledger.keys
    market = ExchangeV2.open(ledger, owner)
    market.add(owner, 1_000 * ONE, 10 * ONE)
    pair = market.factory.ask("getPair", *market.path)
    done = market.buy(trader, ONE // 10)
    names = {market.router.hex: "ROUTER", market.wrapped.hex: "WRAPPED", shown(market.token): "TOKEN",
             trader.address: "TRADER", shown(bytes.fromhex(pair[2:])): "PAIR"}  # fmt: skip
    text = drawn(ledger, done.transaction_hash)
    for address, name in names.items():
        text = text.replace(address, name)
    assert text == SWAP
    late = market.router.try_send(trader, "swapExactETHForTokens", 0, market.path, trader.address, 1, value=1)
    assert drawn(ledger, late.transaction_hash).endswith('└── ✗ "UniswapV2Router: EXPIRED"')
    ledger.engine.close()


def test_calls_that_nest_a_thousand_deep_are_drawn_as_far_as_told(tmp_path):
    ledger = Ledger.open(tmp_path)
    owner = ledger.keys[0]
    # PUSH0 × 5, ADDRESS, GAS, CALL: a contract that calls itself for as long as there is gas.
    code = bytes.fromhex("6009600c60003960096000f3" + "5f5f5f5f5f305af100")
    made = ledger.block(ledger.sign(owner, to=None, data=code, gas=1_000_000)).receipts[-1]
    called = ledger.block(ledger.sign(owner, to=made.contract, gas=16_000_000)).receipts[-1]
    height, index = ledger.engine.find_transaction(called.transaction_hash)
    rows = msgspec.json.decode(ledger.engine.flat_traces(height, index, result_bytes=1 << 22, seconds=10.0))
    assert len(rows) > 300
    frame, deeper = nest_flat(rows, 100)
    lines = [line.plain for line in draw(explain(frame, SignatureBook()), depth=100, calls=1_000)]
    assert sum(".receive()" in line for line in lines) == 100
    assert deeper == len(rows) - 100
    ledger.engine.close()
