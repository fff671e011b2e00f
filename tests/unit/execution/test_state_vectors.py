"""Shows that profile `ethereum` gives state root and logs hash of every published Prague and Osaka state test."""

import os
import subprocess
import tarfile
from pathlib import Path

import pytest
import zstandard

ROOT = Path(__file__).parents[3]
ARCHIVE = ROOT / "tests/vectors/ethereum/eest_v5.4.0_state_tests.tar.zst"
CASES = 9_919 + 10_557


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_every_published_state_test_gives_its_root_and_logs(tmp_path: Path) -> None:
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    with (
        ARCHIVE.open("rb") as packed,
        reader.stream_reader(packed) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        archive.extractall(tmp_path, filter="data")
    profile = os.environ.get("PROFILE", "quick")
    build = ["cargo", "run", "--locked", "--quiet", "--profile", profile, "-p", "bedroll-core"]
    ran = subprocess.run(
        [*build, "--example", "state_vectors", "--", str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    lines = ran.stdout.splitlines()
    assert ran.returncode == 0, "\n".join(lines[-50:]) + ran.stderr[-2_000:]
    assert lines[-1] == f"passed {CASES} failed 0"
