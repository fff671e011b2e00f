"""`kill -9` in the middle of thousands of answers: every transaction that was acknowledged is there again."""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys

import pytest

from bedroll.primitives import Address, Gas, Wei
from bedroll.protocol import REGTEST
from bedroll.sdk import DEVNET_MNEMONIC
from bedroll.sdk.mnemonic import accounts_of

pytestmark = pytest.mark.faults

SENT = 2_000
ACCOUNTS = accounts_of(DEVNET_MNEMONIC, 10)


@contextlib.contextmanager
def running(folder):
    words = ["devnet", "--json", "--silent", "--port", "0", "--folder", str(folder), "--no-mining", "true"]
    with subprocess.Popen([sys.executable, "-m", "bedroll", *words], stdout=subprocess.PIPE, text=True) as process:
        try:
            port = int(json.loads(process.stdout.readline())["rpc"].rpartition(":")[2])
            while call(port, "bedroll_status")["condition"] == "starting":
                continue
            yield process, port
        finally:
            process.kill()


def call(port, method, *params):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    connection.request("POST", "/", body)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer["result"]


def sign(number):
    account = ACCOUNTS[number % 10]
    raw = account.sign_transaction(
        chain_id=REGTEST.chain_id, nonce=number // 10, gas_limit=Gas(21_000), max_fee_per_gas=Wei(10**12),
        max_priority_fee_per_gas=Wei(1), to=Address(b"\x99" * 20), value=Wei(1),
    )  # fmt: skip
    return raw.hex()


def send_until(port, bodies, passage, process):
    """Send all without waiting, kill the process after `passage` answers; the hashes that were answered."""
    with socket.create_connection(("127.0.0.1", port)) as link:
        reader = link.makefile("rb")
        hashes = []
        # The first answers one by one: then the core's lane has the connection.
        for body in bodies[:20]:
            link.sendall(body)
            hashes.append(read_hash(reader))
        link.sendall(b"".join(bodies[20:]))
        while (found := read_hash(reader)) is not None:
            hashes.append(found)
            if len(hashes) == passage:
                process.send_signal(signal.SIGKILL)
        return hashes


def read_hash(reader):
    try:
        head = [reader.readline() for _ in range(4)]
        length = next(int(line.split(b":")[1]) for line in head if line.lower().startswith(b"content-length"))
        body = reader.read(length)
    except (StopIteration, ConnectionError):
        return None
    return json.loads(body)["result"] if len(body) == length else None


@pytest.mark.parametrize("passage", [100, 700, 1_500])
def test_nothing_that_was_acknowledged_is_lost(tmp_path, passage):
    bodies = []
    for number in range(SENT):
        asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x" + sign(number)]}
        body = json.dumps(asked).encode()
        bodies.append(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    with running(tmp_path) as (process, port):
        call(port, "bedroll_makeBlock")
        hashes = send_until(port, bodies, passage, process)
    assert passage <= len(hashes) < SENT
    with running(tmp_path) as (_, port):
        while not int(call(port, "txpool_status")["pending"], 16):
            # The log is read a moment after the node runs.
            continue
        while int(call(port, "txpool_status")["pending"], 16):
            assert call(port, "bedroll_makeBlock") is True
        assert not [each for each in hashes if call(port, "eth_getTransactionReceipt", each) is None]
