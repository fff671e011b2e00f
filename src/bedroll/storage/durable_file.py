"""A file that is there whole or not at all, whatever happens meanwhile.

Reads: bytes.  Gives: `write_durably`.  Never: leaves a file half written under its name.
Spec: docs/spec/storage-services.md#files
"""

import os
from pathlib import Path

from .record_log import sync_folder


def write_durably(path: Path, content: bytes) -> None:
    """Write or replace a file; it survives loss of power when this returns."""
    draft = path.with_name(path.name + ".draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    sync_folder(path.parent)
