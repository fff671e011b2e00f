"""What a devnet tells of its blocks: a line each, one for each transaction, with names, reasons and printed lines."""

import json

import pytest
from eth_abi import encode

from bedroll._core._native import Block
from bedroll.api.port import BlockAdded, BlockRemoved
from bedroll.cli.artifact import Artifacts
from bedroll.cli.chronicle import Chronicle
from bedroll.cli.output import Output
from bedroll.protocol import MULTICALL
from tests.framework.ledger import Ledger, selector

CONSOLE = "0x000000000000000000636f6e736f6c652e6c6f67"


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.open(tmp_path)
    yield made
    made.engine.close()


def told(ledger, block: Block, *, as_json=False, is_removed=False, known=None):
    chronicle = Chronicle(Output(as_json=as_json), ledger.engine, known or Artifacts())
    chronicle.tell(BlockRemoved(block) if is_removed else BlockAdded(block))


def test_a_transfer_has_amount_and_gas(ledger, capsys):
    payer, other, *_ = ledger.keys
    told(ledger, ledger.block(ledger.sign(payer, to=b"\x55" * 20, value=10**18, gas=50_000)))
    head, line = capsys.readouterr().out.splitlines()
    assert head.startswith("block 1  0x")
    assert head.endswith("1 transaction  21,000 gas  new origin 1")
    assert line.startswith("   ✓ 0x")
    assert f"{payer.address} → 0x5555555555555555555555555555555555555555  1 BTC  21,000 gas" in line
    assert other.address not in line


def test_a_creation_a_call_and_a_refusal_are_told_by_name(ledger, capsys):
    owner, poor, *_ = ledger.keys
    token = ledger.deploy(owner, "demo_token", (1_000).to_bytes(32, "big"))
    created = ledger.engine.block(ledger.engine.tip().number)
    told(ledger, created)
    assert "→ creates 0x" in capsys.readouterr().out
    call = selector("transfer(address,uint256)") + encode(["address", "uint256"], [owner.address, 5])
    told(ledger, ledger.block(ledger.sign(owner, to=token, data=call), ledger.sign(poor, to=token, data=call)))
    _head, done, refused = capsys.readouterr().out.splitlines()
    assert f".transfer(to: {owner.address}, amount: 5)" in done
    assert refused.lstrip().startswith("✗")
    assert refused.endswith('"balance too low"')


def test_what_contracts_print_is_shown_without_their_control_characters(ledger, capsys):
    log = selector("log(string,uint256)") + encode(["string", "uint256"], ["\x1b[2Jhi", 7])
    calls = encode(["(address,bool,bytes)[]"], [[(CONSOLE, True, log)]])
    raw = ledger.sign(ledger.keys[0], to=bytes(MULTICALL), data=selector("aggregate3((address,bool,bytes)[])") + calls)
    told(ledger, ledger.block(raw))
    assert capsys.readouterr().out.splitlines()[-1] == "     console.log \\x1b[2Jhi 7"


def test_programs_get_the_same_as_json(ledger, capsys):
    payer = ledger.keys[0]
    block = ledger.block(ledger.sign(payer, to=b"\x55" * 20, value=3, gas=50_000))
    told(ledger, block, as_json=True)
    line = json.loads(capsys.readouterr().out)
    assert (line["block"], line["transactions"], line["removed"]) == (1, 1, False)
    (call,) = line["calls"]
    assert (call["from"], call["valueWei"], call["gasUsed"], call["error"]) == (payer.address, "3", 21_000, None)
    told(ledger, block, as_json=True, is_removed=True)
    assert json.loads(capsys.readouterr().out)["removed"] is True


def test_many_transactions_are_counted_after_the_first_fifty(ledger, capsys):
    payer = ledger.keys[0]
    raws = [ledger.sign(payer, to=b"\x55" * 20, value=3, gas=50_000, nonce=nonce) for nonce in range(53)]
    told(ledger, ledger.block(*raws))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 50 + 1
    assert lines[-1] == "   … 3 more transactions"


async def test_a_flood_of_blocks_ends_although_nobody_could_read_it_so_fast(ledger, capsys):
    block = ledger.block(ledger.sign(ledger.keys[0], to=b"\x55" * 20, value=3, gas=50_000))

    async def events():
        for _ in range(3_000):
            yield BlockAdded(block)

    chronicle = Chronicle(Output(as_json=False), ledger.engine, Artifacts())
    await chronicle.follow(events)
    lines = capsys.readouterr().out.splitlines()
    shown = sum(line.startswith("block 1 ") for line in lines)
    left = [int(line.split()[0].replace(",", "")) for line in lines if line.endswith("are left out here")]
    assert 0 < shown + sum(left) <= 3_000
