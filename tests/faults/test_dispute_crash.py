"""Shows that kill -9 at every named point of a dispute, setup included, changes neither its moves nor its verdict."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bedroll.storage.crash_point import CRASH_POINTS, VARIABLE

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
POINTS = sorted(name for name in CRASH_POINTS if name.startswith("dispute."))
SETUP = {"dispute.after_offer", "dispute.after_nonce", "dispute.after_partial", "dispute.after_setup"}
"""Passed twice: once by each side."""
CASES = [(point, passage) for point in POINTS for passage in ((1, 2) if point in SETUP else (1, 2, 7, 13))]


def run(folder: Path, point: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", VARIABLE: point}
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.dispute_scenario", str(folder)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip


@pytest.mark.parametrize(("point", "passage"), CASES)
def test_a_kill_at_any_point_changes_neither_moves_nor_verdict(tmp_path, point, passage):
    done = run(tmp_path, f"{point}:{passage}")
    assert done.returncode == -signal.SIGKILL, f"{point}:{passage} was not reached: {done.stderr[-2_000:]}"
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr[-3_000:]
    found = json.loads(done.stdout)
    assert found["winner"] == "challenger"
    assert found["by"] == "opened_wrong_value"
    assert found["twice"] == []
    assert found["alarms"] == []
