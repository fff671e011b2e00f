"""The program that disputes are about: rows of a real proof's run pass Execute, and no fact about them is false."""

import random
from dataclasses import replace

import pytest

from bedroll.bitvm.leaf import Catalogue, Ground
from bedroll.bitvm.search import Shape
from bedroll.riscv import Program, Trace
from bedroll.riscv.verifier import instance
from tests.framework.execute_leaf import Bench, instruction_at
from tests.framework.groth16 import arkworks
from tests.framework.signed_leaf import run_body

SEED = 20261121
EXPONENT = 26
ROWS = 120
MEMORY = ("input_word", "initialized", "uninitialized", "opcode_chunk")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_rows_of_a_real_verification():
    rng = random.Random(SEED)
    sample = arkworks()[0]
    program = Program(instance(sample.key, sample.inputs))
    trace = Trace(program, sample.proof, instance_id=bytes(32), exponent=EXPONENT)
    bench = Bench(program, EXPONENT)
    catalogue = Catalogue(Shape(EXPONENT), Ground.of(program, trace.hash_at(0)))
    halt = trace.outcome.step
    last = trace.last_step
    steps = [1, 2, halt - 1, halt, halt + 1, last - 1, last, *(rng.randrange(3, halt) for _ in range(ROWS))]
    facts = [leaf for leaf in catalogue.row_facts if leaf.name.startswith(MEMORY)]
    names = set()
    for step in steps:
        row = trace.row_at(step)
        instruction, messages = instruction_at(row), bench.messages(row)
        names.add(instruction.name)
        assert bench.run(instruction, messages) is not None, row
        wrong = bench.messages(replace(row, write_pc=row.write_pc ^ 4))
        assert bench.run(instruction, wrong) is None
        messages |= {
            message.label: sample.proof[32 * at : 32 * at + 32]
            for at, message in enumerate(catalogue.layout.input[:-1])
        }
        for leaf in rng.sample(facts, 12):
            assert run_body(leaf, messages) is None, (leaf.name, row)
    print(f"{len(steps)} rows of {len(names)} instructions, {len(facts)} facts about values; halt at {halt}")
    assert len(names) >= 10
