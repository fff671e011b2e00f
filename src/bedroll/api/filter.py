"""Filters with an id: what clients without a WebSocket come back to ask for.

Reads: what the feed tells.  Gives: `Filters`, `Filter`.
Never: holds more filters or waiting answers than the limits say.  Spec: docs/spec/api-chain.md#filters
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from .error import Code, RpcError
from .limit import Limits
from .share import CLIENT, Shares

if TYPE_CHECKING:
    from .log_method import LogFilter
    from .news import Telling


@dataclass(slots=True)
class Filter:
    """What one filter waits for, and what has come.

    Attributes:
        kind: As of `eth_subscribe`: newHeads, logs or newPendingTransactions.
        wanted: Of `logs`.
        full: Of `newPendingTransactions`: whole transactions instead of hashes.
        client: Whose it is.
        asked: When the client last asked, seconds of the clock.
        came: Answers as JSON, oldest first.
        size_bytes: Of them.
    """

    kind: str
    wanted: "LogFilter | None"
    client: str
    asked: float
    full: bool = False
    came: list[msgspec.Raw] = field(default_factory=list)
    size_bytes: int = 0


class Filters:
    """All filters of a server. One that nobody asks for is forgotten; so is, where memory ends, the longest unasked."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin empty."""
        self._limits = limits
        self._clock = clock
        # The longest unasked first.
        self._by_id: OrderedDict[str, Filter] = OrderedDict()
        self._size_bytes = 0
        self._shares = Shares("filters", limits.filters, limits.filters_each)

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, kind: str, wanted: "LogFilter | None" = None, *, full: bool = False) -> str:
        """Begin to wait; the filter's id.

        Raises:
            RpcError: There are too many.
        """
        self._forget_unasked()
        client = CLIENT.get()
        self._shares.take(client)
        name = "0x" + secrets.token_hex(16)
        self._by_id[name] = Filter(kind, wanted, client, self._clock(), full)
        return name

    def find(self, name: str) -> Filter:
        """A filter that the client asks for now.

        Raises:
            RpcError: There is none of this id, or it was forgotten.
        """
        self._forget_unasked()
        found = self._by_id.get(name)
        if found is None:
            raise RpcError(Code.SERVER, "filter not found")
        found.asked = self._clock()
        self._by_id.move_to_end(name)
        return found

    def take(self, name: str) -> list[msgspec.Raw]:
        """What has come since the client last asked.

        Raises:
            RpcError: As `find`.
        """
        found = self.find(name)
        came, found.came = found.came, []
        self._size_bytes -= found.size_bytes
        found.size_bytes = 0
        return came

    def remove(self, name: str) -> bool:
        """Wait no longer; False if there is no such filter."""
        gone = self._by_id.pop(name, None)
        if gone is None:
            return False
        self._size_bytes -= gone.size_bytes
        self._shares.give_back(gone.client)
        return True

    def clear(self) -> None:
        """Forget all: events were lost, and a filter must not hide that."""
        for name in list(self._by_id):
            self.remove(name)

    def tell(self, kind: str, telling: "Telling") -> None:
        """Keep what came for each filter of a kind."""
        for name in self.names_of(kind):
            self.keep(name, telling)

    def names_of(self, kind: str) -> list[str]:
        """Filters of a kind that somebody asked for not too long ago."""
        self._forget_unasked()
        return [name for name, waiting in self._by_id.items() if waiting.kind == kind]

    def keep(self, name: str, telling: "Telling") -> str:
        """Keep what came for a filter, if there still is one of this id; whose it is."""
        waiting = self._by_id.get(name)
        if waiting is None:
            return ""
        came = [msgspec.Raw(payload) for payload in telling(waiting.wanted, waiting.full)]
        size_bytes = sum(len(bytes(one)) for one in came)
        waiting.came += came
        waiting.size_bytes += size_bytes
        self._size_bytes += size_bytes
        while self._size_bytes > self._limits.filter_bytes:
            self.remove(next(iter(self._by_id)))
        return waiting.client

    def _forget_unasked(self) -> None:
        oldest = self._clock() - self._limits.filter_seconds
        while self._by_id:
            name = next(iter(self._by_id))
            if self._by_id[name].asked >= oldest:
                return
            self.remove(name)
