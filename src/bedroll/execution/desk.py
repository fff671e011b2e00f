"""The core's desk: bodies of JSON-RPC in, answers out, and one step of the open block.

Reads: bodies of strangers, the engine, the mempool.  Gives: `Desk`, `DeskOption`, `Step`.
Never: writes the mempool's log: who asks does that before an answer leaves.  Spec: docs/spec/execution.md#desk
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bedroll._core import _native
from bedroll._core._native import Lane, LogEnd, TransactionList

from .engine import Engine
from .fee import FeeRule
from .mempool import Mempool

__all__ = ["Answered", "Desk", "DeskOption", "Lane", "LogEnd", "Step", "TransactionList"]

Answered = tuple[bytes, dict[str, int], dict[str, int]]
"""An answer, with how often each method in it was answered, and how often refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskOption:
    """What does not change while a server runs.

    Attributes:
        client_version: What `web3_clientVersion` tells.
        body_bytes, batch_calls, response_bytes: Bounds of bodies; beyond them the dispatcher answers.
        call_gas: Of `eth_call`.
        left_out: Methods that are always the dispatcher's.
    """

    client_version: str
    body_bytes: int
    batch_calls: int
    response_bytes: int
    call_gas: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of the open block did.

    Attributes:
        transactions: Now in the block.
        batch_gas: Their gas limits, as a batch counts them.
        is_busy: Whether there was anything to do.
        is_full: Whether something executable does not fit any more.
        dropped: Hashes of what was refused for good, with the reason.
    """

    transactions: TransactionList
    batch_gas: int
    is_busy: bool
    is_full: bool
    dropped: list[tuple[bytes, str]]


class Desk:
    """One node's desk."""

    def __init__(self, engine: Engine, pool: Mempool | None) -> None:
        """Open it; without a pool no transactions are taken."""
        self._native = _native.Desk(engine, None if pool is None else pool.native)

    def serve(self, chain_id: int, option: DeskOption) -> None:
        """Say what is served: until then every body is others' to answer."""
        self._native.serve(
            chain_id=chain_id,
            client_version=option.client_version,
            body_bytes=option.body_bytes,
            batch_calls=option.batch_calls,
            response_bytes=option.response_bytes,
            call_gas=option.call_gas,
            left_out=list(option.left_out),
        )

    def refresh(self, fee: FeeRule) -> None:
        """The open block has changed."""
        self._native.refresh(*fee.numbers)

    def answer(
        self, bodies: Sequence[bytes], latest: int, safe: int, finalized: int, *, sends: bool
    ) -> tuple[list[Answered | None], TransactionList, list[int]]:
        """Answer bodies.

        Args:
            bodies: Of one turn of the loop.
            latest: Height that the node has announced.
            safe: Newest height derived from Bitcoin.
            finalized: The same at finality depth.
            sends: Whether transactions are taken now.

        Returns:
            An answer each (None: the dispatcher must), what the mempool took, and how many of these each body brought.
        """
        return self._native.answer(list(bodies), latest, safe, finalized, sends)

    def open_lane(self, log: LogEnd | None, bell: int, idle_seconds: float) -> Lane:
        """Start a thread that answers plain requests of connections that are lent to it.

        Args:
            log: Where it writes transactions that it takes; None: it takes none.
            bell: Descriptor that gets a byte when there is news.
            idle_seconds: How long a connection may be silent.
        """
        return Lane(self._native, log, bell, idle_seconds)

    def execute(self, fee: FeeRule, limit: int, batch_gas_left: int) -> Step:
        """Execute what is ready in the open block; the mempool knows of it then."""
        return Step(*self._native.execute(*fee.numbers, limit, batch_gas_left))
