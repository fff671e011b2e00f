"""Blocks, transactions, receipts and logs as Ethereum's JSON.

Reads: values of the core.  Gives: dictionaries ready for JSON.
Never: reads state or the chain.  Spec: docs/spec/api-chain.md#objects

Beside Ethereum's members stand Bedroll's: `class` (`latest`, `safe`, `finalized`), `bedrollBitcoin`, the block's
`originHeight` and `originHash`, and in receipts `evmGasUsed` and `dataGasUsed`, whose sum is `gasUsed`.
"""

from typing import Final

from bedroll.encoding.rlp import decode_rlp
from bedroll.execution.engine import Header, Log, Receipt, Transaction
from bedroll.protocol import TIP_VAULT

from .port import Carriage
from .quantity import show_data, show_quantity, show_reversed
from .record import BlockRecord
from .render_ethereum import BLOB, amend_block, amend_receipt, show_blobs
from .service import BlockClass

_EMPTY_OMMERS: Final = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
_EMPTY_TRIE: Final = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
_NO_REQUESTS: Final = "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_NO_ROOT: Final = show_data(bytes(32))
_NO_BLOOM: Final = "0x" + "00" * 256
L1_INFO: Final = 0x7E


def show_header(header: Header) -> dict[str, object]:
    """A header's members; what every block of Bedroll has alike is constant (protocol.md 4.2)."""
    return {
        "number": show_quantity(header.number),
        "hash": show_data(header.hash),
        "parentHash": show_data(header.parent_hash),
        "nonce": "0x0000000000000000",
        "sha3Uncles": _EMPTY_OMMERS,
        "logsBloom": show_data(header.logs_bloom),
        "transactionsRoot": show_data(header.transactions_root),
        "stateRoot": show_data(header.state_root),
        "receiptsRoot": show_data(header.receipts_root),
        "miner": show_data(TIP_VAULT),
        "difficulty": "0x0",
        "extraData": "0x",
        "gasLimit": show_quantity(header.gas_limit),
        "gasUsed": show_quantity(header.gas_used),
        "timestamp": show_quantity(header.timestamp),
        "baseFeePerGas": show_quantity(header.base_fee_per_gas),
        "mixHash": show_data(header.prev_randao),
        "withdrawalsRoot": _EMPTY_TRIE,
        "blobGasUsed": "0x0",
        "excessBlobGas": "0x0",
        "parentBeaconBlockRoot": show_data(header.origin_hash),
        "requestsHash": _NO_REQUESTS,
    }


def show_carriage(carriage: Carriage | None) -> dict[str, object] | None:
    """The transaction on Bitcoin that carries a block."""
    if carriage is None:
        return None
    return {
        "txid": show_reversed(carriage.txid),
        "height": show_quantity(carriage.l1_height),
        "batch": show_data(carriage.object_id),
    }


def show_block(
    record: BlockRecord, block_class: BlockClass, *, full: bool, carriage: Carriage | None = None
) -> dict[str, object]:
    """A block, with whole transactions or their hashes."""
    shown = show_header(record.header)
    if full:
        transactions: list[object] = [show_included(record, index) for index in range(len(record.transactions))]
    else:
        transactions = [show_data(transaction.hash) for transaction in record.transactions]
    shown.update(
        {
            "size": show_quantity(record.size + len(record.header.rlp)),
            "transactions": transactions,
            "uncles": [],
            "withdrawals": [],
            "class": block_class,
            "bedrollBitcoin": show_carriage(carriage),
            "originHeight": show_quantity(record.origin_height),
            "originHash": show_reversed(record.header.origin_hash),
            "automatic": record.automatic,
        }
    )
    if record.ethereum is not None:
        amend_block(shown, record.header, record.ethereum, record.size)
    return shown


def show_open_block(
    tip: Header, *, timestamp: int, base_fee: int, transactions: list[Transaction], full: bool
) -> dict[str, object]:
    """The block that follows the tip, as far as it is known: without what geth leaves out, and roots of zeroes."""
    shown = show_header(tip)
    shown.update(dict.fromkeys(("hash", "nonce", "miner")))
    # Clients take a block without a hash, but none without roots.
    shown.update(dict.fromkeys(("stateRoot", "receiptsRoot", "transactionsRoot"), _NO_ROOT))
    shown.update(
        {
            "number": show_quantity(tip.number + 1),
            "parentHash": show_data(tip.hash),
            "timestamp": show_quantity(timestamp),
            "baseFeePerGas": show_quantity(base_fee),
            "gasUsed": "0x0",
            "logsBloom": _NO_BLOOM,
            "size": "0x0",
            "transactions": [show_transaction(one) if full else show_data(one.hash) for one in transactions],
            "uncles": [],
            "withdrawals": [],
            "class": "latest",
            "bedrollBitcoin": None,
        }
    )
    return shown


def show_included(record: BlockRecord, index: int) -> dict[str, object]:
    """A transaction of a sealed block."""
    shown = show_transaction(record.transactions[index])
    price = record.receipts[index].effective_gas_price
    shown.update(
        {
            "blockHash": show_data(record.header.hash),
            "blockNumber": show_quantity(record.header.number),
            "blockTimestamp": show_quantity(record.header.timestamp),
            "transactionIndex": show_quantity(index),
            "gasPrice": show_quantity(price),
        }
    )
    if index in record.forced:
        shown["forcedId"] = show_data(record.forced[index])
    return shown


def show_transaction(transaction: Transaction) -> dict[str, object]:
    """A transaction that is in no block; `show_included` fills in where it is."""
    kind = transaction.kind
    shown: dict[str, object] = {
        "type": show_quantity(kind),
        "hash": show_data(transaction.hash),
        "from": show_data(transaction.sender),
        "to": None if transaction.to is None else show_data(transaction.to),
        "nonce": show_quantity(transaction.nonce),
        "gas": show_quantity(transaction.gas_limit),
        "value": show_quantity(transaction.value),
        "input": show_data(transaction.input),
        "gasPrice": show_quantity(transaction.max_fee_per_gas),
        "v": show_quantity(transaction.v),
        "r": show_quantity(transaction.r),
        "s": show_quantity(transaction.s),
        "blockHash": None,
        "blockNumber": None,
        "blockTimestamp": None,
        "transactionIndex": None,
    }
    if transaction.chain_id is not None:
        shown["chainId"] = show_quantity(transaction.chain_id)
    if kind in (1, 2, 3, 4):
        shown["yParity"] = show_quantity(transaction.v)
        shown["accessList"] = [
            {"address": show_data(address), "storageKeys": [show_data(key) for key in keys]}
            for address, keys in transaction.access_list
        ]
    if kind in (2, 3, 4):
        shown["maxFeePerGas"] = show_quantity(transaction.max_fee_per_gas)
        shown["maxPriorityFeePerGas"] = show_quantity(transaction.max_priority_fee_per_gas)
    if kind == BLOB:
        shown |= show_blobs(transaction)
    if kind == 4:
        attested = transaction.is_attested
        shown["authorizationList"] = _attested(transaction) if attested else _show_authorizations(transaction.raw)
    if transaction.is_attested:
        shown["signatureMissing"] = True
    return shown


def _attested(transaction: Transaction) -> list[dict[str, object]]:
    """The list of EIP-7702 where a proof attested it: who made each, without the signature."""
    return [
        {
            "chainId": show_quantity(chain_id),
            "address": show_data(address),
            "nonce": show_quantity(nonce),
            "authority": None if authority is None else show_data(authority),
            "yParity": "0x0",
            "r": "0x0",
            "s": "0x0",
        }
        for chain_id, address, nonce, authority in transaction.authorizations
    ]


def _show_authorizations(raw: bytes) -> list[dict[str, object]]:
    """The list of EIP-7702 with its signatures, which only the signed bytes hold (field 9 of type 4)."""
    fields = decode_rlp(raw[1:])
    rows = fields[9]
    return [
        {
            "chainId": show_quantity(int.from_bytes(row[0], "big")),
            "address": show_data(row[1]),
            "nonce": show_quantity(int.from_bytes(row[2], "big")),
            "yParity": show_quantity(int.from_bytes(row[3], "big")),
            "r": show_quantity(int.from_bytes(row[4], "big")),
            "s": show_quantity(int.from_bytes(row[5], "big")),
        }
        for row in rows
    ]


def show_receipt(
    record: BlockRecord, index: int, block_class: BlockClass, carriage: Carriage | None = None
) -> dict[str, object]:
    """What a transaction did. Its fee is `gasUsed` × `effectiveGasPrice` (protocol.md 6)."""
    transaction, receipt = record.transactions[index], record.receipts[index]
    logs = [
        show_log(record.header, index, transaction.hash, record.log_start[index] + position, log)
        for position, log in enumerate(receipt.logs)
    ]
    shown: dict[str, object] = {
        "transactionHash": show_data(transaction.hash),
        "transactionIndex": show_quantity(index),
        "blockHash": show_data(record.header.hash),
        "blockNumber": show_quantity(record.header.number),
        "from": show_data(transaction.sender),
        "to": None if transaction.to is None else show_data(transaction.to),
        "type": show_quantity(transaction.kind),
        "status": show_quantity(receipt.status),
        "gasUsed": show_quantity(total_gas(receipt)),
        "evmGasUsed": show_quantity(receipt.gas_used),
        "dataGasUsed": show_quantity(receipt.data_gas),
        "cumulativeGasUsed": show_quantity(receipt.cumulative_gas_used),
        "effectiveGasPrice": show_quantity(receipt.effective_gas_price),
        "contractAddress": None if receipt.contract is None else show_data(receipt.contract),
        "logs": logs,
        "logsBloom": show_data(receipt.logs_bloom),
        "class": block_class,
        "bedrollBitcoin": show_carriage(carriage),
    }
    if index in record.forced:
        shown["forcedId"] = show_data(record.forced[index])
    if record.ethereum is not None:
        amend_receipt(shown, transaction, receipt, record.ethereum)
    return shown


def total_gas(receipt: Receipt) -> int:
    """EVM gas and data gas: what the sender paid for."""
    return receipt.gas_used + receipt.data_gas


def show_log(
    header: Header, transaction_index: int, transaction_hash: bytes, log_index: int, log: Log, *, removed: bool = False
) -> dict[str, object]:
    """A log with its place; `removed` says that its block has left the chain."""
    return {
        "address": show_data(log.address),
        "topics": [show_data(topic) for topic in log.topics],
        "data": show_data(log.data),
        "blockNumber": show_quantity(header.number),
        "blockHash": show_data(header.hash),
        "blockTimestamp": show_quantity(header.timestamp),
        "transactionHash": show_data(transaction_hash),
        "transactionIndex": show_quantity(transaction_index),
        "logIndex": show_quantity(log_index),
        "removed": removed,
    }
