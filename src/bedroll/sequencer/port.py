"""What the sequencer needs of the node around it.

Reads: nothing.  Gives: ports.  Never: knows the node.  Spec: docs/spec/sequencer.md#ports
"""

from collections.abc import Callable, Iterable
from typing import ParamSpec, Protocol, TypeVar

from bedroll.da import Batch
from bedroll.derivation.head import Head
from bedroll.derivation.port import OriginBlock
from bedroll.execution.engine import Block, Transaction
from bedroll.primitives import BlockHash, L1Height

P = ParamSpec("P")
T = TypeVar("T")


class EngineThread(Protocol):
    """The one thread on which the chain is changed: by the sequencer, and by derivation."""

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call there, after those before it."""
        ...


class L1View(Protocol):
    """L1 as derivation has read it. `origin` and `head_of_tip` are called on the engine thread."""

    @property
    def height(self) -> L1Height:
        """Newest L1 block that derivation has read."""
        ...

    @property
    def hash(self) -> BlockHash:
        """Its hash."""
        ...

    @property
    def silent_since(self) -> L1Height:
        """L1 height at which the last current batch was accepted (protocol.md 5.3)."""
        ...

    @property
    def pending_bodies(self) -> frozenset[bytes]:
        """Object ids of batches without signatures that no proof was accepted for yet."""
        ...

    @property
    def safe(self) -> Head:
        """Derived tip."""
        ...

    def origin(self, height: L1Height) -> OriginBlock:
        """An L1 block as an origin."""
        ...

    def head_of_tip(self) -> Head:
        """The engine's tip, with what the rules for its child need."""
        ...


class CycleCount(Protocol):
    """What proving a batch takes."""

    @property
    def limit(self) -> int:
        """Most cycles that one proof may cover."""
        ...

    async def of(self, batch: Batch) -> int:
        """Cycles of the proved program's run upon a batch of the engine's blocks.

        Raises:
            Invalid: It cannot be run: the state before it is not kept.
        """
        ...


class Announcer(Protocol):
    """Who is told of what the sequencer does; on the event loop."""

    def sealed(self, block: Block) -> None:
        """A block is the tip."""
        ...

    def durable(self) -> None:
        """All sealed blocks survive loss of power."""
        ...

    def pending(self, transactions: Iterable[Transaction]) -> None:
        """The mempool took these."""
        ...
