"""Threads for calls into the engine that take long: a few run, some wait, more are refused.

Reads: functions to run.  Gives: `Worker`, `SPENT`.
Never: lets one client's calls queue without bound, or before everybody else's.  Spec: docs/spec/api.md#shares
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Final, ParamSpec, TypeVar

from .limit import Limits
from .share import CLIENT, Turns

SPENT: Final[ContextVar[list[float]]] = ContextVar("SPENT")
"""Seconds on threads that the call at hand has taken; whoever wants to know sets a list."""
P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """Runs functions that release the interpreter lock; clients take turns."""

    def __init__(self, limits: Limits) -> None:
        self._threads = ThreadPoolExecutor(limits.heavy_running, thread_name_prefix="bedroll-api")
        self._turns = Turns(limits.heavy_running, limits.heavy_waiting, limits.heavy_waiting_each)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function` on a thread and wait for its result.

        Raises:
            RpcError: Too many calls wait already.
        """
        client, spent = CLIENT.get(), SPENT.get([])

        def timed() -> T:
            start = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                spent.append(time.thread_time() - start)

        await self._turns.enter(client)
        running = self._threads.submit(timed)
        try:
            return await asyncio.wrap_future(running)
        finally:
            if running.done():
                self._turns.leave(client)
            else:
                # Nobody waits for it any more, but it runs: its turn lasts until it ends.
                loop = asyncio.get_running_loop()
                running.add_done_callback(lambda _: loop.call_soon_threadsafe(self._turns.leave, client))

    def close(self) -> None:
        """Wait for what runs; drop what waits."""
        self._threads.shutdown(wait=True, cancel_futures=True)
