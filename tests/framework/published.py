"""Published vectors: an archive unpacked, and an example of the core run over it."""

import os
import subprocess
import tarfile
from pathlib import Path

import zstandard

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests/vectors/ethereum"


def unpack(archive: str, folder: Path) -> None:
    """Unpack one of the archives in tests/vectors/ethereum."""
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    with (
        (VECTORS / archive).open("rb") as packed,
        reader.stream_reader(packed) as stream,
        tarfile.open(fileobj=stream, mode="r|") as unpacked,
    ):
        unpacked.extractall(folder, filter="data")


def run_example(name: str, folder: Path) -> list[str]:
    """Build and run an example of crates/core over a folder; its lines, whatever its exit."""
    profile = os.environ.get("PROFILE", "quick")
    build = ["cargo", "run", "--locked", "--quiet", "--profile", profile, "-p", "bedroll-core"]
    ran = subprocess.run([*build, "--example", name, "--", str(folder)], cwd=ROOT, capture_output=True, text=True)
    lines = ran.stdout.splitlines()
    assert lines, ran.stderr[-2_000:]
    return lines
