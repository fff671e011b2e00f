"""Second forms of the leaves that hash and multiply give the same verdict on everything tried."""

import random

import pytest

from bedroll.bitcoin.script import encode_number
from bedroll.bitvm.interpreter import ScriptFailure, execute
from bedroll.bitvm.leaf.chain import bit_hash, opened_leaves, program_counter_leaf, trace_hash_leaf
from bedroll.bitvm.leaf.execute import INSTRUCTIONS, execute_body, revealed_messages
from bedroll.bitvm.leaf.execute.hint import derive_hints, hint_fields
from bedroll.bitvm.leaf.execute.second import SECOND
from bedroll.bitvm.message import Layout
from bedroll.bitvm.search import Shape
from bedroll.riscv import Program, Read, ReadPc, Row, Write
from tests.framework import assembler
from tests.framework.assembler import CODE, encode
from tests.framework.execute_leaf import Bench
from tests.framework.leaf_play import game, lies
from tests.framework.signed_leaf import digits_of, run_body
from tests.reference.riscv_model import MASK, REGISTERS, Model, blake3

SEED = 20261121
INTERESTING = [0, 1, 2, 3, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xFFFF_FFFF, 0xFFFF_FFFE]
PROGRAM = Program(assembler.layout([encode("ecall")] * 4, input_bytes=32))
BENCH = Bench(PROGRAM, 6)
BY_NAME = {instruction.name: instruction for instruction in INSTRUCTIONS}
BODIES = {name: execute_body(BENCH.layout, BENCH.ground.territory, BY_NAME[name], SECOND) for name in SECOND}


def second_verdict(name, messages):
    instruction = BY_NAME[name]
    hints = derive_hints(instruction, BENCH.values(instruction, messages))
    items = [encode_number(hints[hint.name]) for hint in hint_fields(instruction)]
    for message in revealed_messages(BENCH.layout, instruction):
        items += (encode_number(digit) for digit in message.digits(messages[message.label]))
    try:
        execute(BODIES[name], items)
    except ScriptFailure:
        return False
    return True


def row(name, left, right, change):
    funct3, funct7 = assembler.R_TYPE[name]
    value, witness = Model.compute(funct7, funct3, left, right)
    return Row(
        5, Read(REGISTERS + 20, left, 1), Read(REGISTERS + 24, right, 2), Read(0, 0, 0),
        ReadPc(CODE + 4, encode(name, 7, 5, 6)), Write(REGISTERS + 28, (value ^ change[0]) & MASK), CODE + 8,
        (witness ^ change[1]) & MASK,
    )  # fmt: skip


def compare(name, pairs, rng):
    for left, right in pairs:
        for change in ((0, 0), (1 << rng.randrange(32), 0), (0, 1 << rng.randrange(32)), (rng.getrandbits(32), 0)):
            if change[1] and not BY_NAME[name].divides:
                continue
            messages = BENCH.messages(row(name, left, right, change))
            first = BENCH.run(BY_NAME[name], messages) is not None
            assert first == second_verdict(name, messages) == (change == (0, 0)), (name, left, right, change)


@pytest.mark.parametrize("name", list(SECOND))
def test_both_forms_judge_products_and_quotients_alike(name):
    rng = random.Random(f"{SEED} {name}")
    pairs = [(rng.choice(INTERESTING), rng.choice(INTERESTING)) for _ in range(5)]
    compare(name, [*pairs, (0x8000_0000, MASK), (5, 0), (rng.getrandbits(32), rng.getrandbits(32))], rng)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", list(SECOND))
def test_both_forms_judge_many_products_and_quotients_alike(name):
    rng = random.Random(f"{SEED} slow {name}")
    corners = [(one, two) for one in INTERESTING for two in INTERESTING]
    compare(name, corners + [(rng.getrandbits(32), rng.getrandbits(rng.randrange(1, 33))) for _ in range(200)], rng)


LAYOUT = Layout(Shape(26), 32)


def hash_leaves():
    first = (*opened_leaves(LAYOUT), trace_hash_leaf(LAYOUT), program_counter_leaf(LAYOUT))
    second = (
        *opened_leaves(LAYOUT, bit_hash),
        trace_hash_leaf(LAYOUT, bit_hash),
        program_counter_leaf(LAYOUT, bit_hash),
    )
    return list(zip(first, second, strict=True))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_both_forms_judge_hashes_alike():
    game()
    rng = random.Random(SEED)
    for first, second in hash_leaves():
        messages, given = lies(first.name)
        hints = digits_of(first, given) if given else None
        assert run_body(first, messages, hints) is not None
        assert run_body(second, messages, hints) is not None
        for _ in range(12):
            changed = dict(messages)
            label = rng.choice([each.label for each in first.revealed])
            message = LAYOUT.messages[label]
            digits = list(message.digits(changed[label]))
            at = rng.randrange(len(digits))
            digits[at] = rng.randrange(message.radices[at])
            changed[label] = message.join(digits)
            moved = hints
            if hints and rng.random() < 0.5:
                name = rng.choice(list(hints))
                moved = {**hints, name: [*hints[name][:-1], rng.choice([-1, 16, rng.randrange(16)])]}
            one, two = run_body(first, changed, moved), run_body(second, changed, moved)
            assert (one is None) == (two is None), (first.name, label, at)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_both_forms_judge_a_row_s_hash_alike():
    game()
    first, second = trace_hash_leaf(LAYOUT), trace_hash_leaf(LAYOUT, bit_hash)
    lie, _ = lies("trace_hash")
    assert run_body(first, lie) is not None
    assert run_body(second, lie) is not None
    honest = {**lie, "right_hash": _true_hash(lie)}
    assert run_body(first, honest) is None
    assert run_body(second, honest) is None


def _true_hash(messages):
    return blake3(b"\1" + messages["left_hash"] + messages["write"])[:20]
