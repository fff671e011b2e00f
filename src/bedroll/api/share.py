"""Fair shares of what there is little of: nobody's greed makes another wait for long.

Reads: nothing.  Gives: `CLIENT`, `Turns`, `Shares`, `Room`, `network_of`.
Never: lets one client have all places.  Spec: docs/spec/api.md#shares
"""

import asyncio
from collections import Counter, OrderedDict, deque
from contextvars import ContextVar
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Final

from .error import Code, RpcError

CLIENT: Final[ContextVar[str]] = ContextVar("CLIENT", default="")
"""Who asked for what runs now; empty: this process."""


@lru_cache(10_000)
def network_of(address: str) -> str:
    """Who has an address, as far as it tells: of IPv6 the network of 64 bits, whose addresses one client has all."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return address if parsed.is_loopback else str(IPv6Network((parsed, 64), strict=False))


class Shares:
    """Places of which a client may have a part, whoever else is there."""

    def __init__(self, what: str, total: int, each: int) -> None:
        """Begin with all places free.

        Args:
            what: Is said where there is none.
            total: Places.
            each: Of them, for one client.
        """
        self._what = what
        self._total = total
        self._each = each
        self._taken: Counter[str] = Counter()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def take(self, client: str) -> None:
        """Have a place.

        Raises:
            RpcError: There is none, or none for this client.
        """
        if self._count >= self._total:
            raise RpcError(Code.LIMIT, f"too many {self._what}, at most {self._total} on this server")
        if self._taken[client] >= self._each:
            raise RpcError(Code.LIMIT, f"too many {self._what}, at most {self._each} of one client")
        self._taken[client] += 1
        self._count += 1

    def give_back(self, client: str) -> None:
        """Have one place less."""
        self._count -= 1
        self._taken[client] -= 1
        if self._taken[client] <= 0:
            del self._taken[client]


class Room:
    """Bytes that all clients together may have lying here."""

    def __init__(self, size_bytes: int) -> None:
        self.left_bytes = size_bytes

    def take(self, size_bytes: int) -> bool:
        """Have so many; False if there are not so many left."""
        if size_bytes > self.left_bytes:
            return False
        self.left_bytes -= size_bytes
        return True

    def give_back(self, size_bytes: int) -> None:
        """Have so many less."""
        self.left_bytes += size_bytes


class Turns:
    """Who may run now. Clients that wait take turns, whatever each has waiting; one place is left for others."""

    def __init__(self, running: int, waiting: int, waiting_each: int) -> None:
        """Begin with nobody.

        Args:
            running: Places.
            waiting: Calls that may wait for one.
            waiting_each: Of them, of one client.
        """
        self._free = running
        self._running_each = max(1, running - 1)
        self._running: Counter[str] = Counter()
        self._places = Shares("calls that wait for the engine", waiting, waiting_each)
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def enter(self, client: str) -> None:
        """Wait for a turn.

        Raises:
            RpcError: Too many wait already.
        """
        if self._free and not self._queues.get(client) and self._may_run(client):
            self._begin(client)
            return
        self._places.take(client)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(client, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # The turn came together with the end of who waited for it.
                self.leave(client)
            raise
        finally:
            self._places.give_back(client)

    def leave(self, client: str) -> None:
        """The turn is over; the next one's begins."""
        self._free += 1
        self._running[client] -= 1
        if self._running[client] <= 0:
            del self._running[client]
        self._next()

    def _may_run(self, client: str) -> bool:
        return self._running[client] < self._running_each

    def _begin(self, client: str) -> None:
        self._free -= 1
        self._running[client] += 1

    def _next(self) -> None:
        for client in list(self._queues):
            if not self._free:
                return
            queue = self._queues[client]
            while queue and queue[0].done():
                queue.popleft()
            if not queue:
                del self._queues[client]
            elif self._may_run(client):
                self._begin(client)
                queue.popleft().set_result(None)
                # Its next turn comes after everybody else's.
                self._queues.move_to_end(client)
                if not queue:
                    del self._queues[client]
