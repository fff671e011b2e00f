"""web3.py, unmodified, against the server: deploy, send, read, estimate, logs, events, refusals."""

import pytest
from eth_account import Account
from web3 import AsyncHTTPProvider, AsyncWeb3, WebSocketProvider
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.logs import DISCARD


@pytest.fixture
async def web3(server):
    client = AsyncWeb3(AsyncHTTPProvider(server.url))
    yield client
    await client.provider.disconnect()


async def deploy(web3, artifact):
    made = web3.eth.contract(abi=artifact["abi"], bytecode=artifact["creation"])
    sent = await made.constructor(10**24).transact({"from": (await web3.eth.accounts)[0]})
    receipt = await web3.eth.wait_for_transaction_receipt(sent)
    assert receipt.status == 1
    return web3.eth.contract(address=receipt.contractAddress, abi=artifact["abi"])


async def test_a_contract_is_deployed_used_and_watched(server, web3, token):
    contract = await deploy(web3, token)
    owner, other = (await web3.eth.accounts)[:2]
    assert await contract.functions.transfer(other, 5).estimate_gas({"from": owner}) > 21_000
    receipt = await web3.eth.wait_for_transaction_receipt(
        await contract.functions.transfer(other, 5).transact({"from": owner})
    )
    assert await contract.functions.balanceOf(other).call() == 5
    assert contract.events.Transfer().process_receipt(receipt, errors=DISCARD)[0].args.amount == 5
    found = await contract.events.Transfer().get_logs(from_block=0, argument_filters={"receiver": other})
    assert [row.args.amount for row in found] == [5]
    with pytest.raises(ContractLogicError, match="balance too low"):
        await contract.functions.transfer(other, 10**30).call({"from": other})
    async with AsyncWeb3(WebSocketProvider(server.url.replace("http", "ws"))) as socket:
        name = await socket.eth.subscribe("logs", {"address": contract.address})
        sent = await contract.functions.transfer(other, 6).transact({"from": owner})
        async for message in socket.socket.process_subscriptions():
            assert message["subscription"] == name
            assert message["result"]["transactionHash"] == sent
            break


async def test_a_signed_transaction_is_filled_sent_and_refused_twice(web3, chain):
    account = Account.from_key(chain.accounts[1].secret)
    other = (await web3.eth.accounts)[2]
    block = await web3.eth.get_block("latest")
    tip = await web3.eth.max_priority_fee
    fields = {
        "chainId": await web3.eth.chain_id,
        "nonce": await web3.eth.get_transaction_count(account.address),
        "to": other,
        "value": 10**15,
        "gas": await web3.eth.estimate_gas({"from": account.address, "to": other, "value": 10**15}),
        "maxFeePerGas": 2 * block["baseFeePerGas"] + tip,
        "maxPriorityFeePerGas": tip,
    }
    raw = account.sign_transaction(fields).raw_transaction
    receipt = await web3.eth.wait_for_transaction_receipt(await web3.eth.send_raw_transaction(raw))
    assert receipt.status == 1
    assert (await web3.eth.get_transaction(receipt.transactionHash))["from"] == account.address
    with pytest.raises(Web3RPCError, match="nonce too low"):
        await web3.eth.send_raw_transaction(raw)


async def test_history_and_the_open_block_are_read(web3, token):
    await deploy(web3, token)
    assert len((await web3.eth.fee_history(3, "latest", [50]))["baseFeePerGas"]) >= 2
    assert (await web3.eth.get_block("pending"))["number"] == await web3.eth.block_number + 1
    assert (await web3.eth.syncing) is False
