"""Otterscan's searches: the transactions in which an address appears, who made a contract, who used a nonce.

Reads: the engine's index of appearances.  Gives: `TABLE`.
Never: reads more than one page of transactions at a time.  Spec: docs/spec/api-trace.md#otterscan
"""

from typing import Final

from .block_tag import LATEST, view_at
from .method import MethodTable, required
from .ots_method import parse_count, parse_page_size, read_steps
from .quantity import parse_address, show_data
from .render import show_included, show_receipt
from .service import Service

TABLE: Final = MethodTable()

_ADDRESS: Final = required("address", parse_address)
_HEIGHT: Final = required("block number", parse_count)
_SIZE: Final = required("page size", parse_page_size)

Place = tuple[int, int]


@TABLE.method("ots_searchTransactionsBefore", _ADDRESS, _HEIGHT, _SIZE)
async def search_before(service: Service, address: bytes, height: int, size: int) -> object:
    """Transactions of blocks below a height (0: of all) in which an address appears, the newest first."""
    engine = service.backend.engine
    before = height or service.backend.heads().latest.height + 1
    rows, more = await service.worker.run(engine.appearances, address, before=before, limit=size)
    places = [(at, index) for at, index, _roles in rows]
    return await _page(service, places, is_first=height == 0, is_last=not more)


@TABLE.method("ots_searchTransactionsAfter", _ADDRESS, _HEIGHT, _SIZE)
async def search_after(service: Service, address: bytes, height: int, size: int) -> object:
    """Transactions of blocks above a height (0: of all) in which an address appears: the oldest, newest first."""
    engine = service.backend.engine
    after = height or None
    rows, more = await service.worker.run(engine.appearances, address, after=after, limit=size)
    places = [(at, index) for at, index, _roles in reversed(rows)]
    return await _page(service, places, is_first=not more, is_last=height == 0)


@TABLE.method("ots_getTransactionBySenderAndNonce", _ADDRESS, required("nonce", parse_count))
async def by_sender_and_nonce(service: Service, sender: bytes, nonce: int) -> object:
    """Hash of the transaction that an account sent with a nonce; null if there is none."""
    engine = service.backend.engine
    place = await service.worker.run(engine.transaction_by_nonce, sender, nonce)
    if place is None:
        return None
    found = await service.worker.run(engine.transaction, *place)
    return None if found is None else show_data(found[0].hash)


@TABLE.method("ots_getContractCreator", _ADDRESS)
async def contract_creator(service: Service, address: bytes) -> object:
    """Who made a contract, and the transaction that did; null for what is none, or was there from block 0."""
    engine = service.backend.engine
    place = await service.worker.run(engine.creation_of, address)
    if place is None or not view_at(service, LATEST).code(address):
        return None
    height, index, signer = place
    found = await service.worker.run(engine.transaction, height, index)
    if found is None:
        return None
    transaction_hash = found[0].hash
    if signer is not None:
        return {"hash": show_data(transaction_hash), "creator": show_data(signer)}
    made = show_data(address)
    makers = [
        step.action.from_
        for step in await read_steps(service, transaction_hash)
        if step.type == "create" and step.result is not None and step.result.address == made
    ]
    return {"hash": show_data(transaction_hash), "creator": makers[-1]} if makers else None


async def _page(service: Service, places: list[Place], *, is_first: bool, is_last: bool) -> object:
    transactions: list[object] = []
    receipts: list[object] = []
    for height, index in places:
        record = await service.records.at(height)
        if record is None or index >= len(record.transactions):
            # The chain was reorganised under the page; the next one is right again.
            continue
        transactions.append(show_included(record, index))
        shown = show_receipt(record, index, service.class_of(height), service.carriage_of(height))
        receipts.append(shown | {"timestamp": record.header.timestamp})
    return {"txs": transactions, "receipts": receipts, "firstPage": is_first, "lastPage": is_last}
