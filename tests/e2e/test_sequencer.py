"""A leader and a follower as processes of their own, with encrypted keys, on a Bitcoin that a third one owns."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager

import pytest

from bedroll.bitcoin.address import decode_address
from bedroll.bitcoin.embedded import EmbeddedClient
from bedroll.bitcoin.server import RpcServer
from bedroll.primitives import Address, Gas, Wei
from bedroll.protocol import REGTEST
from bedroll.sdk import DEVNET_MNEMONIC, RpcClient, accounts_of
from tests.framework.bitcoind import free_port
from tests.framework.devnet_process import ask_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PASSWORD = {"BEDROLL_KEY_PASSWORD": "correct horse"}


@asynccontextmanager
async def open_chain(folder):
    """An embedded Bitcoin, served as bitcoind is, and the flags that lead there."""
    client = await EmbeddedClient.open(folder)
    server = RpcServer(client, folder / "cookie")
    await server.start()
    try:
        yield client, ["--bitcoin-url", server.url, "--bitcoin-cookie", str(server.cookie)]
    finally:
        await server.stop()
        await client.close()


@contextmanager
def running(*arguments):
    """A service and what it said when it was ready; ended by SIGTERM with exit code 0."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bedroll", *arguments, "--json", "--rpc-port", "0"],
        stdout=subprocess.PIPE, text=True, env=os.environ | PASSWORD,
    )  # fmt: skip
    try:
        line = asyncio.to_thread(process.stdout.readline)
        yield line
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        process.stdout.close()
    assert code == 0


async def once(*arguments, environment=None, code=0):
    """A command that ends by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bedroll", *arguments, "--json",
        stdout=subprocess.PIPE, env=os.environ | (PASSWORD if environment is None else environment),
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == code, output
    return json.loads(output)


async def test_a_leader_leads_and_a_follower_follows(tmp_path):
    account = accounts_of(DEVNET_MNEMONIC, 1)[0]
    port = free_port()
    leader, follower = str(tmp_path / "leader"), str(tmp_path / "follower")
    async with open_chain(tmp_path / "bitcoin") as (bitcoin, where):
        await bitcoin.mine(10, b"\x51")
        made = await once("sequencer", "--init", "--fund", f"0x{account.address.hex()}=5", "--folder", leader, *where)
        assert "secret" in (tmp_path / "leader/keys/leader.json").read_text()
        script = decode_address(made["wallet_address"], REGTEST)
        again = await once("sequencer", "--init", "--folder", leader, *where, code=2)
        assert "already" in again["error"]["message"]
        refused = await once("sequencer", "--folder", leader, *where, environment={}, code=2)
        assert "encrypted" in refused["error"]["message"]
        # The wallet's first coins must be mature, and the anchor not so old that derivation is in its automatic blocks.
        await bitcoin.mine(3, script)
        quick = ["--block-time", "0.2", "--sequencer-batch-age-seconds", "1", "--sequencer-stream-port", str(port)]
        with running("sequencer", "--folder", leader, *where, *quick) as line:
            ready = json.loads(await asyncio.wait_for(line, 30))
            assert ready["role"] == "sequencer"
            async with RpcClient(ready["rpc"]) as client:
                raw = account.sign_transaction(
                    chain_id=REGTEST.chain_id,
                    nonce=0,
                    gas_limit=Gas(21_000),
                    max_fee_per_gas=Wei(10**12),
                    max_priority_fee_per_gas=Wei(0),
                    to=Address(bytes(18) + b"\xbe\xef"),
                    value=Wei(5),
                )
                sent = await client.call("eth_sendRawTransaction", "0x" + raw.hex())
                receipt = await ask_until(ready["rpc"], client, "eth_getTransactionReceipt", sent)
                assert receipt["status"] == "0x1"
                stream = f"http://127.0.0.1:{port}"
                genesis = made["genesis"]
                with running(
                    "node", "--folder", follower, "--genesis", genesis, "--follow-url", stream, *where
                ) as other:
                    told = json.loads(await asyncio.wait_for(other, 30))
                    async with RpcClient(told["rpc"]) as second:
                        assert await ask_until(ready["rpc"], second, "eth_getTransactionReceipt", sent) == receipt
