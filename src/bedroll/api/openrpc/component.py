"""Schemas that methods share: Ethereum's values and objects with Bedroll's members beside them.

Reads: nothing.  Gives: `COMPONENTS`.  Never: allows a member that no code writes.  Spec: docs/spec/api-chain.md#objects
"""

from typing import Final

from ..build_method import WITHDRAWALS_MAX
from .component_trace import TRACES
from .shape import Schema, array, by_key, choice, fields, nullable, ref, text

QUANTITY: Final = ref("Quantity")
DATA: Final = ref("Data")
HASH: Final = ref("Hash")
ADDRESS: Final = ref("Address")
HEIGHT: Final = ref("BlockHeight")
BOOL: Final[Schema] = {"type": "boolean"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
ADDRESS_PATTERN: Final = "^0x[0-9a-fA-F]{40}$"
SLOT_PATTERN: Final = "^0x[0-9a-fA-F]{1,64}$"

_VALUES: Final[dict[str, Schema]] = {
    "Quantity": text("^0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})$", "Hexadecimal without leading zeros."),
    "Quantity64": text("^0x(0|[1-9a-fA-F][0-9a-fA-F]{0,15})$", "The same of at most 64 bits."),
    "Data": text("^0x([0-9a-fA-F]{2})*$", "Bytes, two digits each."),
    "Hash": text("^0x[0-9a-fA-F]{64}$", "32 bytes."),
    "Address": text(ADDRESS_PATTERN, "20 bytes."),
    "Slot": text(SLOT_PATTERN, "A storage slot; leading zeros may stand or not."),
    "Bloom": text("^0x[0-9a-fA-F]{512}$", "256 bytes."),
    "BitcoinHash": text("^[0-9a-f]{64}$", "As Bitcoin's tools show it: reversed, without prefix."),
    "BlockTag": {
        "type": "string",
        "enum": ["latest", "pending", "safe", "finalized", "earliest"],
        "description": "latest: newest; safe: derived from Bitcoin; finalized: derived at finality depth.",
    },
    "BlockClass": {"type": "string", "enum": ["latest", "safe", "finalized"]},
    "BlockHeight": choice(ref("Quantity64"), ref("BlockTag")),
    "Block1898": choice(
        fields({"blockNumber": ref("BlockHeight")}, {"requireCanonical": BOOL}),
        fields({"blockHash": HASH}, {"requireCanonical": BOOL}),
    ),
    "BlockName": choice(ref("BlockHeight"), HASH, ref("Block1898")),
    "Integer": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
    "Number": choice(ref("Integer"), ref("Quantity64")),
}

_ACCESS_LIST: Final = array(fields({"address": ADDRESS, "storageKeys": array(HASH)}))

_GRANTS: Final = array(
    fields({**dict.fromkeys(("chainId", "nonce", "yParity", "r", "s"), QUANTITY), "address": ADDRESS})
)

_CALL: Final = fields(
    {},
    {
        "from": ADDRESS,
        "to": nullable(ADDRESS),
        **dict.fromkeys(("gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value", "nonce"), QUANTITY),
        "data": DATA,
        "input": DATA,
        "accessList": _ACCESS_LIST,
        "authorizationList": _GRANTS,
        "chainId": QUANTITY,
        "type": QUANTITY,
    },
    is_open=True,
    about="A call; `data` and `input` are the same. An unknown member is an error.",
)
_OVERRIDE: Final = fields(
    {},
    {
        "balance": QUANTITY,
        "nonce": QUANTITY,
        "code": DATA,
        "state": by_key("^0x[0-9a-fA-F]{64}$", HASH),
        "stateDiff": by_key("^0x[0-9a-fA-F]{64}$", HASH),
        "movePrecompileToAddress": ADDRESS,
    },
    is_open=True,
)
_BLOCK_OVERRIDE: Final = fields(
    {},
    {
        **dict.fromkeys(("number", "time", "gasLimit", "baseFeePerGas"), ref("Quantity64")),
        **dict.fromkeys(("blockNumber", "timestamp", "baseFee"), ref("Quantity64")),
        **dict.fromkeys(("blobBaseFee", "difficulty"), QUANTITY),
        **dict.fromkeys(("feeRecipient", "coinbase"), ADDRESS),
        **dict.fromkeys(("prevRandao", "random"), choice(HASH, QUANTITY)),
        "beaconRoot": HASH,
        "withdrawals": array({"type": "object"}, 0),
    },
    is_open=True,
    about="By geth's names or others that clients use; beaconRoot and withdrawals in eth_simulateV1 alone.",
)

_CARRIAGE: Final = fields(
    {"txid": ref("BitcoinHash"), "height": QUANTITY, "batch": HASH},
    about="The (last) Bitcoin transaction that carries the batch with this block.",
)

_HEADER: Final[dict[str, Schema]] = {
    **dict.fromkeys(
        ("parentHash", "sha3Uncles", "withdrawalsRoot", "mixHash", "parentBeaconBlockRoot", "requestsHash"), HASH
    ),
    **dict.fromkeys(("number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "difficulty"), QUANTITY),
    **dict.fromkeys(("blobGasUsed", "excessBlobGas"), QUANTITY),
    "hash": nullable(HASH),
    **dict.fromkeys(("stateRoot", "transactionsRoot", "receiptsRoot"), HASH),
    "miner": nullable(ADDRESS),
    "nonce": nullable(text("^0x[0-9a-f]{16}$")),
    "logsBloom": nullable(ref("Bloom")),
    "extraData": DATA,
}
_OWN_BLOCK: Final[dict[str, Schema]] = {
    "class": ref("BlockClass"),
    "bedrollBitcoin": nullable(ref("Carriage")),
}
_SEALED: Final[dict[str, Schema]] = {
    "originHeight": QUANTITY,
    "originHash": ref("BitcoinHash"),
    "automatic": BOOL,
}
_BODY: Final[dict[str, Schema]] = {
    "size": QUANTITY,
    "uncles": array(HASH, 0),
    "withdrawals": array({"type": "object"}, 0),
}
_TRANSACTIONS: Final = choice(array(HASH), array(ref("Transaction")))

_TRANSACTION: Final = fields(
    {
        **dict.fromkeys(("type", "nonce", "gas", "value", "gasPrice", "v", "r", "s"), QUANTITY),
        "hash": HASH,
        "from": ADDRESS,
        "to": nullable(ADDRESS),
        "input": DATA,
        "blockHash": nullable(HASH),
        "blockNumber": nullable(QUANTITY),
        "transactionIndex": nullable(QUANTITY),
    },
    {
        **dict.fromkeys(("chainId", "yParity", "maxFeePerGas", "maxPriorityFeePerGas"), QUANTITY),
        "blockTimestamp": nullable(QUANTITY),
        "accessList": _ACCESS_LIST,
        "authorizationList": _GRANTS,
        "forcedId": HASH,
        "signatureMissing": BOOL,
    },
)
_LOG: Final = fields(
    {
        "address": ADDRESS,
        "topics": array(HASH, 4),
        "data": DATA,
        **dict.fromkeys(("blockNumber", "blockTimestamp", "transactionIndex", "logIndex"), QUANTITY),
        "blockHash": HASH,
        "transactionHash": HASH,
        "removed": BOOL,
    }
)
_RECEIPT_FIELDS: Final[dict[str, Schema]] = {
    **dict.fromkeys(("transactionHash", "blockHash"), HASH),
    **dict.fromkeys(("transactionIndex", "blockNumber", "type", "status", "gasUsed", "evmGasUsed"), QUANTITY),
    **dict.fromkeys(("dataGasUsed", "cumulativeGasUsed", "effectiveGasPrice"), QUANTITY),
    "from": ADDRESS,
    "to": nullable(ADDRESS),
    "contractAddress": nullable(ADDRESS),
    "class": ref("BlockClass"),
    "bedrollBitcoin": nullable(ref("Carriage")),
}
_LOGS: Final[dict[str, Schema]] = {"logs": array(ref("Log")), "logsBloom": ref("Bloom")}
_NO_LOGS: Final[dict[str, Schema]] = {"logs": {"type": "null"}, "logsBloom": {"type": "null"}}
_WITHDRAWAL: Final = fields(
    {**dict.fromkeys(("index", "validatorIndex", "amount"), ref("Quantity64")), "address": ADDRESS}
)
_PAYLOAD: Final = fields(
    {
        **dict.fromkeys(("parentHash", "stateRoot", "receiptsRoot", "prevRandao", "blockHash"), HASH),
        **dict.fromkeys(("blockNumber", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"), QUANTITY),
        **dict.fromkeys(("blobGasUsed", "excessBlobGas"), QUANTITY),
        "feeRecipient": ADDRESS,
        "logsBloom": ref("Bloom"),
        "extraData": DATA,
        "transactions": array(DATA),
        "withdrawals": array(_WITHDRAWAL),
    }
)
_WAITING: Final = by_key("^[0-9]+$", ref("Transaction"))

_OBJECTS: Final[dict[str, Schema]] = {
    "AccessList": _ACCESS_LIST,
    "Call": _CALL,
    "BlockOverrides": _BLOCK_OVERRIDE,
    "Simulation": fields(
        {"blockStateCalls": array(ref("SimulatedBlock"), 256) | {"minItems": 1}},
        dict.fromkeys(("traceTransfers", "validation", "returnFullTransactions"), nullable(BOOL)),
        is_open=True,
    ),
    "SimulatedBlock": fields(
        {},
        {
            "blockOverrides": nullable(ref("BlockOverrides")),
            "stateOverrides": nullable(ref("StateOverrides")),
            "calls": nullable(array(ref("Call"))),
        },
    ),
    "SimulatedResult": fields(
        {**_HEADER, **_BODY, "transactions": _TRANSACTIONS, "calls": array(ref("SimulatedCall"))},
        about="A block that was simulated, with what each call did.",
    ),
    "SimulatedCall": fields(
        {
            "returnData": DATA,
            "logs": array(ref("Log")),
            **dict.fromkeys(("gasUsed", "maxUsedGas", "status"), QUANTITY),
        },
        {"error": fields({"code": {"type": "integer"}, "message": text()}, {"data": DATA})},
    ),
    "StateOverrides": by_key(ADDRESS_PATTERN, _OVERRIDE),
    "Carriage": _CARRIAGE,
    "Block": fields(
        {**_HEADER, **_OWN_BLOCK, **_BODY, "transactions": _TRANSACTIONS},
        _SEALED,
        about="A block; the one called pending has neither hash nor roots, origin nor `automatic`.",
    ),
    "Header": fields({**_HEADER, **_OWN_BLOCK, **_SEALED, **_BODY}, about="A block without its transactions."),
    "BlockSummary": fields(
        {**_HEADER, **_OWN_BLOCK, **_SEALED, **_BODY, "transactionCount": COUNT},
        {"transactions": array(ref("Transaction"))},
        about="A block without its bloom; a page of its transactions may stand in it.",
    ),
    "Transaction": _TRANSACTION,
    "Log": _LOG,
    "Receipt": fields({**_RECEIPT_FIELDS, **_LOGS}, {"forcedId": HASH}, about="gasUsed = evmGasUsed + dataGasUsed."),
    "BareReceipt": fields({**_RECEIPT_FIELDS, **_NO_LOGS}, {"forcedId": HASH}),
    "DatedReceipt": fields({**_RECEIPT_FIELDS, **_LOGS, "timestamp": COUNT}, {"forcedId": HASH}),
    "LogFilter": fields(
        {},
        {
            "fromBlock": HEIGHT,
            "toBlock": HEIGHT,
            "blockHash": HASH,
            "address": nullable(choice(ADDRESS, array(ADDRESS, 1_000))),
            "topics": nullable(array(nullable(choice(HASH, array(nullable(HASH), 1_000))), 4)),
        },
    ),
    "Rules": fields(
        {
            "activationTime": COUNT,
            "blobSchedule": fields(dict.fromkeys(("baseFeeUpdateFraction", "max", "target"), COUNT)),
            "chainId": QUANTITY,
            "forkId": text("^0x[0-9a-f]{8}$"),
            "precompiles": by_key("^[A-Z0-9_]+$", ADDRESS),
            "systemContracts": by_key("^[A-Z0-9_]+$", ADDRESS),
        },
        about="EIP-7910.",
    ),
    "PayloadAttributes": fields(
        {"timestamp": ref("Quantity64"), "prevRandao": HASH, "suggestedFeeRecipient": ADDRESS},
        {"withdrawals": nullable(array(_WITHDRAWAL, WITHDRAWALS_MAX)), "parentBeaconBlockRoot": nullable(HASH)},
        about="Of the engine API, version 1 to 3. What Bedroll's rules decide is zero, or as they have it.",
    ),
    "BuiltBlock": fields(
        {
            "executionPayload": _PAYLOAD,
            "blockValue": QUANTITY,
            "blobsBundle": fields(dict.fromkeys(("commitments", "proofs", "blobs"), array(DATA, 0))),
            "executionRequests": array(DATA),
            "shouldOverrideBuilder": {"const": False},
        },
        about="A block that is not part of the chain; blockValue: all tips, wei.",
    ),
    "Waiting": _WAITING,
    "ObjectStatus": nullable(
        fields(
            {
                "id": HASH,
                "kind": text(),
                "state": text(),
                "reason": nullable(text()),
                "l1Height": nullable(COUNT),
                "txids": array(ref("BitcoinHash")),
                "firstBlock": nullable(QUANTITY),
                "lastBlock": nullable(QUANTITY),
            }
        )
    ),
}

COMPONENTS: Final[dict[str, Schema]] = {**_VALUES, **_OBJECTS, **TRACES}
"""All of them, by name."""
