"""The node's events, read once and told to everybody who listens.

Reads: events of the node.  Gives: `Feed`.
Never: waits for a slow reader, keeps the loop for long, or listens at nobody's cost.
Spec: docs/spec/api-chain.md#subscriptions
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Final

import msgspec

from bedroll.execution.engine import Block, Transaction
from bedroll.primitives import Unavailable

from .news import Telling, hash_news, head_news, log_news, pending_news
from .node_method import show_syncing
from .port import BlockAdded, BlockRemoved, ChainEvent, SyncChanged, TransactionsPending
from .record import record_of
from .service import Service
from .subscription import Subscriber, Subscription, encode_news

LOG: Final = logging.getLogger(__name__)
_SLICE_SECONDS: Final = 0.002
"""After so long others have the loop."""
_PUSHED_A_LOOK: Final = 64
"""Messages between two looks at the clock."""
_REMEMBERED_MAX: Final = 64
"""Different wishes whose answer is kept while one event is told."""


class Feed:
    """Reads the node's events once and tells every subscriber what it wants."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._by_id: dict[int, Subscriber] = {}
        self._task: asyncio.Task[None] | None = None
        self._begun = 0.0

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
                    self._begun = time.perf_counter()
                    await self._tell(event)
            except Unavailable as error:
                # Events were lost: whoever relied on them must connect anew and read what it missed.
                LOG.warning("events were lost", extra={"reason": str(error)})
                for subscriber in self.subscribers:
                    subscriber.drop()
                self._service.filters.clear()
            else:
                return

    async def _tell(self, event: ChainEvent) -> None:
        match event:
            case BlockAdded(block):
                await self._tell_block(block, removed=False)
            case BlockRemoved(block):
                await self._tell_block(block, removed=True)
            case TransactionsPending(transactions):
                await self._tell_pending(transactions)
            case SyncChanged():
                change = [msgspec.json.encode(_show_sync_change(self._service))]
                await self._tell_all("syncing", lambda _wanted, _full: change, lambda _wanted, _full: [])

    async def _tell_pending(self, transactions: Iterable[Transaction]) -> None:
        kind = "newPendingTransactions"
        wishes = (wish.kind for each in self.subscribers for wish in each.subscriptions.values())
        if kind not in wishes and not self._service.filters.names_of(kind):
            return
        for transaction in transactions:
            news = pending_news(transaction)
            await self._tell_all(kind, news, news)

    async def _tell_block(self, block: Block, *, removed: bool) -> None:
        filters = self._service.filters
        if not filters and not any(subscriber.subscriptions for subscriber in self.subscribers):
            return
        record = record_of(block)
        if not removed:
            self._service.records.keep(record)
            await self._tell_all("newHeads", head_news(record), hash_news(record.header.hash))
        logs = log_news(record, removed=removed)
        await self._tell_all("logs", logs, logs)

    async def _tell_all(self, kind: str, news: Telling, kept: Telling) -> None:
        """Tell subscribers the news, and filters what they keep of them."""
        told: dict[object, list[bytes]] = {}
        for subscriber in self.subscribers:
            wishes = [row for row in list(subscriber.subscriptions.items()) if row[1].kind == kind]
            if wishes:
                await self._tell_one(subscriber, wishes, news, told)
        guard, filters = self._service.guard, self._service.filters
        for name in filters.names_of(kind):
            start = time.perf_counter()
            client = filters.keep(name, kept)
            guard.spend(client, time.perf_counter() - start)
            await self._rest()

    async def _tell_one(
        self,
        subscriber: Subscriber,
        wishes: list[tuple[str, Subscription]],
        news: Telling,
        told: dict[object, list[bytes]],
    ) -> None:
        """Tell one connection; its client pays for the time, and is dropped once it owes all that can be owed."""
        guard = self._service.guard
        spent = 0.0
        pushed = 0
        for name, wish in wishes:
            start = time.perf_counter()
            key = (wish.wanted, wish.full)
            payloads = told.get(key)
            if payloads is None:
                payloads = news(wish.wanted, wish.full)
                if len(told) < _REMEMBERED_MAX:
                    told[key] = payloads
            for payload in payloads:
                subscriber.push(encode_news(name, payload))
                pushed += 1
                if pushed % _PUSHED_A_LOOK == 0:
                    spent += time.perf_counter() - start
                    await self._rest()
                    start = time.perf_counter()
            spent += time.perf_counter() - start
        guard.spend(subscriber.client, spent)
        if guard.refuse(subscriber.client, 0) is not None:
            LOG.warning("a subscriber wanted more than its budget", extra={"client": subscriber.client.split(" ")[0]})
            subscriber.drop()
        await self._rest()

    async def _rest(self) -> None:
        if time.perf_counter() - self._begun > _SLICE_SECONDS:
            await asyncio.sleep(0)
            self._begun = time.perf_counter()


def _show_sync_change(service: Service) -> object:
    status = show_syncing(service)
    return False if status is False else {"syncing": True, "status": status}
