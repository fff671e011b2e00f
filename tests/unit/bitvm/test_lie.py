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


def test_the_catalogue_has_every_kind_of_lie():
    kinds = {name.rstrip("0123456789_") for name in LIES}
    assert len(LIES) >= 80
    print(len(LIES), "lies,", len(kinds), "kinds")
    assert {lie.party for lie in LIES.values()} == set(Party)
