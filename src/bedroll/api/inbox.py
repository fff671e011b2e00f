"""All bodies that arrive in one turn of the loop, answered together: by the core where it can, else by the dispatcher.

Reads: bodies of strangers.  Gives: `Inbox`, `Asker`.
Never: answers a connection out of order, or lets one body's fault touch another.  Spec: docs/spec/api.md#server
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from .dispatch import Dispatcher, Intercept
from .envelope import JSON_NULL, encode_answer
from .error import RpcError
from .guard import Guard
from .port import Counted, FastPath, Lane

_CALL: Final = "eth_call"
_SETTLE_SECONDS: Final = 0.05
"""How long what the core answered is not yet charged."""
_TOLD_MAX: Final = 256
"""Bodies that are charged at the latest then."""


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

    def answered(self, answer: bytes, by_core: bool = False, /) -> None:
        """Take the answer; empty where the body held notifications alone. Never waits.

        Args:
            answer: JSON.
            by_core: Whether the core gave it.
        """
        ...


class Inbox:
    """Bodies of one server."""

    def __init__(self, dispatcher: Dispatcher, guard: Guard, fast: FastPath | None = None) -> None:
        self._dispatcher = dispatcher
        self._fast = fast
        self._guard = guard
        self._spent_seconds = 0.0
        self._waiting: list[tuple[Asker, bytes]] = []
        self._known: dict[str, tuple[RpcError | None, bool]] = {}
        self._told: list[tuple[str, Mapping[str, int], Mapping[str, int]]] = []
        self._tasks: dict[int, asyncio.Task[bytes | None]] = {}
        self._lane: Lane | None = None
        self._is_settling = False
        self._loop = asyncio.get_running_loop()

    def use_lane(self, lane: Lane) -> None:
        """A lane answers for some clients; what it does is charged and counted here."""
        self._lane = lane

    def put(self, asker: Asker, body: bytes, *, is_alone: bool = False, is_declined: bool = False) -> None:
        """Take a body in; it is answered in this turn of the loop or later, at once where nobody else is there.

        Args:
            asker: Whose it is.
            body: JSON.
            is_alone: Whether there is no other connection.
            is_declined: Whether the core has looked at it in vain.
        """
        if is_declined:
            error, _ = self._known.get(asker.client) or self._judge(asker.client)
            if error is None:
                self._begin(asker, body)
            else:
                asker.answered(encode_answer(JSON_NULL, error))
            return
        if is_alone and not self._waiting:
            self._waiting.append((asker, body))
            self._turn()
            return
        if not self._waiting:
            self._loop.call_soon(self._turn)
        self._waiting.append((asker, body))

    def _turn(self) -> None:
        waiting, self._waiting = self._waiting, []
        direct: list[tuple[Asker, bytes]] = []
        for asker, body in waiting:
            error, is_direct = self._known.get(asker.client) or self._judge(asker.client)
            if error is not None:
                asker.answered(encode_answer(JSON_NULL, error))
            elif is_direct:
                direct.append((asker, body))
            else:
                self._begin(asker, body)
        if self._fast is None or not direct:
            return
        start = time.perf_counter()
        answers = self._fast.answer([body for _, body in direct])
        self._spent_seconds += time.perf_counter() - start
        for (asker, asked), answer in zip(direct, answers, strict=True):
            if answer is None:
                self._begin(asker, asked)
            else:
                body, good, bad = answer
                self._told.append((asker.client, good, bad))
                asker.answered(body, True)
        if len(self._told) >= _TOLD_MAX:
            self.settle()

    def _judge(self, client: str) -> tuple[RpcError | None, bool]:
        """Whether a client's bodies are refused, and whether the core may answer them: true until the next settling."""
        self.expect_settling()
        is_direct = self._fast is not None and self._guard.is_direct(client)
        judged = self._known[client] = self._guard.refuse(client, 0), is_direct
        return judged

    def expect_settling(self) -> None:
        """Something was answered that is not charged yet."""
        if not self._is_settling:
            self._is_settling = True
            self._loop.call_later(_SETTLE_SECONDS, self.settle)

    def settle(self) -> None:
        """Charge and count what the core has answered; whose bodies are run is asked anew."""
        told, self._told = self._told, []
        self._is_settling = False
        self._known.clear()
        on_lane: Sequence[Counted] = ()
        if self._lane is not None:
            on_lane, spent_seconds = self._lane.count()
            self._spent_seconds += spent_seconds
            told += on_lane
        charged: defaultdict[str, Counter[str]] = defaultdict(Counter)
        answered: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        for client, good, bad in told:
            for methods, result in ((good, answered), (bad, refused)):
                for method, count in methods.items():
                    charged[client][method] += count
                    result[method] += count
        for client, methods in charged.items():
            self._guard.charge(client, methods)
        self._charge_time({client: methods[_CALL] for client, methods in charged.items()})
        self._dispatcher.note(answered, refused)
        for client, _, _ in on_lane:
            if self._lane is not None and self._guard.refuse(client, 0) is not None:
                self._lane.shut(client)

    def _charge_time(self, calls: Mapping[str, int]) -> None:
        """Who had calls run pays for the time: a call's price says nothing of what it does."""
        seconds, self._spent_seconds = self._spent_seconds, 0.0
        total = sum(calls.values())
        for client, count in calls.items():
            if count:
                self._guard.spend(client, seconds * count / total)

    def _begin(self, asker: Asker, body: bytes) -> None:
        task = self._loop.create_task(self._dispatcher.answer(body, asker.intercept, asker.client))
        self._tasks[id(asker)] = task
        task.add_done_callback(lambda _: self._ended(asker, task))

    def _ended(self, asker: Asker, task: asyncio.Task[bytes | None]) -> None:
        """Hand the answer over. The dispatcher answers for its calls; where it fails itself, the body is told so."""
        error = None if task.cancelled() else task.exception()
        if self._tasks.get(id(asker)) is not task:
            return
        del self._tasks[id(asker)]
        if error is not None:
            asker.answered(encode_answer(JSON_NULL, self._dispatcher.fault("body", error)))
        elif not task.cancelled():
            asker.answered(task.result() or b"")

    def forget(self, asker: Asker) -> None:
        """The connection is gone: what runs for it ends, as far as it can, and is not answered."""
        self._waiting = [each for each in self._waiting if each[0] is not asker]
        task = self._tasks.pop(id(asker), None)
        if task is not None:
            task.cancel()
