"""Shows that kill -9 at every named point, during recovery too, loses nothing acknowledged and posts nothing twice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bedroll.storage.crash_point import CRASH_POINTS, VARIABLE

ROOT = Path(__file__).parents[2]
ELSEWHERE = {"log.in_rewrite"}
"""Reached only after megabytes of transactions: tests/unit/storage/test_services.py dies there."""
POINTS = sorted(name for name in set(CRASH_POINTS) - ELSEWHERE if not name.startswith(("dispute.", "prover.")))
"""Those of a dispute die in test_dispute_crash.py, those of a prover in tests/unit/prover/test_prover_service.py."""


def run(folder: Path, point: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", VARIABLE: point}
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.crash_scenario", str(folder)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


def check(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stderr[-3_000:]
    found = json.loads(done.stdout)
    assert found["lost"] == []
    assert found["twice"] == []
    assert found["settled"]
    assert found["promised"] >= 20
    return found


def assert_killed(done: subprocess.CompletedProcess[str], point: str) -> None:
    assert done.returncode == -signal.SIGKILL, f"{point} was not reached: {done.stderr[-2_000:]}"


def test_a_kill_with_transactions_in_the_log_loses_none(tmp_path):
    assert_killed(run(tmp_path, "mempool.after_append:7"), "mempool.after_append")
    check(run(tmp_path))


@pytest.mark.faults
@pytest.mark.parametrize("passage", [1, 3])
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_loses_nothing_and_posts_nothing_twice(tmp_path, point, passage):
    if passage > 1 and point in ("node.in_unwind", "writer.after_bump_build", "node.after_recovery"):
        passage = 1
    assert_killed(run(tmp_path, f"{point}:{passage}"), point)
    check(run(tmp_path))


@pytest.mark.faults
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_during_recovery_changes_nothing(tmp_path, point):
    passage = 1 if point in ("node.in_unwind", "writer.after_bump_build") else 2
    assert_killed(run(tmp_path, "node.after_recovery:1"), "node.after_recovery")
    first = run(tmp_path, f"{point}:{1 if point == 'node.after_recovery' else passage}")
    assert_killed(first, point)
    again = run(tmp_path, "node.after_recovery:1")
    assert_killed(again, "node.after_recovery")
    check(run(tmp_path))
