"""A game at T = 26 in which each leaf can be played: messages of both parties, lies that make a fact false, witnesses.

Only the first steps are run; hashes of later ones are made up, the same wherever they occur.
"""

import random
from dataclasses import replace
from functools import cache

from bedroll.bitvm.leaf import Catalogue, Ground, opening_hints
from bedroll.bitvm.message import row_messages
from bedroll.bitvm.search import Shape
from bedroll.crypto import sha256
from bedroll.riscv import Program, Trace
from tests.framework import assembler
from tests.framework.assembler import CODE, DATA, INPUT, RODATA, STACK, encode
from tests.framework.signed_leaf import Signer

SEED = 20261121
SHAPE = Shape(26)
RUN_EXPONENT = 9
RNG = random.Random(SEED)
INPUT_RAW, DATA_RAW, RODATA_RAW = RNG.randbytes(128), RNG.randbytes(64), RNG.randbytes(32)

LEAVES = [
    "input", "hashes_1_1", "hashes_1_9", "digit_1_1", "digit_1_9", "opening_1", "opening_3", "execute_2",
    *(f"execute_{name}" for name in (*assembler.R_TYPE, *assembler.I_TYPE, *assembler.SHIFT, *assembler.LOAD,
                                     *assembler.STORE, *assembler.BRANCH, "lui", "auipc", "jal", "jalr", "fence",
                                     "ecall")),
    "trace_hash", "program_counter", "trace_hash_zero", "input_word_0", "input_word_3", "opcode_chunk_0",
    "initialized_0_read_2", "initialized_0_read_3", "initialized_1_read_2", "uninitialized_read_1",
    "uninitialized_read_2", "uninitialized_read_3", "equivocation_left_1_1", "equivocation_right_1_7",
    "equivocation_left_9_3", "equivocation_right_9_1", "equivocation_end", "equivocation_2_left_1_2",
    "equivocation_2_right_5_4", "equivocation_2_start", "equivocation_2_end", "equivocation_search_2_1",
    "equivocation_search_9_3", "opened_later_write", "opened_wrong_value", "opened_wrong_hash",
]  # fmt: skip
"""One of each kind, and the ends of each range."""


@cache
def game():
    """Catalogue, trace, keys: a program that uses each instruction, then halts with 1."""
    names = [*assembler.R_TYPE]
    code = [encode("lui", 20, DATA >> 12), encode("lui", 21, STACK >> 12), encode("lui", 22, RODATA >> 12)]
    code += [encode("lui", 23, INPUT >> 12), encode("lw", 5, 23, 8), encode("lw", 6, 20, 12)]
    code += [encode(name, 7, 5, 6) for name in names] + [encode(name, 7, 5, -7) for name in assembler.I_TYPE]
    code += [encode(name, 7, 5, 13) for name in assembler.SHIFT]
    code += [encode(name, 7, 20, 4) for name in assembler.LOAD] + [encode(name, 5, 21, 4) for name in assembler.STORE]
    code += [encode(name, 5, 6, 4) for name in assembler.BRANCH]
    code += [encode("jal", 1, 4), encode("auipc", 7, 0), encode("jalr", 1, 7, 8), encode("fence")]
    code += [encode("addi", 17, 0, 93), encode("addi", 10, 0, 1), encode("ecall")]
    raw = assembler.layout(code, data=DATA_RAW, rodata=RODATA_RAW, input_bytes=128)
    program = Program(raw)
    trace = Trace(program, INPUT_RAW, instance_id=bytes(range(32)), exponent=RUN_EXPONENT)
    catalogue = Catalogue(SHAPE, Ground.of(program, trace.hash_at(0)))
    return catalogue, trace, Signer(catalogue.layout)


def row_named(mnemonic):
    trace = game()[1]
    return next(trace.row_at(step) for step in range(1, 200) if trace.row_at(step).mnemonic == mnemonic)


def hash_at(step):
    """H after a step."""
    return game()[1].hash_at(step) if step <= 1 << RUN_EXPONENT else sha256(step.to_bytes(4, "big"))[:20]


def row_at(step):
    """Row of a step; after the halt they differ in their number only."""
    trace = game()[1]
    return trace.row_at(step) if step <= 1 << RUN_EXPONENT else replace(trace.row_at(1 << RUN_EXPONENT), step=step)


def signed_for(step):
    """What both parties sign in a game that finds this step, by label; hashes are the trace's own."""
    layout = game()[0].layout
    found = row_messages(layout, row_at(step))
    digits = SHAPE.digits(step - 1)
    for number, digit in enumerate(digits, 1):
        for index, point in enumerate(SHAPE.points(digits[: number - 1]), 1):
            found[layout.hash(1, number, index).label] = hash_at(point)
            found[layout.hash(2, number, index).label] = hash_at(point)
        found[f"digit_1_{number}"] = found[f"digit_2_{number}"] = bytes((digit,))
    for label, at in (("left_hash", step - 1), ("right_hash", step), ("end_hash", SHAPE.steps)):
        found[label] = hash_at(at)
    found["left_hash_2"], found["right_hash_2"] = found["left_hash"], found["right_hash"]
    found["step_2"], found["opened"] = found["step"], found["read_2"]
    for number, message in enumerate(layout.input[:-1]):
        found[message.label] = INPUT_RAW[32 * number : 32 * number + 32]
    return found


def with_field(messages, label, **values):
    message = game()[0].layout.messages[label]
    return {**messages, label: message.encode(**{**message.decode(messages[label]), **values})}


def opening(step):
    row = row_at(step)
    return opening_hints(hash_at(step - 1), row.write.addr, row.write.value, row.write_pc)


def lies(name):
    """Messages and hints with which a leaf can be played, whatever it takes to make its fact false."""
    catalogue = game()[0]
    store, load = row_named("sw").step, row_named("lw").step
    base = signed_for(store)
    other = bytes(20)
    if name == "trace_hash":
        return {**base, "right_hash": other}, None
    if name == "program_counter":
        return with_field(base, "read_pc", addr=CODE), opening(store - 1)
    if name == "trace_hash_zero":
        return {**signed_for(1), "left_hash": other}, None
    if name.startswith("input_word"):
        return with_field(signed_for(load), "read_2", addr=INPUT + 32 * int(name[-1]), value=1, last_step=0), None
    if name.startswith("opcode_chunk"):
        return with_field(base, "read_pc", opcode=1), None
    if name.startswith("initialized"):
        start = RODATA if name.startswith("initialized_1") else DATA
        return with_field(base, name[-6:], addr=start, value=1, last_step=0), None
    if name.startswith("uninitialized"):
        return with_field(base, name[-6:], addr=STACK, value=1, last_step=0), None
    if name.startswith("opened"):
        messages = {**with_field(base, "opened", addr=STACK + 4, value=1, last_step=0)}
        later = {**messages, "step": catalogue.layout.messages["step"].encode(step=store)}
        if name == "opened_wrong_value":
            later = with_field(later, "opened", last_step=store)
        return ({**later, "left_hash_2": other} if name == "opened_wrong_hash" else later), opening(store)
    return _equivocations(name, base, other)


def _equivocations(name, base, other):
    if name.endswith("_end"):
        last = SHAPE.steps
        return {**signed_for(last), "right_hash": other, "right_hash_2": other}, None
    if name.endswith("_start"):
        return {**signed_for(1), "left_hash_2": other}, None
    number, index = (int(part) for part in name.split("_")[-2:])
    if name.startswith("equivocation_search"):
        return {**base, f"hash_2_{number}_{index}": other}, None
    step = index * SHAPE.places[number - 1]
    messages = signed_for(step + 1 if "left" in name else step)
    return {**messages, "left_hash": other, "right_hash": other, "left_hash_2": other, "right_hash_2": other}, None


def play(name):
    """A successful spend of a leaf: (leaf, spend, items)."""
    catalogue, _, signer = game()
    leaf = catalogue.leaf(name)
    if name.startswith("execute_") and name != "execute_2":
        messages, hints = signed_for(row_named(name.removeprefix("execute_")).step), None
    elif name.startswith(("input", "hashes", "digit", "opening", "execute_2")) and not name.startswith("input_word"):
        step = row_named("sb").step
        messages, hints = signed_for(step), None
        if name.startswith("opening"):
            messages["opened"] = messages[f"read_{name[-1]}"]
    else:
        messages, hints = lies(name)
    return leaf, *signer.spend(leaf, messages, hints)
