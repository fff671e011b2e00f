"""Programs: what an ELF file may declare, every refusal with its reason, inputs, profiles."""

import random

import pytest

from bedroll.primitives import Invalid
from bedroll.riscv import Halted, Kind, Program, Running, Trace, Trapped, register_name
from tests.framework.assembler import (
    CODE,
    DATA,
    INPUT,
    RODATA,
    STACK,
    STACK_BYTES,
    assemble,
    elf,
    encode,
    layout,
    pack,
    section,
)

HALT = [encode("addi", 10, 0, 1), encode("addi", 17, 0, 93), encode("ecall")]
TEXT = section(".text", CODE, pack(HALT), flags=6)


def refusal(raw):
    with pytest.raises(Invalid) as caught:
        Program(raw)
    assert {"value", "limit"} <= caught.value.fields.keys()
    return caught.value.message


def test_sections_are_what_the_file_declares():
    program = Program(layout(HALT, data=b"\1\2\3\4\5", rodata=bytes(8), input_bytes=128))
    assert (program.entry, program.input_bytes) == (CODE, 128)
    assert [(each.kind, each.start, each.size_bytes, each.words) for each in program.sections()] == [
        (Kind.CODE, CODE, 12, tuple(HALT)),
        (Kind.READ_WRITE, DATA, 8, (0x0403_0201, 5)),
        (Kind.READ_ONLY, RODATA, 8, (0, 0)),
        (Kind.STACK, STACK, STACK_BYTES, None),
        (Kind.INPUT, INPUT, 128, None),
    ]
    assert program.run(bytes(128)) == Halted(3, 1)
    assert program.run(bytes(128), limit=2) == Running(2)


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ([section(".a", CODE, b"\0" * 4, flags=7)], "writable and executable"),
        ([TEXT, section(".a", CODE + 8, bytes(8), flags=2)], "overlap"),
        ([TEXT, section(".a", CODE - 8, bytes(9), flags=2)], "overlap"),
        ([TEXT, section(".a", DATA + 2, bytes(8), flags=2)], "begins inside a word"),
        ([TEXT, section(".a", 0, bytes(4), flags=2)], "address 0"),
        ([TEXT, section(".a", 0xF000_0000 - 4, bytes(8), flags=3)], "reaches the registers"),
        ([TEXT, section(".a", 0xF000_0004, bytes(4), flags=3)], "reaches the registers"),
        ([TEXT, section(".a", 0xFFFF_FFFC, 0xFF_0000, flags=3)], "reaches the registers"),
        ([TEXT, section(".a", DATA, 1 << 24, flags=3)], "too much memory"),
        ([TEXT, section(".a", DATA, 0xFFFF_FFFF, flags=3)], "too much memory"),
        ([TEXT, section(".b", 2 * DATA, bytes(4), flags=6)], "one code section"),
        ([section(".a", DATA, bytes(4), flags=2)], "one code section"),
        ([section(".text", CODE, 8, flags=6)], "no content"),
        ([section(".text", CODE, bytes(6), flags=6)], "ends inside a word"),
        ([TEXT, section(".stack", STACK, bytes(8), flags=3)], "have no content"),
        ([TEXT, section(".input", INPUT, 6, flags=2)], "ends inside a word"),
        ([TEXT, section(".input", INPUT, 8, flags=2), section(".input", DATA, 8, flags=2)], "one input"),
        ([TEXT, section(".stack", INPUT, 8, flags=3), section(".stack", DATA, 8, flags=3)], "one stack"),
        ([TEXT, *(section(".a", DATA + 8 * i, bytes(4), flags=2) for i in range(40))], "too many sections"),
        ([TEXT, section("n" * 80, DATA, bytes(4), flags=2)], "name is too long"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_with_the_rule(sections, reason):
    assert reason in refusal(elf(sections))


@pytest.mark.parametrize("entry", [CODE - 4, CODE + 2, CODE + 12, 0])
def test_an_entry_point_outside_the_code_is_refused(entry):
    assert "entry point" in refusal(elf([TEXT], entry=entry))


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        (0, 0, "not an ELF"),
        (4, 2, "32-bit"),
        (5, 2, "little-endian"),
        (16, 3, "linked"),
        (18, 62, "RISC-V"),
        (36, 1, "integer machine"),
        (46, 41, "section header"),
        (48, 0, "no section headers"),
        (49, 255, "ends before"),
        (50, 9, "holds the names"),
    ],
)
def test_another_kind_of_file_is_refused(offset, value, reason):
    raw = bytearray(layout(HALT))
    raw[offset] = value
    assert reason in refusal(bytes(raw))


def test_no_cut_and_no_changed_byte_raises_anything_but_a_refusal():
    raw = layout(HALT, data=bytes(8), rodata=bytes(8), input_bytes=8)
    rng = random.Random(7)
    print("seed 7")
    taken = 0
    for end in range(len(raw)):
        refusal(raw[:end])
    for _ in range(3000):
        changed = bytearray(raw)
        for _ in range(rng.randint(1, 4)):
            changed[rng.randrange(len(raw))] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
        try:
            program = Program(bytes(changed))
            program.profile(bytes(program.input_bytes), limit=100)
            program.dependence(bytes(program.input_bytes), limit=100)
            taken += 1
        except Invalid:
            pass
    assert 100 < taken < 2900


def test_an_input_of_another_length_is_refused():
    program = Program(layout(HALT, input_bytes=8))
    for size in (0, 7, 9):
        with pytest.raises(Invalid, match="input has another length") as caught:
            program.run(bytes(size))
        assert (caught.value.fields["value"], caught.value.fields["limit"]) == (size, 8)


@pytest.mark.parametrize(
    ("text", "trap"),
    [
        (f"li s0, {CODE}\nlw t0, 0(s0)", (3, "load address", CODE)),
        (f"li s0, {CODE}\nsw t0, 0(s0)", (3, "store address", CODE)),
        (f"li s0, {RODATA}\nsw t0, 0(s0)", (3, "store address", RODATA)),
        (f"li s0, {INPUT}\nsb t0, 0(s0)", (3, "store address", INPUT)),
        ("li s0, 0xf0000004\nlw t0, 0(s0)", (3, "load address", 0xF000_0004)),
        ("lw t0, 0(zero)", (1, "load address", 0)),
        (f"li s0, {DATA}\nlw t0, 2(s0)", (3, "load alignment", DATA + 2)),
        (f"li s0, {DATA}\nlhu t0, 1(s0)", (3, "load alignment", DATA + 1)),
        (f"li s0, {DATA}\nsh t0, 3(s0)", (3, "store alignment", DATA + 3)),
        (f"li s0, {STACK + STACK_BYTES}\nsb t0, 0(s0)", (3, "store address", STACK + STACK_BYTES)),
        ("li a7, 92\necall", (3, "call", 92)),
        ("ebreak", (1, "illegal instruction", 0)),
        ("jalr zero, 6(zero)".replace("6(zero)", "zero, 6"), (2, "fetch", 0)),
        ("addi t0, t0, 0", (2, "fetch", 0)),
        ("jal zero, 6", (2, "fetch", 0)),
    ],
)
def test_what_the_machine_forbids_is_a_trap_with_its_step(text, trap):
    program = Program(layout(assemble(text), data=bytes(8), rodata=bytes(8), input_bytes=8))
    outcome = program.run(bytes(8))
    assert isinstance(outcome, Trapped)
    assert (outcome.step, outcome.reason, outcome.value) == trap
    trace = Trace(program, bytes(8), instance_id=bytes(32), exponent=8)
    assert trace.outcome == outcome
    assert trace.last_step == outcome.step - 1
    assert len(trace.hash_at(trace.last_step)) == 20
    with pytest.raises(Invalid, match="no such step"):
        trace.row_at(outcome.step)
    with pytest.raises(Invalid, match="no such step"):
        trace.hash_at(outcome.step)


def test_a_trace_refuses_what_is_out_of_range():
    program = Program(layout(HALT))
    for exponent in (-1, 31):
        with pytest.raises(Invalid):
            Trace(program, instance_id=bytes(32), exponent=exponent)
    with pytest.raises(Invalid, match="32 bytes"):
        Trace(program, instance_id=bytes(31), exponent=3)
    trace = Trace(program, instance_id=bytes(32), exponent=3)
    for step in (-1, 0, 9, 2**40):
        with pytest.raises(Invalid, match="no such step"):
            trace.row_at(step)


def test_a_profile_counts_each_step_and_the_stack():
    text = f"""
        li sp, {STACK + STACK_BYTES}
        li t0, 5
    loop:
        addi sp, sp, -16
        sw t0, 0(sp)
        addi t0, t0, -1
        bne t0, zero, loop
        li a7, 93
        ecall
    """
    profile = Program(layout(assemble(text))).profile()
    assert profile.outcome == Halted(27, 0)
    assert sum(spot.steps for spot in profile.hotspots) == 26
    assert dict(profile.by_mnemonic())["sw"] == 5
    assert (profile.words_touched, profile.stack_bytes) == (5, 80)
    assert profile.functions == ()


def test_registers_have_names():
    assert [register_name(address) for address in (0, 0xF000_0004, 0xF000_007C, 0x10, 0xF000_0080)] == [
        "-", "ra", "t6", "0x00000010", "0xf0000080",
    ]  # fmt: skip
