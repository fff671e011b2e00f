"""The one thread on which the chain is changed, and the one on which it is made durable.

Reads: calls from the event loop.  Gives: `EngineThread`.
Never: runs two calls at a time.  Spec: docs/spec/node.md#threads
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class EngineThread:
    """Runs calls one after another. A call that has begun runs to its end, even if whoever waits is cancelled."""

    def __init__(self, name: str = "bedroll-engine") -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call there, after those before it."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._pool, lambda: call(*args, **kwargs)))

    def close(self) -> None:
        """Wait for what runs."""
        self._pool.shutdown(wait=True)
