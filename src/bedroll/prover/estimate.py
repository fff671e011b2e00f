"""How long tasks take, from those that were done.

Reads: times by kind.  Gives: `Estimate`.  Never: claims more than a mean.  Spec: docs/spec/prover.md#progress
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from .job import Task, TaskState

FIRST: Final = {"plan": 5.0, "core": 120.0, "memory": 120.0, "node": 60.0}
"""Seconds on two cores before anything was measured there: what a prototype took (docs/design/proving.md)."""
OTHER_SECONDS: Final = 100.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Means of a machine.

    Attributes:
        seconds: Measured, by kind.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)

    def of(self, kind: str) -> float:
        """Seconds that a task of a kind takes."""
        return self.seconds.get(kind, FIRST.get(kind, OTHER_SECONDS))

    def left(self, tasks: Iterable[Task], running_seconds: float = 0.0) -> float:
        """Seconds until all of these are done, the first of them having run for some already."""
        waiting = [self.of(task.kind) for task in tasks if task.state is not TaskState.DONE]
        if not waiting:
            return 0.0
        return max(waiting[0] - running_seconds, 0.0) + sum(waiting[1:])
