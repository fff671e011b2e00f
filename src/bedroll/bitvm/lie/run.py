"""A run that is true up to a step and false from there on.

Reads: the true run.  Gives: `LyingRun`.  Never: contradicts itself: the same question has the same answer.
Spec: docs/spec/dispute.md#lies
"""

from bedroll.riscv import HASH_BYTES, Row

from ..game.chain import blake3_block, next_hash
from ..game.run import Run


class LyingRun:
    """True before `step`; there, `row`; after it, hashes of nothing."""

    def __init__(self, true: Run, step: int, row: Row | None = None, *, breaks_hash: bool = False) -> None:
        """Lie.

        Args:
            true: What happened.
            step: First false step.
            row: What the liar says happened in it; None: the truth.
            breaks_hash: Whether H after the step is no hash of that row either.
        """
        self._true, self._step, self._row = true, step, row
        self._breaks_hash = breaks_hash

    def hash_at(self, step: int) -> bytes | None:
        """H after a step."""
        if step < self._step:
            return self._true.hash_at(step)
        previous = self._true.hash_at(self._step - 1)
        if step == self._step and self._row is not None and not self._breaks_hash and previous is not None:
            return next_hash(previous, self._row)
        return blake3_block(b"lie" + step.to_bytes(4, "big"))[:HASH_BYTES]

    def row_at(self, step: int) -> Row | None:
        """Row of a step."""
        return self._row if step == self._step and self._row is not None else self._true.row_at(step)

    def last_write(self, address: int, before: int) -> tuple[int, int]:
        """As it happened."""
        return self._true.last_write(address, before)
