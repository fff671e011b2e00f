"""What every method works with: the node, threads, read blocks, limits, unlocked keys.

Reads: a running node.  Gives: `Service`.
Never: changes the chain but by handing in transactions.  Spec: docs/spec/api.md#port
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from bedroll import __version__
from bedroll.primitives import Address
from bedroll.sdk import Account

from .carriage import Carriages
from .filter import Filters
from .guard import Guard, make_guard
from .inclusion import Inclusion
from .key import ApiKeys
from .limit import Limits
from .port import Backend, Carriage
from .record import Records
from .worker import Worker

BlockClass = Literal["latest", "safe", "finalized"]
CLIENT_VERSION = f"bedroll/v{__version__}"


@dataclass(slots=True)
class Service:
    """One node as its methods see it.

    Attributes:
        backend: The node; `bedroll.api.port` says what it offers.
        accounts: Keys that the server signs with: a devnet's, empty everywhere else.
        faucet: Pays bitcoin to an address, on a devnet; the txid.
        keys: API keys of the node.
        keyed: Methods that need one beside those that always do: names, or beginnings of names (`debug_`).
        modules: Families of methods that are served; the dispatcher fills it in.
        document: The OpenRPC document of these methods; the dispatcher puts it here.
    """

    backend: Backend
    limits: Limits = field(default_factory=Limits)
    accounts: Mapping[Address, Account] = field(default_factory=dict)
    faucet: Callable[[str, int], Awaitable[bytes]] | None = None
    keys: ApiKeys = field(default_factory=ApiKeys)
    keyed: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    document: Callable[[], msgspec.Raw] = lambda: msgspec.Raw(b"{}")
    guard: Guard = field(init=False)
    worker: Worker = field(init=False)
    records: Records = field(init=False)
    filters: Filters = field(init=False)
    inclusion: Inclusion = field(init=False)
    carriages: Carriages = field(init=False)

    def __post_init__(self) -> None:
        """Make the threads, the cache of read blocks and the filters."""
        self.guard = make_guard(self.limits, self.keys, self.keyed)
        self.worker = Worker(self.limits)
        self.records = Records(self.backend.engine, self.worker)
        self.filters = Filters(self.limits)
        self.carriages = Carriages(self.backend)
        self.inclusion = Inclusion(self.backend, self.limits)

    def carriage_of(self, height: int) -> Carriage | None:
        """The transaction on Bitcoin that carries a block, once it is derived (or None)."""
        heads = self.backend.heads()
        if height > heads.safe.height:
            return None
        return self.carriages.of(height, (heads.safe, heads.finalized, self.backend.l1_status().tip_hash))

    def class_of(self, height: int) -> BlockClass:
        """The strongest class that a block of the chain has reached (protocol.md 4.1)."""
        heads = self.backend.heads()
        if height <= heads.finalized.height:
            return "finalized"
        return "safe" if height <= heads.safe.height else "latest"
