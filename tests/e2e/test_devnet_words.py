"""`bedroll devnet` and `bedroll trace` as people see them: a banner, lines, a drawing, and who has the port."""

import re
import signal
import subprocess
import sys

import pytest
from eth_account import Account
from web3 import Web3

from tests.framework.official import creation

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

COMMAND = [sys.executable, "-m", "bedroll"]
WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"
"""Of BIP-0039's own vectors."""


def read_until(stream, pattern):
    """Lines up to the one that fits."""
    lines = []
    while not re.search(pattern, line := stream.readline()):
        assert line, "\n".join(lines)
        lines.append(line.rstrip("\n"))
    return [*lines, line.rstrip("\n")]


@pytest.fixture
def devnet():
    """One with words and accounts of its own; its output."""
    options = ["--port", "0", "--accounts", "3", "--balance", "77", "--mnemonic", WORDS]
    with subprocess.Popen(
        [*COMMAND, "devnet", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as made:
        yield made
        made.send_signal(signal.SIGINT)
        assert made.stdout.read().rstrip().endswith("stopped")
        assert made.wait(30) == 0


def bedroll(*arguments):
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_a_chain_is_introduced_told_and_drawn(devnet):
    banner = "\n".join(read_until(devnet.stdout, r"^next: "))
    Account.enable_unaudited_hdwallet_features()
    first = Account.from_mnemonic(WORDS)
    assert f"(0) {first.address} (77 BTC)" in banner
    assert "0x" + bytes(first.key).hex() in banner
    assert banner.count("(77 BTC)") == 3
    assert WORDS in banner
    url = re.search(r"RPC +(\S+)", banner)[1]
    port = url.rsplit(":", 1)[1]

    web3 = Web3(Web3.HTTPProvider(url))
    made = web3.eth.send_transaction({"from": first.address, "data": creation("uniswap_v2/WETH9")})
    address = web3.eth.wait_for_transaction_receipt(made, poll_latency=0.01).contractAddress
    created = read_until(devnet.stdout, "creates")[-1]
    assert created.endswith(" gas")
    assert f"→ creates {address}" in created

    deposit = web3.eth.send_transaction({"from": first.address, "to": address, "data": "0xd0e30db0", "value": 10**17})
    web3.eth.wait_for_transaction_receipt(deposit, poll_latency=0.01)
    told = read_until(devnet.stdout, "✓")[-1]
    assert f"{first.address} → {address}.deposit()  0.1 BTC" in told

    drawn = bedroll("trace", web3.to_hex(deposit), "--rpc", url)
    assert drawn.returncode == 0, drawn.stderr
    assert f"{address}.deposit{{0.1 BTC}}()" in drawn.stdout
    assert f"├── event Deposit(account: {first.address}, amount: {10**17})" in drawn.stdout

    refused = web3.eth.send_transaction(
        {"from": first.address, "to": address, "data": "0x2e1a7d4d" + "ff" * 32, "gas": 200_000}
    )
    web3.eth.wait_for_transaction_receipt(refused, poll_latency=0.01)
    assert "✗" in read_until(devnet.stdout, "withdraw")[-1]

    second = bedroll("devnet", "--port", port)
    assert second.returncode == 2
    assert f"process {devnet.pid} (" in second.stderr
    assert "a free port (--port)" in second.stderr


def test_words_of_another_number_are_refused():
    done = bedroll("devnet", "--port", "0", "--mnemonic", "test test junk")
    assert done.returncode == 2
    assert "3 words" in done.stderr
