"""Runs a program without proving it, by the proof system's own executor: cycles and statement.

Reads: `bedroll-executor`.  Gives: `find_executor`, `execute`, `Ran`.
Never: says how long a run is that did not end well.  Spec: docs/spec/prover.md#cutting
"""

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedroll.primitives import Invalid, Misconfigured

from .tool import cache_folder

EXECUTOR: Final = "bedroll-executor"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run took and what it stated."""

    cycles: int
    values: bytes


def find_executor(given: Path | None) -> Path | None:
    """The executor's program: the one given, the one that `make prover` built, or one on the path; None without.

    Raises:
        Misconfigured: The one given is not there.
    """
    on_path = shutil.which(EXECUTOR)
    places = [given] if given else [cache_folder() / "prover/release" / EXECUTOR, *([Path(on_path)] if on_path else [])]
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return place
    if given is None:
        return None
    raise Misconfigured(
        "the executor is not there", option="prover.executor", value=given, allowed="a program: `make prover` builds it"
    )


async def execute(executor: Path, program: Path, given: Path) -> Ran:
    """Run a program upon the input in a file.

    Raises:
        Invalid: The run does not end with a statement, so that there is nothing to prove.
    """
    process = await asyncio.create_subprocess_exec(
        executor, program, given, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        said, reason = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    words = said.split()
    if process.returncode != 0 or len(words) < 2 or words[1] != b"0":
        told = reason.decode(errors="replace").strip().splitlines()
        raise Invalid("the program states nothing about this input", reason=told[-1] if told else "")
    return Ran(int(words[0]), bytes.fromhex(words[2].decode()) if len(words) > 2 else b"")
