"""The last task of a job whose network takes Groth16 alone: the wrapped proof again, in 356 bytes.

Reads: a job's wrapped proof, the circuit's keys.  Gives: `Groth16Task`.
Never: begins beside a worker that has the machine's memory, or leaves a program running when it is cancelled.
Spec: docs/spec/groth16.md#service
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bedroll.primitives import Unavailable
from bedroll.storage.durable_file import write_durably

from .core import CoreLost
from .groth16 import Keys, prove_groth16
from .job import GROTH16_FILE, WRAPPED_FILE
from .permit import Permits
from .tool import Hold


class Groth16Task:
    """Runs the pairing circuit's programs in a thread, under a permit of this machine."""

    def __init__(self, keys: Keys, permits: Permits) -> None:
        """Prove under one pair of keys."""
        self._keys = keys
        self._permits = permits

    async def work(self, folder: Path, begun: Callable[[str], None]) -> dict[str, Any]:
        """As a shortener does (`Shortener.work`); what was made before is not made again."""
        if (folder / GROTH16_FILE).exists():
            return {"seconds": 0.0, "peak_bytes": 0}
        permit = await self._permits.take()
        try:
            begun("gnark")
            return await self._prove(folder, Hold((permit,)))
        finally:
            # A program that outlives a kill of this process has it still.
            os.close(permit)

    async def _prove(self, folder: Path, hold: Hold) -> dict[str, Any]:
        since = asyncio.get_running_loop().time()
        making = asyncio.create_task(
            asyncio.to_thread(prove_groth16, folder / WRAPPED_FILE, self._keys, _ignore, hold), name="groth16"
        )
        try:
            proof = await asyncio.shield(making)
        except asyncio.CancelledError:
            hold.end()
            await asyncio.gather(making, return_exceptions=True)
            raise
        except Unavailable as error:
            raise CoreLost(error.message, **error.fields) from error
        write_durably(folder / GROTH16_FILE, proof)
        return {"seconds": asyncio.get_running_loop().time() - since, "peak_bytes": hold.peak_bytes}


def _ignore(_step: str, _done: int, _total: int) -> None:
    """A status tells that the task runs, and for how long."""
