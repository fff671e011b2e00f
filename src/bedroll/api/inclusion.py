"""Waiting for a transaction's block: one reader of events for all who wait.

Reads: events of the node, the index of transactions.  Gives: `Inclusion`.
Never: reads events while nobody waits, or lets more wait than the limits say.
Spec: docs/spec/api.md#send
"""

import asyncio

from bedroll.primitives import Hash32, Unavailable

from .error import Code, RpcError
from .limit import Limits
from .port import Backend, BlockAdded


class Inclusion:
    """All that wait for a receipt."""

    def __init__(self, backend: Backend, limits: Limits) -> None:
        """Begin with nobody."""
        self._backend = backend
        self._limits = limits
        self._waiting: dict[bytes, list[asyncio.Future[None]]] = {}
        self._count = 0
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return self._count

    def need_place(self) -> None:
        """See that one more may wait.

        Raises:
            RpcError: Too many wait already.
        """
        if self._count >= self._limits.sync_waiting:
            raise RpcError(Code.LIMIT, f"too many calls wait for a receipt, at most {self._limits.sync_waiting}")

    async def wait(self, transaction_hash: Hash32, seconds: float) -> bool:
        """Wait until a block includes a transaction; False if none did in time."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="bedroll-api-inclusion")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(transaction_hash, []).append(future)
        self._count += 1
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
        self._count -= 1
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
