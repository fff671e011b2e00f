"""How long tasks take, from those that were done.

Reads: times by kind.  Gives: `Estimate`.  Never: claims more than a mean.  Spec: docs/spec/prover.md#progress
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from .job import Task, TaskState
from .tree import span

FIRST: Final = {"plan": 5.0, "core": 120.0, "memory": 120.0, "node": 60.0, "wrap": 1_600.0, "groth16": 280.0}
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

    def left(self, tasks: Iterable[Task], running: Mapping[str, float], workers: int) -> float:
        """Seconds until all of these are done.

        Args:
            tasks: Of one job.
            running: Seconds that tasks have run for, by name.
            workers: How many tasks can run at once.
        """
        work = {
            task.name: (max(self.of(task.kind) - running.get(task.name, 0.0), 0.0), task.parts)
            for task in tasks
            if task.state is not TaskState.DONE
        }
        return span(work, max(workers, 1), running.keys())
