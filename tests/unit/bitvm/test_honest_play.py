"""Shows that an honest challenger finds a false fact for every lie, and none in a true run; and the messages' codec.

The games are played as values: no keys, no scripts. A lie is a run that differs from the truth; the rows of lies keep
what Execute enforces (operands by opcode, the result), as a leaf would.
"""

import random
from dataclasses import dataclass, field, replace

import pytest

from bedroll.bitvm.game.answer import challenger_answer, prover_answer
from bedroll.bitvm.game.record import OpeningMessage, Record
from bedroll.bitvm.game.refute import (
    Equivocation,
    EquivocationSearch,
    InitialRead,
    OpcodeChunk,
    OpenStep,
    ProgramCounter,
    TraceHash,
)
from bedroll.bitvm.game.run import OwnRun
from bedroll.bitvm.game.wire import decode, encode
from bedroll.bitvm.graph import Kind, Party, moves
from bedroll.bitvm.message import Layout
from bedroll.bitvm.search import Shape
from bedroll.riscv import Program, Read, ReadPc, Row, Write
from tests.framework.assembler import DATA, INPUT, RODATA, assemble, layout, pack
from tests.reference.riscv_model import blake3

INSTANCE = bytes(range(32))
SHAPE = Shape(6)
SOURCE = f"""
li t0, {INPUT}
lw t1, 0(t0)
li t2, {DATA}
lw t3, 4(t2)
li t4, {RODATA}
lw t5, 0(t4)
add t1, t1, t3
sw t1, 0(t2)
sb t5, 1(t2)
lw s0, 0(t2)
sub sp, sp, s0
mul s1, s0, t5
divu s2, s1, t3
lw s3, 8(t2)
bne s3, zero, bad
addi a0, zero, 1
jal zero, end
bad:
addi a0, zero, 0
end:
addi a7, zero, 93
ecall
"""
DATA_IN = pack([7, 8])


def program():
    return Program(layout(assemble(SOURCE), data=pack([1, 2, 0]), rodata=pack([9, 9]), input_bytes=8))


PROGRAM = program()
SECTIONS = PROGRAM.sections()


def truth(data=DATA_IN):
    return OwnRun(PROGRAM, data, instance_id=INSTANCE, exponent=SHAPE.exponent)


def chain(previous, row):
    body = b"".join(number.to_bytes(4, "big") for number in (row.write.addr, row.write.value, row.write_pc))
    return blake3(b"\x01" + previous + body)[:20]


@dataclass
class Lie:
    """A run that is true before `step` and follows `row` there; later hashes continue from it as if all were well."""

    true: OwnRun
    step: int
    row: Row | None = None
    salt: bytes = b""
    hashes: dict[int, bytes] = field(default_factory=dict)

    def hash_at(self, step):
        if step < self.step:
            return self.true.hash_at(step)
        if step == self.step and self.row is not None and not self.salt:
            return chain(self.true.hash_at(step - 1), self.row)
        if step not in self.hashes:
            self.hashes[step] = blake3(b"lie" + self.salt + step.to_bytes(4, "big"))[:20]
        return self.hashes[step]

    def row_at(self, step):
        return self.row if step == self.step and self.row is not None else self.true.row_at(step)

    def last_write(self, address, before):
        return self.true.last_write(address, before)


def play(run, own, data=DATA_IN, tamper=lambda move, record, message: message, sections=SECTIONS):
    """A game to its end: the record, and what the challenger said last (None: he lost)."""
    record = Record()
    wire = Layout(SHAPE, len(data) // 4)
    for move in moves(SHAPE):
        if move.mover is Party.PROVER:
            message = tamper(move, record, prover_answer(SHAPE, run, data, record, move))
        else:
            message = challenger_answer(SHAPE, own, record, move, sections)
            if message is None or type(message).__module__.endswith("refute"):
                return record, message
        assert decode(wire, move, record, encode(wire, move, message)) == message
        record = record.heard(move, message)
    return record, challenger_answer(SHAPE, own, record, None, sections)


def test_a_true_claim_leaves_nothing_to_contest():
    own = truth()
    assert own.trace.outcome.is_accepted
    record, last = play(own, own)
    assert last is None
    assert record.execute.row.step == SHAPE.steps


def lies():
    own = truth()
    for step in range(1, own.trace.outcome.step + 1):
        row = own.row_at(step)
        yield step, "hash", replace(row), b"x"
        yield step, "pc", replace(row, read_pc=ReadPc(row.read_pc.addr + 4, row.read_pc.opcode)), b""
        yield step, "opcode", replace(row, read_pc=ReadPc(row.read_pc.addr, row.read_pc.opcode ^ 0x100000)), b""
        for name in ("read_1", "read_2", "read_3"):
            read = getattr(row, name)
            if read.addr:
                yield (
                    step,
                    name + " value",
                    replace(row, **{name: Read(read.addr, read.value ^ 1, read.last_step)}),
                    b"",
                )
            if read.addr and read.last_step:
                for last in {0, read.last_step - 1}:
                    yield step, f"{name} last {last}", replace(row, **{name: Read(read.addr, read.value, last)}), b""
            if read.addr and step > read.last_step + 1:
                later = Read(read.addr, read.value, read.last_step + 1)
                yield step, name + " later", replace(row, **{name: later}), b""


def test_every_false_row_is_refuted_by_the_fact_that_is_false():
    own, seen = truth(), {}
    for step, what, row, salt in lies():
        row = replace(row, write=Write(row.write.addr, row.write.value ^ 1)) if "value" in what else row
        _, last = play(Lie(own, step, row, salt or b"~" * ("value" not in what)), own)
        if what == "pc" and step == 1:
            continue
        assert last is not None, (step, what)
        expected = {
            "hash": TraceHash, "pc": ProgramCounter, "opcode": OpcodeChunk,
        }.get(what.split()[0], (InitialRead, OpenStep))  # fmt: skip
        assert isinstance(last, expected), (step, what, last)
        seen.setdefault(type(last).__name__, set()).add(getattr(last, "why", getattr(last, "kind", "")))
    assert seen["InitialRead"] == {"input_word", "initialized", "uninitialized"}
    assert seen["OpenStep"] >= {"later_write", "wrong_value"}
    assert set(seen) == {"TraceHash", "ProgramCounter", "OpcodeChunk", "InitialRead", "OpenStep"}


def test_a_wrong_result_is_refuted_at_the_last_step():
    data = pack([0, 0])
    raw = layout(
        assemble(SOURCE.replace("zero, 1", "zero, 0")), data=pack([1, 2, 0]), rodata=pack([9, 9]), input_bytes=8
    )
    own = OwnRun(Program(raw), data, instance_id=INSTANCE, exponent=6)
    assert not own.trace.outcome.is_accepted
    row = own.row_at(64)
    run = Lie(own, 64, replace(row, read_2=Read(row.read_2.addr, 1, row.read_2.last_step)))
    record, last = play(run, own, data)
    assert record.execute.row.step == 64
    assert isinstance(last, OpenStep)
    assert last.why == "wrong_value"


def test_a_hash_that_is_signed_otherwise_is_an_equivocation():
    own = truth()
    row = own.row_at(9)

    def tamper(move, record, message):
        if move.kind is Kind.EXECUTE:
            return replace(message, left=b"y" * 20)
        return message

    _, last = play(Lie(own, 9, row, b"x"), own, tamper=tamper)
    assert isinstance(last, Equivocation)
    assert last.side == "left"


@pytest.mark.parametrize("seed", range(12))
def test_lies_in_the_second_search_do_not_save_a_false_read(seed):
    rng, own = random.Random(seed), truth()
    step = next(step for step in range(20, 40) if own.row_at(step).read_1.last_step > 2)
    row = own.row_at(step)
    read = replace(row.read_1, value=row.read_1.value ^ 4, last_step=rng.choice([0, 1, row.read_1.last_step]))
    share, seen = rng.random(), []

    def tamper(move, record, message):
        if move.kind is Kind.HASHES and move.search == 2:
            seen.append(move)
            return replace(message, hashes=tuple(
                rng.randbytes(20) if rng.random() < share else given for given in message.hashes
            ))  # fmt: skip
        if move.kind is Kind.EXECUTE_2 and rng.random() < 0.3:
            return replace(message, left=rng.randbytes(20))
        return message

    record, last = play(Lie(own, step, replace(row, read_1=read), b"x"), own, tamper=tamper)
    assert isinstance(record.opening, OpeningMessage)
    assert seen
    assert isinstance(last, OpenStep | Equivocation | EquivocationSearch), (record.digits, record.digits_2)


def test_a_trapping_run_is_refuted_where_it_traps():
    raw = layout(assemble("li t0, 0x20000\nlw t1, 2(t0)\naddi a7, zero, 93\necall"), data=pack([1]), input_bytes=8)
    own = OwnRun(Program(raw), DATA_IN, instance_id=INSTANCE, exponent=6)
    assert own.trace.last_step == 2
    assert own.hash_at(3) is None
    assert own.row_at(3) is None
    sections = Program(raw).sections()
    word = sections[0].words[2]
    base = Read(0xF0000014, 0x1FFFE, 2)
    row = Row(3, base, Read(0x20000, 1, 0), Read(0, 0, 0), ReadPc(0x10008, word), Write(0xF0000018, 1), 0x1000C, 0)
    record, last = play(Lie(own, 3, row), own, sections=sections)
    assert record.execute.row.step == 3
    assert record.opening.value == base
    assert isinstance(last, OpenStep)
    assert last.why == "wrong_value"
