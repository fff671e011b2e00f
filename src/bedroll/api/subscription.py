"""`eth_subscribe`: what a WebSocket connection is told without asking.

Reads: events of the node.  Gives: `Feed`, `Subscriber`.
Never: waits for a slow reader.  Spec: docs/spec/api.md#subscriptions
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bedroll.execution.engine import Block, Transaction
from bedroll.primitives import Unavailable

from .envelope import encode_notification
from .error import Code, RpcError, invalid_params
from .log_method import LogFilter, parse_filter
from .node_method import show_syncing
from .port import BlockAdded, BlockRemoved, ChainEvent, SyncChanged, TransactionPending
from .quantity import show_data
from .record import BlockRecord, record_of
from .render import L1_INFO, show_header, show_log, show_transaction
from .service import Service

LOG: Final = logging.getLogger(__name__)
KINDS: Final = ("newHeads", "logs", "newPendingTransactions", "syncing")


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one subscription wants.

    Attributes:
        wanted: Of `logs`.
        full: Of `newPendingTransactions`: whole transactions instead of hashes.
    """

    kind: str
    wanted: LogFilter | None = None
    full: bool = False


@dataclass(slots=True)
class Subscriber:
    """One connection's subscriptions. `push` takes a message and never waits; `drop` ends the connection."""

    push: Callable[[bytes], None]
    drop: Callable[[], None]
    limit: int
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    def subscribe(self, params: list[object]) -> str:
        """Add a subscription.

        Raises:
            RpcError: Unknown kind, bad parameters, or too many.
        """
        if not params or params[0] not in KINDS:
            shown = str(params[0])[:40] if params else ""
            raise invalid_params(f"no {shown!r} subscription, there are {', '.join(KINDS)}")
        if len(self.subscriptions) >= self.limit:
            raise RpcError(Code.LIMIT, f"too many subscriptions, at most {self.limit} a connection")
        kind, option = str(params[0]), params[1] if len(params) > 1 else None
        if kind == "logs":
            added = Subscription(kind, wanted=parse_filter({} if option is None else option))
        elif kind == "newPendingTransactions":
            added = Subscription(kind, full=option is True)
        else:
            added = Subscription(kind)
        name = "0x" + secrets.token_hex(16)
        self.subscriptions[name] = added
        return name

    def unsubscribe(self, params: list[object]) -> bool:
        """Take a subscription away; False if there is none of that name."""
        return bool(params) and self.subscriptions.pop(str(params[0]), None) is not None


class Feed:
    """Reads the node's events once and tells every subscriber what it wants."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._by_id: dict[int, Subscriber] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def subscribers(self) -> tuple[Subscriber, ...]:
        """All connections that are told."""
        return tuple(self._by_id.values())

    def add(self, subscriber: Subscriber) -> None:
        """Begin to tell a connection."""
        self._by_id[id(subscriber)] = subscriber

    def remove(self, subscriber: Subscriber) -> None:
        """Stop telling a connection."""
        self._by_id.pop(id(subscriber), None)

    def start(self) -> None:
        """Begin to read events."""
        self._task = asyncio.create_task(self._run(), name="bedroll-api-feed")

    async def stop(self) -> None:
        """Stop reading events."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            events = self._service.backend.subscribe()
            try:
                async for event in events:
                    self._tell(event)
            except Unavailable as error:
                # Events were lost: whoever relied on them must connect anew and read what it missed.
                LOG.warning("events were lost", extra={"reason": str(error)})
                for subscriber in self.subscribers:
                    subscriber.drop()
                self._service.filters.clear()
            else:
                return

    def _tell(self, event: ChainEvent) -> None:
        match event:
            case BlockAdded(block):
                self._tell_block(block, removed=False)
            case BlockRemoved(block):
                self._tell_block(block, removed=True)
            case TransactionPending(transaction):
                self._tell_pending(transaction)
            case SyncChanged():
                self._send("syncing", lambda _one: [_show_sync_change(self._service)])

    def _tell_block(self, block: Block, *, removed: bool) -> None:
        filters = self._service.filters
        if not filters and not any(subscriber.subscriptions for subscriber in self.subscribers):
            return
        record = record_of(block)
        if not removed:
            self._service.records.keep(record)
            head = show_header(record.header)
            self._send("newHeads", lambda _one: [head])
            filters.tell("newHeads", lambda _wanted: [show_data(record.header.hash)])
        self._send("logs", lambda one: _matching_logs(record, one.wanted, removed=removed))
        filters.tell("logs", lambda wanted: _matching_logs(record, wanted, removed=removed))

    def _tell_pending(self, transaction: Transaction) -> None:
        self._send(
            "newPendingTransactions",
            lambda one: [show_transaction(transaction) if one.full else show_data(transaction.hash)],
        )
        self._service.filters.tell("newPendingTransactions", lambda _wanted: [show_data(transaction.hash)])

    def _send(self, kind: str, results: Callable[[Subscription], list[object]]) -> None:
        for subscriber in self.subscribers:
            for name, subscription in list(subscriber.subscriptions.items()):
                if subscription.kind == kind:
                    for result in results(subscription):
                        subscriber.push(encode_notification(name, result))


def _matching_logs(record: BlockRecord, wanted: LogFilter | None, *, removed: bool) -> list[object]:
    found: list[object] = []
    for index, (transaction, receipt) in enumerate(zip(record.transactions, record.receipts, strict=True)):
        if transaction.kind == L1_INFO or not receipt.logs:
            continue
        for position, log in enumerate(receipt.logs):
            if wanted is None or wanted.matches(log):
                place = record.log_start[index] + position
                found.append(show_log(record.header, index, transaction.hash, place, log, removed=removed))
    return found[::-1] if removed else found


def _show_sync_change(service: Service) -> object:
    status = show_syncing(service)
    return False if status is False else {"syncing": True, "status": status}
