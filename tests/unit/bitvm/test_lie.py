"""Shows that the honest challenger answers every lie of the catalogue with the fact it is about; games as values."""

import pytest

from bedroll.bitvm.game.fact import fact_of
from bedroll.bitvm.game.record import Record
from bedroll.bitvm.graph import REGTEST, Party, Terms
from bedroll.bitvm.lie.catalogue import lies
from bedroll.bitvm.lie.scene import FALSE_WORDS, SAMPLE, TRAP_WORDS, TRUE_WORDS, Scene, data_of
from bedroll.bitvm.player.strategy import HonestChallenger, HonestProver
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.riscv import Halted, Trapped
from tests.framework.assembler import assemble, layout, pack

INSTANCE = bytes(range(32))
SCENE = Scene.sample(INSTANCE)
LIES = lies(3)
SPOKEN = [lie for lie in LIES.values() if lie.party is Party.PROVER and lie.ends_by != "timeout"]


def terms():
    script = b"\x51\x20" + SecretKey(b"a" * 32).x_only
    keys = SecretKey(b"a" * 32).public, SecretKey(b"b" * 32).public
    return Terms(INSTANCE, bytes(32), SCENE.exponent, REGTEST, *keys, script, script, 1_000_000)


def play(prover, challenger):
    found, record = terms(), Record()
    for move in found.moves:
        mind = prover if move.mover is Party.PROVER else challenger
        said = mind.answer(found, record, move)
        if said is None or type(said).__module__.endswith("refute"):
            return move, said, record
        record = record.heard(move, said)
    return None, challenger.answer(found, record, None), record


def test_the_sample_is_what_the_assembler_makes_of_its_source():
    source = SAMPLE.with_suffix(".s").read_text()
    raw = layout(assemble(source), data=pack([0, 7, 0, 0]), rodata=pack([3, 5]), input_bytes=128)
    assert raw == SAMPLE.read_bytes()


def test_the_sample_accepts_refuses_and_traps():
    assert SCENE.true_run.trace.outcome == Halted(61, 1)
    assert SCENE.run_of(FALSE_WORDS).trace.outcome.result == 0
    assert isinstance(SCENE.run_of(TRAP_WORDS).trace.outcome, Trapped)


def test_an_honest_prover_leaves_nothing_to_contest():
    move, said, _ = play(HonestProver(SCENE.true_run, data_of(TRUE_WORDS)), HonestChallenger(SCENE.program))
    assert said is None
    assert move.name == "opening"


@pytest.mark.parametrize("lie", SPOKEN, ids=lambda lie: lie.name)
def test_a_prover_who_lies_is_refuted_by_the_fact_he_lies_about(lie):
    _, said, record = play(lie.make(SCENE), HonestChallenger(SCENE.program))
    assert said is not None, record
    assert fact_of(said)[0].startswith(lie.ends_by), fact_of(said)[0]


KINDS = {
    "wrong result": ["wrong_result"],
    "wrong hash at any round": [f"wrong_hash_{where}" for where in (1, 2, 3, "end", "first")],
    "a row's step": ["malformed_step_number"],
    "a row's reads": [
        f"malformed_future_read_{number}" for number in (1, 2, 3)
    ] + [f"malformed_read_{number}_addr" for number in (1, 2, 3)] + [
        f"read_{number}_{how}" for number in (1, 2, 3) for how in ("value", "earlier", "initial", "later")
    ] + ["initial_data", "initial_stack", "initial_register"],
    "a row's read_pc": ["pc", "opcode", "malformed_pc_unaligned", "malformed_instruction", "malformed_entry"],
    "a row's write, write_pc and witness": [f"malformed_{name}" for name in (
        "write_addr", "write_value", "write_pc", "witness")],
    "wrong input": ["wrong_input"],
    "true proof of another statement": ["another_statement"],
    "trap": ["trap"],
    "early halt": ["early_halt"],
    "invented steps after a halt": ["steps_after_halt"],
    "silent": ["silent_input", "silent_hashes_1_1", "silent_execute", "silent_hashes_2_2", "silent_execute_2"],
    "equivocating": [
        "equivocate_left", "equivocate_right", "equivocate_2_left", "equivocate_2_right", "equivocate_start",
        "equivocate_end", "second_noise_2", "second_difference",
    ],
    "a challenger": [
        "contest_trace_hash", "contest_first_step", "contest_last_step", "open_wrong_value", "open_later_write",
        "silent_digit_1_1", "silent_opening", "silent_digit_2_2", "silent_end",
    ],
}  # fmt: skip
"""What the design asks for, by its words; a late opponent is a pressure on every lie (`test_pressure.py`)."""


@pytest.mark.parametrize("kind", KINDS)
def test_the_catalogue_has_every_kind_of_lie(kind):
    assert set(KINDS[kind]) <= set(LIES)


def test_both_sides_lie():
    print(len(LIES), "lies")
    assert {lie.party for lie in LIES.values()} == set(Party)
