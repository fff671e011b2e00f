"""The page on many workers says what its script computes from the record that is kept."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def printed(*arguments):
    asked = [sys.executable, str(ROOT / "scripts/proving_cost.py"), *map(str, arguments)]
    return subprocess.run(asked, capture_output=True, text=True, check=False)


def test_the_tables_of_the_page_are_those_of_the_script():
    ran = printed()
    assert ran.returncode == 0
    assert ran.stdout.strip() in (ROOT / "docs/design/proving-cost.md").read_text()


def test_a_folder_without_a_finished_job_is_said(tmp_path):
    ran = printed(tmp_path / "status.json")
    assert ran.returncode == 1
    assert ran.stderr == "no finished job in this status\n"
