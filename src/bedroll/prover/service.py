"""The prover: takes jobs from its queue, gives their tasks to a crew, and hands over what is finished.

Reads: the queue, a crew.  Gives: `Prover`, `Finished`.
Never: begins more tasks than the crew takes, or loses what a finished task made.  Spec: docs/spec/prover.md
"""

import asyncio
import logging
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bedroll.primitives import Corrupt, Invalid, Misconfigured, Unavailable
from bedroll.storage.crash_point import crash_point
from bedroll.storage.durable_file import write_durably

from .contradiction import ProgramDiverged, check_statement
from .core import CoreLost
from .crew import Crew, Shortener
from .estimate import Estimate
from .executor import Ran
from .job import (
    ENDED,
    GROTH16,
    GROTH16_FILE,
    INPUT_FILE,
    NODE,
    PLAN,
    PROGRAM_FILE,
    STATED_FILE,
    WRAPPED_FILE,
    Job,
    JobState,
    Plan,
    Task,
    TaskState,
    given_name,
    job_id,
    wrapping,
)
from .progress import shown_jobs
from .queue import Queue
from .status import RunningStatus, Status, write_status

INPUT_BYTES_MAX: Final = 1 << 30
GIVEN_MAX: Final = 4_096
LOST_MAX: Final = 2
"""A task that ends its worker so often in one run of the prover is given up."""
ROOM_BYTES_MIN: Final = 64 << 20
"""Room on the disk below which a task that did not end well is not to blame: it makes some 15 MB."""
_LOOK_SECONDS: Final = 1.0
_LOG: Final = logging.getLogger("bedroll.prover")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A proof that holds: the worker has verified it.

    Attributes:
        job: Its job.
        proof: The compressed proof.
        values: Public values that it is for.
        groth16: The same proof in 356 bytes, of a job that wraps; else empty.
    """

    job: Job
    proof: bytes
    values: bytes
    groth16: bytes = b""

    @property
    def posted(self) -> bytes:
        """The form that its network takes."""
        return self.groth16 or self.proof


HandOver = Callable[[Finished], Awaitable[None]]
"""Takes a proof durably: posts it, or keeps it as a file. Called again for a proof if it raised."""


Execute = Callable[[Path, Path], Awaitable[Ran]]
"""Runs a program upon an input, both as files; raises `Invalid` where it ends without a statement."""


@dataclass(slots=True)
class _Begun:
    """A task that was given to the crew; `since` is set once somebody does it."""

    job: Job
    task: Task
    work: "asyncio.Task[dict[str, Any]] | None" = None
    worker: str = ""
    since: float | None = None


class Prover:
    """One prover in one folder: `queue.sqlite`, `jobs/<id>/`, `status.json`."""

    def __init__(
        self,
        folder: Path,
        crew: Crew,
        program: bytes,
        hand_over: HandOver,
        *,
        memory_bytes: int,
        cycles_max: int | None = None,
        execute: Execute | None = None,
        shortener: Shortener | None = None,
        on_change: Callable[[Status], None] = lambda _status: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the folder.

        Args:
            folder: Of this prover alone.
            crew: Does the tasks.
            program: ELF file that is proved.
            hand_over: Takes finished proofs.
            memory_bytes: For the status; workers keep to it.
            cycles_max: A longer run is not proved.
            execute: Runs the program before it is planned; without it the plan says how long it is and what it states.
            shortener: Makes Groth16 proofs of jobs that wrap.
            on_change: Told of every step, and once a second while a task runs.
            clock: Unix seconds.

        Raises:
            Unavailable: Another prover has the folder.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.queue = Queue(folder / "queue.sqlite")
        self._folder = folder
        self._crew = crew
        self._program = program
        self._hand_over = hand_over
        self._memory_bytes = memory_bytes
        self._cycles_max = cycles_max
        self._execute = execute
        self._shortener = shortener
        self._alarm = ""
        self._on_change = on_change
        self._clock = clock
        self._begun: dict[tuple[str, str], _Begun] = {}
        self._lost: dict[tuple[str, str], int] = {}
        self._wake = asyncio.Event()
        self._remarks: dict[str, str] = {}

    # --- jobs --------------------------------------------------------------------------------------

    def add(
        self,
        given: bytes,
        title: str,
        proofs: Sequence[bytes] = (),
        program: bytes | None = None,
        stated: bytes | None = None,
        wraps: bool = False,
    ) -> Job:
        """Queue an input; the same input again is the same job.

        Args:
            given: The input.
            title: For people.
            proofs: Compressed proofs that the run verifies, in the order in which its program asks for them.
            program: ELF file that is proved; without it the prover's own.
            stated: Public values that the node came to: the program must come to the same before anything is proved.
            wraps: Whether the proof is handed over as Groth16 too.

        Raises:
            Invalid: It is larger than anything that can be proved.
        """
        if len(given) > INPUT_BYTES_MAX:
            raise Invalid("input is too large", value=len(given), limit=INPUT_BYTES_MAX)
        if len(proofs) > GIVEN_MAX:
            raise Invalid("a run verifies too many proofs", value=len(proofs), limit=GIVEN_MAX)
        program = self._program if program is None else program
        job = Job(
            id=job_id(program, given, proofs),
            title=title,
            state=JobState.WAITING,
            added=int(self._clock()),
            wraps=wraps,
        )
        folder = self.folder_of(job)
        folder.mkdir(parents=True, exist_ok=True)
        if stated is not None and _read_stated(folder) != stated:
            write_durably(folder / STATED_FILE, stated)
        found = self.queue.job(job.id)
        if found is not None and wraps and not found.wraps:
            self.queue.wrap(job.id)
            self._wake.set()
        if found is not None:
            return self.queue.job(job.id) or found
        write_durably(folder / PROGRAM_FILE, program)
        write_durably(folder / INPUT_FILE, given)
        for place, proof in enumerate(proofs):
            write_durably(folder / given_name(place), proof)
        crash_point("prover.after_job_files")
        self.queue.add(job)
        self._wake.set()
        return job

    def reopen(self, job: Job) -> Job:
        """Take a job up again that ended: tried again if it failed, handed over again if it did not.

        What was finished is not done again.
        """
        if job.state is JobState.HANDED:
            self.queue.move(job.id, JobState.PROVED)
        elif job.state is JobState.FAILED:
            self.queue.move(job.id, JobState.PLANNED if self.queue.tasks(job.id) else JobState.WAITING)
            self._lost = {key: count for key, count in self._lost.items() if key[0] != job.id}
        self._wake.set()
        return self.queue.job(job.id) or job

    def folder_of(self, job: Job) -> Path:
        """Where a job's files lie."""
        return self._folder / "jobs" / job.id

    def remark(self, text: str, about: str = "") -> None:
        """Say for a person what this prover waits for; one remark about each matter."""
        if text != self._remarks.get(about, ""):
            self._remarks[about] = text
            self._tell()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            if not await self.step():
                self._tell()
                await self._crew.rest()
                await self._wake.wait()

    async def finish(self, job: Job) -> Job:
        """Work at one job alone until it is at its end."""
        while (now := self.queue.job(job.id)) is not None and now.state not in ENDED:
            await self._advance([now])
        return now if now is not None else job

    async def step(self) -> bool:
        """Begin what can be begun and wait until something ends; False where there is nothing to do."""
        # A proof that nobody took comes before new work. A job without a task to begin has one that was begun, so
        # that no more jobs than tasks have to be looked at.
        jobs = self.queue.in_state(JobState.PROVED, count=1)
        return await self._advance(
            jobs or self.queue.in_state(JobState.WAITING, JobState.PLANNED, count=self._crew.width)
        )

    async def _advance(self, jobs: list[Job]) -> bool:
        self._wake.clear()
        if any(job.state is JobState.PROVED for job in jobs):
            await self._give(jobs[0])
            self._tell()
            return True
        self._begin(jobs)
        if not self._begun:
            # The last task of a job was done before a kill, and the job is proved now.
            return bool(jobs)
        for begun in await self._ended():
            self._settle(begun)
        self._tell()
        return True

    async def close(self) -> None:
        """End what runs and let go of the folder."""
        works = [begun.work for begun in self._begun.values() if begun.work is not None]
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)
        self._begun.clear()
        await self._crew.close()
        self.queue.close()

    # --- work --------------------------------------------------------------------------------------

    def _begin(self, jobs: list[Job]) -> None:
        """Give the crew as many tasks as it takes, those of the first job first."""
        estimate = Estimate(self.queue.seconds_by_kind())
        for job in jobs:
            for task in self._ready(job, estimate):
                if len(self._begun) >= self._crew.width:
                    return
                begun = self._begun[job.id, task.name] = _Begun(job, task)
                begun.work = asyncio.create_task(self._work(begun))

    def _ready(self, job: Job, estimate: Estimate) -> list[Task]:
        """Tasks of a job that can be begun now: merges before shards, the longest first."""
        tasks = [Task(name=PLAN, kind=PLAN, index=0)] if job.state is JobState.WAITING else self.queue.tasks(job.id)
        done = {task.name for task in tasks if task.state is TaskState.DONE}
        if len(done) == len(tasks):
            self.queue.move(job.id, JobState.PROVED)
        ready = [
            task
            for task in tasks
            if task.name not in done and (job.id, task.name) not in self._begun and done.issuperset(task.parts)
        ]
        return sorted(ready, key=lambda task: (task.kind != NODE, -estimate.of(task.kind), task.index))

    async def _work(self, begun: _Begun) -> dict[str, Any]:
        def note(worker: str) -> None:
            begun.worker, begun.since = worker, self._clock()
            self._tell()

        folder = self.folder_of(begun.job)
        if begun.task.kind == GROTH16:
            return await self._shorten(folder, note)
        if begun.task.kind != PLAN:
            return await self._crew.work(folder, begun.task, note)
        await self._check_input(begun.job)
        answer = await self._crew.work(folder, begun.task, note)
        plan = Plan.of(answer["planned"])
        self._check_run(begun.job, Ran(plan.cycles, plan.values))
        return answer

    async def _shorten(self, folder: Path, note: Callable[[str], None]) -> dict[str, Any]:
        if self._shortener is None:
            raise Misconfigured(
                "a job waits for its Groth16 proof",
                option="prover.groth16_keys",
                value=None,
                allowed="the folder of the circuit's keys, as when the job was queued",
            )
        if all(each.task.kind == GROTH16 for each in self._begun.values()):
            # An idle worker has the memory that this takes.
            await self._crew.rest()
        return await self._shortener.work(folder, note)

    async def _check_input(self, job: Job) -> None:
        if self._execute is None:
            return
        folder = self.folder_of(job)
        try:
            ran = await self._execute(folder / PROGRAM_FILE, folder / INPUT_FILE)
        except Invalid as error:
            # Planning runs the program too, and with the proofs that it is given: it is planning that judges.
            _LOG.debug("the run does not end well", extra={"reason": str(error)})
        else:
            self._check_run(job, ran)

    def _check_run(self, job: Job, ran: Ran) -> None:
        self._check_stated(job, ran.values)
        if self._cycles_max is not None and ran.cycles > self._cycles_max:
            raise Invalid("the run is longer than one proof may cover", value=ran.cycles, limit=self._cycles_max)

    def _check_stated(self, job: Job, values: bytes) -> None:
        """A job that fails here stays as it is: a prover that is started again comes to it before all that follows."""
        try:
            check_statement(job.title, _read_stated(self.folder_of(job)), values)
        except ProgramDiverged as error:
            _LOG.error("program and node contradict each other: nothing more is proved", extra={"job": job.id})
            self._alarm = str(error)
            self._tell()
            raise

    async def _ended(self) -> list[_Begun]:
        """Wait until a task has ended, or a job was added; tell how it goes once a second."""
        works = {begun.work: begun for begun in self._begun.values() if begun.work is not None}
        woken = asyncio.create_task(self._wake.wait())
        try:
            ended: set[asyncio.Task[Any]] = set()
            while not ended:
                self._tell()
                ended, _ = await asyncio.wait(
                    {*works, woken}, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            woken.cancel()
        return [works[work] for work in ended if work in works]

    def _settle(self, begun: _Begun) -> None:
        """Write down what a task came to."""
        job, task = begun.job, begun.task
        del self._begun[job.id, task.name]
        assert begun.work is not None
        try:
            answer = begun.work.result()
        except CoreLost as error:
            self._check_room(error)
            self._note_loss(job, task, error)
        except Invalid as error:
            self._check_room(error)
            _LOG.warning("a job cannot be proved", extra={"job": job.id, "reason": str(error)})
            self.queue.move(job.id, JobState.FAILED, str(error))
        else:
            if task.kind == PLAN:
                self._planned(job, Plan.of(answer["planned"]))
            else:
                self._done(job, task, float(answer["seconds"]), int(answer["peak_bytes"]))

    def _planned(self, job: Job, plan: Plan) -> None:
        crash_point("prover.after_plan")
        tasks = plan.tasks()
        # It may have been asked for while this was planned.
        now = self.queue.job(job.id) or job
        tasks += wrapping(tasks[-1].name) if now.wraps else []
        self.queue.planned(job.id, plan.cycles, plan.values, tasks)
        _LOG.info("planned", extra={"job": job.id, "cycles": plan.cycles, "shards": ",".join(plan.shards)})

    def _done(self, job: Job, task: Task, seconds: float, peak_bytes: int) -> None:
        crash_point("prover.after_task")
        self.queue.done(job.id, task.name, seconds, peak_bytes)
        _LOG.info("task", extra={"job": job.id, "task": task.name, "seconds": round(seconds, 1)})

    def proof_of(self, job: Job) -> bytes:
        """The proof of a finished job.

        Raises:
            Corrupt: It is not there.
        """
        folder = self.folder_of(job)
        nodes = [task for task in self.queue.tasks(job.id) if task.kind == NODE]
        try:
            return (folder / f"{nodes[-1].name}.proof").read_bytes()
        except (OSError, IndexError) as error:
            raise Corrupt("a finished job has lost its proof", job=job.id, path=str(folder)) from error

    async def _give(self, job: Job) -> None:
        folder = self.folder_of(job)
        self._check_stated(job, job.values)
        groth16 = (folder / GROTH16_FILE).read_bytes() if job.wraps else b""
        await self._hand_over(Finished(job=job, proof=self.proof_of(job), values=job.values, groth16=groth16))
        crash_point("prover.after_hand_over")
        now = self.queue.job(job.id)
        if now is not None and now.wraps and not job.wraps:
            # Somebody has asked for its short form meanwhile.
            return
        self.queue.move(job.id, JobState.HANDED)
        # Only the proof is worth its place: the rest is ten megabytes a shard.
        (folder / WRAPPED_FILE).unlink(missing_ok=True)
        for trace in [*folder.glob("*.trace"), *folder.glob("*.calls"), *folder.glob("shard-*.proof")]:
            trace.unlink()

    def _check_room(self, cause: Exception) -> None:
        """Where the disk is full the job stays as it is, and goes on when the prover is started again.

        Raises:
            Unavailable: It is.
        """
        free_bytes = shutil.disk_usage(self._folder).free
        if free_bytes < ROOM_BYTES_MIN:
            raise Unavailable(
                "the disk has no room for what tasks make",
                path=str(self._folder),
                value=free_bytes,
                limit=ROOM_BYTES_MIN,
            ) from cause

    def _note_loss(self, job: Job, task: Task, error: CoreLost) -> None:
        key = (job.id, task.name)
        self._lost[key] = self._lost.get(key, 0) + 1
        _LOG.warning("a worker is lost", extra={"job": job.id, "task": task.name, "reason": str(error)})
        if self._lost[key] >= LOST_MAX:
            self.queue.move(job.id, JobState.FAILED, f"{task.name}: {error}")

    # --- progress ----------------------------------------------------------------------------------

    def _tell(self) -> None:
        status = self.status()
        write_status(self._folder, status)
        self._on_change(status)

    def status(self) -> Status:
        """What it does now, and the jobs that a person asks about first."""
        now = self._clock()
        running = [
            RunningStatus(job=each.job.id, name=each.task.name, worker=each.worker, since=each.since)
            for each in self._begun.values()
            if each.since is not None
        ]
        return Status(
            process=os.getpid(),
            written=now,
            memory_bytes=self._memory_bytes,
            resident_bytes=self._crew.resident_bytes,
            workers=self._crew.width,
            able=self._crew.able,
            remark="; ".join(filter(None, self._remarks.values())),
            alarm=self._alarm,
            running=tuple(running),
            jobs=shown_jobs(self.queue, running, self._crew.able, now),
            counts=self.queue.counts(),
        )


def _read_stated(folder: Path) -> bytes | None:
    """What the node states of a job's input, where it has said so."""
    file = folder / STATED_FILE
    return file.read_bytes() if file.exists() else None
