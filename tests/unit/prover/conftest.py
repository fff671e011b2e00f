"""A prover in a folder, with the tests' worker."""

import json
import stat
import sys
from pathlib import Path

import pytest

from bedroll.prover import Core, Prover
from bedroll.storage import crash_point

WORKER = Path(__file__).parents[2] / "framework/prover_worker.py"
PROGRAM = b"\x7fELF of these tests"
KINDS = ("keccak_permute", "core", "core", "memory")


def given(**fields):
    """An input for the tests' worker."""
    return json.dumps({"shards": KINDS} | fields).encode()


@pytest.fixture
def worker(tmp_path):
    program = tmp_path / "worker"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{WORKER}"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


@pytest.fixture
def opened(tmp_path, worker):
    """Opens the prover of one folder, as a process would that starts anew; `taken` are the proofs handed over."""
    taken = []
    provers = []

    def open_prover(memory_bytes=1 << 30, **fields):
        async def take(finished):
            taken.append(finished)

        core = Core(worker, memory_bytes)
        fields = {"memory_bytes": memory_bytes, "clock": lambda: 1_700_000_000.0} | fields
        made = Prover(tmp_path / "prover", core, PROGRAM, take, **fields)
        provers.append(made)
        return made

    open_prover.taken = taken
    yield open_prover
    crash_point.disarm()
    for prover in provers:
        prover.queue.close()
