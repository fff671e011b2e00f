"""Shows that a false Groth16 proof dies on Bitcoin: the real verifier program, 2^26 steps, every leaf real.

The prover claims that the verifier accepts a proof that it refuses; or, a lie in the middle, that one multiplication
of the pairing had another factor.
"""

import time
from dataclasses import replace

import pytest

from bedroll.bitvm.game.book import Book
from bedroll.bitvm.graph import REGTEST, Party
from bedroll.bitvm.lie.claimant import Claimant
from bedroll.bitvm.lie.replay import replay
from bedroll.bitvm.lie.run import LyingRun
from bedroll.bitvm.player.duel import Duel, Match
from bedroll.bitvm.player.strategy import HonestChallenger
from bedroll.riscv import Program
from bedroll.riscv.verifier import instance
from tests.framework.dispute_game import BOND_SAT, INSTANCE, Game
from tests.framework.groth16 import arkworks

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

EXPONENT = 26
FALSE_RESULT, FALSE_FACTOR = "wrong_result", "wrong_factor"


def claim(name, program, mind):
    """A prover who lies about the verifier's run, and the truth that the challenger will find."""
    sample = arkworks()[0]
    proof = sample.proof
    if name == FALSE_RESULT:
        # Another proof's first point: well formed, on the curve, and not this statement's.
        proof = arkworks()[1].proof[:32] + proof[32:]
    terms = type("Terms", (), {"instance_id": INSTANCE, "exponent": EXPONENT})
    true = mind.run(terms, proof)
    if name == FALSE_RESULT:
        assert true.trace.outcome.result == 0
        step = 1 << EXPONENT
        row = true.trace.row_at(step)
        return Claimant(LyingRun(true, step, replay(replace(row, read_2=replace(row.read_2, value=1)))), proof)
    assert true.trace.outcome.is_accepted
    step = 20_000_001
    while (row := true.trace.row_at(step)).mnemonic != "mul" or row.read_1.value == 0:
        step += 1
    false = replay(replace(row, read_2=replace(row.read_2, value=row.read_2.value ^ 1)))
    assert false.write != row.write
    return Claimant(LyingRun(true, step, false), proof)


@pytest.mark.parametrize("name", [FALSE_RESULT, FALSE_FACTOR])
async def test_a_false_proof_dies(embedded_chain, tmp_path, name):
    sample = arkworks()[0]
    program = Program(instance(sample.key, sample.inputs))
    begun = time.perf_counter()
    book = Book.build(program, EXPONENT, INSTANCE)
    leaves = [leaf for each in (*book.move_leaves, *book.fact_leaves) for leaf in each.values()]
    print(
        f"{len(leaves)} leaves, {sum(leaf.size_bytes for leaf in leaves):,} bytes: {time.perf_counter() - begun:.1f} s"
    )
    mind = HonestChallenger(program)
    liar = claim(name, program, mind)
    duel = Duel(embedded_chain.client, tmp_path / "duel", Match(program, book, REGTEST, INSTANCE, BOND_SAT), _ignore)
    begun = time.perf_counter()
    await duel.begin({Party.PROVER: liar, Party.CHALLENGER: mind}, embedded_chain.fund, embedded_chain.mine)
    print(f"setup of both sides: {time.perf_counter() - begun:.1f} s")
    try:
        position = await Game(duel, embedded_chain).play()
        assert position.winner is Party.CHALLENGER
        assert position.by == "opened_wrong_value"
        assert all(not side.alarms for side in duel.sides.values())
    finally:
        duel.close()
    transactions = [played.spend.transaction for played in position.played] + [position.ended.transaction]
    total = sum(each.vsize for each in transactions)
    row = position.record.execute.row
    print(f"step {row.step:,} ({row.mnemonic}), {len(transactions)} transactions, {total:,} vB")
    assert total <= 159_000


def _ignore(event):
    pass
