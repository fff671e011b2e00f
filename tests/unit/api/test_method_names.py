"""Every method that some client of Ethereum is known to ask for is served, or refused as one that does not exist."""

import json

import pytest

from bedroll.api import Dispatcher, method_table
from bedroll.api.dispatch import CONNECTION_METHODS

SERVED = {
    "all clients": "eth_chainId net_version web3_clientVersion eth_blockNumber eth_getBlockByNumber eth_getBlockByHash",
    "wallets": "eth_getBalance eth_getCode eth_getTransactionCount eth_getStorageAt eth_call eth_estimateGas "
    "eth_gasPrice eth_maxPriorityFeePerGas eth_feeHistory eth_sendRawTransaction eth_sendRawTransactionSync "
    "eth_getTransactionReceipt eth_getTransactionByHash",
    "indexers": "eth_getBlockReceipts eth_getLogs eth_newFilter eth_newBlockFilter eth_newPendingTransactionFilter "
    "eth_getFilterChanges eth_getFilterLogs eth_uninstallFilter eth_subscribe eth_unsubscribe",
    "forge, cast, viem": "eth_getAccountInfo eth_fillTransaction eth_getProof eth_createAccessList eth_simulateV1",
    "debuggers": "debug_traceTransaction debug_traceBlockByNumber debug_traceBlockByHash debug_traceCall "
    "debug_traceBlock",
    "Blockscout, graph-node": "trace_block trace_replayBlockTransactions trace_replayTransaction trace_transaction "
    "trace_filter trace_call trace_callMany trace_rawTransaction trace_get",
    "mempool watchers": "txpool_content txpool_contentFrom txpool_status txpool_inspect",
    "Otterscan": "ots_getApiLevel ots_hasCode ots_getBlockDetails ots_getBlockDetailsByHash ots_getBlockTransactions "
    "ots_getTransactionError ots_traceTransaction ots_getInternalOperations ots_searchTransactionsBefore "
    "ots_searchTransactionsAfter ots_getTransactionBySenderAndNonce ots_getContractCreator erigon_getHeaderByNumber",
    "legacy probes": "eth_syncing net_listening net_peerCount eth_accounts eth_coinbase web3_sha3 eth_protocolVersion "
    "rpc_modules eth_mining eth_hashrate",
    "rpc-compat": "eth_blobBaseFee eth_baseFee eth_config eth_capabilities eth_getStorageValues "
    "eth_getBlockTransactionCountByHash eth_getBlockTransactionCountByNumber "
    "eth_getTransactionByBlockHashAndIndex eth_getTransactionByBlockNumberAndIndex eth_getUncleByBlockHashAndIndex "
    "eth_getUncleByBlockNumberAndIndex eth_getUncleCountByBlockHash eth_getUncleCountByBlockNumber debug_getRawBlock "
    "debug_getRawHeader debug_getRawReceipts debug_getRawTransaction",
    "ethclient, explorers": "eth_getHeaderByNumber eth_getHeaderByHash eth_getRawTransactionByHash "
    "eth_getRawTransactionByBlockHashAndIndex eth_getRawTransactionByBlockNumberAndIndex",
}
REFUSED = {
    "development nodes": "anvil_nodeInfo hardhat_metadata hardhat_getAutomine evm_snapshot evm_revert evm_mine "
    "evm_increaseTime anvil_setBalance anvil_impersonateAccount",
    "miners and keys on a node": "eth_getWork eth_submitWork eth_getCompilers personal_unlockAccount miner_start "
    "eth_signTransaction db_getString shh_version",
    "tests of consensus clients": "testing_buildBlockV1 engine_exchangeCapabilities engine_newPayloadV4",
    "other nodes": "parity_pendingTransactions erigon_getLogs ots2_getERC20Holdings bor_getAuthor",
}


def names(table):
    return [(who, name) for who, row in table.items() for name in row.split()]


async def ask(dispatcher, name):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": name, "params": []}).encode()
    return json.loads(await dispatcher.answer(body))


@pytest.mark.parametrize(("who", "name"), names(SERVED))
async def test_what_clients_need_is_served(service, who, name):
    if name in CONNECTION_METHODS:
        return
    assert name in method_table(devnet=False).methods, who
    answer = await ask(Dispatcher(service), name)
    # Without its parameters a method may refuse to run; it must not fail, or be unknown.
    assert answer.get("error", {}).get("code", 0) in (0, -32602), answer


@pytest.mark.parametrize(("who", "name"), names(REFUSED))
async def test_what_there_is_not_is_refused_as_such(service, who, name):
    answer = await ask(Dispatcher(service), name)
    assert answer["error"]["code"] == -32601, who


async def test_modules_name_every_family_that_is_served(rpc, service):
    families = {name.partition("_")[0] for name in method_table(devnet=True).methods if "_" in name}
    assert await rpc.call("rpc_modules") == dict.fromkeys(sorted(families), "1.0")
    assert {"eth", "net", "web3", "debug", "trace", "txpool", "ots", "erigon", "bedroll", "rpc"} <= families


async def test_a_plain_node_signs_nothing_and_is_no_bench():
    missing = {
        "eth_sendTransaction",
        "eth_sign",
        "personal_sign",
        "eth_signTypedData_v4",
        "bedroll_mine",
        "bedroll_fund",
        "testing_buildBlockV1",
    }
    assert missing.isdisjoint(method_table(devnet=False).methods)
    assert missing <= method_table(devnet=True).methods.keys()
