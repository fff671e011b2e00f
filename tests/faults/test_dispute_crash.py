"""Shows that kill -9 anywhere in a dispute, setup included, changes neither its moves nor its verdict.

Anywhere: at every named point, and before database statements spread over the whole game.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bedroll.storage.crash_point import CRASH_POINTS, VARIABLE

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3_600)]
"""The scenario ends after a bounded number of blocks; this only bounds a hang."""

ROOT = Path(__file__).parents[2]
POINTS = sorted(name for name in CRASH_POINTS if name.startswith("dispute."))
SETUP = {"dispute.after_offer", "dispute.after_nonce", "dispute.after_partial", "dispute.after_setup"}
"""Passed twice: once by each side."""
CASES = [(point, passage) for point in POINTS for passage in ((1, 2) if point in SETUP else (1, 2, 7, 13))]


STATEMENTS = 638
"""How many a game without a kill makes; a test says so when it changes."""
KILLED = range(3, STATEMENTS, 21)


def run(folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **more}
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.dispute_scenario", str(folder)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def check(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """The game ended as it does without a kill."""
    assert done.returncode == 0, done.stderr[-3_000:]
    found = json.loads(done.stdout)
    assert found["winner"] == "challenger"
    assert found["by"] == "opened_wrong_value"
    assert found["twice"] == []
    assert found["alarms"] == []
    return found


@pytest.mark.parametrize(("point", "passage"), CASES)
def test_a_kill_at_any_point_changes_neither_moves_nor_verdict(tmp_path, point, passage):
    done = run(tmp_path, **{VARIABLE: f"{point}:{passage}"})
    assert done.returncode == -signal.SIGKILL, f"{point}:{passage} was not reached: {done.stderr[-2_000:]}"
    check(run(tmp_path))


@pytest.mark.parametrize("statement", KILLED)
def test_a_kill_before_any_statement_changes_neither_moves_nor_verdict(tmp_path, statement):
    done = run(tmp_path, KILL_AT=str(statement))
    assert done.returncode == -signal.SIGKILL, f"statement {statement} was not reached: {done.stderr[-2_000:]}"
    check(run(tmp_path))


def test_the_kills_are_spread_over_the_whole_game(tmp_path):
    assert 0 <= check(run(tmp_path))["statements"] - KILLED[-1] <= 2 * KILLED.step
