"""Execute accepts each row that the machine makes, and no other: rows of random programs, each field of each mutated.

What the leaf must accept is said by the plain model of the machine, fed with the row's own reads: a mutated row may by
chance be a possible step again, and then the leaf must take it.
"""

import random
from collections import Counter
from dataclasses import replace

import pytest

from bedroll.bitvm.leaf.execute import INSTRUCTIONS, revealed_messages
from bedroll.bitvm.leaf.execute.hint import derive_hints, hint_fields
from bedroll.riscv import Program, Trace, Write
from tests.framework import assembler
from tests.framework.assembler import BRANCH, DATA, I_TYPE, INPUT, LOAD, R_TYPE, RODATA, SHIFT, STACK, STORE, encode
from tests.framework.execute_leaf import Bench, instruction_at
from tests.reference.riscv_step import is_step

SEED = 20261121
EXPONENT = 9
INTERESTING = [0, 1, 2, 3, 15, 16, 31, 32, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xFFFF_FFFF, 0xFFFF_8000, 0x80,
               0xFFFF, 0x1_0000, 0x7FFF, 0x8000]  # fmt: skip


def value_of(rng):
    return rng.choice(INTERESTING) if rng.random() < 0.6 else rng.getrandbits(32)


def loaded(register, value):
    return [encode("lui", register, (value + 0x800 >> 12) & 0xFFFFF), encode("addi", register, register, value & 0xFFF)]


def random_code(rng, count):
    code = [word for register in range(5, 16) for word in loaded(register, value_of(rng))]
    code += [
        encode("lui", register, base >> 12) for register, base in ((20, DATA), (21, STACK), (22, RODATA), (23, INPUT))
    ]

    def register():
        return rng.choice([*range(5, 16), 0])

    for _ in range(count):
        kind = rng.choice("rrrrrriismmmmbbju")
        if kind == "r":
            code.append(encode(rng.choice(list(R_TYPE)), register(), register(), register()))
        elif kind == "i":
            code.append(encode(rng.choice(list(I_TYPE)), register(), register(), rng.randrange(-2048, 2048)))
        elif kind == "s":
            code.append(encode(rng.choice(list(SHIFT)), register(), register(), rng.randrange(32)))
        elif kind == "m":
            name = rng.choice([*LOAD, *STORE])
            size = {"b": 1, "h": 2, "w": 4}[name[1]]
            base = rng.choice([20, 20, 21, 22, 23] if name in LOAD else [20, 21])
            code.append(encode(name, register(), base, size * rng.randrange(32 // size)))
        elif kind == "b":
            code.append(encode(rng.choice(list(BRANCH)), register(), register(), 4 * rng.choice([1, 2, 3])))
        elif kind == "j":
            code.append(encode("jal", rng.choice([0, 1]), 4 * rng.choice([1, 2, 3])))
        else:
            name = rng.choice(["lui", "auipc", "fence"])
            code.append(encode(name, *([] if name == "fence" else [register(), rng.getrandbits(20)])))
    tail = [encode("addi", 0, 0, 0)] * 3 + [encode("auipc", 5, 0), encode("jalr", 6, 5, 9)]
    return [*code, *tail, encode("addi", 17, 0, 93), encode("addi", 10, 0, 1), encode("ecall")]


def random_run(rng, count=60):
    raw = assembler.layout(random_code(rng, count), data=rng.randbytes(64), rodata=rng.randbytes(32), input_bytes=32)
    program = Program(raw)
    return Bench(program, EXPONENT), Trace(program, rng.randbytes(32), instance_id=bytes(32), exponent=EXPONENT)


def rows_of(trace):
    steps = {*range(1, min(trace.last_step, 110) + 1), trace.last_step}
    return [trace.row_at(step) for step in sorted(steps)]


def witness_of(values):
    return values["witness"]["value"] if "witness" in values else 0


def mutations(rng, bench, instruction, messages):
    """Messages with one field changed, each field of what is revealed once or more."""
    for message in revealed_messages(bench.layout, instruction):
        values = message.decode(messages[message.label])
        for field in message.fields:
            limit = 1
            for radix in field.radices:
                limit *= radix
            old = values[field.name]
            for new in {old ^ 1 << rng.randrange(limit.bit_length() - 1), rng.choice([old + 1, old - 1]) % limit}:
                if new != old and not (
                    message.label == "witness" and not messages["write"][:4].strip(b"\0") and not new
                ):
                    yield {**messages, message.label: message.encode(**{**values, field.name: new})}


def test_every_row_is_accepted_and_every_mutated_row_judged_as_the_model_judges_it():
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    seen, refused, accepted = Counter(), 0, 0
    for _ in range(2):
        bench, trace = random_run(rng)
        place = bench.place()
        for row in rows_of(trace):
            instruction, messages = instruction_at(row), bench.messages(row)
            assert bench.run(instruction, messages) is not None, row
            seen[instruction.name] += 1
            if seen[instruction.name] > 1:
                continue
            for changed in mutations(rng, bench, instruction, messages):
                values = bench.values(instruction, changed)
                answers = bench.layout.answers(1)
                number = bench.layout.shape.number([values[answer.label]["digit"] for answer in answers])
                possible = (
                    instruction.matches(values["read_pc"]["opcode"])
                    and number == values["step"]["step"]
                    and is_step(place, values, witness_of(values))
                )
                taken = bench.run(instruction, changed) is not None
                assert taken == possible, (instruction.name, values)
                accepted += taken
                refused += not taken
    print(f"{sum(seen.values())} rows, {refused} mutations refused, {accepted} possible again; {dict(seen)}")
    assert refused > 300
    assert len(seen) >= len(INSTRUCTIONS) - 9


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_rows_and_mutations():
    rng = random.Random(SEED + 1)
    print(f"seed {SEED + 1}")
    seen = Counter()
    for _ in range(14):
        bench, trace = random_run(rng)
        place = bench.place()
        for row in rows_of(trace):
            instruction, messages = instruction_at(row), bench.messages(row)
            assert bench.run(instruction, messages) is not None, row
            seen[instruction.name] += 1
            for changed in mutations(rng, bench, instruction, messages):
                values = bench.values(instruction, changed)
                number = bench.layout.shape.number(
                    [values[answer.label]["digit"] for answer in bench.layout.answers(1)]
                )
                possible = (
                    instruction.matches(values["read_pc"]["opcode"])
                    and number == values["step"]["step"]
                    and is_step(place, values, witness_of(values))
                )
                assert (bench.run(instruction, changed) is not None) == possible, (instruction.name, values)
    print(dict(seen))
    assert len(seen) == len(INSTRUCTIONS)


def directed(*names_and_operands, values=()):
    """Bench and row of the last of some instructions, after registers 5 and 6 got values."""
    code = [word for register, value in zip((5, 6), values, strict=False) for word in loaded(register, value)]
    code += [encode(*each) for each in names_and_operands]
    target = len(code)
    code += [encode("addi", 17, 0, 93), encode("addi", 10, 0, 1), encode("ecall")]
    raw = assembler.layout(code, data=bytes(range(1, 65)), rodata=bytes(32), input_bytes=32)
    program = Program(raw)
    trace = Trace(program, bytes(32), instance_id=bytes(32), exponent=EXPONENT)
    return Bench(program, EXPONENT), trace.row_at(target)


@pytest.mark.parametrize("name", list(R_TYPE))
def test_each_operation_on_pairs_of_interesting_values(name):
    check_pairs(name, PAIRS[hash_of(name) :: 13])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", list(R_TYPE))
def test_each_operation_on_each_pair_of_interesting_values(name):
    check_pairs(name, PAIRS)


PAIRS = [(one, two) for one in INTERESTING for two in INTERESTING]


def hash_of(name):
    """Another start for each name."""
    return sum(name.encode()) % 13


def check_pairs(name, pairs):
    bench, row = directed((name, 7, 5, 6), values=(1, 1))
    place = bench.place()
    instruction = instruction_at(row)
    for one, two in pairs:
        _, made = directed((name, 7, 5, 6), values=(one, two))
        changed = replace(
            row,
            read_1=replace(row.read_1, value=one),
            read_2=replace(row.read_2, value=two),
            write=made.write,
            witness=made.witness,
        )
        messages = bench.messages(changed)
        values = bench.values(instruction, messages)
        assert is_step(place, values, witness_of(values))
        assert bench.run(instruction, messages) is not None, (one, two)
        for wrong in (made.write.value ^ 1, made.write.value ^ 0x8000_0000, made.write.value ^ 0x1_0000):
            bad = bench.messages(replace(changed, write=Write(made.write.addr, wrong)))
            assert bench.run(instruction, bad) is None, (one, two, wrong)


def test_unaligned_and_foreign_addresses_have_no_row():
    cases = [
        ("lw", DATA + 2), ("lh", DATA + 1), ("sw", DATA + 1), ("sh", DATA + 3), ("lw", 0x1_0000), ("sw", RODATA),
        ("sw", INPUT), ("lw", DATA + 64), ("lw", 0xF000_0014), ("sb", 0x1_0000),
    ]  # fmt: skip
    for name, address in cases:
        load = name in LOAD
        operands = (name, 7 if load else 6, 5, 0)
        bench, row = directed(operands, values=(DATA, 77))
        word = address & ~3
        moved = replace(
            row,
            read_1=replace(row.read_1, value=address),
            read_2=replace(row.read_2, addr=word) if load else row.read_2,
            read_3=replace(row.read_3, addr=word) if name in ("sb", "sh") else row.read_3,
            write=row.write if load else Write(word, row.write.value),
        )
        assert bench.run(instruction_at(row), bench.messages(row)) is not None
        assert bench.run(instruction_at(row), bench.messages(moved)) is None, (name, hex(address))


def test_a_wrong_hint_refuses_and_never_helps_a_wrong_row():
    rng = random.Random(SEED)
    for name in ("sll", "mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu"):
        bench, row = directed((name, 7, 5, 6), values=(0x8765_4321, 0x1234_5679))
        instruction = instruction_at(row)
        messages = bench.messages(row)
        right = derive_hints(instruction, bench.values(instruction, messages))
        assert bench.run(instruction, messages, right) is not None
        for field in hint_fields(instruction):
            for wrong in (right[field.name] + 1, right[field.name] ^ 0x1_0000, -1, 0x7FFF_FFFF, rng.getrandbits(31)):
                if wrong != right[field.name]:
                    assert bench.run(instruction, messages, {**right, field.name: wrong}) is None
        forged = bench.messages(replace(row, write=Write(row.write.addr, row.write.value ^ 4)))
        for _ in range(25):
            hints = {hint.name: rng.choice([rng.getrandbits(20), *right.values()]) for hint in hint_fields(instruction)}
            assert bench.run(instruction, forged, hints) is None


def test_the_claim_is_a_condition_of_the_last_row():
    raw = assembler.layout([encode("addi", 17, 0, 93), encode("addi", 10, 0, 1), encode("ecall")], input_bytes=32)
    program = Program(raw)
    trace = Trace(program, bytes(32), instance_id=bytes(32), exponent=EXPONENT)
    bench, last = Bench(program, EXPONENT), trace.row_at(1 << EXPONENT)
    instruction = instruction_at(last)
    assert bench.run(instruction, bench.messages(last)) is not None
    for result in (0, 2, 0x1_0001):
        denied = replace(last, read_2=replace(last.read_2, value=result))
        assert bench.run(instruction, bench.messages(denied)) is None
        assert bench.run(instruction, bench.messages(replace(denied, step=last.step - 1))) is not None
    add = trace.row_at(2)
    assert bench.run(instruction_at(add), bench.messages(add)) is not None
    assert bench.run(instruction_at(add), bench.messages(replace(add, step=1 << EXPONENT))) is None


def test_step_1_starts_at_the_entry_point():
    bench, trace = random_run(random.Random(SEED))
    lui = trace.row_at(3)
    assert bench.run(instruction_at(lui), bench.messages(lui)) is not None
    assert bench.run(instruction_at(lui), bench.messages(replace(lui, step=1))) is None


def test_the_row_is_that_of_the_answers():
    bench, trace = random_run(random.Random(SEED))
    row = trace.row_at(7)
    messages = bench.messages(row)
    for answer in bench.layout.answers(1):
        digit = messages[answer.label][0]
        moved = {**messages, answer.label: bytes(((digit + 1) % answer.radices[0],))}
        assert bench.run(instruction_at(row), moved) is None


def test_a_read_of_the_future_is_refused():
    bench, trace = random_run(random.Random(SEED))
    row = next(row for row in rows_of(trace) if row.read_1.last_step)
    for last, fine in ((row.step - 1, True), (row.step, False), (row.step + 1, False), (511, False)):
        changed = replace(row, read_1=replace(row.read_1, last_step=last))
        assert (bench.run(instruction_at(row), bench.messages(changed)) is not None) == fine
