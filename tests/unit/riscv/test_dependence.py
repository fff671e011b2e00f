"""Following the input: what it steers is found, what it does not steer is not, and uniform programs are uniform."""

import random

import pytest

from bedroll.riscv import Halted, Program
from tests.framework import random_program
from tests.framework.assembler import DATA, INPUT, RODATA, STACK, assemble, layout

INPUT_BYTES = 16
END = "li a7, 93\necall\n"


def found(text, given=bytes(INPUT_BYTES)):
    code = assemble(f"li s0, {INPUT}\nli s1, {DATA}\nli s2, {STACK}\n{text}\n{END}")
    return Program(layout(code, data=bytes(64), rodata=bytes(64), input_bytes=INPUT_BYTES)).dependence(given)


@pytest.mark.parametrize(
    ("text", "mnemonic"),
    [
        ("lw t0, 0(s0)\nbeq t0, zero, next\nnext:", "beq"),
        ("lw t0, 0(s0)\nbltu zero, t0, next\nnext:", "bltu"),
        ("lbu t0, 3(s0)\nslli t1, t0, 2\nadd t1, t1, s1\nlw t2, 0(t1)", "lw"),
        ("lw t0, 0(s0)\nadd t1, t0, s1\nsw zero, 0(t1)", "sw"),
        ("lw t0, 0(s0)\nadd t1, t0, s1\nsb zero, 0(t1)", "sb"),
        ("lw t0, 0(s0)\nauipc t1, 0\nadd t1, t1, t0\njalr zero, t1, 12", "jalr"),
        ("lw t0, 0(s0)\nsw t0, 4(s1)\nlh t1, 6(s1)\nbne t1, zero, next\nnext:", "bne"),
        ("lw t0, 0(s0)\nsb t0, 4(s1)\nlw t1, 4(s1)\nbne t1, zero, next\nnext:", "bne"),
        ("lw t0, 0(s0)\nsw t0, 4(s1)\nsb zero, 4(s1)\nlw t1, 4(s1)\nbne t1, zero, next\nnext:", "bne"),
        ("lw t0, 0(s0)\nxor t1, t0, t0\nbne t1, zero, next\nnext:", "bne"),
        ("lw t0, 0(s0)\nremu t1, t0, s0\nmulhsu t1, s0, t1\nsltiu t1, t1, 5\nbge t1, zero, next\nnext:", "bge"),
        ("lw t0, 0(s0)\nslli t0, t0, 31\nsrai t0, t0, 31\nbne zero, t0, next\nnext:", "bne"),
    ],
)
def test_what_the_input_steers_is_found(text, mnemonic):
    result = found(text)
    assert [spot.mnemonic for spot in result.hotspots] == [mnemonic]
    assert not result.is_uniform


def test_a_call_whose_number_is_input_is_found():
    code = assemble(f"li s0, {INPUT}\nlw a7, 0(s0)\necall")
    program = Program(layout(code, input_bytes=4))
    for number in (92, 93):
        result = program.dependence(number.to_bytes(4, "little"))
        assert [spot.mnemonic for spot in result.hotspots] == ["ecall"]
        assert not result.is_uniform


def test_a_trap_that_the_input_chose_is_found():
    result = found("lw t0, 0(s0)\nadd t1, t0, s1\nlw t2, 0(t1)", (2).to_bytes(INPUT_BYTES, "little"))
    assert [spot.mnemonic for spot in result.hotspots] == ["lw"]
    assert not isinstance(result.outcome, Halted)


@pytest.mark.parametrize(
    "text",
    [
        "lw t0, 0(s0)\nmul a0, t0, t0",
        "lw t0, 0(s0)\nsw t0, 0(s1)\nsw zero, 0(s1)\nlw t1, 0(s1)\nbeq t1, zero, next\nnext:",
        "lw t0, 0(s0)\nli t0, 5\nbeq t0, zero, next\nnext:",
        "lw zero, 0(s0)\nbeq zero, zero, next\nnext:",
        "lw t0, 0(s0)\njal t0, next\nnext:\nbne t0, zero, last\nlast:",
        "lw t0, 0(s0)\nlui t0, 5\nbeq t0, zero, next\nnext:",
    ],
)
def test_what_the_input_does_not_steer_is_not_blamed(text):
    assert found(text).is_uniform


def test_a_program_that_does_not_halt_is_not_uniform():
    code = assemble("loop:\njal zero, loop")
    assert not Program(layout(code)).dependence(limit=100).is_uniform


def test_uniform_programs_take_the_same_steps_for_random_inputs():
    rng = random.Random(5)
    print("seed 5")
    uniform = 0
    for _ in range(150):
        raw, given = random_program.file(rng, rng.choice([6, 12, 40]))
        program = Program(raw)
        result = program.dependence(given)
        assert result.outcome == program.run(given)
        if not result.is_uniform:
            continue
        uniform += 1
        spots = program.profile(given).hotspots
        for _ in range(5):
            assert program.profile(rng.randbytes(len(given))).hotspots == spots
    assert uniform > 30, uniform


def test_the_tree_of_calls_counts_each_function_below_its_caller():
    code = assemble(
        f"""
        li s0, 3
    again:
        jal ra, double
        addi s0, s0, -1
        bne s0, zero, again
        jal ra, once
        {END}
    double:
        addi s3, ra, 0
        jal ra, once
        jal ra, once
        addi ra, s3, 0
        jalr zero, ra, 0
    once:
        addi t0, t0, 1
        jalr zero, ra, 0
        """
    )
    tree = Program(layout(code)).profile().calls
    assert (tree.calls, tree.steps) == (1, 2 + 3 * 3 + 1 + 2 + 3 * (5 + 4) + 2)
    double, once = tree.inside
    assert (double.calls, double.steps, once.calls, once.steps) == (3, 27, 1, 2)
    assert [(call.calls, call.steps) for call in double.inside] == [(6, 12)]


def test_a_tree_of_calls_stays_small_however_deep_calls_go():
    depth = 9_000
    code = assemble(f"li s0, {depth}\ndown:\naddi s0, s0, -1\nbeq s0, zero, out\njal ra, down\nout:\n{END}")
    program = Program(layout(code))
    profile = program.profile()
    node, nodes = profile.calls, 1
    while node.inside:
        (node,), nodes = node.inside, nodes + 1
    assert nodes == 65
    assert profile.calls.steps == profile.outcome.step - 1


def test_the_input_section_alone_is_input():
    code = assemble(f"li s0, {RODATA}\nlw t0, 0(s0)\nbeq t0, zero, next\nnext:\n{END}")
    assert Program(layout(code, rodata=bytes(64), input_bytes=4)).dependence(bytes(4)).is_uniform
