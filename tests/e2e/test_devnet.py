"""A devnet as people use it: other processes follow its Bitcoin, force a transaction, stop and start it again."""

import json
import signal
import subprocess
import sys

import pytest

from bedroll.primitives import Address, Gas, Wei
from bedroll.sdk import DEVNET_MNEMONIC, RpcClient, accounts_of
from tests.framework.devnet_process import ask_until, new_heads, running_devnet

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

RECEIVER = "0x" + "00" * 18 + "beef"
QUICK = ("--sequencer-block-time-seconds", "0.2", "--sequencer-batch-age-seconds", "1", "--devnet-mine-seconds", "0")


def bedroll(*arguments, code=0):
    """Run a command to its end; its JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "bedroll", *arguments, "--json"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def signed(chain_id, nonce, *, value=7):
    account = accounts_of(DEVNET_MNEMONIC, 4)[3]
    return (
        "0x"
        + account.sign_transaction(
            chain_id=chain_id,
            nonce=nonce,
            gas_limit=Gas(21_000),
            max_fee_per_gas=Wei(10**12),
            max_priority_fee_per_gas=Wei(10**6),
            to=Address(bytes.fromhex(RECEIVER[2:])),
            value=Wei(value),
        ).hex()
    )


def is_executed(status):
    return status["state"] == "executed"


async def settle(client, height):
    """Mine, as the leader posts, until a block is final."""
    async with new_heads(client.url) as next_head:
        while int((await client.call("eth_getBlockByNumber", "finalized", False))["number"], 16) < height:
            status = await client.call("bedroll_status")
            safe = int(status["heads"]["safe"]["number"], 16)
            if safe >= height or status["writer"]["unconfirmed"]:
                await client.call("bedroll_mine", 1)
            await next_head()


async def test_a_second_process_rebuilds_the_chain_and_a_user_forces_his_way_in(tmp_path):
    with running_devnet(tmp_path / "devnet", *QUICK) as devnet:
        where = [
            "--bitcoin-url", devnet.ready["bitcoin"]["url"], "--bitcoin-cookie", devnet.ready["bitcoin"]["cookie"],
        ]  # fmt: skip
        own = ["--folder", str(tmp_path / "user"), *where]
        async with RpcClient(devnet.url) as client:
            sent = await client.call("eth_sendRawTransaction", signed(devnet.chain_id, 0))
            receipt = await ask_until(devnet.url, client, "eth_getTransactionReceipt", sent)
            await settle(client, int(receipt["blockNumber"], 16))
            batch = await client.call("bedroll_getBatch", receipt["blockNumber"])
            assert batch["state"] == "accepted"
            carrier = (await client.call("bedroll_getObject", batch["id"]))["txids"][-1]
            shown = bedroll("inspect", "transaction", carrier, "--block", str(batch["l1Height"]), *where)
            assert shown["relevant_on"] == ["regtest"]
            assert shown["objects"][0]["object"] == "batch"
            assert shown["objects"][0]["object_id"] == batch["id"][2:]

            genesis = str(tmp_path / "devnet" / "genesis.json")
            command = [sys.executable, "-m", "bedroll", "node", "--json", "--rpc-port", "0", "--genesis", genesis]
            node = subprocess.Popen(
                [*command, "--folder", str(tmp_path / "second"), *where], stdout=subprocess.PIPE, text=True
            )
            try:
                ready = json.loads(node.stdout.readline())
                async with RpcClient(ready["rpc"]) as second:
                    block = receipt["blockNumber"]
                    theirs = await ask_until(devnet.url, second, "eth_getBlockByNumber", block, True)
                    ours = await client.call("eth_getBlockByNumber", block, True)
                    local = {"class": "", "bedrollBitcoin": None}
                    assert theirs | local == ours | local
                    with pytest.raises(Exception, match="takes no transactions"):
                        await second.call("eth_sendRawTransaction", signed(devnet.chain_id, 1))
            finally:
                node.send_signal(signal.SIGINT)
                assert node.wait(30) == 0
                node.stdout.close()

            bedroll("wallet", "new", *own)
            await client.call("bedroll_fund", bedroll("wallet", "address", *own)["address"], 100_000)
            await client.call("bedroll_mine", 1)
            assert bedroll("wallet", "balance", *own)["available_sat"] == 100_000
            forced = bedroll("forced", "send", signed(devnet.chain_id, 1, value=9), *own)
            (message,) = forced["message_ids"]
            for _ in range(6):
                await client.call("bedroll_mine", 1)
            status = await ask_until(devnet.url, client, "bedroll_getForced", message, wanted=is_executed)
            assert status["transactionHash"] == forced["transaction_hash"]
            assert (await client.call("eth_getTransactionReceipt", forced["transaction_hash"]))["forcedId"] == message
            assert int(await client.call("eth_getBalance", RECEIVER, "latest"), 16) == 16
            assert bedroll("forced", "status", message, "--rpc", devnet.url)["state"] == "executed"
            assert bedroll("inspect", "batch", "1", "--rpc", devnet.url)["state"] == "accepted"


async def test_a_devnet_with_a_folder_goes_on_where_it_was(tmp_path):
    with running_devnet(tmp_path / "devnet", *QUICK) as devnet:
        async with RpcClient(devnet.url) as client:
            sent = await client.call("eth_sendRawTransaction", signed(devnet.chain_id, 0))
            before = await ask_until(devnet.url, client, "eth_getTransactionReceipt", sent)
    with running_devnet(tmp_path / "devnet", *QUICK) as devnet:
        async with RpcClient(devnet.url) as client:
            after = await ask_until(devnet.url, client, "eth_getTransactionReceipt", sent)
            assert after["blockHash"] == before["blockHash"]
            sent = await client.call("eth_sendRawTransaction", signed(devnet.chain_id, 1))
            await ask_until(devnet.url, client, "eth_getTransactionReceipt", sent)


def test_a_second_process_on_one_folder_is_refused_by_name(tmp_path):
    with running_devnet(tmp_path / "devnet", *QUICK):
        error = bedroll("devnet", "--rpc-port", "0", "--folder", str(tmp_path / "devnet"), code=2)["error"]
        assert error["kind"] == "Misconfigured"


def test_the_demo_shows_the_whole_path():
    found = bedroll("demo", "--transactions", "60")
    assert found["receipts_equal"] >= 61
    assert found["forced"]["executed"] is True
    assert found["forced"]["automatic"] is True
    assert found["forced"]["l1_blocks"] <= found["forced"]["l1_blocks_at_most"] == 30
    assert found["l1_fee_sat"] > 0
