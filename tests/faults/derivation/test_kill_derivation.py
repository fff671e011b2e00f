"""kill -9 wherever a node writes down what it derived, in recovery too: it ends like a node that was never killed."""

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.framework.site import HOLDERS, Site, Wallet, new_rollup

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.faults

POINTS = [
    *[("node.after_l1_block", passage) for passage in (1, 5, 6, 9, 14, 20, 24)],
    *[("node.after_checkpoint", passage) for passage in (1, 6, 13, 25)],
    ("node.in_unwind", 1),
    ("node.after_recovery", 1),
]


@pytest.fixture(scope="module")
def chain_files(tmp_path_factory):
    """Genesis, two branches of L1, and the tip that a node has that was never killed."""
    folder = tmp_path_factory.mktemp("chain")
    leader = new_rollup(folder / "leader")
    keys = [Wallet(holder) for holder in HOLDERS]
    for _ in range(3):
        leader.seal([key.sign(value=5) for key in keys])
        leader.post(leader.batch(), b"\x01\x03\x03garbage", fee=1_000)
    for _ in range(10):
        leader.chain.mine()
    leader.follow()
    first = list(leader.chain.blocks)
    leader.chain.fork(leader.chain.height - 8)
    for _ in range(12):
        leader.chain.mine()
    site = Site(folder / "site", leader.genesis, leader.chain)
    site.follow()
    tip = site.engine.tip().hash.hex()
    files = (leader.genesis.to_json(), pickle.dumps((leader.chain.anchor, (first, list(leader.chain.blocks)))), tip)
    site.close()
    leader.close()
    return files


def run(folder, point=""):
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.derivation.follow_process", str(folder)],
        cwd=ROOT,
        env=os.environ | {"BEDROLL_CRASH_POINT": point},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(("name", "passage"), POINTS)
def test_a_killed_node_ends_with_the_same_chain(tmp_path, chain_files, name, passage):
    genesis, l1, tip = chain_files
    (tmp_path / "genesis.json").write_text(genesis)
    (tmp_path / "l1").write_bytes(l1)
    killed = run(tmp_path, f"{name}:{passage}")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = run(tmp_path, "node.after_recovery")
    assert again.returncode == -signal.SIGKILL, again.stderr
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == tip
