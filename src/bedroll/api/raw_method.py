"""`debug_getRaw…`, `eth_getRaw…`: headers, blocks, receipts and transactions in their bytes.

Reads: the chain.  Gives: `TABLE`.
Never: answers with bytes that do not hash to what the chain says.  Spec: docs/spec/api-trace.md#raw
"""

from typing import Final

from bedroll.encoding.rlp import RlpItem, encode_integer, encode_rlp
from bedroll.execution.engine import Receipt, Transaction

from .block_tag import BlockRef, find_height, need_height, parse_block, parse_number
from .error import Code, RpcError
from .method import MethodTable, required
from .quantity import parse_hash, parse_quantity, show_data
from .record import BlockRecord
from .render_ethereum import encode_withdrawals
from .service import Service

TABLE: Final = MethodTable()

_BLOCK: Final = required("block", parse_block)
_INDEX: Final = required("index", parse_quantity)
_LONG_LIST: Final = 0xF7
_SHORT_LIST: Final = 0xC0
_SHORT_BYTES_MAX: Final = 55


@TABLE.method("debug_getRawHeader", _BLOCK)
async def raw_header(service: Service, ref: BlockRef) -> object:
    """RLP of a header."""
    return show_data((await _record(service, ref)).header.rlp)


@TABLE.method("debug_getRawBlock", _BLOCK)
async def raw_block(service: Service, ref: BlockRef) -> object:
    """RLP of a block: header, transactions, no uncles, no withdrawals."""
    record = await _record(service, ref)
    if any(one.is_attested for one in record.transactions):
        raise RpcError(Code.UNAVAILABLE, "signatures of this block are not known here: a proof attested them")
    transactions = [one.raw if one.raw[0] >= _SHORT_LIST else encode_rlp(one.raw) for one in record.transactions]
    empty = bytes([_SHORT_LIST])
    if record.ethereum is None:
        return show_data(_join(record.header.rlp, _join(*transactions), empty, empty))
    part = record.ethereum
    withdrawals = [] if part.withdrawals is None else [encode_withdrawals(part)]
    return show_data(_join(record.header.rlp, _join(*transactions), _join(*part.ommers), *withdrawals))


@TABLE.method("debug_getRawReceipts", _BLOCK)
async def raw_receipts(service: Service, ref: BlockRef) -> object:
    """Consensus encoding (EIP-2718) of each receipt of a block: the leaves of its receipts root."""
    record = await _record(service, ref)
    pairs = zip(record.transactions, record.receipts, strict=True)
    return [show_data(encode_receipt(transaction.kind, receipt)) for transaction, receipt in pairs]


@TABLE.method("eth_getRawTransactionByBlockNumberAndIndex", required("block number", parse_number), _INDEX)
async def raw_by_number(service: Service, ref: BlockRef, index: int) -> object:
    """EIP-2718 bytes of a transaction by its place; empty if there is none."""
    return await _raw_at(service, ref, index)


@TABLE.method("eth_getRawTransactionByBlockHashAndIndex", required("block hash", parse_hash), _INDEX)
async def raw_in_hash(service: Service, block_hash: bytes, index: int) -> object:
    """EIP-2718 bytes of a transaction by its place; empty if there is none."""
    return await _raw_at(service, BlockRef(hash=block_hash), index)


async def _raw_at(service: Service, ref: BlockRef, index: int) -> str:
    height = find_height(service, ref)
    record = None if height is None else await service.records.at(height)
    if record is None or index >= len(record.transactions):
        return "0x"
    return _show_raw(record.transactions[index])


def _show_raw(transaction: Transaction) -> str:
    """Empty where a proof attested a transaction whose signature is not known here."""
    return "0x" if transaction.is_attested else show_data(transaction.raw)


@TABLE.method("eth_getRawTransactionByHash", required("transaction hash", parse_hash))
async def raw_by_hash(service: Service, transaction_hash: bytes) -> object:
    """EIP-2718 bytes of a transaction, included or waiting; empty if there is none."""
    return await raw_transaction(service, transaction_hash)


@TABLE.method("debug_getRawTransaction", required("transaction hash", parse_hash))
async def raw_transaction(service: Service, transaction_hash: bytes) -> object:
    """EIP-2718 bytes of a transaction, included or waiting; empty if there is none."""
    found = await service.records.with_transaction(transaction_hash)
    if found is not None:
        record, index = found
        return _show_raw(record.transactions[index])
    waiting = service.backend.pool_transaction(parse_hash(show_data(transaction_hash)))
    return "0x" if waiting is None else show_data(waiting.raw)


def encode_receipt(kind: int, receipt: Receipt) -> bytes:
    """A receipt as the receipts root has it."""
    logs: list[RlpItem] = [[log.address, list(log.topics), log.data] for log in receipt.logs]
    fields: list[RlpItem] = [
        encode_integer(receipt.status) if receipt.post_state is None else receipt.post_state,
        encode_integer(receipt.cumulative_gas_used),
        receipt.logs_bloom,
        logs,
    ]
    return (bytes([kind]) if kind else b"") + encode_rlp(fields)


def _join(*encoded: bytes) -> bytes:
    """An RLP list of items that are encoded already."""
    body = b"".join(encoded)
    if len(body) <= _SHORT_BYTES_MAX:
        return bytes([_SHORT_LIST + len(body)]) + body
    length = encode_integer(len(body))
    return bytes([_LONG_LIST + len(length)]) + length + body


async def _record(service: Service, ref: BlockRef) -> BlockRecord:
    record = await service.records.at(need_height(service, ref))
    if record is None:
        raise RpcError(Code.SERVER, f"header not found: {ref}")
    return record
