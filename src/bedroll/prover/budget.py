"""How much memory proving takes, and what a budget must be.

Reads: nothing.  Gives: `MEMORY_BYTES_MIN`, `checked_budget`, `free_bytes`, `resident_bytes`.
Never: starts what cannot fit.  Spec: docs/spec/prover.md#memory
"""

from pathlib import Path
from typing import Final

from bedroll.primitives import Misconfigured

MEMORY_BYTES_MIN: Final = 17 << 30
"""A shard of the size that the worker cuts, with the proving keys of recursion, peaks below this."""


def checked_budget(memory_bytes: int) -> int:
    """A budget under which a shard can be proved.

    Raises:
        Misconfigured: It is too small, or more than the machine has.
    """
    machine = machine_bytes()
    if not MEMORY_BYTES_MIN <= memory_bytes <= machine:
        raise Misconfigured(
            "no shard can be proved within this memory"
            if memory_bytes < MEMORY_BYTES_MIN
            else "the machine has less memory",
            option="prover.memory_bytes",
            value=memory_bytes,
            allowed=f"{MEMORY_BYTES_MIN:,} to {machine:,} bytes (what this machine has)",
        )
    return memory_bytes


def machine_bytes() -> int:
    """Memory of this machine."""
    return _field(Path("/proc/meminfo"), "MemTotal")


def free_bytes() -> int:
    """Memory that a new process can have without another one losing any."""
    return _field(Path("/proc/meminfo"), "MemAvailable")


def resident_bytes(process: int) -> int:
    """Memory that a process holds now; 0 once it is gone."""
    return _field(Path(f"/proc/{process}/status"), "VmRSS")


def _field(file: Path, name: str) -> int:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return 0
    found = next((line for line in lines if line.startswith(name + ":")), f"{name}: 0 kB")
    return int(found.split()[1]) * 1024
