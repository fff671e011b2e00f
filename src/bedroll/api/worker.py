"""Threads for calls into the engine that take long: a few run, some wait, more are refused.

Reads: functions to run.  Gives: `Worker`, `SPENT`.
Never: lets one client's calls queue without bound.  Spec: docs/spec/api.md#limits
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Final, ParamSpec, TypeVar

from .error import Code, RpcError
from .limit import Limits

SPENT: Final[ContextVar[list[float]]] = ContextVar("SPENT")
"""Seconds on threads that the call at hand has taken; whoever wants to know sets a list."""
P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """Runs functions that release the interpreter lock."""

    def __init__(self, limits: Limits) -> None:
        self._threads = ThreadPoolExecutor(limits.heavy_running, thread_name_prefix="bedroll-api")
        self._places = limits.heavy_running + limits.heavy_waiting

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function` on a thread and wait for its result.

        Raises:
            RpcError: Too many calls wait already.
        """
        if self._places <= 0:
            raise RpcError(Code.LIMIT, "too many calls are running, try again later")
        self._places -= 1
        spent = SPENT.get([])

        def timed() -> T:
            start = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                spent.append(time.thread_time() - start)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, timed)
        finally:
            self._places += 1

    def close(self) -> None:
        """Wait for what runs; drop what waits."""
        self._threads.shutdown(wait=True, cancel_futures=True)
