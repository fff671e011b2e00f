"""How many blocks one proof may cover: the longest batch whose counted cycles stay within a limit.

Reads: counts.  Gives: `longest_within`.  Never: counts itself.  Spec: docs/spec/sequencer.md#batcher
"""

from collections.abc import Awaitable, Callable
from typing import Final

CLOSE: Final = 0.9
"""A batch that takes this share of the limit is long enough: each count executes it once."""


async def longest_within(first: int, last: int, limit: int, count: Callable[[int], Awaitable[int]]) -> int | None:
    """Last block of the longest batch from `first` on, up to `last`, that stays within the limit.

    Args:
        first: First block.
        last: Last block that may be in it.
        limit: Cycles.
        count: Cycles of the batch that ends with a block.

    Returns:
        None where even the first block alone is beyond the limit.
    """
    fits, beyond = first - 1, last + 1
    fits_cycles = beyond_cycles = 0
    tried = last
    while True:
        cycles = await count(tried)
        if cycles <= limit:
            fits, fits_cycles = tried, cycles
        else:
            beyond, beyond_cycles = tried, cycles
        if beyond - fits <= 1 or fits_cycles >= CLOSE * limit:
            return fits if fits >= first else None
        share = (limit - fits_cycles) / max(beyond_cycles - fits_cycles, 1)
        tried = min(max(fits + int((beyond - fits) * share), fits + 1), beyond - 1)
