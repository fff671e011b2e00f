"""All bodies that arrive in one turn of the loop, answered together: by the core where it can, else by the dispatcher.

Reads: bodies of strangers.  Gives: `Inbox`, `Asker`.
Never: answers a connection out of order, or lets one body's fault touch another.  Spec: docs/spec/api.md#server
"""

import asyncio
import logging
from collections import Counter, defaultdict
from typing import Final, Protocol

from .dispatch import Dispatcher, Intercept
from .envelope import JSON_NULL, encode_answer
from .error import Code, RpcError
from .guard import Guard
from .port import FastPath

LOG: Final = logging.getLogger(__name__)


class Asker(Protocol):
    """A connection that waits for the answer to one body; it hands in the next one afterwards.

    Attributes:
        client: Who asks, as the guard knows him: address, and key where one was shown.
    """

    client: str

    @property
    def intercept(self) -> Intercept | None:
        """Runs calls that only make sense on this connection; None: there are none."""
        ...

    def answered(self, answer: bytes) -> None:
        """Take the answer; empty where the body held notifications alone. Never waits."""
        ...


class Inbox:
    """Bodies of one server."""

    def __init__(self, dispatcher: Dispatcher, guard: Guard, fast: FastPath | None = None) -> None:
        self._dispatcher = dispatcher
        self._fast = fast
        self._guard = guard
        self._waiting: list[tuple[Asker, bytes]] = []
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._loop = asyncio.get_running_loop()

    def put(self, asker: Asker, body: bytes) -> None:
        """Take a body in; it is answered in this turn of the loop or later."""
        if not self._waiting:
            self._loop.call_soon(self._turn)
        self._waiting.append((asker, body))

    def _turn(self) -> None:
        waiting, self._waiting = self._waiting, []
        direct: list[tuple[Asker, bytes]] = []
        known: dict[str, tuple[RpcError | None, bool]] = {}
        for asker, body in waiting:
            client = asker.client
            if client not in known:
                is_direct = self._fast is not None and self._guard.is_direct(client)
                known[client] = self._guard.refuse(client, len(body)), is_direct
            error, is_direct = known[client]
            if error is not None:
                asker.answered(encode_answer(JSON_NULL, error))
            elif not is_direct:
                self._begin(asker, body)
            else:
                direct.append((asker, body))
        if self._fast is None or not direct:
            return
        answers = self._fast.answer([body for _, body in direct])
        charged: defaultdict[str, Counter[str]] = defaultdict(Counter)
        answered: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        for (asker, asked), answer in zip(direct, answers, strict=True):
            if answer is None:
                self._begin(asker, asked)
                continue
            body, good, bad = answer
            for method, count in good.items():
                charged[asker.client][method] += count
                answered[method] += count
            for method, count in bad.items():
                charged[asker.client][method] += count
                refused[method] += count
            asker.answered(body)
        for client, methods in charged.items():
            self._guard.charge(client, methods)
        self._dispatcher.note(answered, refused)

    def _begin(self, asker: Asker, body: bytes) -> None:
        task = self._loop.create_task(self._run(asker, body))
        self._tasks[id(asker)] = task
        task.add_done_callback(lambda _: self._tasks.pop(id(asker), None))

    def forget(self, asker: Asker) -> None:
        """The connection is gone: what runs for it ends, as far as it can, and is not answered."""
        self._waiting = [each for each in self._waiting if each[0] is not asker]
        task = self._tasks.get(id(asker))
        if task is not None:
            task.cancel()

    async def _run(self, asker: Asker, body: bytes) -> None:
        try:
            answer = await self._dispatcher.answer(body, asker.intercept, asker.client)
        except Exception:
            # The top of the service loop: the dispatcher answers for calls, this is for a fault of its own.
            LOG.exception("a body was not answered")
            answer = encode_answer(JSON_NULL, RpcError(Code.INTERNAL, "internal error"))
        asker.answered(answer or b"")
