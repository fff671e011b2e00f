"""A crew on a Ray cluster: plans, shards and merges as calls of actors, their files as objects of Ray's store.

Reads: a job's folder.  Gives: `RayCrew`.
Never: keeps an object longer than its task, takes a file that no task makes, or needs Ray where it is not asked for.
Spec: docs/spec/prover.md#many-machines
"""

import asyncio
import importlib
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bedroll.primitives import Invalid, Misconfigured
from bedroll.storage.durable_file import write_durably

from .core import CoreLost
from .job import PLAN_FILE, Task, files_of, is_made
from .permit import Permits
from .ray_hand import FILE, LOST, REFUSED, TOLD, Hand, Reply

LOCAL: Final = "local"
"""Address of a cluster of this machine alone, which begins and ends with the prover."""
OBJECT_STORE_BYTES: Final = 2 << 30
FAILURES_MAX: Final = 3
"""A worker that cannot be begun so often in a row is given up."""
_CLOSE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 10.0
_LOG: Final = logging.getLogger("bedroll.prover")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A task that waits for a worker or is in the hands of one."""

    folder: Path
    task: Task
    begun: Callable[[str], None]
    answer: "asyncio.Future[dict[str, Any]]"


class RayCrew:
    """Workers on a cluster, each an actor. They start with the first task and are gone when there is none."""

    def __init__(
        self, address: str, count: int | None, worker: Path | None, memory_bytes: int, *, permits: Permits | None = None
    ) -> None:
        """Join the cluster.

        Args:
            address: Of the cluster's head, `auto`, or `local`.
            count: How many workers; without it one for each machine.
            worker: Its program on each machine, or where `find_worker` looks.
            memory_bytes: What a worker may hold.
            permits: Of each machine, if others than it has room for.

        Raises:
            Misconfigured: Ray is not installed, or there is no such cluster.
        """
        self._ray = _joined(address)
        self._address = address
        alive = sum(bool(node["Alive"]) for node in self._ray.nodes())
        self._count = count or max(alive, 1)
        self._given = (worker, memory_bytes, permits)
        self._waiting: asyncio.Queue[_Asked] = asyncio.Queue()
        self._tenders: set[asyncio.Task[None]] = set()
        self._reasons: list[str] = []
        self._able = 0

    @property
    def width(self) -> int:
        """One task for each worker."""
        return self._count

    @property
    def able(self) -> int:
        """Workers that have a permit."""
        return max(self._able, 1)

    @property
    def resident_bytes(self) -> int:
        """Not known here: workers are elsewhere."""
        return 0

    async def work(self, folder: Path, task: Task, begun: Callable[[str], None]) -> dict[str, Any]:
        """As a crew does (`Crew.work`).

        Raises:
            Misconfigured: No worker of the cluster can prove; with each one's reason.
        """
        if not self._tenders:
            self._reasons.clear()
            for _ in range(self._count):
                tender = asyncio.create_task(self._tend())
                self._tenders.add(tender)
                tender.add_done_callback(self._tender_ended)
        asked = _Asked(folder, task, begun, asyncio.get_running_loop().create_future())
        self._waiting.put_nowait(asked)
        return await asked.answer

    async def rest(self) -> None:
        """End the workers, which frees their memory."""
        tenders = list(self._tenders)
        for tender in tenders:
            tender.cancel()
        await asyncio.gather(*tenders, return_exceptions=True)

    async def close(self) -> None:
        """End the workers and leave the cluster."""
        await self.rest()
        self._ray.shutdown()

    # --- one worker --------------------------------------------------------------------------------

    def _tender_ended(self, tender: "asyncio.Task[None]") -> None:
        """Without workers nobody comes for what waits."""
        self._tenders.discard(tender)
        while not self._tenders and not self._waiting.empty():
            why = "; ".join(dict.fromkeys(self._reasons))
            error = Misconfigured("no worker can prove", option="prover.ray", value=self._address, allowed=why)
            _fail(self._waiting.get_nowait(), error)

    async def _tend(self) -> None:
        """Have one worker do tasks; where it is lost, another one. Ends where there can be none."""
        failures = 0
        while failures < FAILURES_MAX:
            hand = self._hire()
            try:
                while True:
                    kind, _, name = await hand.begin.remote()
                    if kind == REFUSED:
                        self._reasons.append(name)
                        _LOG.warning("a worker cannot prove", extra={"reason": name})
                        return
                    failures = 0
                    self._able += 1
                    try:
                        await self._serve(hand, name, await self._next())
                    finally:
                        self._able -= 1
            except self._ray.exceptions.RayError as error:
                failures += 1
                self._reasons.append(str(error).strip().splitlines()[-1])
                _LOG.warning("a worker of the cluster is lost", extra={"reason": self._reasons[-1]})
            finally:
                await self._dismiss(hand)

    async def _next(self) -> _Asked:
        """The oldest task that is still wanted."""
        while (asked := await self._waiting.get()).answer.done():
            pass
        return asked

    def _hire(self) -> Any:
        actor = self._ray.remote(Hand)
        # Processors are the worker's own affair, and so is memory: permits keep to it.
        return actor.options(num_cpus=0, scheduling_strategy="SPREAD").remote(*self._given)

    async def _dismiss(self, hand: Any) -> None:
        """End a worker with its process, as far as it is still there."""
        with suppress(TimeoutError, self._ray.exceptions.RayError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await hand.close.remote()
        self._ray.kill(hand)

    async def _serve(self, hand: Any, worker: str, asked: _Asked) -> None:
        """Have a worker do a task and write what it makes into the job's folder."""
        asked.begun(worker)
        try:
            told = await self._exchange(hand, asked)
        except (CoreLost, Invalid) as error:
            _fail(asked, error)
        except self._ray.exceptions.RayError:
            _fail(asked, CoreLost("the worker is gone, or its machine", worker=worker))
            raise
        else:
            if not asked.answer.done():
                asked.answer.set_result(told)

    async def _exchange(self, hand: Any, asked: _Asked) -> dict[str, Any]:
        required, spare = files_of(asked.task)
        names = [*required, *(name for name in spare if (asked.folder / name).exists())]
        # Proofs that a run verifies are a part of what all its tasks prove.
        names += sorted(path.name for path in asked.folder.glob("given-*.proof"))
        objects = [await asyncio.to_thread(self._put, asked.folder / name) for name in names]
        places = {name: place for place, name in enumerate(names)}
        call = hand.work.options(num_returns="streaming", _generator_backpressure_num_objects=2)
        plan: bytes | None = None
        async for reference in call.remote(asked.task, places, *objects):
            kind, name, content = _reply(await reference)
            if kind == FILE and name == PLAN_FILE:
                plan = content
            elif kind == FILE:
                await asyncio.to_thread(write_durably, asked.folder / name, content)
            elif kind == LOST:
                raise CoreLost(content)
            elif kind == REFUSED:
                raise Invalid("the worker cannot do this", request=asked.task.what, reason=content)
            elif kind == TOLD:
                if plan is not None:
                    # A plan says that all its files are there.
                    await asyncio.to_thread(write_durably, asked.folder / PLAN_FILE, plan)
                return dict(content)
        raise CoreLost("the worker gave no answer")

    def _put(self, path: Path) -> Any:
        try:
            return self._ray.put(path.read_bytes())
        except FileNotFoundError as error:
            raise Invalid("the job has lost a file", path=str(path)) from error


def _fail(asked: _Asked, error: Exception) -> None:
    if not asked.answer.done():
        asked.answer.set_exception(error)


def _reply(said: Reply) -> Reply:
    """A reply with a name that a task's file has.

    Raises:
        Invalid: It would write elsewhere.
    """
    kind, name, content = said
    if kind == FILE and not (is_made(name) and isinstance(content, bytes)):
        raise Invalid("no file of a task", name=name)
    return kind, name, content


def _joined(address: str) -> Any:
    """Ray, with this process a member of the cluster."""
    try:
        ray = importlib.import_module("ray")
    except ModuleNotFoundError as error:
        raise Misconfigured(
            "Ray is not installed",
            option="prover.ray",
            value=address,
            allowed="nothing, or Ray: pip install 'bedroll[ray]' here and on each machine of the cluster",
        ) from error
    _look_for_head(address)
    # Nothing of what is proved here is told to anybody.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    options: dict[str, Any] = {"configure_logging": False, "log_to_driver": False, "logging_level": "error"}
    if address == LOCAL:
        options |= {"address": LOCAL, "include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
    else:
        options["address"] = address
    known = (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError)
    try:
        ray.init(**options)
    except Exception as error:
        # A plain one is Ray's word for processes of its own that did not start in time.
        if type(error) is not Exception and not isinstance(error, known):
            raise
        raise _unjoined(address, _cause(error)) from error
    finally:
        # Ray ends the process at a signal; a prover ends its tasks first.
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return ray


def _cause(error: BaseException) -> str:
    """What an error began with: Ray says of a foreign token only that there is no cluster."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _look_for_head(address: str) -> None:
    """Whether anybody listens there: Ray itself tries for minutes.

    Raises:
        Misconfigured: Nobody does, or it is no address.
    """
    if address in (LOCAL, "auto"):
        return
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise _unjoined(address, "not an address")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _LOOK_SECONDS).close()
    except OSError as error:
        raise _unjoined(address, str(error)) from error


def _unjoined(address: str, reason: str) -> Misconfigured:
    allowed = f"HOST:PORT of `ray start --head`, auto, or local ({reason})"
    return Misconfigured("the Ray cluster cannot be joined", option="prover.ray", value=address, allowed=allowed)
