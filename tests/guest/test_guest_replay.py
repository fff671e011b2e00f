"""Every block that tests of execution and of contracts make, random chains among them: the machine states it alike.

Forced messages of every kind and end, full queues, refused transactions, automatic blocks, contracts of all sorts: what
those tests have the node do goes through the proved program as well, as batches of both forms.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from bedroll._core._native import Statement
from tests.costs.guest import PROGRAM

pytestmark = pytest.mark.guest
ROOT = Path(__file__).parents[2]
TESTS = ("tests/unit/execution", "tests/contracts", "tests/property/test_execution_model.py")
BLOCKS_MIN = 600
AT_ONCE = 64


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """The folder with inputs and statements of those tests' blocks."""
    folder = tmp_path_factory.mktemp("replayed")
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "tests.framework.guest_replay", *TESTS]
    environment = os.environ | {"BEDROLL_REPLAY": str(folder)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4_000:]
    return folder


@pytest.mark.timeout(1_800)
def test_the_machine_states_what_the_node_states_of_every_block(replayed):
    executor, inputs = os.environ["BEDROLL_EXECUTOR"], sorted(replayed.glob("*.input"))
    verdicts = Counter()
    for first in range(0, len(inputs), AT_ONCE):
        some = inputs[first : first + AT_ONCE]
        said = subprocess.run([executor, PROGRAM, *some], capture_output=True, text=True, check=True).stdout
        for file, line in zip(some, said.splitlines(), strict=True):
            stated = file.with_suffix(".values").read_bytes()
            _, code, values = line.split()
            assert (int(code), bytes.fromhex(values)) == (0, stated), file.name
            verdicts[Statement.decode(stated).rejection] += 1
    left = json.loads((replayed / "left.json").read_text())
    print(f"{len(inputs)} blocks by verdict {dict(verdicts)}; left out {left}")
    assert len(inputs) >= BLOCKS_MIN
    assert sum(left.values()) < len(inputs) / 20
    assert verdicts[None] > len(inputs) / 2
    assert len(verdicts) >= 3
