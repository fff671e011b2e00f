"""The data folder: one process owns it, and says who it is.

Reads: a path.  Gives: `DataFolder`.  Never: deletes what it finds.  Spec: docs/spec/storage-services.md#folder
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final

from bedroll.primitives import Misconfigured

LOCK_NAME: Final = "lock"


class DataFolder:
    """An exclusively held folder, mode 0700. The kernel drops the hold when the process ends, however it ends."""

    def __init__(self, path: Path, owner: str) -> None:
        """Take the folder, making it if it is not there.

        Args:
            path: The folder.
            owner: Who takes it, for the message that a second process gets ("sequencer", "node").

        Raises:
            Misconfigured: Another process holds it; the message names that process.
        """
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Misconfigured(
                f"cannot use the data folder {path}: {error.strerror}",
                option="data-dir",
                value=str(path),
                allowed="a folder this user may write",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "an unknown process"
            os.close(descriptor)
            raise Misconfigured(
                f"the data folder {path} is in use by {holder}",
                option="data-dir",
                value=str(path),
                allowed="a folder that no running process holds",
                holder=holder,
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{owner} (process {os.getpid()})\n".encode(), 0)
        self._descriptor: int | None = descriptor

    def close(self) -> None:
        """Let go of the folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> "DataFolder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
