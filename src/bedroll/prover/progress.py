"""The jobs that a person asks about first, as a status shows them.

Reads: the queue, what runs.  Gives: `shown_jobs`.  Never: changes a job.  Spec: docs/spec/prover.md#progress
"""

from collections.abc import Sequence
from typing import Final

from .estimate import Estimate
from .job import ENDED, OPEN, Job
from .queue import Queue
from .status import JobStatus, RunningStatus, TaskStatus

_OPEN_COUNT: Final = 12
_ENDED_COUNT: Final = 6


def shown_jobs(queue: Queue, running: Sequence[RunningStatus], able: int, now: float) -> tuple[JobStatus, ...]:
    """Jobs that ended last, then those that are worked at or next.

    Args:
        queue: All jobs.
        running: Tasks that are done now.
        able: Workers that have memory to work in.
        now: Unix seconds.
    """
    estimate = Estimate(queue.seconds_by_kind())
    jobs = queue.in_state(*ENDED, count=_ENDED_COUNT, newest=True) + queue.in_state(*OPEN, count=_OPEN_COUNT)
    ran = {(each.job, each.name): now - each.since for each in running}
    return tuple(_shown(queue, job, ran, estimate, able) for job in jobs)


def _shown(queue: Queue, job: Job, ran: dict[tuple[str, str], float], estimate: Estimate, able: int) -> JobStatus:
    tasks = queue.tasks(job.id)
    running = {name: seconds for (id, name), seconds in ran.items() if id == job.id}
    return JobStatus(
        id=job.id,
        title=job.title,
        state=job.state,
        added=job.added,
        cycles=job.cycles,
        reason=job.reason,
        left_seconds=estimate.left(tasks, running, able) if running and tasks else None,
        tasks=tuple(
            TaskStatus(
                name=task.name,
                kind=task.kind,
                state=task.state,
                seconds=task.seconds,
                peak_bytes=task.peak_bytes,
            )
            for task in tasks
        ),
    )
