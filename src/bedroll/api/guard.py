"""Whose calls are run: budgets for everybody, keys for methods that not everybody may call.

Reads: who asks, names of methods.  Gives: `Guard`, `Client`.
Never: sees what is asked.  Spec: docs/spec/api.md#budgets
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .budget import Budget
from .cost import UNIT_SECONDS, cost_of
from .error import Code, RpcError
from .key import ApiKeys
from .limit import Limits


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks.

    Attributes:
        name: What the budget is kept by: the key's name, else the address.
        has_key: Whether a key of the node was shown.
        has_wrong_key: Whether some other key was shown.
    """

    name: str
    has_key: bool = False
    has_wrong_key: bool = False


KEYED: Final = ("admin_",)
"""Methods that always need a key."""


class Guard:
    """Decides before a call runs, and is told afterwards what it took.

    A client is named by its address, and after a blank the value of its Authorization or X-API-Key header. Who has no
    address is in this process, and has no budget.
    """

    def __init__(self, budget: Budget, keys: ApiKeys, keyed: tuple[str, ...] = ()) -> None:
        """Begin with nobody.

        Args:
            budget: Of clients without a key; who has one is not limited.
            keys: The node's.
            keyed: Methods that need a key: names, or the beginnings of names (`debug_`).
        """
        self.budget = budget
        self.keys = keys
        self._names = frozenset(name for name in keyed if not name.endswith("_"))
        self._is_closed = not set(keyed) <= set(KEYED)
        self._families = tuple(name for name in keyed if name.endswith("_"))

    def needs_key(self, method: str) -> bool:
        """Whether a method may be called with a key alone."""
        return method in self._names or method.startswith(self._families)

    def is_direct(self, shown: str) -> bool:
        """Whether calls of this client may be run without asking for each: none that others may call needs a key."""
        client = self.client_of(shown)
        return not client.has_wrong_key and (client.has_key or not self._is_closed)

    def client_of(self, shown: str) -> Client:
        """Who asks, by address and key."""
        address, _, header = shown.partition(" ")
        if not header or header[:6].lower() == "basic ":
            # Basic authentication is a proxy's in front of us.
            return Client(address)
        key = header[7:].strip() if header[:7].lower() == "bearer " else header.strip()
        name = self.keys.name_of(key)
        if name is not None:
            return Client(f"key {name}", has_key=True)
        return Client(address, has_wrong_key=bool(self.keys))

    def refuse(self, shown: str, _size_bytes: int) -> RpcError | None:
        """Why a body of this client is not even looked at: it owes as much as can be owed."""
        client = self.client_of(shown)
        if client.has_key:
            return None
        wait_seconds = self.budget.wait(client.name)
        return None if not wait_seconds else self._over("this body", client, wait_seconds)

    def admit(self, shown: str, method: str) -> RpcError | None:
        """Why a call is not run; None: it is, and its cost is paid."""
        client = self.client_of(shown)
        if client.has_wrong_key:
            return RpcError(Code.UNAUTHORIZED, "this API key is not known here")
        if self.needs_key(method) and not client.has_key:
            text = f"{method} needs an API key: show it as `Authorization: Bearer …`"
            hint = "" if self.keys else "; this node has none, `bedroll key new` makes one"
            return RpcError(Code.UNAUTHORIZED, text + hint)
        if client.has_key or not client.name:
            self.budget.take(client.name, 0)
            return None
        cost = cost_of(method)
        wait_seconds = self.budget.take(client.name, cost)
        return None if not wait_seconds else self._over(f"{method}, which costs {cost} units,", client, wait_seconds)

    def charge(self, shown: str, methods: Mapping[str, int]) -> None:
        """These methods were run without asking before."""
        client = self.client_of(shown)
        if client.name and not client.has_key:
            self.budget.charge(client.name, sum(count * cost_of(method) for method, count in methods.items()))

    def spend(self, shown: str, seconds: float) -> None:
        """A call of this client took so much time on a thread of the engine."""
        client = self.client_of(shown)
        if client.name and not client.has_key:
            self.budget.charge(client.name, seconds / UNIT_SECONDS)

    def _over(self, what: str, client: Client, wait_seconds: float) -> RpcError:
        return RpcError(
            Code.LIMIT,
            f"budget exceeded: {client.name} has {self.budget.rate} units a second; "
            f"{what} can run in {wait_seconds:.2f} s",
            {"unitsPerSecond": self.budget.rate, "retryAfterSeconds": round(wait_seconds, 3)},
        )


def make_guard(limits: Limits, keys: ApiKeys, keyed: tuple[str, ...] = ()) -> Guard:
    """A guard with a server's limits; `keyed` methods need a key beside those that always do."""
    return Guard(Budget(limits.budget_units, limits.budget_burst_seconds), keys, (*KEYED, *keyed))
