"""How much each client may ask for: units that come back with time.

Reads: a clock that is passed in.  Gives: `Budget`.
Never: remembers more clients than it may, or makes anybody wait longer than the burst lasts.
Spec: docs/spec/api.md#budgets
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

CLIENTS_MAX = 10_000


@dataclass(slots=True)
class Account:
    """One client's units.

    Attributes:
        units: Left as of `seen`; below zero: owed.
        seen: Seconds of the clock.
        calls: Made since it is remembered.
        refused: Of them.
    """

    units: float
    seen: float
    calls: int = 0
    refused: int = 0


class Budget:
    """The units of all clients."""

    def __init__(
        self, rate: int, burst_seconds: float, *, clock: Callable[[], float] = time.monotonic, most: int = CLIENTS_MAX
    ) -> None:
        """Begin with nobody.

        Args:
            rate: Units a second that come back; 0: no limit.
            burst_seconds: So many seconds' units can be saved up, and owed.
            clock: Seconds that only rise.
            most: Clients that are remembered; the longest unseen is forgotten for a new one.
        """
        self.rate = rate
        self._saved = rate * burst_seconds
        self._clock = clock
        self._most = most
        # The longest unseen first.
        self._accounts: OrderedDict[str, Account] = OrderedDict()

    def take(self, client: str, units: float) -> float:
        """Pay before a call runs.

        Returns:
            0.0 where it is paid; else in how many seconds it can be, and nothing is taken.
        """
        account = self._account(client)
        account.calls += 1
        if not self.rate:
            return 0.0
        # What costs more than can ever be saved is let through by a full account, and owed.
        needed = min(units, self._saved)
        if account.units < needed:
            account.refused += 1
            return (needed - account.units) / self.rate
        self._pay(account, units)
        return 0.0

    def charge(self, client: str, units: float) -> None:
        """Pay for what has been done, owing it where there is not enough."""
        self._pay(self._account(client), units)

    def wait(self, client: str) -> float:
        """In how many seconds a client who owes as much as can be owed is heard again; 0.0: now."""
        account = self._accounts.get(client)
        if account is None or not self.rate or account.units > -self._saved:
            return 0.0
        self._account(client)
        return max(0.0, -account.units / self.rate) if account.units < 0 else 0.0

    def accounts(self) -> dict[str, Account]:
        """All clients that are remembered, the longest unseen first."""
        return dict(self._accounts)

    def _pay(self, account: Account, units: float) -> None:
        account.units = max(-self._saved, account.units - units)

    def _account(self, client: str) -> Account:
        now = self._clock()
        found = self._accounts.get(client)
        if found is None:
            if len(self._accounts) >= self._most:
                self._accounts.popitem(last=False)
            found = self._accounts[client] = Account(self._saved, now)
            return found
        found.units = min(self._saved, found.units + (now - found.seen) * self.rate)
        found.seen = now
        self._accounts.move_to_end(client)
        return found
