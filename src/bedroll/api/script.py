"""The process that runs tracers written in JavaScript: one for each request, with little memory and no files.

Reads: tasks of the node on standard input.  Gives: `COMMAND`, and answers on standard output.
Never: imports this package: it is started as a file, so that it is there in some ten milliseconds.
Spec: docs/spec/api-trace.md#javascript
"""

import importlib.util
import os
import resource
import sys
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from typing import Final

COMMAND: Final = (sys.executable, "-I", "-S", "-X", "utf8", __file__)
"""Starts it; the seconds of processor time that it may take follow."""
_MEMORY_BYTES: Final = 512 << 20
"""Of its address space, of which the interpreter and the core take some 80 MiB."""
_FILES: Final = 16
_NICENESS: Final = 10
"""The node goes first."""


def serve(core: Path, seconds: int) -> None:
    """Give up what a script needs not, and run what the node sends.

    Args:
        core: File of the compiled core.
        seconds: Of processor time.
    """
    # The core's allocator would set aside more address space at once than the process may have, and a script might
    # fill it.
    os.environ["MIMALLOC_ARENA_RESERVE"] = "0"
    loader = ExtensionFileLoader("_native", str(core))
    spec = importlib.util.spec_from_loader("_native", loader)
    if spec is None:
        raise ImportError(str(core))
    native = importlib.util.module_from_spec(spec)
    loader.exec_module(native)
    for bound, most in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _FILES),
    ):
        resource.setrlimit(bound, (most, most))
    os.nice(_NICENESS)
    native.serve_scripts()


if __name__ == "__main__":
    serve(Path(__file__).parent.parent / "_core" / "_native.abi3.so", int(sys.argv[1]))
