"""Queues what a node derives, range after range.

Reads: a node, through the port `Source`.  Gives: `Follower`, `Range`.
Never: skips a range, or asks for one that is queued already.  Spec: docs/spec/prover.md#following
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from bedroll.primitives import Unavailable

from .service import Prover

_WAIT_SECONDS: Final = 5.0
_LOG: Final = logging.getLogger("bedroll.prover")


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Derived blocks that one proof covers.

    Attributes:
        first, last: Heights of the blocks.
        kind: `batch` or `automatic`.
        given: Input of the proved program; None where a proof is on Bitcoin already.
        stated: Public values that the node came to with it.
        waits: Whether it is a batch that waits for its proof on Bitcoin.
    """

    first: int
    last: int
    kind: str
    given: bytes | None
    stated: bytes | None = None
    waits: bool = False


class Source(Protocol):
    """A node that is followed."""

    async def range_of(self, height: int) -> Range | None:
        """The range that holds a block; None while it is not derived.

        Raises:
            Unavailable: The node does not answer.
            Invalid: It does not keep the state before the range.
        """
        ...


class Follower:
    """Brings each new range to a prover's queue."""

    def __init__(
        self,
        source: Source,
        prover: Prover,
        first: int,
        *,
        wraps: bool = False,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Begin with the range that holds block `first`.

        Args:
            source: The node.
            prover: Takes the jobs.
            first: L2 height.
            wraps: Whether Bitcoin takes Groth16 alone, of batches that wait for their proof.
            wait: Passes the seconds between looks.
        """
        self._source = source
        self._prover = prover
        self.next = first
        self._wraps = wraps
        self._wait = wait

    async def step(self) -> bool:
        """Queue the next range; False where there is none yet."""
        found = await self._source.range_of(self.next)
        if found is None:
            return False
        if found.given is not None:
            title = f"{found.kind} {found.first} to {found.last}"
            self._prover.add(found.given, title, stated=found.stated, wraps=self._wraps and found.waits)
        self.next = found.last + 1
        return True

    async def run(self) -> None:
        """Follow until cancelled; a node that does not answer is asked again."""
        while True:
            try:
                more = await self.step()
            except Unavailable as error:
                _LOG.debug("the node does not answer", extra={"reason": str(error)})
                self._prover.remark(f"the node does not answer: {error}")
                more = False
            else:
                self._prover.remark("" if more else f"block {self.next} is in nothing that can be proved yet")
            if not more:
                await self._wait(_WAIT_SECONDS)
