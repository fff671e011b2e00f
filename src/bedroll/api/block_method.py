"""Methods that read blocks, transactions and receipts.

Reads: the chain.  Gives: `TABLE`.
Never: mixes blocks of two branches in one answer.  Spec: docs/spec/api.md#methods
"""

from collections.abc import Callable
from typing import Final

import msgspec

from bedroll.execution.engine import Transaction

from .block_tag import BlockRef, find_height, parse_block, parse_number
from .method import MethodTable, optional, required
from .quantity import parse_bool, parse_hash, parse_quantity, show_quantity
from .record import BlockRecord
from .render import show_block, show_included, show_open_block, show_receipt, show_transaction
from .render_ethereum import show_ommer
from .service import Service

TABLE: Final = MethodTable()

_ROWS_ON_LOOP_MAX: Final = 200
_BY_HASH: Final = required("block hash", parse_hash)
_BY_NUMBER: Final = required("block number", parse_number)
_INDEX: Final = required("index", parse_quantity)


@TABLE.method("eth_blockNumber")
async def block_number(service: Service) -> object:
    """Height of the newest block."""
    return show_quantity(service.backend.heads().latest.height)


@TABLE.method("eth_getBlockByNumber", _BY_NUMBER, optional("full transactions", parse_bool, False))
async def block_by_number(service: Service, ref: BlockRef, full: bool) -> object:
    """A block by height or tag; `pending` is what is known of the next one."""
    if ref.tag == "pending":
        return _open_block(service, full)
    return await _block(service, ref, full)


@TABLE.method("eth_getBlockByHash", _BY_HASH, optional("full transactions", parse_bool, False))
async def block_by_hash(service: Service, block_hash: bytes, full: bool) -> object:
    """A block of the chain by hash."""
    return await _block(service, BlockRef(hash=block_hash), full)


@TABLE.method("eth_getHeaderByNumber", _BY_NUMBER)
async def header_by_number(service: Service, ref: BlockRef) -> object:
    """A block without its transactions, by height or tag; null if the chain has none such."""
    record = await _record(service, ref)
    return None if record is None else show_head(service, record)


@TABLE.method("eth_getHeaderByHash", _BY_HASH)
async def header_by_hash(service: Service, block_hash: bytes) -> object:
    """The same by hash."""
    record = await _record(service, BlockRef(hash=block_hash))
    return None if record is None else show_head(service, record)


@TABLE.method("eth_getBlockReceipts", required("block", parse_block))
async def block_receipts(service: Service, ref: BlockRef) -> object:
    """All receipts of a block."""
    record = await _record(service, ref)
    if record is None:
        return None
    height = record.header.number
    block_class, carriage = service.class_of(height), service.carriage_of(height)

    def show() -> object:
        return [show_receipt(record, index, block_class, carriage) for index in range(len(record.receipts))]

    return await _shown(service, record, show)


@TABLE.method("eth_getBlockTransactionCountByNumber", _BY_NUMBER)
async def count_by_number(service: Service, ref: BlockRef) -> object:
    """Transactions in a block."""
    record = await _record(service, ref)
    return None if record is None else show_quantity(len(record.transactions))


@TABLE.method("eth_getBlockTransactionCountByHash", _BY_HASH)
async def count_by_hash(service: Service, block_hash: bytes) -> object:
    """Transactions in a block."""
    record = await _record(service, BlockRef(hash=block_hash))
    return None if record is None else show_quantity(len(record.transactions))


@TABLE.method("eth_getTransactionByBlockNumberAndIndex", _BY_NUMBER, _INDEX)
async def transaction_by_number(service: Service, ref: BlockRef, index: int) -> object:
    """A transaction by its place."""
    return _at(await _record(service, ref), index)


@TABLE.method("eth_getTransactionByBlockHashAndIndex", _BY_HASH, _INDEX)
async def transaction_in_hash(service: Service, block_hash: bytes, index: int) -> object:
    """A transaction by its place."""
    return _at(await _record(service, BlockRef(hash=block_hash)), index)


@TABLE.method("eth_getUncleCountByBlockNumber", _BY_NUMBER)
async def uncle_count_by_number(service: Service, ref: BlockRef) -> object:
    """Uncles of a block: zero, but for old blocks of Ethereum's own chains."""
    return _ommer_count(await _record(service, ref))


@TABLE.method("eth_getUncleCountByBlockHash", _BY_HASH)
async def uncle_count_by_hash(service: Service, block_hash: bytes) -> object:
    """Uncles of a block: zero, but for old blocks of Ethereum's own chains."""
    return _ommer_count(await _record(service, BlockRef(hash=block_hash)))


@TABLE.method("eth_getUncleByBlockNumberAndIndex", _BY_NUMBER, _INDEX)
async def uncle_by_number(service: Service, ref: BlockRef, index: int) -> object:
    """An uncle by its place; only old blocks of Ethereum's own chains have some."""
    return _ommer_at(await _record(service, ref), index)


@TABLE.method("eth_getUncleByBlockHashAndIndex", _BY_HASH, _INDEX)
async def uncle_by_hash(service: Service, block_hash: bytes, index: int) -> object:
    """An uncle by its place; only old blocks of Ethereum's own chains have some."""
    return _ommer_at(await _record(service, BlockRef(hash=block_hash)), index)


def _ommers(record: BlockRecord) -> list[bytes]:
    return [] if record.ethereum is None else list(record.ethereum.ommers)


def _ommer_count(record: BlockRecord | None) -> object:
    return None if record is None else show_quantity(len(_ommers(record)))


def _ommer_at(record: BlockRecord | None, index: int) -> object:
    ommers = [] if record is None else _ommers(record)
    return show_ommer(ommers[index]) if index < len(ommers) else None


@TABLE.method("eth_getTransactionByHash", required("transaction hash", parse_hash))
async def transaction_by_hash(service: Service, transaction_hash: bytes) -> object:
    """A transaction of the chain, or one that waits."""
    found = await service.records.with_transaction(transaction_hash)
    if found is not None:
        return show_included(*found)
    waiting = service.backend.pool_transaction(parse_hash("0x" + transaction_hash.hex()))
    return None if waiting is None else show_transaction(waiting)


@TABLE.method("eth_getTransactionReceipt", required("transaction hash", parse_hash))
async def transaction_receipt(service: Service, transaction_hash: bytes) -> object:
    """What an included transaction did."""
    found = await service.records.with_transaction(transaction_hash)
    if found is None:
        return None
    record, index = found
    height = record.header.number
    return show_receipt(record, index, service.class_of(height), service.carriage_of(height))


def show_head(service: Service, record: BlockRecord) -> dict[str, object]:
    """A block without its transactions."""
    height = record.header.number
    shown = show_block(record, service.class_of(height), full=False, carriage=service.carriage_of(height))
    del shown["transactions"]
    return shown


async def _record(service: Service, ref: BlockRef) -> BlockRecord | None:
    height = find_height(service, ref)
    return None if height is None else await service.records.at(height)


async def _block(service: Service, ref: BlockRef, full: bool) -> object:
    record = await _record(service, ref)
    if record is None:
        return None
    height = record.header.number
    block_class, carriage = service.class_of(height), service.carriage_of(height)

    def show() -> object:
        return show_block(record, block_class, full=full, carriage=carriage)

    return await _shown(service, record, show) if full else show()


async def _shown(service: Service, record: BlockRecord, show: Callable[[], object]) -> object:
    """A block's rows, made on a thread where there are many: the loop has others to serve."""
    if len(record.transactions) <= _ROWS_ON_LOOP_MAX:
        return show()
    return msgspec.Raw(await service.worker.run(lambda: msgspec.json.encode(show())))


def _at(record: BlockRecord | None, index: int) -> object:
    if record is None or index >= len(record.transactions):
        return None
    return show_included(record, index)


def _open_block(service: Service, full: bool) -> object:
    engine, view = service.backend.engine, service.backend.pending_view()
    tip = engine.tip()
    waiting: list[Transaction] = []
    if service.backend.pool_status().pending <= service.limits.pending_shown:
        waiting = [one for pending, _queued in service.backend.pool_content().values() for one in pending]
    # Where none is open, the view is the tip's: the next one comes then or later, with the base fee that follows.
    timestamp, base_fee = view.time_and_base_fee()
    if view.height <= tip.number:
        base_fee = engine.next_base_fee()
    return show_open_block(tip, timestamp=timestamp, base_fee=base_fee, transactions=waiting, full=full)
