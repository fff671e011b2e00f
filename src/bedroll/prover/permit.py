"""Permits to hold a worker's memory: as many on a machine as have room beside each other, whoever starts the workers.

Reads: locks in the machine's folder of temporary files.  Gives: `Permits`.
Never: outlives the process that holds it, however that ends.  Spec: docs/spec/prover.md#memory
"""

import asyncio
import fcntl
import logging
import os
import tempfile
from pathlib import Path
from typing import Final

from .budget import machine_bytes

_LOOK_SECONDS: Final = 0.5
_LOG: Final = logging.getLogger("bedroll.prover")


class Permits:
    """Locks of one machine and user. A permit is an open file, free again when the last process that has it is gone."""

    def __init__(self, count: int, folder: Path | None = None) -> None:
        """Nothing is locked yet.

        Args:
            count: How many there are on this machine.
            folder: Where the locks lie; the same for all who share the memory.
        """
        self._count = count
        self._folder = folder or Path(tempfile.gettempdir()) / f"bedroll-prover-{os.getuid()}"

    @classmethod
    def of_machine(cls, memory_bytes: int, folder: Path | None = None) -> "Permits":
        """As many as this machine has room for workers of this size; at least one."""
        return cls(max(machine_bytes() // memory_bytes, 1), folder)

    async def take(self) -> int:
        """Wait for a permit; its file descriptor. Pass it to the process that uses the memory, and close it here."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = False
        while (permit := self._free()) is None:
            if not told:
                _LOG.info("the memory of this machine is taken: waiting", extra={"permits": self._count})
            told = True
            await asyncio.sleep(_LOOK_SECONDS)
        return permit

    def _free(self) -> int | None:
        for number in range(self._count):
            permit = os.open(self._folder / f"permit-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(permit, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(permit)
            else:
                return permit
        return None
