"""Who does the tasks of a prover: one process beside it, or many somewhere else.

Reads: nothing.  Gives: the ports `Crew` and `Shortener`, `request_of`.  Never: chooses what is done next.
Spec: docs/spec/prover.md#crews
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from .job import PLAN, WRAP, Task


class Crew(Protocol):
    """Does tasks; what a finished one made lies in its job's folder."""

    @property
    def width(self) -> int:
        """Most tasks that it takes at once."""
        ...

    @property
    def able(self) -> int:
        """Workers that have memory to work in now; at least 1, for estimates."""
        ...

    @property
    def resident_bytes(self) -> int:
        """Memory of this machine that its processes hold; 0 where they are elsewhere."""
        ...

    async def work(self, folder: Path, task: Task, begun: Callable[[str], None]) -> dict[str, Any]:
        """Do a task of the job in a folder; what the worker answers.

        Args:
            folder: Of the job.
            task: Of its plan, or planning itself.
            begun: Told who does it, once somebody does.

        Raises:
            Invalid: It cannot be done.
            CoreLost: Who did it has ended.
        """
        ...

    async def rest(self) -> None:
        """There is no work: hold nothing that takes memory."""
        ...

    async def close(self) -> None:
        """End all that was started."""
        ...


class Shortener(Protocol):
    """Makes a job's wrapped proof short."""

    async def work(self, folder: Path, begun: Callable[[str], None]) -> dict[str, Any]:
        """Leave the proof as a file in the folder of a job; seconds and memory that it took, as a crew answers.

        Args:
            folder: Of the job.
            begun: Told once it is worked at.

        Raises:
            Invalid: The wrapped proof is of another circuit, or what was made does not hold.
            CoreLost: A program was ended from outside.
            Misconfigured: A program is not there.
        """
        ...


def request_of(folder: Path, task: Task) -> dict[str, object]:
    """What the worker is asked."""
    asked: dict[str, object] = {"do": task.what, "job": str(folder.resolve())}
    return asked if task.kind in (PLAN, WRAP) else asked | {"index": task.index}
