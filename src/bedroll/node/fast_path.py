"""The core's way from a JSON-RPC body to its answer, with what must happen in between: the mempool's log.

Reads: bodies of strangers.  Gives: `FastPath`.
Never: lets an answer to a transaction leave before the log has it.  Spec: docs/spec/node.md#fast-path
"""

from collections.abc import Callable, Sequence
from typing import Final

from bedroll.api.port import Heads
from bedroll.execution.desk import Answered, Desk, Lane, LogEnd, TransactionList
from bedroll.sequencer.intake import Intake

GATHER_SECONDS: Final = 0.005
"""How long what a lane takes is gathered before anybody is told of it."""


class FastPath:
    """One node's."""

    def __init__(self, desk: Desk, heads: Callable[[], Heads], intake: Intake | None) -> None:
        """Tie the parts together; without an intake no transactions are taken."""
        self._desk = desk
        self._heads = heads
        self._intake = intake
        self._lanes: list[Lane] = []

    @property
    def gather_seconds(self) -> float:
        """How long what a lane takes may wait to be told: blocks of their own do not wait."""
        return 0.0 if self._intake is None or self._intake.is_urgent else GATHER_SECONDS

    def open_lane(self, bell: int, idle_seconds: float) -> Lane:
        """Start a lane."""
        end = None if self._intake is None else self._intake.log_end
        lane = self._desk.open_lane(end if isinstance(end, LogEnd) else None, bell, idle_seconds)
        self._lanes.append(lane)
        self.announce()
        return lane

    def close_lane(self, lane: object) -> None:
        """It has ended."""
        self._lanes = [each for each in self._lanes if each is not lane]

    def took(self, taken: TransactionList) -> None:
        """A lane put these into the mempool and its log."""
        if self._intake is not None:
            self._intake.took(taken)

    def announce(self) -> None:
        """Heads have moved, or whether transactions are taken has changed."""
        heads, sends = self._heads(), self._intake is not None and not self._intake.throttled
        for lane in self._lanes:
            lane.announce(heads.latest.height, heads.safe.height, heads.finalized.height, sends)

    def answer(self, bodies: Sequence[bytes]) -> list[Answered | None]:
        """Answer bodies that came together; None: the dispatcher must."""
        heads, intake = self._heads(), self._intake
        answers, taken, brought = self._desk.answer(
            bodies,
            heads.latest.height,
            heads.safe.height,
            heads.finalized.height,
            sends=intake is not None and not intake.throttled,
        )
        if intake is not None and len(taken):
            try:
                intake.write_down(taken, taken.raws())
            except OSError:
                # The pool has let go of them: the dispatcher tries again, and says why it fails.
                return [None if count else answer for answer, count in zip(answers, brought, strict=True)]
        return answers
