"""The worker process of the proof system: one request at a time, one answer a request.

Reads: `bedroll-prover-core`.  Gives: `Core`, `find_worker`.
Never: lets the process grow beyond the budget, or trusts what it prints.  Spec: docs/spec/prover.md#worker
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from bedroll.primitives import Invalid, Misconfigured, Unavailable

from .budget import resident_bytes
from .crew import request_of
from .job import Task
from .permit import Permits

WORKER: Final = "bedroll-prover-core"
_LOOK_SECONDS: Final = 0.5
_ANSWER_BYTES_MAX: Final = 1 << 24


class CoreLost(Unavailable):
    """The worker process ended without an answer; what it had finished is in its files."""


def find_worker(given: Path | None) -> Path:
    """The worker's program: the one given, the one that `make prover` built, or one on the path.

    Raises:
        Misconfigured: There is none.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    built = cache / "bedroll/prover-native/release" / WORKER
    on_path = shutil.which(WORKER)
    places = [given] if given else [built, *([Path(on_path)] if on_path else [])]
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return place
    raise Misconfigured(
        "the prover's worker is not there",
        option="prover.worker",
        value=given,
        allowed=f"a program: `make prover` builds {built}",
    )


class Core:
    """One worker process, started with the first request and gone with `close` or a kill.

    Proving keys (6.7 GB) live in it from its first shard on: closing it frees them.
    """

    width = able = 1
    """A crew of one."""

    def __init__(self, worker: Path, memory_bytes: int, permits: Permits | None = None) -> None:
        """Nothing starts yet.

        Args:
            worker: Its program.
            memory_bytes: The process is killed when it holds more.
            permits: Of which the process takes one for as long as it lives; without them it waits for nobody.
        """
        self._worker = worker
        self._memory_bytes = memory_bytes
        self._permits = permits
        self._process: asyncio.subprocess.Process | None = None
        self._asking = asyncio.Lock()

    @property
    def resident_bytes(self) -> int:
        """Memory that the process holds now."""
        return resident_bytes(self._process.pid) if self._process else 0

    async def work(self, folder: Path, task: Task, begun: Callable[[str], None]) -> dict[str, Any]:
        """As a crew does (`Crew.work`)."""
        begun(str(await self.start()))
        return await self.ask(request_of(folder, task))

    async def start(self) -> int:
        """Have the process run, once there is a permit; its id."""
        async with self._asking:
            return (await self._started()).pid

    async def ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Send a request and wait for what it came to; one at a time.

        Raises:
            Invalid: The worker says that it cannot be done.
            CoreLost: The process ended, or was ended because it held more than the budget.
        """
        async with self._asking:
            return await self._ask(request)

    async def _ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        process = await self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(ConnectionError):
            process.stdin.write(msgspec.json.encode(dict(request)) + b"\n")
            await process.stdin.drain()
        answer = asyncio.create_task(process.stdout.readline())
        try:
            over = await self._watch(process.pid, answer)
        except BaseException:
            answer.cancel()
            await self.close()
            raise
        line = await answer
        if not line:
            code = await process.wait()
            self._process = None
            raise CoreLost(
                "the worker was ended: it held more memory than it may" if over else "the worker has ended",
                exit_code=code,
                memory_bytes=over or self._memory_bytes,
            )
        told: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
        if "failed" in told:
            raise Invalid("the worker cannot do this", request=str(request.get("do")), reason=told["failed"])
        return told

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            permit = [] if self._permits is None else [await self._permits.take()]
            try:
                self._process = await asyncio.create_subprocess_exec(
                    self._worker,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    limit=_ANSWER_BYTES_MAX,
                    pass_fds=permit,
                    # Its reasons are for people: a panic may show where it stood, an error need not.
                    env=os.environ | {"RUST_LIB_BACKTRACE": "0"},
                )
            finally:
                # The worker alone holds it from here on, even where this process is killed and the worker goes on.
                for held in permit:
                    os.close(held)
        return self._process

    async def _watch(self, process: int, answer: "asyncio.Task[bytes]") -> int:
        """Wait for the answer; end a process that outgrows the budget and say how much it held."""
        while not answer.done():
            await asyncio.wait([answer], timeout=_LOOK_SECONDS)
            held = resident_bytes(process)
            if held > self._memory_bytes and self._process is not None:
                self._process.kill()
                return held
        return 0

    async def rest(self) -> None:
        """As `close`: the next request starts another process."""
        await self.close()

    async def close(self) -> None:
        """End the process at once: it keeps nothing that is not in a file."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
