"""Waiting for a transaction's block: one reader of events for all who wait.

Reads: events of the node, the index of transactions.  Gives: `Inclusion`.
Never: reads events while nobody waits, or lets more wait than the limits say.
Spec: docs/spec/api-chain.md#send
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from bedroll.primitives import Hash32, Unavailable

from .limit import Limits
from .port import Backend, BlockAdded
from .share import CLIENT, Shares


class Inclusion:
    """All that wait for a receipt."""

    def __init__(self, backend: Backend, limits: Limits) -> None:
        """Begin with nobody."""
        self._backend = backend
        self._places = Shares("calls that wait for a receipt", limits.sync_waiting, limits.sync_waiting_each)
        self._waiting: dict[bytes, list[asyncio.Future[None]]] = {}
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._places)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have a place among those who wait.

        Raises:
            RpcError: Too many wait already.
        """
        client = CLIENT.get()
        self._places.take(client)
        try:
            yield
        finally:
            self._places.give_back(client)

    async def wait(self, transaction_hash: Hash32, seconds: float) -> bool:
        """Wait until a block includes a transaction; False if none did in time."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="bedroll-api-inclusion")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(transaction_hash, []).append(future)
        try:
            if self._backend.engine.find_transaction(transaction_hash) is None:
                async with asyncio.timeout(seconds):
                    await future
        except TimeoutError:
            # The event and the clock may race; what the chain says counts.
            return self._backend.engine.find_transaction(transaction_hash) is not None
        finally:
            self._leave(transaction_hash, future)
        return True

    def _leave(self, transaction_hash: bytes, future: asyncio.Future[None]) -> None:
        others = self._waiting.get(transaction_hash, [])
        if future in others:
            others.remove(future)
        if not others:
            self._waiting.pop(transaction_hash, None)
        if not self._waiting and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                async for event in self._backend.subscribe():
                    if isinstance(event, BlockAdded):
                        self._look()
            except Unavailable:
                # Events were lost; the index was not.
                self._look()
            else:
                return

    def _look(self) -> None:
        engine = self._backend.engine
        for transaction_hash, futures in self._waiting.items():
            if engine.find_transaction(transaction_hash) is not None:
                for future in futures:
                    if not future.done():
                        future.set_result(None)
