"""A run of the settlement program verifies other proofs in its own, and stands for them.

That of the run before, so that whoever has the newest proof and the headers needs none of those before it; and that of
the batch program's verdict on a batch. With BEDROLL_PROVE_FOLDER what is proved stays there, and is not proved again.
"""

import os
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
from tests.framework.settled_verdict import VerdictSettlement

pytestmark = pytest.mark.prove
ROOT = Path(__file__).parents[2]
STORED = ROOT / "tests/vectors/proofs"
BATCH, SETTLEMENT = (ROOT / f"crates/guest/elf/{name}.elf" for name in ("batch", "settlement"))
MEMORY_BYTES = 18 << 30


@pytest.fixture
def folder(tmp_path):
    return Path(os.environ.get("BEDROLL_PROVE_FOLDER", tmp_path / "prover"))


async def proved(folder, program, given, stated, title, before=()):
    """The proof of a program's run; what its tasks took is printed."""
    taken = []

    async def take(finished):
        taken.append(finished)

    core = Core(find_worker(None), checked_budget(MEMORY_BYTES))
    prover = Prover(folder, core, program.read_bytes(), take, memory_bytes=MEMORY_BYTES)
    try:
        job = await prover.finish(prover.reopen(prover.add(given, title, before)))
        tasks = prover.queue.tasks(job.id)
    finally:
        await prover.close()
    assert job.state is JobState.HANDED, job.reason
    print(f"\n{title}: {job.cycles:,} cycles")
    for task in tasks:
        print(f"  {task.name:<12} {task.kind:<18} {task.seconds:7.1f} s  {task.peak_bytes / 2**30:5.1f} GiB")
    (finished,) = taken
    assert finished.values == stated
    return finished.proof


@pytest.mark.timeout(7_200)
async def test_one_proof_stands_for_the_run_before_it_too(folder):
    verifier = Sp1Verifier.of_network(REGTEST)
    site = StoredSettlement(verifier)
    first = site.run(STORED_HEIGHT)
    before = (STORED / "settlement.proof").read_bytes()
    if first.statement != (STORED / "settlement.values").read_bytes():
        # The stored proof is of an earlier program.
        before = await proved(folder, SETTLEMENT, first.input, first.statement, "the first run")
    step = site.run(site.chain.height)
    proof = await proved(folder, SETTLEMENT, step.input, step.statement, "the run after it", [before])
    file = ProofFile(system=ProofSystem.COMPRESSED, values=step.statement, proof=proof, **site.parts())
    seen = view_of_proof(file.encode(), site.genesis, verifier)
    assert (seen.statement.l1_height, seen.depth) == (site.chain.height, 0)


@pytest.mark.timeout(7_200)
async def test_one_proof_stands_for_a_batch_and_the_l1_blocks_around_it(folder, tmp_path):
    verifier = Sp1Verifier.of_network(REGTEST)
    made = VerdictSettlement(tmp_path / "chain", verifier)
    verdict = await proved(folder, BATCH, made.batch_input, made.verdict, "the batch")
    step = made.step
    proof = await proved(folder, SETTLEMENT, step.input, step.statement, "the run over it", [verdict])
    file = ProofFile(system=ProofSystem.COMPRESSED, values=step.statement, proof=proof, **made.parts())
    seen = view_of_proof(file.encode(), made.genesis, verifier)
    assert (seen.block.number, seen.block.hash) == (1, made.tip.hash)
