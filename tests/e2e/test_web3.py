"""web3.py against a devnet process: deploy, send, read, estimate, trace, logs, events over WebSocket."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from eth_account import Account
from web3 import AsyncWeb3, Web3, WebSocketProvider
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.logs import DISCARD

from bedroll.sdk import DEVNET_MNEMONIC, accounts_of
from tests.framework.devnet_process import running_devnet

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

ARTIFACT = json.loads((Path(__file__).parents[2] / "src/bedroll/execution/artifact/demo_token.json").read_text())

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def devnet(tmp_path_factory):
    with running_devnet(tmp_path_factory.mktemp("web3") / "chain", "--sequencer-block-time-seconds", "0.2") as made:
        yield made


@pytest.fixture(scope="module")
def web3(devnet):
    return Web3(Web3.HTTPProvider(devnet.url))


@pytest.fixture(scope="module")
def token(web3):
    made = web3.eth.contract(abi=ARTIFACT["abi"], bytecode=ARTIFACT["creation"])
    sent = made.constructor(10**24).transact({"from": web3.eth.accounts[0]})
    receipt = web3.eth.wait_for_transaction_receipt(sent, timeout=30, poll_latency=0.05)
    assert receipt.status == 1
    return web3.eth.contract(address=receipt.contractAddress, abi=ARTIFACT["abi"])


def wait(web3, sent):
    return web3.eth.wait_for_transaction_receipt(sent, timeout=30, poll_latency=0.05)


def test_the_devnet_lists_the_funded_accounts(web3, devnet):
    known = ["0x" + account.address.hex() for account in accounts_of(DEVNET_MNEMONIC, 20)]
    assert [address.lower() for address in web3.eth.accounts] == known
    assert web3.eth.chain_id == devnet.chain_id
    assert web3.eth.get_balance(web3.eth.accounts[1]) > 10**21


def test_a_transaction_signed_by_the_wallet_library_is_included(web3):
    account = Account.from_key(accounts_of(DEVNET_MNEMONIC, 2)[1].secret)
    block = web3.eth.get_block("latest")
    signed = account.sign_transaction(
        {
            "chainId": web3.eth.chain_id,
            "nonce": web3.eth.get_transaction_count(account.address),
            "to": web3.eth.accounts[5],
            "value": 10**15,
            "gas": web3.eth.estimate_gas({"from": account.address, "to": web3.eth.accounts[5], "value": 10**15}),
            "maxFeePerGas": 2 * block["baseFeePerGas"] + web3.eth.max_priority_fee,
            "maxPriorityFeePerGas": web3.eth.max_priority_fee,
        }
    )
    receipt = wait(web3, web3.eth.send_raw_transaction(signed.raw_transaction))
    assert receipt.status == 1
    assert web3.eth.get_transaction(receipt.transactionHash)["from"] == account.address
    with pytest.raises(Web3RPCError, match=r"nonce too low|already known"):
        web3.eth.send_raw_transaction(signed.raw_transaction)


def test_contracts_are_called_estimated_and_their_logs_found(web3, token):
    owner, other = web3.eth.accounts[0], web3.eth.accounts[2]
    assert token.functions.transfer(other, 5).estimate_gas({"from": owner}) > 21_000
    receipt = wait(web3, token.functions.transfer(other, 5).transact({"from": owner}))
    assert token.functions.balanceOf(other).call() == 5
    event = token.events.Transfer().process_receipt(receipt, errors=DISCARD)[0]
    assert event.args.amount == 5
    found = token.events.Transfer().get_logs(from_block=0, argument_filters={"receiver": other})
    assert [row.args.amount for row in found] == [5]
    trace = web3.manager.request_blocking(
        "debug_traceTransaction", [receipt.transactionHash, {"tracer": "callTracer", "tracerConfig": {"withLog": True}}]
    )
    assert trace["to"] == token.address.lower()
    assert len(trace["logs"]) == 1
    with pytest.raises(ContractLogicError, match="balance too low"):
        token.functions.transfer(other, 10**30).call({"from": other})


def test_history_fees_and_proofs_are_read(web3, token):
    history = web3.eth.fee_history(3, "latest", [50])
    assert len(history["baseFeePerGas"]) >= 2
    proof = web3.eth.get_proof(token.address, [0])
    assert (
        proof.storageProof[0].value == (10**24).to_bytes(10, "big").lstrip(b"\0")
        or int(proof.storageProof[0].value.hex(), 16) == 10**24
    )


async def test_heads_and_logs_are_subscribed_to(devnet, web3, token):
    async with AsyncWeb3(WebSocketProvider(devnet.socket_url)) as socket:
        heads = await socket.eth.subscribe("newHeads")
        logs = await socket.eth.subscribe("logs", {"address": token.address})
        owner, other = web3.eth.accounts[0], web3.eth.accounts[3]
        sent = token.functions.transfer(other, 77).transact({"from": owner})
        kinds = set()
        async for message in socket.socket.process_subscriptions():
            if message["subscription"] == logs:
                assert message["result"]["transactionHash"] == sent
            kinds.add(message["subscription"])
            if kinds == {heads, logs}:
                break
        assert await socket.eth.unsubscribe(heads)


def test_the_examples_do_what_they_say(devnet, web3, token):
    key = "0x" + accounts_of(DEVNET_MNEMONIC, 9)[8].secret.hex()
    receiver = web3.eth.accounts[9]
    before = web3.eth.get_balance(receiver)
    sent = subprocess.run(
        [sys.executable, EXAMPLES / "send_bitcoin.py", devnet.url, key, receiver, "1000"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "fee" in sent.stdout
    assert web3.eth.get_balance(receiver) == before + 1000
    command = [sys.executable, "-u", EXAMPLES / "watch_transfers.py", devnet.socket_url, token.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        try:
            # Transfers go on until the watcher, whose start nobody can see, has told of one.
            line: list[str] = []
            reading = threading.Thread(target=lambda: line.append(watcher.stdout.readline()))
            reading.start()
            while reading.is_alive():
                wait(web3, token.functions.transfer(receiver, 11).transact({"from": web3.eth.accounts[0]}))
            assert f"paid 11 to {receiver}" in line[0]
        finally:
            watcher.terminate()
