"""A real swap, run by the engine and drawn: names from the package, events in place, a reason where it fails."""

from io import StringIO

import msgspec
from rich.console import Console

from bedroll.cli.call_frame import explain, parse_frame
from bedroll.cli.call_tree import draw
from bedroll.sdk.signature import SignatureBook, known_signatures
from tests.framework.ledger import TIMESTAMP_FIRST, Ledger
from tests.framework.official import Official, shown

FOREVER = TIMESTAMP_FIRST + 10**9
ONE = 10**18
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
    shown_text = StringIO()
    Console(file=shown_text, width=1_000, soft_wrap=True, highlight=False).print(draw(call, depth=32, calls=100))
    return "\n".join(line.rstrip() for line in shown_text.getvalue().splitlines())


def test_a_swap_is_drawn_as_the_contracts_made_it(tmp_path):
    ledger = Ledger.open(tmp_path)
    owner, trader, *_ = ledger.keys
    wrapped = Official.deploy(ledger, owner, "uniswap_v2/WETH9")
    factory = Official.deploy(ledger, owner, "uniswap_v2/UniswapV2Factory", owner.address)
    router = Official.deploy(ledger, owner, "uniswap_v2/UniswapV2Router02", factory.hex, wrapped.hex)
    token = ledger.deploy(owner, "demo_token", (10**6 * ONE).to_bytes(32, "big"))
    ledger.send(owner, token, "approve(address,uint256)", router.hex, 2**256 - 1)
    router.send(owner, "addLiquidityETH", shown(token), 1_000 * ONE, 0, 0, owner.address, FOREVER, value=10 * ONE)
    pair = factory.ask("getPair", wrapped.hex, shown(token))
    path = [wrapped.hex, shown(token)]
    done = router.send(trader, "swapExactETHForTokens", 0, path, trader.address, FOREVER, value=ONE // 10)
    names = {router.hex: "ROUTER", wrapped.hex: "WRAPPED", shown(token): "TOKEN", trader.address: "TRADER",
             shown(bytes.fromhex(pair[2:])): "PAIR"}  # fmt: skip
    text = drawn(ledger, done.transaction_hash)
    for address, name in names.items():
        text = text.replace(address, name)
    assert text == SWAP
    late = router.try_send(trader, "swapExactETHForTokens", 0, path, trader.address, 1, value=1)
    assert drawn(ledger, late.transaction_hash).endswith('└── ✗ "UniswapV2Router: EXPIRED"')
    ledger.engine.close()
