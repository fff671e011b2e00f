"""A run of the settlement program goes on from an earlier one: its proof verifies that one's and stands for both.

So whoever has the newest proof and the headers needs none of those before it.
"""

from pathlib import Path

import pytest

from bedroll.da import ProofSystem
from bedroll.light import ProofFile, view_of_proof
from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.protocol import REGTEST
from bedroll.prover import Core, JobState, Prover
from bedroll.prover.budget import checked_budget
from bedroll.prover.core import find_worker
from tests.framework.settled_file import STORED_HEIGHT, StoredSettlement

pytestmark = pytest.mark.prove
ROOT = Path(__file__).parents[2]
STORED = ROOT / "tests/vectors/proofs"
PROGRAM = ROOT / "crates/guest/elf/settlement.elf"
MEMORY_BYTES = 18 << 30


async def proved(folder, step, title, before=()):
    """The proof of a run; what its tasks took is printed."""
    taken = []

    async def take(finished):
        taken.append(finished)

    core = Core(find_worker(None), checked_budget(MEMORY_BYTES))
    prover = Prover(folder, core, PROGRAM.read_bytes(), take, memory_bytes=MEMORY_BYTES)
    try:
        job = await prover.finish(prover.add(step.input, title, before))
        tasks = prover.queue.tasks(job.id)
    finally:
        await prover.close()
    assert job.state is JobState.HANDED, job.reason
    for task in tasks:
        print(f"  {task.name:<12} {task.kind:<18} {task.seconds:7.1f} s  {task.peak_bytes / 2**30:5.1f} GiB")
    (finished,) = taken
    assert finished.values == step.statement
    return finished.proof


@pytest.mark.timeout(7_200)
async def test_one_proof_stands_for_the_run_before_it_too(tmp_path):
    verifier = Sp1Verifier.of_network(REGTEST)
    site = StoredSettlement(verifier)
    first = site.run(STORED_HEIGHT)
    before = (STORED / "settlement.proof").read_bytes()
    if first.statement != (STORED / "settlement.values").read_bytes():
        # The stored proof is of an earlier program.
        before = await proved(tmp_path, first, "the first run")
    step = site.run(site.chain.height)
    proof = await proved(tmp_path, step, "the run after it", [before])
    file = ProofFile(system=ProofSystem.COMPRESSED, values=step.statement, proof=proof, **site.parts())
    seen = view_of_proof(file.encode(), site.genesis, verifier)
    assert (seen.statement.l1_height, seen.depth) == (site.chain.height, 0)
