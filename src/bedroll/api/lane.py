"""Idle connections are lent to a thread of the core, which answers plain requests without the interpreter.

Reads: what the thread tells.  Gives: `Lanes`, `Lent`.
Never: reads a connection that is lent.  Spec: docs/spec/api.md#lane
"""

import asyncio
import os
from typing import Final, Protocol

from .inbox import Inbox
from .port import FastPath, Lane

AFTER: Final = 3
"""Requests in a row that the core answers before a connection is lent; twice as many after each that came back."""
AFTER_MAX: Final = 1 << 12
_WAKES_BYTES: Final = 64


class Lent(Protocol):
    """A connection that can be lent.

    Attributes:
        client: Who asks.
    """

    client: str

    def take_back(self, unread: bytes, unsent: bytes, *, is_declined: bool, is_idle: bool) -> None:
        """Go on where the lane has ended.

        Args:
            unread: What the client sent and nobody answered.
            unsent: What is left of an answer that the client did not take.
            is_declined: Whether the core looked at the first request of `unread` in vain.
            is_idle: Whether the connection has been silent for too long.
        """
        ...


class Lanes:
    """The lane of one server, and who is on it."""

    def __init__(self, fast: FastPath, inbox: Inbox, idle_seconds: float) -> None:
        """Start its thread."""
        self._fast = fast
        self._inbox = inbox
        self._loop = asyncio.get_running_loop()
        self._lent: dict[int, Lent] = {}
        self._next = 0
        self._is_gathering = False
        self._heard, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._lane: Lane = fast.open_lane(self._bell, idle_seconds)
        self._loop.add_reader(self._heard, self._hear)
        inbox.use_lane(self._lane)

    def lend(self, connection: Lent, descriptor: int) -> int:
        """Lend a connection that is silent, and is not read from now on; its number."""
        self._next += 1
        self._lent[self._next] = connection
        self._lane.take(self._next, descriptor, connection.client)
        return self._next

    def cut(self, number: int) -> None:
        """The connection is closed."""
        if self._lent.pop(number, None) is not None:
            self._lane.drop(number)

    def stop(self) -> None:
        """Take every connection back and end the thread."""
        self._loop.remove_reader(self._heard)
        self._lane.stop()
        self._collect()
        self._inbox.settle()
        self._fast.close_lane(self._lane)
        os.close(self._heard)
        os.close(self._bell)

    def _hear(self) -> None:
        # One byte or many: there is news.
        os.read(self._heard, _WAKES_BYTES)
        self._inbox.expect_settling()
        self._collect()

    def _collect(self) -> None:
        seconds = self._fast.gather_seconds
        returned, taken = self._lane.collect(gathers=seconds > 0)
        for number, unread, unsent, is_declined, is_idle in returned:
            connection = self._lent.pop(number, None)
            if connection is not None:
                connection.take_back(unread, unsent, is_declined=is_declined, is_idle=is_idle)
        if len(taken):
            self._fast.took(taken)
        if len(taken) and seconds and not self._is_gathering:
            self._is_gathering = True
            self._loop.call_later(seconds, self._gathered)

    def _gathered(self) -> None:
        self._is_gathering = False
        self._collect()
