"""The drawing of a transaction: golden trees, hostile strings as text, bounds that say what is left out."""

import json

import pytest

from bedroll.cli.call_frame import explain, parse_frame
from bedroll.cli.call_tree import calls_json, draw
from bedroll.cli.evm_text import clean, show_bitcoin
from bedroll.cli.output import Output
from bedroll.cli.trace import show_trace
from bedroll.crypto.keccak import keccak256
from bedroll.primitives import Unavailable
from bedroll.sdk.signature import SignatureBook, parse_signature

BOOK = SignatureBook(
    parse_signature(line)
    for line in (
        "function swap((address pool, uint24 fee)[] path, uint256 amount) returns (uint256 out)",
        "function transfer(address to, uint256 amount) returns (bool)",
        "function name() returns (string)",
        "event Transfer(address indexed from, address indexed to, uint256 amount)",
        "error TooLittle(uint256 got, uint256 wanted)",
    )
)
USER, ROUTER, TOKEN, POOL = ("0x" + digit * 40 for digit in "1234")
CONSOLE = "0x000000000000000000636f6e736f6c652e6c6f67"


def word(number):
    return number.to_bytes(32, "big").hex()


def call_of(text, *words):
    return "0x" + keccak256(text.encode())[:4].hex() + "".join(word(each) for each in words)


def frame(to, given="0x", **more):
    return {"type": "CALL", "from": USER, "to": to, "gas": "0x10000", "gasUsed": "0x5208", "input": given} | more


def drawn(trace, **bounds):
    lines = draw(explain(parse_frame(trace), BOOK), **({"depth": 32, "calls": 500} | bounds))
    return "\n".join(line.plain for line in lines)


TRANSFER = call_of("transfer(address,uint256)", int(POOL, 16), 70)
SWAP = call_of("swap((address,uint24)[],uint256)", 64, 5, 1, int(POOL, 16), 3_000)
LOG = {
    "address": TOKEN,
    "topics": ["0x" + keccak256(b"Transfer(address,address,uint256)").hex(), "0x" + "00" * 12 + "11" * 20,
               "0x" + "00" * 12 + "44" * 20],
    "data": "0x" + word(70),
    "position": "0x0",
}  # fmt: skip
WHOLE = frame(
    ROUTER,
    SWAP,
    value=hex(5 * 10**17),
    output="0x" + word(70),
    calls=[
        frame(TOKEN, TRANSFER, output="0x" + word(1), logs=[LOG], type="DELEGATECALL"),
        frame(CONSOLE, call_of("log(string,uint256)", 64, 7, 2) + b"hi".hex() + "00" * 30, type="STATICCALL"),
        frame("0x" + "00" * 19 + "01", "0x" + "ab" * 4, type="STATICCALL", output="0x"),
        frame(POOL, "0xdeadbeef" + word(1), error="out of gas"),
    ],
    logs=[LOG | {"position": "0x1", "topics": []}],
)


def test_a_call_is_drawn_with_names_events_and_ends():
    assert drawn(WHOLE) == (
        "[21,000] 0x2222222222222222222222222222222222222222.swap{0.5 BTC}"
        "(path: [(pool: 0x4444444444444444444444444444444444444444, fee: 3000)], amount: 5)\n"
        "├── [21,000] 0x3333333333333333333333333333333333333333.transfer"
        "(to: 0x4444444444444444444444444444444444444444, amount: 70) [delegate]\n"
        "│   ├── event Transfer(from: 0x1111111111111111111111111111111111111111, "
        "to: 0x4444444444444444444444444444444444444444, amount: 70)\n"
        "│   └── ← true\n"
        f"├── event [] 0x{word(70)}\n"
        "├── [21,000] console.log hi 7\n"
        "├── [21,000] ecrecover.0xabababab() [static]\n"
        "│   └── ← ok\n"
        f"├── [21,000] 0x4444444444444444444444444444444444444444.0xdeadbeef(0x{word(1)})\n"
        "│   └── ✗ out of gas\n"
        "└── ← out: 70"
    )


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (call_of("Error(string)", 32, 3) + b"low".hex() + "00" * 29, '✗ "low"'),
        (call_of("Panic(uint256)", 0x11), "✗ arithmetic underflow or overflow"),
        (call_of("TooLittle(uint256,uint256)", 3, 5), "✗ TooLittle(got: 3, wanted: 5)"),
        ("0xdeadbeef", "✗ execution reverted with 0xdeadbeef"),
        ("0x", "✗ execution reverted"),
    ],
)
def test_reasons_are_told_as_the_contract_gave_them(output, shown):
    assert drawn(frame(TOKEN, TRANSFER, output=output, error="execution reverted")).splitlines()[-1] == f"└── {shown}"


def test_a_creation_says_address_and_sizes():
    made = frame(TOKEN, "0x" + "60" * 10, type="CREATE2", output="0x" + "00" * 7)
    assert drawn(made) == (f"[21,000] create2 {TOKEN} (10 bytes)\n└── ← 7 bytes of code")


def test_bounds_say_how_much_they_left_out():
    deep = frame(POOL)
    for _ in range(5):
        deep = frame(POOL, calls=[deep, frame(TOKEN)])
    assert "… 8 more calls" in drawn(deep, depth=2)
    few = drawn(deep, calls=3)
    assert "│   │   ├── … 6 more calls" in few
    assert "│   ├── … 1 more call\n" in few
    assert "more calls" not in drawn(deep)


def test_hostile_strings_stay_text():
    evil = "\x1b[2J\x9b31m\u202e[red]\r\n\x07"
    raw = evil.encode()
    given = call_of("name()")
    output = "0x" + word(32) + word(len(raw)) + raw.hex() + "00" * (-len(raw) % 32)
    shown = drawn(frame(TOKEN, given, output=output))
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert shown.endswith('← "\\x1b[2J\\x9b31m\\u202e[red]\\r\\n\\x07"')
    failed = drawn(frame(TOKEN, given, error=evil))
    assert all(character.isprintable() or character == "\n" for character in failed)


def test_long_values_are_cut():
    assert clean("x" * 500).endswith("… (500 characters)")
    assert len(drawn(frame(POOL, "0x" + "ab" * 100_000))) < 300


def test_lines_are_not_cut_at_the_width_of_the_terminal(capsys):
    for line in draw(explain(parse_frame(WHOLE), BOOK), depth=32, calls=500):
        Output(as_json=False).console.print(line)
    out = capsys.readouterr().out
    assert "to: 0x4444444444444444444444444444444444444444, amount: 70)\n" in out
    assert out.rstrip("\n") == drawn(WHOLE)


def test_contracts_whose_code_is_known_have_their_names():
    call = explain(parse_frame(WHOLE), BOOK, {bytes.fromhex(TOKEN[2:]): "Coin"})
    lines = [line.plain for line in draw(call, depth=9, calls=9)]
    assert f"├── [21,000] Coin@{TOKEN}.transfer(" in "\n".join(lines)
    assert [each["name"] for each in calls_json(call)] == [None, "Coin", None, None, None]


def test_json_has_everything_the_drawing_has():
    told = json.loads(json.dumps(list(calls_json(explain(parse_frame(WHOLE), BOOK)))))
    assert [call["place"] for call in told] == [[], [0], [1], [2], [3]]
    assert told[0]["function"] == "swap((address,uint24)[],uint256)"
    assert told[1]["events"][0]["arguments"][2] == "amount: 70"
    assert told[2]["console"] == "hi 7"
    assert told[4]["error"] == "out of gas"


@pytest.mark.parametrize(
    "answer", [None, 5, [], {"type": 1}, frame(TOKEN) | {"input": "0xzz"}, frame(TOKEN) | {"gas": "x"}]
)
def test_what_is_no_trace_is_the_nodes_fault(answer):
    with pytest.raises(Unavailable):
        explain(parse_frame(answer), BOOK)


def test_calls_beyond_what_can_be_drawn_are_refused():
    deep = frame(POOL)
    for _ in range(300):
        deep = frame(POOL, calls=[deep])
    with pytest.raises(Unavailable, match="nest deeper"):
        explain(parse_frame(deep), BOOK)


@pytest.mark.parametrize(
    ("wei", "shown"),
    [(0, "0 wei"), (10**18, "1 BTC"), (123 * 10**16, "1.23 BTC"), (10**14, "0.0001 BTC"),
     (15 * 10**9, "1.5 sat"), (1, "1 wei")],
)  # fmt: skip
def test_amounts_are_in_the_largest_plain_unit(wei, shown):
    assert show_bitcoin(wei) == shown


RECEIPT = {"transactionHash": "0x" + "ab" * 32, "blockNumber": "0x7", "gasUsed": "0x5208", "status": "0x1"}


def test_a_receipt_of_any_ethereum_node_is_enough(capsys):
    show_trace(
        Output(as_json=False),
        RECEIPT | {"effectiveGasPrice": hex(10**9)},
        explain(parse_frame(WHOLE), BOOK),
        depth=2,
        calls=9,
    )
    out = capsys.readouterr().out
    assert out.startswith("0x" + "ab" * 32 + " succeeded\n")
    assert "block 7 (latest)  gas 21,000 (0 of it for data on Bitcoin)  fee 2,100 sat" in out


@pytest.mark.parametrize(
    "change",
    [{"blockNumber": None}, {"gasUsed": "many"}, {"gasUsed": "-0x1"}, {"effectiveGasPrice": "0x" + "f" * 5_000}],
)
def test_a_receipt_that_is_none_is_the_nodes_fault(change):
    with pytest.raises(Unavailable, match="node's answer"):
        show_trace(Output(as_json=False), RECEIPT | change, explain(parse_frame(WHOLE), BOOK), depth=2, calls=9)
