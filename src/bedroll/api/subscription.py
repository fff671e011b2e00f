"""`eth_subscribe`: what a WebSocket connection is told without asking.

Reads: parameters of a stranger.  Gives: `Subscriber`, `encode_news`.
Never: holds more subscriptions than the limits say.  Spec: docs/spec/api-chain.md#subscriptions
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from .error import Code, RpcError, invalid_params
from .log_method import LogFilter, parse_filter

KINDS: Final = ("newHeads", "logs", "newPendingTransactions", "syncing")
_HEAD: Final = b'{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"'
_MIDDLE: Final = b'","result":'
_END: Final = b"}}"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one subscription wants.

    Attributes:
        wanted: Of `logs`.
        full: Of `newPendingTransactions`: whole transactions instead of hashes.
    """

    kind: str
    wanted: LogFilter | None = None
    full: bool = False


@dataclass(slots=True)
class Subscriber:
    """One connection's subscriptions.

    Attributes:
        push: Takes a message and never waits.
        drop: Ends the connection.
        limit: Of subscriptions.
        client: Who pays for what it is told.
    """

    push: Callable[[bytes], None]
    drop: Callable[[], None]
    limit: int
    client: str = ""
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    def subscribe(self, params: list[object]) -> str:
        """Add a subscription.

        Raises:
            RpcError: Unknown kind, bad parameters, or too many.
        """
        if not params or params[0] not in KINDS:
            shown = str(params[0])[:40] if params else ""
            raise invalid_params(f"no {shown!r} subscription, there are {', '.join(KINDS)}")
        if len(self.subscriptions) >= self.limit:
            raise RpcError(Code.LIMIT, f"too many subscriptions, at most {self.limit} a connection")
        kind, option = str(params[0]), params[1] if len(params) > 1 else None
        if kind == "logs":
            wanted = parse_filter({} if option is None else option)
            wanted.check_range()
            added = Subscription(kind, wanted=wanted)
        elif kind == "newPendingTransactions":
            added = Subscription(kind, full=option is True)
        else:
            added = Subscription(kind)
        name = "0x" + secrets.token_hex(16)
        self.subscriptions[name] = added
        return name

    def unsubscribe(self, params: list[object]) -> bool:
        """Take a subscription away; False if there is none of that name."""
        return bool(params) and self.subscriptions.pop(str(params[0]), None) is not None


def encode_news(subscription: str, payload: bytes) -> bytes:
    """One message of a subscription; its result is JSON already."""
    return b"%b%b%b%b%b" % (_HEAD, subscription.encode(), _MIDDLE, payload, _END)
