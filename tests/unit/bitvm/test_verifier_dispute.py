"""A claim about a real proof, T = 26: the prover shows a true proof of another statement, and loses on the chain."""

from dataclasses import replace

import pytest

from bedroll.bitvm.game.run import OwnRun
from bedroll.bitvm.graph import Party
from bedroll.bitvm.lie.claimant import Claimant
from bedroll.bitvm.lie.replay import replay
from bedroll.bitvm.lie.run import LyingRun
from bedroll.bitvm.lie.scene import Scene
from bedroll.bitvm.player.position import End
from bedroll.bitvm.player.strategy import HonestChallenger, HonestProver
from bedroll.riscv.verifier import instance
from tests.framework.dispute_game import INSTANCE, begin
from tests.framework.groth16 import arkworks

EXPONENT = 26


def scene(inputs):
    return Scene(instance(arkworks()[0].key, inputs), INSTANCE, EXPONENT)


async def play(chain, folder, stage, prover):
    game = await begin(chain, folder, stage, prover, HonestChallenger(stage.program))
    try:
        return await game.play(), game.events
    finally:
        game.duel.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_true_proof_of_another_statement_loses(embedded_chain, tmp_path):
    sample = arkworks()[0]
    stage = scene((sample.inputs[0] + 1, *sample.inputs[1:]))
    true = OwnRun(stage.program, sample.proof, instance_id=INSTANCE, exponent=EXPONENT)
    last = 1 << EXPONENT
    row = true.trace.row_at(last)
    assert (row.read_1.value, row.read_2.value) == (93, 0)
    claimed = replay(replace(row, read_2=replace(row.read_2, value=1)))
    position, events = await play(
        embedded_chain, tmp_path / "duel", stage, Claimant(LyingRun(true, last, claimed), sample.proof)
    )
    assert position.winner is Party.CHALLENGER
    assert position.end is End.TAKEN
    assert position.by.startswith("opened_wrong_value")
    total = sum(event.transaction.vsize for event in events)
    print(f"{len(events)} transactions, {total} vB, the largest {max(event.transaction.vsize for event in events)}")
    assert total <= 159_000


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_true_claim_stands_against_a_challenger_who_asks(embedded_chain, tmp_path):
    sample = arkworks()[0]
    stage = scene(sample.inputs)
    own = OwnRun(stage.program, sample.proof, instance_id=INSTANCE, exponent=EXPONENT)
    position, events = await play(embedded_chain, tmp_path / "duel", stage, HonestProver(own, sample.proof))
    assert position.winner is Party.PROVER
    print(f"{len(events)} transactions")
