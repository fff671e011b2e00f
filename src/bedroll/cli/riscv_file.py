"""What the commands of `bedroll riscv` share: files in, outcomes out.

Reads: a file, an outcome.  Gives: bytes, fields to show.  Never: reads a file of any length.
Spec: docs/spec/cli.md#riscv
"""

from pathlib import Path
from typing import Final

from bedroll.primitives import Invalid
from bedroll.riscv import Halted, Outcome, Running

_FILE_BYTES_MAX: Final = 1 << 24


def describe(outcome: Outcome) -> dict[str, object]:
    """An outcome's fields."""
    if isinstance(outcome, Halted):
        return {"outcome": "halted", "step": outcome.step, "result": outcome.result}
    if isinstance(outcome, Running):
        return {"outcome": "running", "step": outcome.step}
    shown = {"outcome": "trapped", "step": outcome.step, "pc": f"{outcome.pc:#010x}"}
    return shown | {"reason": outcome.reason, "value": f"{outcome.value:#x}"}


def read_file(file: Path) -> bytes:
    """Contents of a file that is not too long.

    Raises:
        Invalid: It is.
    """
    size = file.stat().st_size
    if size > _FILE_BYTES_MAX:
        raise Invalid("the file is too long", value=size, limit=_FILE_BYTES_MAX)
    return file.read_bytes()
