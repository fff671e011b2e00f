"""The core's machine and a plain model agree on every row and hash: directed programs, random ones, cut runs."""

import random
import struct
from collections import Counter

import pytest
from hypothesis import HealthCheck, event, given, seed, settings
from hypothesis import strategies as st

from bedroll.riscv import Halted, Program, Read, ReadPc, Row, Trace, Trapped, Write
from tests.framework import assembler
from tests.framework.assembler import CODE, DATA, INPUT, RODATA, STACK, STACK_BYTES, assemble, encode
from tests.reference.riscv_model import Model, blake3

INSTANCE = bytes(range(32))
DATA_WORDS, RODATA_WORDS, INPUT_WORDS = 16, 8, 8
SEED = 20261121


def words_of(raw):
    return struct.unpack(f"<{len(raw) // 4}I", raw)


def pair(code, data, rodata, given_input, exponent):
    """The same program in both machines, run."""
    raw = assembler.layout(code, data=data, rodata=rodata, input_bytes=len(given_input))
    trace = Trace(Program(raw), given_input, instance_id=INSTANCE, exponent=exponent)
    writable = {DATA + 4 * i for i in range(len(data) // 4)} | set(range(STACK, STACK + STACK_BYTES, 4))
    memory = dict.fromkeys(range(STACK, STACK + STACK_BYTES, 4), 0)
    for start, content in ((DATA, data), (RODATA, rodata), (INPUT, given_input)):
        memory |= {start + 4 * i: word for i, word in enumerate(words_of(content))}
    model = Model({CODE + 4 * i: word for i, word in enumerate(code)}, memory, writable, CODE, INSTANCE)
    model.run(1 << exponent)
    return trace, model


def row_of(raw):
    step, (one, two, three), pc, write, next_pc, witness = raw
    return Row(step, Read(*one), Read(*two), Read(*three), ReadPc(*pc), Write(*write), next_pc, witness)


def agree(trace, model):
    assert trace.last_step == len(model.rows)
    assert isinstance(trace.outcome, Trapped) == model.trapped
    for step, row in enumerate(model.rows, 1):
        assert trace.row_at(step) == row_of(row)
    for step, expected in enumerate(model.hashes):
        assert trace.hash_at(step) == expected, step


def test_the_model_hashes_as_blake3_is_published():
    assert blake3(b"").hex() == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    assert blake3(b"abc").hex() == "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"


REGISTER = st.integers(0, 31)
LOW = st.integers(5, 15)
INTERESTING = st.sampled_from(
    [0, 1, 2, 31, 32, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_8000, 0x80]
) | st.integers(0, 2**32 - 1)


def memory_access(draw, number):
    """An access that is usually, not always, allowed: base registers 20 to 23 point into the sections."""
    name = draw(st.sampled_from([*assembler.LOAD, *assembler.STORE]))
    size = {"b": 1, "h": 2, "w": 4}[name[1]]
    base = draw(st.sampled_from([20, 20, 20, 21, 21, 22, 23] if name in assembler.LOAD else [20, 20, 20, 20, 21]))
    offset = size * draw(st.integers(0, 32 // size - 1))
    if draw(st.integers(0, 60)) == 0:
        offset += 1
    return encode(name, number, base, offset)


@st.composite
def programs(draw):
    """Registers from interesting values, then instructions of all kinds, then the halt."""
    code = []
    for register in range(5, 16):
        value = draw(INTERESTING)
        code += [encode("lui", register, (value + 0x800) >> 12), encode("addi", register, register, value)]
    code += [
        encode("lui", register, base >> 12) for register, base in ((20, DATA), (21, STACK), (22, RODATA), (23, INPUT))
    ]
    for _ in range(draw(st.integers(1, 60))):
        kind = draw(st.sampled_from("rrriismmmbjuf"))
        destination = draw(LOW | st.just(0))
        if kind == "r":
            code.append(encode(draw(st.sampled_from(list(assembler.R_TYPE))), destination, draw(LOW), draw(LOW)))
        elif kind == "i":
            immediate = draw(st.integers(-2048, 2047))
            code.append(encode(draw(st.sampled_from(list(assembler.I_TYPE))), destination, draw(LOW), immediate))
        elif kind == "s":
            amount = draw(st.integers(0, 31))
            code.append(encode(draw(st.sampled_from(list(assembler.SHIFT))), destination, draw(LOW), amount))
        elif kind == "m":
            code.append(memory_access(draw, draw(LOW)))
        elif kind == "b":
            offset = 4 * draw(st.sampled_from([1, 2, 3, -2]))
            code.append(encode(draw(st.sampled_from(list(assembler.BRANCH))), draw(LOW), draw(LOW), offset))
        elif kind == "j":
            code.append(encode("jal", draw(st.sampled_from([0, 1])), 4 * draw(st.sampled_from([1, 2, 3, -3]))))
        elif kind == "u":
            code.append(encode(draw(st.sampled_from(["lui", "auipc"])), destination, draw(st.integers(0, 2**20 - 1))))
        else:
            code.append(encode("fence") if draw(st.integers(0, 9)) else draw(st.integers(0, 2**32 - 1)))
    return [*code, *([encode("addi", 0, 0, 0)] * 3), encode("addi", 17, 0, 93), encode("ecall")]


@seed(SEED)
@settings(max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(code=programs(), salt=st.integers(0, 2**32 - 1))
def test_random_programs_run_alike_in_the_core_and_in_the_model(code, salt):
    rng = random.Random(salt)
    print(f"seed {SEED}, salt {salt}")
    blobs = [rng.randbytes(4 * count) for count in (DATA_WORDS, RODATA_WORDS, INPUT_WORDS)]
    trace, model = pair(code, *blobs, 7)
    event("trapped" if model.trapped else "halted")
    agree(trace, model)


def test_random_words_trap_where_the_model_traps():
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    ends = Counter()
    for _ in range(400):
        code = [
            rng.getrandbits(25) << 7 | rng.choice([0x13, 0x33, 0x03, 0x23, 0x63, 0x6F, 0x67, 0x37, 0x17, 0x0F, 0x73])
        ]
        trace, model = pair([*code, encode("ecall")], b"", b"", b"", 1)
        agree(trace, model)
        ends["made" if model.rows else "trapped"] += 1
    assert min(ends.values()) > 40, ends


SUM = f"""
    li s0, {INPUT}
    li s1, {STACK}
    li t0, 8
loop:
    lw t1, 0(s0)
    add a0, a0, t1
    sb t1, 1(s1)
    sh t1, 2(s1)
    addi s0, s0, 4
    addi t0, t0, -1
    bne t0, zero, loop
    divu t2, a0, t1
    rem t3, a0, t1
    li a0, 1
    li a7, 93
    ecall
"""


def test_a_halted_machine_stutters_to_the_last_step():
    data = assembler.pack([1, 2, 3, 4, 5, 6, 7, 8])
    trace, model = pair(assemble(SUM), b"", b"", data, 9)
    agree(trace, model)
    assert isinstance(trace.outcome, Halted)
    assert trace.outcome.is_accepted
    last = trace.row_at(512)
    assert (last.read_1.value, last.read_2.value, last.write, last.write_pc) == (93, 1, Write(0, 0), last.read_pc.addr)
    assert last.read_2.last_step < trace.outcome.step


def test_rows_and_hashes_far_apart_agree_with_the_model_over_several_kept_hashes():
    code = assemble(
        f"""
        li s0, {DATA}
        li t0, 3000
    loop:
        lw t1, 0(s0)
        add t1, t1, t0
        sb t1, 5(s0)
        sw t1, 0(s0)
        addi t0, t0, -1
        bne t0, zero, loop
        li a7, 93
        ecall
        """
    )
    data = bytes(64)
    raw = assembler.layout(code, data=data)
    trace = Trace(Program(raw), instance_id=INSTANCE, exponent=15)
    _, model = pair(code, data, b"", b"", 13)
    for step in (1, 2, 4095, 4096, 4097, 5000, 8191, 8192):
        assert trace.row_at(step) == row_of(model.rows[step - 1])
        assert trace.hash_at(step) == model.hashes[step]
    head = trace.hash_at(2**15 - 1)
    pc = trace.row_at(2**15).read_pc.addr
    assert trace.hash_at(2**15) == blake3(b"\1" + head + bytes(8) + pc.to_bytes(4, "big"))[:20]


@pytest.mark.parametrize("exponent", [0, 1, 12, 13])
def test_the_chain_does_not_depend_on_where_it_was_cut(exponent):
    program = Program(assembler.layout(assemble("loop:\njal ra, loop")))
    trace = Trace(program, instance_id=INSTANCE, exponent=exponent)
    head = blake3(b"\0" + INSTANCE)[:20]
    tail = b"".join(number.to_bytes(4, "big") for number in (0xF000_0004, CODE + 4, CODE))
    for _ in range(1 << exponent):
        head = blake3(b"\1" + head + tail)[:20]
    assert trace.hash_at(1 << exponent) == head
