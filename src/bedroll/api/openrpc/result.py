"""Schemas of results, by method.

Reads: nothing.  Gives: `RESULTS`.  Never: describes a result that no test has seen.  Spec: docs/spec/api.md#openrpc
"""

from typing import Final

from .component import ADDRESS, ADDRESS_PATTERN, BOOL, COUNT, DATA, HASH, QUANTITY
from .shape import Schema, array, by_key, choice, fields, nullable, ref, text

_HEAD: Final = fields({"number": QUANTITY, "hash": HASH})
_WINDOW: Final = fields({"type": text("^window$"), "retentionBlocks": QUANTITY})
_KEPT: Final = fields({"disabled": BOOL, "oldestBlock": QUANTITY}, {"deleteStrategy": _WINDOW})
_ANY_NUMBER: Final[Schema] = {"type": "number"}
_BLOCK: Final = nullable(ref("Block"))
_TRANSACTION: Final = nullable(ref("Transaction"))
_FILTER_ID: Final = text("^0x[0-9a-f]{32}$")
_LINES: Final = by_key(ADDRESS_PATTERN, by_key("^[0-9]+$", text()))
_CURSOR: Final = {"bedrollNext": fields({"sender": ADDRESS, "nonce": QUANTITY})}
_TRACES: Final = array(ref("FlatTrace"))
_BLOCK_TRACES: Final = array(fields({"txHash": HASH, "result": ref("GethTrace")}))
_PROOF_NODES: Final = array(DATA)
_SEARCH: Final = fields(
    {
        "txs": array(ref("Transaction")),
        "receipts": array(ref("DatedReceipt")),
        "firstPage": BOOL,
        "lastPage": BOOL,
    }
)
_DETAILS: Final = nullable(
    fields(
        {
            "block": ref("BlockSummary"),
            "issuance": fields(dict.fromkeys(("blockReward", "uncleReward", "issuance"), QUANTITY)),
            "totalFees": QUANTITY,
        }
    )
)
_FILLED: Final = fields(
    {
        **dict.fromkeys(("type", "chainId", "nonce", "gas", "maxPriorityFeePerGas", "maxFeePerGas", "value"), QUANTITY),
        **dict.fromkeys(("v", "r", "s", "yParity"), QUANTITY),
        "to": nullable(ADDRESS),
        "gasPrice": nullable(QUANTITY),
        "input": DATA,
        "accessList": ref("AccessList"),
        "hash": HASH,
    }
)
_SYNCING: Final = choice(
    {"const": False},
    fields(
        dict.fromkeys(
            ("startingBlock", "currentBlock", "highestBlock", "startingL1", "currentL1", "highestL1"), QUANTITY
        )
    ),
)
_STATUS: Final = fields(
    {
        "network": text(),
        "chainId": QUANTITY,
        "role": {"type": "string", "enum": ["node", "sequencer"]},
        "condition": text(),
        "heads": fields(dict.fromkeys(("latest", "committed", "safe", "finalized", "durable"), _HEAD)),
        "l1": fields(
            {
                "reachable": BOOL,
                "reason": text(),
                "tipHash": ref("BitcoinHash"),
                **dict.fromkeys(("tipHeight", "derivedHeight", "finalizedHeight"), COUNT),
                "secondsSinceBlock": _ANY_NUMBER,
            }
        ),
        "mempool": fields(dict.fromkeys(("pending", "queued", "sizeBytes"), COUNT)),
        "writer": nullable(
            fields(
                {
                    **dict.fromkeys(("waiting", "unconfirmed", "feeRateSatPerKvb", "spentSat"), COUNT),
                    "oldestSeconds": _ANY_NUMBER,
                    "reason": text(),
                }
            )
        ),
    }
)
_FORCED: Final = fields(
    {
        "id": HASH,
        "state": text(),
        **dict.fromkeys(("l1Height", "queueIndex", "deadlineL1Height"), nullable(COUNT)),
        "blockNumber": nullable(QUANTITY),
        "transactionHash": nullable(HASH),
    }
)
_EVIDENCE: Final = fields(
    {"l1Height": COUNT, **dict.fromkeys(("leader", "first", "second", "promised", "other"), HASH)}
)
_PROOF_INPUT: Final = fields(
    {
        "firstBlock": QUANTITY,
        "lastBlock": QUANTITY,
        "objectId": nullable(HASH),
        "input": nullable(DATA),
        "publicValues": nullable(DATA),
        "waiting": BOOL,
    }
)
_SETTLEMENT_PROOF: Final = fields(
    {
        "l1Height": COUNT,
        "l1Hash": ref("BitcoinHash"),
        "blockNumber": QUANTITY,
        "blockHash": HASH,
        "objectId": nullable(HASH),
        "file": DATA,
    }
)

_ETH: Final[dict[str, Schema]] = {
    **dict.fromkeys(
        (
            "eth_baseFee",
            "eth_blobBaseFee",
            "eth_blockNumber",
            "eth_chainId",
            "eth_estimateGas",
            "eth_gasPrice",
            "eth_getBalance",
            "eth_getTransactionCount",
            "eth_hashrate",
            "eth_maxPriorityFeePerGas",
            "eth_protocolVersion",
        ),
        QUANTITY,
    ),
    **dict.fromkeys(
        (
            "eth_getBlockTransactionCountByHash",
            "eth_getBlockTransactionCountByNumber",
            "eth_getUncleCountByBlockHash",
            "eth_getUncleCountByBlockNumber",
        ),
        nullable(QUANTITY),
    ),
    **dict.fromkeys(
        ("eth_getUncleByBlockHashAndIndex", "eth_getUncleByBlockNumberAndIndex"),
        nullable({"type": "object"}),
    ),
    **dict.fromkeys(("eth_getBlockByHash", "eth_getBlockByNumber"), _BLOCK),
    **dict.fromkeys(
        (
            "eth_getTransactionByHash",
            "eth_getTransactionByBlockHashAndIndex",
            "eth_getTransactionByBlockNumberAndIndex",
        ),
        _TRANSACTION,
    ),
    **dict.fromkeys(("eth_sendRawTransaction", "eth_sendTransaction", "eth_getStorageAt"), HASH),
    **dict.fromkeys(("eth_newFilter", "eth_newBlockFilter", "eth_newPendingTransactionFilter"), _FILTER_ID),
    **dict.fromkeys(("eth_getLogs", "eth_getFilterLogs"), array(ref("Log"))),
    **dict.fromkeys(("eth_call", "eth_getCode"), DATA),
    "eth_sign": text("^0x[0-9a-f]{130}$"),
    "eth_signTypedData_v4": text("^0x[0-9a-f]{130}$"),
    "eth_accounts": array(ADDRESS),
    "eth_coinbase": ADDRESS,
    "eth_mining": BOOL,
    "eth_syncing": _SYNCING,
    "eth_capabilities": fields(
        {"head": _HEAD, **dict.fromkeys(("state", "tx", "logs", "receipts", "blocks", "stateproofs"), _KEPT)}
    ),
    "eth_config": fields({"current": ref("Rules"), "next": nullable(ref("Rules")), "last": nullable(ref("Rules"))}),
    "eth_createAccessList": fields({"accessList": ref("AccessList"), "gasUsed": QUANTITY}, {"error": text()}),
    "eth_feeHistory": fields(
        {
            "oldestBlock": QUANTITY,
            **dict.fromkeys(("baseFeePerGas", "baseFeePerBlobGas"), array(QUANTITY)),
            **dict.fromkeys(("gasUsedRatio", "blobGasUsedRatio"), array(_ANY_NUMBER)),
        },
        {"reward": array(array(QUANTITY))},
    ),
    "eth_fillTransaction": fields({"raw": DATA, "tx": _FILLED}),
    "eth_getAccountInfo": fields({"balance": QUANTITY, "nonce": QUANTITY, "code": DATA}),
    "eth_getBlockReceipts": nullable(array(ref("Receipt"))),
    "eth_getFilterChanges": choice(array(HASH), array(ref("Log"))),
    "eth_getProof": fields(
        {
            "address": ADDRESS,
            "accountProof": _PROOF_NODES,
            "balance": QUANTITY,
            "nonce": QUANTITY,
            "codeHash": HASH,
            "storageHash": HASH,
            "storageProof": array(fields({"key": text(), "value": QUANTITY, "proof": _PROOF_NODES})),
        }
    ),
    "eth_getStorageValues": by_key(ADDRESS_PATTERN, array(HASH)),
    "eth_getTransactionReceipt": nullable(ref("Receipt")),
    "eth_sendRawTransactionSync": ref("Receipt"),
    "debug_executionWitness": fields(dict.fromkeys(("state", "codes", "keys", "headers"), array(DATA))),
    "eth_simulateV1": array(ref("SimulatedResult")),
    "eth_uninstallFilter": BOOL,
}
_TOOLS: Final[dict[str, Schema]] = {
    **dict.fromkeys(("debug_getRawBlock", "debug_getRawHeader", "debug_getRawTransaction"), DATA),
    **dict.fromkeys(
        (
            "eth_getRawTransactionByHash",
            "eth_getRawTransactionByBlockHashAndIndex",
            "eth_getRawTransactionByBlockNumberAndIndex",
        ),
        DATA,
    ),
    "debug_getRawReceipts": array(DATA),
    **dict.fromkeys(("debug_traceBlock", "debug_traceBlockByHash", "debug_traceBlockByNumber"), _BLOCK_TRACES),
    **dict.fromkeys(("debug_traceCall", "debug_traceTransaction"), ref("GethTrace")),
    **dict.fromkeys(("trace_block", "trace_transaction"), nullable(_TRACES)),
    "trace_filter": _TRACES,
    "trace_get": nullable(ref("FlatTrace")),
    **dict.fromkeys(("trace_call", "trace_rawTransaction", "trace_replayTransaction"), ref("Replay")),
    **dict.fromkeys(("trace_callMany", "trace_replayBlockTransactions"), array(ref("Replay"))),
    "txpool_content": fields(dict.fromkeys(("pending", "queued"), by_key(ADDRESS_PATTERN, ref("Waiting"))), _CURSOR),
    "txpool_contentFrom": fields(dict.fromkeys(("pending", "queued"), ref("Waiting"))),
    "txpool_inspect": fields(dict.fromkeys(("pending", "queued"), _LINES), _CURSOR),
    "txpool_status": fields({"pending": QUANTITY, "queued": QUANTITY}),
    **dict.fromkeys(
        ("erigon_getHeaderByNumber", "eth_getHeaderByHash", "eth_getHeaderByNumber"), nullable(ref("Header"))
    ),
    "ots_getApiLevel": COUNT,
    **dict.fromkeys(("ots_getBlockDetails", "ots_getBlockDetailsByHash"), _DETAILS),
    "ots_getBlockTransactions": nullable(
        fields({"fullblock": ref("BlockSummary"), "receipts": array(ref("BareReceipt"))})
    ),
    "ots_getContractCreator": nullable(fields({"hash": HASH, "creator": ADDRESS})),
    "ots_getInternalOperations": array(
        fields(
            {"type": {"type": "integer", "minimum": 0, "maximum": 3}, "from": ADDRESS, "to": ADDRESS, "value": QUANTITY}
        )
    ),
    "ots_getTransactionBySenderAndNonce": nullable(HASH),
    "ots_getTransactionError": DATA,
    "ots_hasCode": BOOL,
    **dict.fromkeys(("ots_searchTransactionsAfter", "ots_searchTransactionsBefore"), _SEARCH),
    "ots_traceTransaction": array(
        fields(
            {
                "type": text(),
                "depth": COUNT,
                "from": ADDRESS,
                "to": ADDRESS,
                "value": nullable(QUANTITY),
                "input": DATA,
                "output": DATA,
            }
        )
    ),
}
_NODE: Final[dict[str, Schema]] = {
    "admin_clients": array(fields({"client": text(), "calls": COUNT, "refused": COUNT, "units": {"type": "integer"}})),
    "admin_setLogLevel": text(),
    "admin_submitProof": HASH,
    "bedroll_fund": ref("BitcoinHash"),
    "bedroll_getBatch": ref("ObjectStatus"),
    "bedroll_getBlockClass": fields({"number": QUANTITY, "class": ref("BlockClass"), "committed": BOOL}),
    "bedroll_getEvidence": array(_EVIDENCE),
    "bedroll_getProofInput": nullable(_PROOF_INPUT),
    "bedroll_getForced": _FORCED,
    "bedroll_getObject": ref("ObjectStatus"),
    "bedroll_getSettlementProof": nullable(_SETTLEMENT_PROOF),
    "bedroll_getSignatures": nullable(
        fields({"blockHash": HASH, "blockNumber": QUANTITY, "signatures": array(nullable(DATA))})
    ),
    "bedroll_makeBlock": BOOL,
    "bedroll_mine": array(ref("BitcoinHash")),
    "bedroll_status": _STATUS,
    "net_listening": BOOL,
    "net_peerCount": QUANTITY,
    "net_version": text("^[0-9]+$"),
    "personal_sign": text("^0x[0-9a-f]{130}$"),
    "testing_buildBlockV1": ref("BuiltBlock"),
    "rpc_modules": by_key("^[a-z0-9]+$", text()),
    "rpc.discover": {"type": "object", "description": "This document."},
    "web3_clientVersion": text(),
    "web3_sha3": HASH,
}

RESULTS: Final[dict[str, Schema]] = {**_ETH, **_TOOLS, **_NODE}
"""What each method answers with."""
