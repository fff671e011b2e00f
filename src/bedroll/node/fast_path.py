"""The core's way from a JSON-RPC body to its answer, with what must happen in between: the mempool's log.

Reads: bodies of strangers.  Gives: `FastPath`.
Never: lets an answer to a transaction leave before the log has it.  Spec: docs/spec/node.md#fast-path
"""

from collections.abc import Callable, Sequence

from bedroll.api.port import Heads
from bedroll.execution.desk import Answered, Desk
from bedroll.sequencer.intake import Intake


class FastPath:
    """One node's."""

    def __init__(self, desk: Desk, heads: Callable[[], Heads], intake: Intake | None) -> None:
        """Tie the parts together; without an intake no transactions are taken."""
        self._desk = desk
        self._heads = heads
        self._intake = intake

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
