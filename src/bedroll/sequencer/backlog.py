"""What the leader has made and Bitcoin does not hold yet, block by block.

Reads: sealed blocks, the safe head.  Gives: `Backlog`.  Never: reads the chain itself.
Spec: docs/spec/sequencer.md#backlog
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bedroll.execution.engine import Block
from bedroll.primitives import L2Height
from bedroll.protocol import Parameters

from .policy import Unposted


@dataclass(frozen=True, slots=True)
class Weighed:
    """One block's share.

    Attributes:
        size_bytes: RLP of its transactions.
        gas_limit: EVM gas limits of the leader's transactions, as a batch counts them.
        sealed_seconds: When it was sealed, by a monotonic clock.
    """

    height: L2Height
    hash: bytes
    size_bytes: int
    transactions: int
    gas_limit: int
    step: bool
    sealed_seconds: float


class Backlog:
    """Blocks above the safe head, oldest first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._blocks: deque[Weighed] = deque()

    def add(self, block: Block) -> None:
        """A block was sealed, or found at start."""
        count, raw_bytes, gas = block.own_weight()
        self._blocks.append(
            Weighed(
                L2Height(block.header.number),
                block.header.hash,
                raw_bytes + 4 * count + 16,
                count,
                gas,
                block.origin_step,
                self._clock(),
            )
        )

    def removed(self, fork: int) -> None:
        """Blocks above a height left the chain."""
        while self._blocks and self._blocks[-1].height > fork:
            self._blocks.pop()

    def settled(self, safe: int) -> None:
        """Blocks up to a height are derived from Bitcoin."""
        while self._blocks and self._blocks[0].height <= safe:
            self._blocks.popleft()

    def refill(self, blocks: Iterable[Block]) -> None:
        """Begin anew with the blocks above the safe head."""
        self._blocks.clear()
        for block in blocks:
            self.add(block)

    @property
    def size_bytes(self) -> int:
        """Of all blocks."""
        return sum(each.size_bytes for each in self._blocks)

    def unposted(self, above: int) -> Unposted:
        """What lies above a height, as the policy asks for it."""
        rest = [each for each in self._blocks if each.height > above]
        return Unposted(
            blocks=len(rest),
            transactions=sum(each.transactions for each in rest),
            size_bytes=sum(each.size_bytes for each in rest),
            oldest_seconds=self._clock() - rest[0].sealed_seconds if rest else 0.0,
            origins=sum(each.step for each in rest),
        )

    def batch_end(self, above: int, parameters: Parameters) -> L2Height | None:
        """Last block of a batch that begins above a height and keeps every limit; None if there is none."""
        size_max = min(parameters.object_size_max, parameters.expanded_size_max) * 9 // 10
        size_bytes = gas = blocks = 0
        end: L2Height | None = None
        for each in self._blocks:
            if each.height <= above:
                continue
            size_bytes, gas, blocks = size_bytes + each.size_bytes, gas + each.gas_limit, blocks + 1
            if blocks > parameters.batch_blocks_max or (
                blocks > 1 and (size_bytes > size_max or gas > parameters.batch_gas_limit)
            ):
                break
            end = each.height
        return end
