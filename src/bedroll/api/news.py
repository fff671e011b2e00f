"""What one event has to tell, as JSON that is made once however many listen.

Reads: blocks and transactions.  Gives: `Telling`, `head_news`, `log_news`, `pending_news`.
Never: encodes a thing twice, or before somebody wants it.  Spec: docs/spec/api-chain.md#subscriptions
"""

from collections.abc import Callable
from functools import cache

import msgspec

from bedroll.execution.engine import Log, Transaction

from .log_method import LogFilter
from .quantity import show_data
from .record import BlockRecord
from .render import L1_INFO, show_header, show_log, show_transaction

Telling = Callable[[LogFilter | None, bool], list[bytes]]
"""JSON of what a subscription is told, by the logs that it wants and whether it wants transactions whole."""


def head_news(record: BlockRecord) -> Telling:
    """A new head."""
    shown = cache(lambda: [msgspec.json.encode(show_header(record.header))])
    return lambda _wanted, _full: shown()


def hash_news(block_hash: bytes) -> Telling:
    """A hash, which is what filters keep of blocks and transactions."""
    shown = [msgspec.json.encode(show_data(block_hash))]
    return lambda _wanted, _full: shown


def pending_news(transaction: Transaction) -> Telling:
    """A transaction that waits: its hash, or the whole."""
    whole = cache(lambda: [msgspec.json.encode(show_transaction(transaction))])
    brief = hash_news(transaction.hash)
    return lambda wanted, full: whole() if full else brief(wanted, full)


def log_news(record: BlockRecord, *, removed: bool) -> Telling:
    """A block's logs: those that are wanted, in order; newest first where the block has left the chain."""
    rows: list[tuple[int, int, Log]] = [
        (index, record.log_start[index] + position, log)
        for index, (transaction, receipt) in enumerate(zip(record.transactions, record.receipts, strict=True))
        if transaction.kind != L1_INFO
        for position, log in enumerate(receipt.logs)
    ]
    emitters = {bytes(log.address) for _, _, log in rows}
    if removed:
        rows.reverse()
    encoded: list[bytes] = [b""] * len(rows)

    def show(number: int) -> bytes:
        if not encoded[number]:
            index, place, log = rows[number]
            transaction_hash = record.transactions[index].hash
            shown = show_log(record.header, index, transaction_hash, place, log, removed=removed)
            encoded[number] = msgspec.json.encode(shown)
        return encoded[number]

    def tell(wanted: LogFilter | None, _full: bool) -> list[bytes]:
        if wanted is not None and not wanted.covers(record.header.number):
            return []
        if wanted is not None and wanted.addresses and wanted.addresses.isdisjoint(emitters):
            return []
        return [show(number) for number, row in enumerate(rows) if wanted is None or wanted.matches(row[2])]

    return tell
