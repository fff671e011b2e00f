"""A devnet that begins with the state in a snapshot of another chain, and is derived by a second node all the same."""

import json
import signal
import subprocess
import sys

import pytest

from bedroll.crypto.keccak import keccak256
from bedroll.execution.genesis import artifact
from bedroll.sdk import RpcClient
from tests.framework.devnet_process import ask_until, running_devnet

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

QUICK = ("--block-time", "0.2", "--sequencer-batch-age-seconds", "1", "--devnet-mine-seconds", "1")
CREATION = artifact("demo_token")["creation"] + (1_000).to_bytes(32, "big").hex()
BALANCE = "0x" + keccak256(b"balanceOf(address)")[:4].hex()
TRANSFER = "0x" + keccak256(b"transfer(address,uint256)")[:4].hex()


def bedroll(*arguments, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "bedroll", "--json", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def word(address):
    return address[2:].lower().rjust(64, "0")


async def test_a_devnet_begins_with_the_state_of_a_snapshot(tmp_path):
    with running_devnet(tmp_path / "first", *QUICK) as devnet:
        async with RpcClient(devnet.url) as client:
            owner, other = (await client.call("eth_accounts"))[:2]
            sent = await client.call("eth_sendTransaction", {"from": owner, "data": CREATION})
            token = (await ask_until(devnet.url, client, "eth_getTransactionReceipt", sent))["contractAddress"]
            nonce = await client.call("eth_getTransactionCount", owner, "latest")
    snapshot = tmp_path / "chain.snapshot"
    made = bedroll("db", "export", str(snapshot), "--folder", str(tmp_path / "first/sequencer"))
    wrong = ("--fork-from", str(snapshot), "--fork-block", "0x" + "11" * 32)
    assert bedroll("devnet", "--rpc-port", "0", *wrong, code=1)["error"]["kind"] == "Invalid"

    fork = ("--fork-from", str(snapshot), "--fork-block", made["newest"])
    with running_devnet(tmp_path / "second", *QUICK, *fork) as devnet:
        async with RpcClient(devnet.url) as client:
            assert await client.call("eth_getTransactionCount", owner, "latest") == nonce
            held = {"to": token, "data": BALANCE + word(owner)}
            assert int(await client.call("eth_call", held, "latest"), 16) == 1_000
            pay = {"from": owner, "to": token, "data": TRANSFER + word(other) + f"{7:064x}"}
            sent = await client.call("eth_sendTransaction", pay)
            receipt = await ask_until(devnet.url, client, "eth_getTransactionReceipt", sent)
            assert receipt["status"] == "0x1"
            await derived_alike(devnet, client, tmp_path, receipt["blockNumber"])
    again = bedroll("devnet", "--rpc-port", "0", "--folder", str(tmp_path / "second"), *fork, code=2)
    assert "holds a chain already" in again["error"]["message"]


async def derived_alike(devnet, client, folder, height):
    """A node with an empty disk, the genesis file and Bitcoin comes to the same block."""
    where = devnet.ready["bitcoin"]
    node = subprocess.Popen(
        [sys.executable, "-m", "bedroll", "node", "--json", "--rpc-port", "0",
         "--genesis", str(folder / "second/genesis.json"), "--folder", str(folder / "third"),
         "--bitcoin-url", where["url"], "--bitcoin-cookie", where["cookie"]],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        async with RpcClient(json.loads(node.stdout.readline())["rpc"]) as second:
            theirs = await ask_until(devnet.url, second, "eth_getBlockByNumber", height, True)
            ours = await client.call("eth_getBlockByNumber", height, True)
            assert theirs["hash"] == ours["hash"]
    finally:
        node.send_signal(signal.SIGINT)
        node.wait(30)
        node.stdout.close()
