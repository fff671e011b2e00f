"""The two programs of the pairing circuit, run one at a time: `bedroll-groth16` (Rust) and `bedroll-gnark` (Go).

Reads: their lines of JSON.  Gives: `find_tool`, `run_tool`, `Hold`.
Never: takes what a program did not finish for its result.  Spec: docs/spec/groth16.md#programs
"""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from bedroll.primitives import Invalid, Misconfigured, Unavailable

GNARK: Final = "bedroll-gnark"
BRIDGE: Final = "bedroll-groth16"

Progress = Callable[[str, int, int], None]
"""Told a step, and how much of how much of it is done."""

_ERROR_LINES: Final = 5


class Hold:
    """Another thread's hold on the program that runs, and what it is given to hold itself.

    Attributes:
        files: Open files that each program gets.
        peak_bytes: Most memory that one has told of.
    """

    def __init__(self, files: Sequence[int] = ()) -> None:
        self.files = tuple(files)
        self.peak_bytes = 0
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._is_ended = False

    def end(self) -> None:
        """End the program, and each that would follow."""
        with self._lock:
            self._is_ended = True
            if self._process is not None:
                self._process.kill()

    def began(self, process: "subprocess.Popen[str]") -> None:
        """A program was started."""
        with self._lock:
            self._process = process
            if self._is_ended:
                process.kill()

    def heard(self, told: Mapping[str, Any]) -> None:
        """A program said this."""
        self.peak_bytes = max(self.peak_bytes, int(told.get("peak_bytes", 0)))


def cache_folder() -> Path:
    """Where built programs and large files lie, outside the sources."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "bedroll"


def find_tool(name: str) -> Path:
    """A program that `make groth16` built, or one on the path.

    Raises:
        Misconfigured: There is none.
    """
    built = cache_folder() / "groth16/tools" / name
    on_path = shutil.which(name)
    for place in (built, *([Path(on_path)] if on_path else [])):
        if place.is_file() and os.access(place, os.X_OK):
            return place
    raise Misconfigured(
        "a program of the pairing circuit is not there",
        option="PATH",
        value=name,
        allowed=f"`make groth16` builds {built} (it needs Go 1.25 or later and protobuf-compiler)",
    )


def run_tool(
    tool: Path,
    arguments: Sequence[str | Path],
    progress: Progress,
    memory: Mapping[str, str],
    hold: Hold | None = None,
) -> dict[str, Any]:
    """Run a program to its end and give its last line.

    Args:
        tool: The program.
        arguments: What it is told.
        progress: Told each line that names a step.
        memory: Environment that sets how its runtime treats memory.
        hold: By which another thread ends it.

    Raises:
        Invalid: The program says that its input is wrong.
        Unavailable: It was ended from outside: in most cases the machine had no memory left.
    """
    asked = [str(tool), *map(str, arguments)]
    last: dict[str, Any] = {}
    hold = hold or Hold()
    with subprocess.Popen(
        asked,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | dict(memory),
        pass_fds=hold.files,
    ) as process:
        hold.began(process)
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            for line in process.stdout:
                last = msgspec.json.decode(line, type=dict[str, Any])
                hold.heard(last)
                if "step" in last:
                    progress(str(last["step"]), int(last["done"]), int(last["all"]))
            reason = process.stderr.read().strip().splitlines()
        except BaseException:
            process.kill()
            raise
    if process.returncode < 0:
        raise Unavailable("a program was ended from outside", program=tool.name, signal=-process.returncode)
    if process.returncode:
        raise Invalid("a program refuses", program=tool.name, reason=" ".join(reason[-_ERROR_LINES:]))
    return last
