"""Events of the chain to whoever subscribes: one bounded queue a reader.

Reads: events from the node.  Gives: `Hub`.
Never: waits for a reader.  Spec: docs/spec/node.md#events
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from bedroll.api.port import SUBSCRIBER_LAG_MAX, ChainEvent
from bedroll.primitives import Unavailable


class _Reader:
    def __init__(self) -> None:
        self.events: deque[ChainEvent] = deque()
        self.wake = asyncio.Event()
        self.is_lost = False


class Hub:
    """All subscribers of one node."""

    def __init__(self, lag_max: int = SUBSCRIBER_LAG_MAX) -> None:
        self._lag_max = lag_max
        self._readers: set[_Reader] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._readers)

    def publish(self, event: ChainEvent) -> None:
        """Hand an event to everybody."""
        for reader in self._readers:
            if len(reader.events) >= self._lag_max:
                reader.is_lost = True
                reader.events.clear()
            if not reader.is_lost:
                reader.events.append(event)
            reader.wake.set()

    def close(self) -> None:
        """Every subscription ends after what it still has."""
        self._closed = True
        for reader in self._readers:
            reader.wake.set()

    def subscribe(self) -> AsyncIterator[ChainEvent]:
        """All events from this call on.

        Raises:
            Unavailable: While iterating: the reader lagged too much, and has to begin anew.
        """
        reader = _Reader()
        self._readers.add(reader)
        return self._events(reader)

    async def _events(self, reader: _Reader) -> AsyncIterator[ChainEvent]:
        try:
            while True:
                while reader.events:
                    yield reader.events.popleft()
                if reader.is_lost:
                    raise Unavailable("the subscriber is too slow", limit=self._lag_max)
                if self._closed:
                    return
                reader.wake.clear()
                await reader.wake.wait()
        finally:
            self._readers.discard(reader)
