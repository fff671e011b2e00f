"""Jobs and tasks in a file that survives every crash.

Reads: rows.  Gives: `Queue`.  Never: forgets a finished task, or queues the same work twice.
Spec: docs/spec/prover.md#queue
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bedroll.storage import Database

from .job import NODE, Job, JobState, Task, TaskState, wrapping

_MIGRATIONS: Final = (
    """
    create table job (
        id text primary key, title text not null, state text not null, cycles integer not null default 0,
        "values" blob not null default x'', reason text not null default '', added integer not null,
        number integer not null
    );
    create table task (
        job text not null references job (id), name text not null, kind text not null, place integer not null,
        number integer not null, state text not null, seconds real not null default 0,
        peak_bytes integer not null default 0, primary key (job, name)
    );
    """,
    # Who plans again is answered at once from the job's folder: this is how older jobs learn what their nodes merge.
    """
    alter table task add column parts text not null default '';
    delete from task where job in (select id from job where state = 'planned');
    update job set state = 'waiting' where state = 'planned';
    """,
    "alter table job add column wraps integer not null default 0;",
)
_JOB: Final = 'id, title, state, cycles, "values", reason, added, wraps'
_TASK: Final = "name, kind, place, parts, state, seconds, peak_bytes"


class Queue:
    """The prover's durable memory."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            Unavailable: Another prover holds it.
        """
        self._database = Database.open(path, _MIGRATIONS)

    def add(self, job: Job) -> bool:
        """Queue a job behind all others; False where it is there already."""
        with self._database.transaction():
            if self._database.execute("select 1 from job where id = ?", (job.id,)):
                return False
            self._database.execute(
                "insert into job (id, title, state, added, wraps, number) "
                "values (?, ?, ?, ?, ?, (select coalesce(max(number), 0) + 1 from job))",
                (job.id, job.title, job.state, job.added, job.wraps),
            )
        return True

    def job(self, id: str) -> Job | None:
        """One job."""
        rows = self._database.execute(f"select {_JOB} from job where id = ?", (id,))
        return _job(rows[0]) if rows else None

    def jobs(self) -> list[Job]:
        """All of them, oldest first."""
        return [_job(row) for row in self._database.execute(f"select {_JOB} from job order by number")]

    def in_state(self, *states: JobState, count: int = -1, newest: bool = False) -> list[Job]:
        """Jobs in one of these states, oldest first: the oldest or newest so many, or all where `count` is below 0."""
        marks = ", ".join("?" * len(states))
        order = "desc" if newest else "asc"
        rows = self._database.execute(
            f"select {_JOB} from job where state in ({marks}) order by number {order} limit ?", (*states, count)
        )
        jobs = [_job(row) for row in rows]
        return jobs[::-1] if newest else jobs

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        return {
            str(state): count
            for state, count in self._database.execute("select state, count(*) from job group by state")
            if isinstance(count, int)
        }

    def planned(self, id: str, cycles: int, values: bytes, tasks: Iterable[Task]) -> None:
        """Write down what a plan found, whole or not at all."""
        with self._database.transaction():
            self._database.execute(
                'update job set state = ?, cycles = ?, "values" = ? where id = ?',
                (JobState.PLANNED, cycles, values, id),
            )
            self._add_tasks(id, tasks)

    def wrap(self, id: str) -> None:
        """A job's proof is to be made short too, however far the job is; what it has come to so far stays."""
        with self._database.transaction():
            self._database.execute("update job set wraps = 1 where id = ?", (id,))
            nodes = [task.name for task in self.tasks(id) if task.kind == NODE]
            if nodes:
                self._add_tasks(id, wrapping(nodes[-1]))
            self._database.execute(
                "update job set state = ? where id = ? and state in (?, ?)",
                (JobState.PLANNED, id, JobState.PROVED, JobState.HANDED),
            )

    def _add_tasks(self, id: str, tasks: Iterable[Task]) -> None:
        """Behind those that it has."""
        first = len(self.tasks(id))
        rows = [
            (id, task.name, task.kind, task.index, number, task.state, " ".join(task.parts))
            for number, task in enumerate(tasks, first)
        ]
        self._database.execute_many(
            "insert into task (job, name, kind, place, number, state, parts) values (?, ?, ?, ?, ?, ?, ?)", rows
        )

    def tasks(self, id: str) -> list[Task]:
        """Of a planned job, in the order of work."""
        rows = self._database.execute(f"select {_TASK} from task where job = ? order by number", (id,))
        return [_task(row) for row in rows]

    def done(self, id: str, name: str, seconds: float, peak_bytes: int) -> None:
        """A task's file is there."""
        self._database.execute(
            "update task set state = ?, seconds = ?, peak_bytes = ? where job = ? and name = ?",
            (TaskState.DONE, seconds, peak_bytes, id, name),
        )

    def move(self, id: str, state: JobState, reason: str = "") -> None:
        """A job has come further, or to an end."""
        self._database.execute("update job set state = ?, reason = ? where id = ?", (state, reason, id))

    def seconds_by_kind(self) -> dict[str, float]:
        """Mean time of the newest tasks of each kind."""
        rows = self._database.execute(
            "select kind, avg(seconds) from (select kind, seconds, row_number() over "
            "(partition by kind order by rowid desc) as age from task where state = ? and seconds > 1) "
            "where age <= 20 group by kind",
            (TaskState.DONE,),
        )
        return {str(kind): float(seconds) for kind, seconds in rows}

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def _job(row: tuple[object, ...]) -> Job:
    id, title, state, cycles, values, reason, added, wraps = row
    assert isinstance(cycles, int)
    assert isinstance(values, bytes)
    assert isinstance(added, int)
    return Job(
        id=str(id),
        title=str(title),
        state=JobState(str(state)),
        cycles=cycles,
        values=values,
        reason=str(reason),
        added=added,
        wraps=bool(wraps),
    )


def _task(row: tuple[object, ...]) -> Task:
    name, kind, place, parts, state, seconds, peak = row
    assert isinstance(place, int)
    assert isinstance(seconds, float)
    assert isinstance(peak, int)
    return Task(
        name=str(name),
        kind=str(kind),
        index=place,
        parts=tuple(str(parts).split()),
        state=TaskState(str(state)),
        seconds=seconds,
        peak_bytes=peak,
    )
