"""Unicorn makes the same steps: generated architectural tests, random programs, the verifier's first steps."""

import random
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from bedroll.riscv import Halted, Program, Trace
from bedroll.riscv.verifier import instance
from tests.framework import random_program
from tests.framework.assembler import INSTRUCTIONS
from tests.framework.groth16 import arkworks
from tests.framework.unicorn_machine import Unicorn

ARCHIVE = Path(__file__).resolve().parents[2] / "vectors/riscv_arch/tests.zip"
SEED = 20261121


def architectural():
    with zipfile.ZipFile(ARCHIVE) as archive:
        return {Path(name).stem: archive.read(name) for name in archive.namelist()}


def follow(raw, given=b"", steps=None):
    program = Program(raw)
    outcome = program.run(given)
    assert isinstance(outcome, Halted), outcome
    trace = Trace(program, given, instance_id=bytes(32), exponent=outcome.step.bit_length())
    Unicorn(program, given).follow(trace, steps or outcome.step - 1)
    return program, outcome


@pytest.mark.parametrize("name", sorted(architectural()))
def test_an_architectural_test_makes_the_steps_that_unicorn_makes(name):
    program, outcome = follow(architectural()[name])
    assert outcome.result == 1
    made = Counter(spot.mnemonic for spot in program.profile().hotspots)
    assert made[name] > 0


def test_there_is_an_architectural_test_of_every_instruction():
    assert set(architectural()) == INSTRUCTIONS


def fuzz(count, length, seed):
    rng = random.Random(seed)
    print(f"seed {seed}")
    made = Counter()
    for _ in range(count):
        raw, given = random_program.file(rng, length)
        program, _ = follow(raw, given)
        made.update({spot.mnemonic: spot.steps for spot in program.profile(given).hotspots})
    return made


def test_random_programs_make_the_steps_that_unicorn_makes():
    made = fuzz(40, 120, SEED)
    assert set(made) >= INSTRUCTIONS - {"jalr"}, INSTRUCTIONS - set(made)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_random_programs_make_the_steps_that_unicorn_makes():
    made = fuzz(3000, 400, SEED + 1)
    assert min(made[name] for name in INSTRUCTIONS - {"jalr"}) > 1000, made


def test_the_verifier_begins_as_in_unicorn():
    sample = arkworks()[0]
    raw = instance(sample.key, sample.inputs)
    program = Program(raw)
    trace = Trace(program, sample.proof, instance_id=bytes(32), exponent=14)
    Unicorn(program, sample.proof).follow(trace, 1 << 14)


@pytest.mark.slow
def test_the_verifier_ends_as_in_unicorn():
    sample = arkworks()[0]
    for proof, result in ((sample.proof, 1), (sample.broken[0][1], 0)):
        program = Program(instance(sample.key, sample.inputs))
        steps = program.run(proof).step - 1
        unicorn = Unicorn(program, proof)
        unicorn.engine.emu_start(program.entry, 0, count=steps)
        assert (unicorn.register(10), unicorn.register(17)) == (result, 93)
