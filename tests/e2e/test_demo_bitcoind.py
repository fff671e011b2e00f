"""The demo in full size on a real bitcoind: the whole path of a transaction (`make test-bitcoind`)."""

import json
import subprocess
import sys

import pytest

from tests.framework.bitcoind import free_port, start_bitcoind

pytestmark = [pytest.mark.bitcoind, pytest.mark.timeout(300)]


async def test_the_demo_runs_on_bitcoin_core(tmp_path):
    node = start_bitcoind(tmp_path / "bitcoind", free_port(), free_port())
    try:
        await node.wait()
        command = [
            sys.executable, "-m", "bedroll", "demo", "--json", "--bitcoin-source", "rpc",
            "--bitcoin-url", node.access.url, "--bitcoin-cookie", str(node.access.cookie),
            "--bitcoin-zmq", node.zmq_address, "--folder", str(tmp_path / "demo"),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    finally:
        node.stop()
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["transactions"] == 2_000
    assert found["receipts_equal"] >= 2_001
    assert found["forced"]["executed"] is True
    assert found["forced"]["automatic"] is True
    assert found["bytes_per_transaction"] < 120
