"""The prover: takes jobs from its queue, one task at a time, and hands over what is finished.

Reads: the queue, the worker.  Gives: `Prover`, `Finished`.
Never: runs two tasks at once in one memory budget, or loses what a finished task made.  Spec: docs/spec/prover.md
"""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedroll.primitives import Corrupt, Invalid
from bedroll.storage.crash_point import crash_point
from bedroll.storage.record_log import sync_folder

from .core import Core, CoreLost
from .estimate import Estimate
from .job import PLAN, Job, JobState, Plan, Task, TaskState, job_id
from .queue import Queue
from .status import JobStatus, Status, TaskStatus, newest, write_status

INPUT_BYTES_MAX: Final = 1 << 30
LOST_MAX: Final = 2
"""A task that ends its worker so often in one run of the prover is given up."""
_LOOK_SECONDS: Final = 1.0
_PROGRAM: Final = "program.elf"
_INPUT: Final = "input.bin"
_LOG: Final = logging.getLogger("bedroll.prover")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A proof that holds: the worker has verified it.

    Attributes:
        job: Its job.
        proof: The compressed proof.
        values: Public values that it is for.
    """

    job: Job
    proof: bytes
    values: bytes


HandOver = Callable[[Finished], Awaitable[None]]
"""Takes a proof durably: posts it, or keeps it as a file. Called again for a proof if it raised."""


class Prover:
    """One prover in one folder: `queue.sqlite`, `jobs/<id>/`, `status.json`."""

    def __init__(
        self,
        folder: Path,
        core: Core,
        program: bytes,
        hand_over: HandOver,
        *,
        memory_bytes: int,
        on_change: Callable[[Status], None] = lambda _status: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the folder.

        Args:
            folder: Of this prover alone.
            core: The worker.
            program: ELF file that is proved.
            hand_over: Takes finished proofs.
            memory_bytes: For the status; the worker keeps to it.
            on_change: Told of every step, and once a second while a task runs.
            clock: Unix seconds.

        Raises:
            Unavailable: Another prover has the folder.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.queue = Queue(folder / "queue.sqlite")
        self._folder = folder
        self._core = core
        self._program = program
        self._hand_over = hand_over
        self._memory_bytes = memory_bytes
        self._on_change = on_change
        self._clock = clock
        self._lost: dict[tuple[str, str], int] = {}
        self._wake = asyncio.Event()

    # --- jobs --------------------------------------------------------------------------------------

    def add(self, given: bytes, title: str) -> Job:
        """Queue an input; the same input again is the same job.

        Raises:
            Invalid: It is larger than anything that can be proved.
        """
        if len(given) > INPUT_BYTES_MAX:
            raise Invalid("input is too large", value=len(given), limit=INPUT_BYTES_MAX)
        job = Job(id=job_id(self._program, given), title=title, state=JobState.WAITING, added=int(self._clock()))
        found = self.queue.job(job.id)
        if found is not None:
            return found
        folder = self.folder_of(job)
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / _PROGRAM, self._program)
        _write(folder / _INPUT, given)
        sync_folder(folder)
        crash_point("prover.after_job_files")
        self.queue.add(job)
        self._wake.set()
        return job

    def folder_of(self, job: Job) -> Path:
        """Where a job's files lie."""
        return self._folder / "jobs" / job.id

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            if not await self.step():
                self._wake.clear()
                self._tell()
                await self._core.close()
                await self._wake.wait()

    async def finish(self, job: Job) -> Job:
        """Work until one job is at its end."""
        while (now := self.queue.job(job.id)) is not None and now.state not in (JobState.HANDED, JobState.FAILED):
            await self.step()
        return now if now is not None else job

    async def step(self) -> bool:
        """Do the next piece of work; False where there is none."""
        job = self.queue.next()
        if job is None:
            return False
        try:
            if job.state is JobState.PROVED:
                await self._give(job)
            elif job.state is JobState.WAITING:
                await self._plan(job)
            else:
                await self._task(job)
        except CoreLost as error:
            self._note_loss(job, error)
        except Invalid as error:
            _LOG.warning("a job cannot be proved", extra={"job": job.id, "reason": str(error)})
            self.queue.move(job.id, JobState.FAILED, str(error))
        self._tell()
        return True

    async def close(self) -> None:
        """End the worker and let go of the folder."""
        await self._core.close()
        self.queue.close()

    # --- work --------------------------------------------------------------------------------------

    async def _plan(self, job: Job) -> None:
        async with self._telling(job, Task(name=PLAN, kind=PLAN, index=0)):
            answer = await self._core.ask({"do": "plan", "job": str(self.folder_of(job).resolve())})
        plan = Plan.of(answer["planned"])
        crash_point("prover.after_plan")
        self.queue.planned(job.id, plan.cycles, plan.values, plan.tasks())
        _LOG.info("planned", extra={"job": job.id, "cycles": plan.cycles, "shards": ",".join(plan.shards)})

    async def _task(self, job: Job) -> None:
        task = next((each for each in self.queue.tasks(job.id) if each.state is not TaskState.DONE), None)
        if task is None:
            self.queue.move(job.id, JobState.PROVED)
            return
        what = "node" if task.kind == "node" else "shard"
        async with self._telling(job, task):
            request = {"do": what, "job": str(self.folder_of(job).resolve()), "index": task.index}
            answer = await self._core.ask(request)
        crash_point("prover.after_task")
        self.queue.done(job.id, task.name, float(answer["seconds"]), int(answer["peak_bytes"]))
        _LOG.info("task", extra={"job": job.id, "task": task.name, "seconds": round(float(answer["seconds"]), 1)})

    async def _give(self, job: Job) -> None:
        folder = self.folder_of(job)
        nodes = [task for task in self.queue.tasks(job.id) if task.kind == "node"]
        try:
            proof = (folder / f"{nodes[-1].name}.proof").read_bytes()
        except (OSError, IndexError) as error:
            raise Corrupt("a finished job has lost its proof", job=job.id, path=str(folder)) from error
        await self._hand_over(Finished(job=job, proof=proof, values=job.values))
        crash_point("prover.after_hand_over")
        self.queue.move(job.id, JobState.HANDED)
        # Only the proof is worth its place: traces are some hundred megabytes.
        for trace in [*folder.glob("*.trace"), *folder.glob("*.calls"), *folder.glob("shard-*.proof")]:
            trace.unlink()

    def _note_loss(self, job: Job, error: CoreLost) -> None:
        key = (job.id, next((each.name for each in self.queue.tasks(job.id) if each.state is not TaskState.DONE), PLAN))
        self._lost[key] = self._lost.get(key, 0) + 1
        _LOG.warning("the worker is lost", extra={"job": job.id, "task": key[1], "reason": str(error)})
        if self._lost[key] >= LOST_MAX:
            self.queue.move(job.id, JobState.FAILED, f"{key[1]}: {error}")

    # --- progress ----------------------------------------------------------------------------------

    @asynccontextmanager
    async def _telling(self, job: Job, task: Task) -> AsyncIterator[None]:
        """Tell of a running task once a second."""
        since = self._clock()

        async def tell() -> None:
            while True:
                self._tell(job, task, since)
                await asyncio.sleep(_LOOK_SECONDS)

        telling = asyncio.create_task(tell())
        try:
            yield
        finally:
            telling.cancel()

    def _tell(self, job: Job | None = None, task: Task | None = None, since: float = 0.0) -> None:
        status = self.status()
        if job is not None and task is not None:
            tasks = self.queue.tasks(job.id) or [task]
            left = Estimate(self.queue.seconds_by_kind()).left(tasks, self._clock() - since)
            status = _running(status, job, task, since, left, self._core.resident_bytes)
        write_status(self._folder, status)
        self._on_change(status)

    def status(self) -> Status:
        """All jobs as the queue has them."""
        jobs = [
            JobStatus(
                id=job.id,
                title=job.title,
                state=job.state,
                cycles=job.cycles,
                reason=job.reason,
                tasks=tuple(
                    TaskStatus(
                        name=task.name,
                        kind=task.kind,
                        state=task.state,
                        seconds=task.seconds,
                        peak_bytes=task.peak_bytes,
                    )
                    for task in self.queue.tasks(job.id)
                ),
            )
            for job in self.queue.jobs()
        ]
        return Status(process=os.getpid(), written=self._clock(), memory_bytes=self._memory_bytes, jobs=newest(jobs))


def _running(status: Status, job: Job, task: Task, since: float, left: float, resident: int) -> Status:
    return Status(
        process=status.process,
        written=status.written,
        memory_bytes=status.memory_bytes,
        jobs=status.jobs,
        running=task.name,
        job=job.id,
        since=since,
        left_seconds=left,
        resident_bytes=resident,
    )


def _write(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
