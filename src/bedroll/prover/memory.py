"""How much memory is free.

Reads: the kernel's table.  Gives: `free_bytes`.  Never: counts what would have to be swapped.
Spec: docs/spec/groth16.md#stages
"""

from pathlib import Path


def free_bytes() -> int:
    """Memory that a new process can have without another one losing any."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return 0
