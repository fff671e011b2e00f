"""What runs on a machine of a Ray cluster: a worker process, its files in a folder for one task, its permit.

Reads: files of a task as bytes.  Gives: `Hand`, `Reply`.
Never: keeps a file longer than its task, or holds memory without a permit.  Spec: docs/spec/prover.md#many-machines
"""

import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

from bedroll.primitives import Invalid, Misconfigured

from .budget import checked_budget
from .core import Core, CoreLost, find_worker
from .job import Task, is_made
from .permit import Permits

Reply = tuple[str, str, Any]
"""Kind and content: a file with its name, or what the task came to."""
FILE: Final = "file"
TOLD: Final = "told"
LOST: Final = "lost"
REFUSED: Final = "refused"


class Hand:
    """One worker of a crew. An actor of Ray: made, asked and ended from another process.

    Errors cross as words: those of this project carry fields that a pickle of an exception loses.
    """

    def __init__(self, worker: Path | None, memory_bytes: int, permits: Permits | None) -> None:
        """Nothing starts yet.

        Args:
            worker: The worker's program on this machine, or where `find_worker` looks.
            memory_bytes: What it may hold.
            permits: Of this machine, if others than it has room for.
        """
        self._worker = worker
        self._memory_bytes = memory_bytes
        self._permits = permits
        self._core: Core | None = None

    async def begin(self) -> Reply:
        """Wait for this machine's permit; the worker's name, or why it cannot work here."""
        if self._core is None:
            try:
                worker = find_worker(self._worker)
                permits = self._permits or Permits.of_machine(checked_budget(self._memory_bytes))
            except Misconfigured as error:
                return REFUSED, "", f"{socket.gethostname()}: {error}"
            self._core = Core(worker, self._memory_bytes, permits)
        return TOLD, "", f"{socket.gethostname()}/{await self._core.start()}"

    async def work(self, task: Task, files: Mapping[str, int], *contents: bytes) -> AsyncIterator[Reply]:
        """Do a task: gives each file that it makes, and last what it came to.

        Args:
            task: Of a job.
            files: Place of each file's content, by its name.
            contents: Of files that it reads.
        """
        assert self._core is not None
        with tempfile.TemporaryDirectory(prefix="bedroll-task-") as scratch:
            folder = Path(scratch)
            for name, place in files.items():
                (folder / name).write_bytes(contents[place])
            try:
                told = await self._core.work(folder, task, lambda _worker: None)
            except CoreLost as error:
                yield LOST, "", str(error)
                return
            except Invalid as error:
                yield REFUSED, "", str(error.fields.get("reason", error))
                return
            for name in sorted(path.name for path in folder.iterdir()):
                if is_made(name) and name not in files:
                    yield FILE, name, (folder / name).read_bytes()
            yield TOLD, "", told

    async def close(self) -> None:
        """End the worker process, in the middle of a task too."""
        if self._core is not None:
            await self._core.close()
