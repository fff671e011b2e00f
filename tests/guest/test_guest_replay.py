"""Every block that tests of execution and of contracts make, random chains among them: the machine states it alike.

Forced messages of every kind and end, full queues, refused transactions, automatic blocks, contracts of all sorts: what
those tests have the node do goes through the proved program as well, as batches of both forms. So do L1 blocks of the
tests of derivation through the settlement program: hostile envelopes, objects, series, headers and histories.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from bedroll._core._native import Settled, Statement
from tests.costs.guest import PROGRAM, SETTLEMENT

pytestmark = pytest.mark.guest
ROOT = Path(__file__).parents[2]
EXECUTION = ("tests/unit/execution", "tests/contracts", "tests/property/test_execution_model.py")
DERIVATION = (
    *(f"tests/unit/derivation/test_{name}.py" for name in ("hostile_object", "pipeline_model", "rotation", "silence")),
    "tests/unit/light/test_settlement.py",
)
BLOCKS_MIN = 600
AT_ONCE = 64
RUNS_LARGEST, RUNS_EACH = 60, 12
"""Of some thousand runs the largest, and one of each so many."""


def replayed(folder, tests):
    """What blocks of some tests are as inputs, in a folder."""
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "tests.framework.guest_replay", *tests]
    environment = os.environ | {"BEDROLL_REPLAY": str(folder)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4_000:]


def stated_alike(program, inputs):
    """Statements of the node, each of which the machine gives too."""
    for first in range(0, len(inputs), AT_ONCE):
        some = inputs[first : first + AT_ONCE]
        asked = [os.environ["BEDROLL_EXECUTOR"], program, *some]
        said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        for file, line in zip(some, said.splitlines(), strict=True):
            stated = file.with_suffix(".values").read_bytes()
            _, code, values = line.split()
            assert (int(code), bytes.fromhex(values)) == (0, stated), file.name
            yield stated


@pytest.mark.timeout(1_800)
def test_the_machine_states_what_the_node_states_of_every_block(tmp_path):
    replayed(tmp_path, EXECUTION)
    inputs = sorted(tmp_path.glob("*.input"))
    verdicts = Counter(Statement.decode(stated).rejection for stated in stated_alike(PROGRAM, inputs))
    left = json.loads((tmp_path / "left.json").read_text())
    print(f"{len(inputs)} blocks by verdict {dict(verdicts)}; left out {left}")
    assert len(inputs) >= BLOCKS_MIN
    assert sum(left.values()) < len(inputs) / 20
    assert verdicts[None] > len(inputs) / 2
    assert len(verdicts) >= 3


@pytest.mark.timeout(1_800)
def test_the_machine_settles_hostile_histories_as_the_node_derives_them(tmp_path):
    replayed(tmp_path, DERIVATION)
    inputs = sorted((tmp_path / "settlement").glob("*.input"), key=lambda file: (-file.stat().st_size, file.name))
    chosen = inputs[:RUNS_LARGEST] + inputs[RUNS_LARGEST::RUNS_EACH]
    heights = Counter(Settled.decode(stated).height > 0 for stated in stated_alike(SETTLEMENT, chosen))
    print(f"{len(chosen)} of {len(inputs)} runs, {heights[True]} of them beyond block 0")
    assert heights[True] > len(chosen) / 2
