"""One opcode of the proved program flipped (P-04): its statements are others, and prover and leader see it first.

The mutant takes SMOD's operands for unsigned. It is built from a copy of the sources (`mutant_program.py` of the tests'
framework) and run by the proof system's executor. How a node stands it that is itself the one with another rule is in
tests/unit/derivation/test_divergence.py and tests/unit/node/test_contradicted_node.py.
"""

import functools
import os
from pathlib import Path

import pytest
from scripts.guest_proved import ROOT, sysroot

from bedroll._core._native import Statement, program_input
from bedroll.da import BatchForm
from bedroll.node.batch_cycles import BatchCycles, ProofLimit
from bedroll.prover import Core, JobState, ProgramDiverged, Prover, read_status
from bedroll.prover.executor import execute
from tests.costs.guest import PROGRAM, executed
from tests.framework.devnet import open_rollup
from tests.framework.mutant_program import mutant_program
from tests.framework.scene import Scene, busy
from tests.unit.prover.conftest import worker

__all__ = ["worker"]
pytestmark = [pytest.mark.guest, pytest.mark.timeout(900)]
ANOTHER_TIP = 5
MINUS_EIGHT = (2**256 - 8).to_bytes(32, "big")
SIGNED_REMAINDER = b"\x60\x03\x7f" + MINUS_EIGHT + b"\x07\x5f\x55\x00"
"""Creation code: PUSH1 3, PUSH32 −8, SMOD, PUSH0, SSTORE. −2 is stored; 2 where operands have no sign."""


@pytest.fixture(scope="module")
def executor():
    """The program that `make test-guest` builds."""
    return Path(os.environ["BEDROLL_EXECUTOR"])


@pytest.fixture(scope="module")
def mutant(tmp_path_factory):
    if not (sysroot(ROOT) / "lib/rustlib/src/rust/library/Cargo.lock").exists():
        pytest.skip("the toolchain lacks its sources: rustup component add rust-src")
    file = tmp_path_factory.mktemp("mutant") / "mutant.elf"
    file.write_bytes(mutant_program())
    return file


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path / "scene")
    made.leader.block(origin=made.origin())
    made.catch_up()
    return made


def signed_remainder(scene):
    ledger = scene.leader
    (receipt,) = ledger.block(ledger.sign(ledger.keys[0], to=None, data=SIGNED_REMAINDER)).receipts
    assert receipt.status == 1
    assert ledger.engine.view().storage(receipt.contract, 0) == (2**256 - 2).to_bytes(32, "big")


def input_of(scene):
    header, body = scene.header()
    return program_input(scene.prover.engine, scene.origins, header=header.encode(), body=body)


def test_a_batch_with_the_opcode_is_rejected_by_the_mutant_alone(executor, mutant, scene):
    signed_remainder(scene)
    given, stated = input_of(scene)
    assert executed(executor, given)[1:] == (0, stated)
    _, code, values = executed(executor, given, mutant)
    assert code == 0
    assert values != stated
    said, found = Statement.decode(stated), Statement.decode(values)
    assert (said.rejection, said.tip) == (None, scene.leader.engine.tip().hash)
    assert (found.rejection, found.header_id) == (ANOTHER_TIP, said.header_id)


def test_automatic_blocks_with_the_opcode_end_elsewhere_in_the_mutant(executor, mutant, scene):
    ledger = scene.leader
    raw = ledger.sign(ledger.keys[0], to=None, data=SIGNED_REMAINDER, gas=200_000)
    scene.origin([scene.forced(raw)])
    given, stated = program_input(scene.prover.engine, scene.origins)
    assert executed(executor, given)[1:] == (0, stated)
    _, code, values = executed(executor, given, mutant)
    said, found = Statement.decode(stated), Statement.decode(values)
    assert (code, said.rejection, found.rejection) == (0, None, None)
    assert found.tip != said.tip


def test_without_the_opcode_nothing_shows(executor, mutant, scene):
    busy(scene)
    given, stated = input_of(scene)
    assert executed(executor, given, mutant)[1:] == (0, stated)


async def test_a_prover_with_the_mutant_stops_before_it_plans_and_each_time_it_is_started(
    executor, mutant, scene, worker, tmp_path
):
    signed_remainder(scene)
    given, stated = input_of(scene)
    taken = []

    async def take(finished):
        taken.append(finished)

    for _ in range(2):
        prover = Prover(
            tmp_path / "prover", Core(worker, 1 << 30), mutant.read_bytes(), take,
            memory_bytes=1 << 30, execute=functools.partial(execute, executor),
        )  # fmt: skip
        job = prover.add(given, "batch 2 to 2", stated=stated)
        with pytest.raises(ProgramDiverged) as caught:
            await prover.run()
        assert (caught.value.stated, caught.value.about) == (stated, "batch 2 to 2")
        assert prover.queue.job(job.id).state is JobState.WAITING
        assert not (prover.folder_of(job) / "plan.json").exists()
        await prover.close()
        assert "states something else than the node" in read_status(tmp_path / "prover").alarm
    assert taken == []


async def test_a_leader_with_the_mutant_posts_no_batch_that_proofs_would_contradict(
    executor, mutant, embedded_chain, tmp_path
):
    async with open_rollup(tmp_path / "net", embedded_chain) as rollup:
        account = rollup.devnet.accounts[0]
        raw = account.sign_transaction(
            chain_id=rollup.node.network.chain_id, nonce=0, gas_limit=200_000, max_fee_per_gas=10**12,
            max_priority_fee_per_gas=0, to=None, value=0, data=SIGNED_REMAINDER,
        )  # fmt: skip
        await rollup.send(raw)
        await rollup.block()
        node, build = rollup.node, rollup.leader.batcher._build
        batch, _ = await node._thread.run(build, 1, 1, BatchForm.PROVEN)
        for program in (PROGRAM, mutant):
            limit = ProofLimit(executor=executor, program=program, cycles_max=1 << 40)
            cycles = BatchCycles(node.engine, node._thread, node.deriver.native_origin, limit)
            if program is PROGRAM:
                assert await cycles.of(batch) > 0
            else:
                with pytest.raises(ProgramDiverged):
                    await cycles.of(batch)
