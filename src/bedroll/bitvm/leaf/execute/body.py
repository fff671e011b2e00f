"""Bodies of Execute by format: which registers, which memory, which next instruction.

Reads: a frame over the committed row.  Gives: `WRITERS`.  Never: checks a signature.
Spec: docs/spec/bitvm.md#execute
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from bedroll.bitcoin.opcode import Opcode as Op

from ...script.assembler import Assembler, Item, Keep, Operand
from ...script.word import (
    HALF,
    Word,
    add_words,
    are_words_equal,
    is_less,
    join_digits,
    join_number,
    verify_words_equal,
)
from .compute import Operands
from .decode import Decoded
from .frame import REGISTER_HIGH, Frame
from .instruction import Format, Instruction

CALL_REGISTER: Final = 17
CALL_HALT: Final = 93
RESULT_REGISTER: Final = 10

Writer = Callable[[Frame, Instruction], None]


def _result(frame: Frame, rd: Operand, check: Callable[[], None]) -> None:
    """The write is register rd; its value passes a check, or is zero for x0."""
    asm = frame.asm
    rd = Keep(asm.fetch(rd))
    value = frame.word("write", "value")
    frame.check_register("write", rd)
    asm.guard(
        asm.calc(Op.OP_0NOTEQUAL, rd), check, lambda: asm.verify(asm.calc(Op.OP_NOT, asm.add(value.high, value.low)))
    )


def _nibbles(frame: Frame, label: str, name: str) -> list[Operand]:
    return [Keep(digit) for digit in reversed(frame.digits[label, name])]


def _register(frame: Frame, instruction: Instruction) -> None:
    """Two registers."""
    decoded = Decoded(frame, instruction)
    frame.check_register("read_1", decoded.rs1())
    frame.check_register("read_2", decoded.rs2())
    operands = Operands(
        frame.word("read_1", "value"), frame.word("read_2", "value"), frame.word("write", "value"),
        _nibbles(frame, "read_1", "value"), _nibbles(frame, "read_2", "value"), _nibbles(frame, "write", "value"),
        frame.word("witness", "value") if instruction.divides else None,
        _nibbles(frame, "witness", "value") if instruction.divides else (),
    )  # fmt: skip
    rd = Keep(decoded.rd())
    _result(frame, rd, lambda: frame.compute[instruction.name](frame, operands))
    if operands.witness is not None:
        # A division into x0 has no quotient to check a remainder by: there the witness is zero.
        used = frame.asm.calc(Op.OP_0NOTEQUAL, rd)
        none = frame.asm.calc(Op.OP_NOT, frame.asm.add(*operands.witness))
        frame.asm.verify(frame.asm.calc(Op.OP_BOOLOR, used, none))
    frame.check_next()


def _immediate(frame: Frame, instruction: Instruction) -> None:
    """A register and a constant."""
    asm = frame.asm
    decoded = Decoded(frame, instruction)
    frame.check_register("read_1", decoded.rs1())
    left, result = frame.word("read_1", "value"), frame.word("write", "value")
    digits = frame.digits["read_pc", "opcode"]
    if instruction.format is Format.SHIFT:
        decoded.rs2()
        right = Word(0, 0)
        nibbles: list[Operand] = [Keep(digits[2]), decoded.bit_24]
    else:
        right = decoded.immediate_i().kept
        sign = Keep(asm.branch(decoded.sign(), lambda: [asm.push(15)], lambda: [asm.push(0)])[0])
        nibbles = [Keep(digits[2]), Keep(digits[1]), Keep(digits[0]), *[sign] * 5]
    operands = Operands(
        left, right, result, _nibbles(frame, "read_1", "value"), nibbles, _nibbles(frame, "write", "value")
    )
    name = {"sltiu": "sltu"}.get(instruction.name) or instruction.name[:-1]
    _result(frame, decoded.rd(), lambda: frame.compute[name](frame, operands))
    frame.check_next()


def _word_address(frame: Frame, address: Word, label: str, size: int, stores: bool) -> Item:
    """Check that a committed word address holds an access of `size` bytes; its place in the word, bytes."""
    asm = frame.asm
    word = frame.word(label, "addr")
    frame.check_aligned(frame.low_digit(label, "addr"), 4)
    spans = frame.territory.stores if stores else frame.territory.loads
    frame.check_span(join_number(asm, word), spans)
    asm.verify_equal(address.high, word.high)
    place = asm.sub(address.low, word.low)
    if size == 4:
        asm.verify(asm.calc(Op.OP_NOT, Keep(place)))
    elif size == 2:
        asm.verify(asm.calc(Op.OP_BOOLOR, asm.calc(Op.OP_NOT, Keep(place)), asm.calc(Op.OP_NUMEQUAL, Keep(place), 2)))
    else:
        asm.verify(asm.calc(Op.OP_WITHIN, Keep(place), 0, 4))
    return place


def _load(frame: Frame, instruction: Instruction) -> None:
    asm = frame.asm
    decoded = Decoded(frame, instruction)
    frame.check_register("read_1", decoded.rs1())
    address = add_words(asm, frame.word("read_1", "value"), decoded.immediate_i())
    size = {"b": 1, "h": 2, "w": 4}[instruction.name[1]]
    place = _word_address(frame, address, "read_2", size, stores=False)
    read, result = frame.word("read_2", "value"), frame.word("write", "value")
    digits = frame.digits["read_2", "value"]
    signed = instruction.name in ("lb", "lh")

    def check() -> None:
        if size == 4:
            verify_words_equal(asm, read, result)
            return
        if size == 2:
            at = asm.calc(Op.OP_0NOTEQUAL, Keep(place))
            part = asm.branch(at, lambda: [asm.fetch(read.high)], lambda: [asm.fetch(read.low)])[0]
        else:
            part = _byte_at(frame, digits, place)
        limit = 1 << (8 * size - 1)
        if not signed:
            verify_words_equal(asm, Word(0, part), result)
            return
        negative = asm.calc(Op.OP_GREATERTHAN, Keep(part), limit - 1)
        high, low = asm.branch(
            negative,
            lambda: [asm.push(HALF - 1), asm.add(Keep(part), HALF - 2 * limit)],
            lambda: [asm.push(0), asm.copy(part)],
        )
        verify_words_equal(asm, Word(high, low), result)

    _result(frame, decoded.rd(), check)
    frame.check_next()


def _byte_at(frame: Frame, digits: list[Item], place: Item) -> Item:
    """Byte of a word whose digits lie in order; byte 0 has the last two."""
    asm = frame.asm
    parts = []
    for offset in (1, 0):
        index = asm.double(Keep(place))
        distance = asm.depth(digits[7 - offset]) - 1
        parts.append(asm.apply((Op.OP_PICK,), (asm.add(index, distance),))[0])
    return asm.add(asm.double(parts[0], 4), parts[1])


def _store(frame: Frame, instruction: Instruction) -> None:
    asm = frame.asm
    decoded = Decoded(frame, instruction)
    frame.check_register("read_1", decoded.rs1())
    frame.check_register("read_2", decoded.rs2())
    address = add_words(asm, frame.word("read_1", "value"), decoded.immediate_s())
    size = {"b": 1, "h": 2, "w": 4}[instruction.name[1]]
    place = _word_address(frame, address, "write", size, stores=True)
    value = frame.word("read_2", "value")
    if size == 4:
        frame.verify_word(value, "write", "value")
    else:
        old = frame.word("read_3", "addr")
        verify_words_equal(asm, frame.word("write", "addr"), old)
        _check_merged(frame, place, size)
    frame.check_next()


def _check_merged(frame: Frame, place: Item, size: int) -> None:
    """The word written is the old one but for the bytes stored."""
    asm = frame.asm
    new, old, source = (
        [Keep(digit) for digit in reversed(frame.digits[label, "value"])] for label in ("write", "read_3", "read_2")
    )
    width = 2 * size
    for part in range(4 // size):
        here = asm.calc(Op.OP_NUMEQUAL, Keep(place), part * size)
        span = range(part * width, (part + 1) * width)
        stored = source[:width]
        kept = [old[at] for at in span]
        expected = asm.branch(here, partial(_joined, asm, stored), partial(_joined, asm, kept))[0]
        asm.verify_equal(_joined(asm, [new[at] for at in span])[0], expected)


def _joined(asm: Assembler, digits: Sequence[Keep]) -> list[Item]:
    return [join_digits(asm, digits[::-1])]


def _branch(frame: Frame, instruction: Instruction) -> None:
    asm = frame.asm
    decoded = Decoded(frame, instruction)
    frame.check_register("read_1", decoded.rs1())
    frame.check_register("read_2", decoded.rs2())
    frame.check_no_write()
    left, right = frame.word("read_1", "value"), frame.word("read_2", "value")
    if instruction.name in ("beq", "bne"):
        taken = are_words_equal(asm, left, right)
    else:
        taken = is_less(asm, left, right, signed=instruction.name in ("blt", "bge"))
    if instruction.name in ("bne", "bge", "bgeu"):
        taken = asm.calc(Op.OP_NOT, taken)
    offset = decoded.immediate_b()
    pc, target = frame.word("read_pc", "addr"), frame.word("write", "pc")
    asm.guard(
        taken,
        lambda: verify_words_equal(asm, add_words(asm, pc, Word(*offset).kept), target),
        frame.check_next,
    )


def _upper(frame: Frame, instruction: Instruction) -> None:
    asm = frame.asm
    decoded = Decoded(frame, instruction)
    upper, pc = decoded.immediate_u().kept, frame.word("read_pc", "addr")
    value = frame.word("write", "value")
    if instruction.name == "lui":
        _result(frame, decoded.rd(), lambda: verify_words_equal(asm, upper, value))
    else:
        _result(frame, decoded.rd(), lambda: verify_words_equal(asm, add_words(asm, upper, pc), value))
    frame.check_next()


def _link(frame: Frame, decoded: Decoded) -> None:
    """The destination gets the address of the following instruction."""
    asm = frame.asm
    value = frame.word("write", "value")
    _result(frame, decoded.rd(), lambda: asm.verify_equal(join_number(asm, value), asm.add(Keep(frame.pc), 4)))


def _jump(frame: Frame, instruction: Instruction) -> None:
    decoded = Decoded(frame, instruction)
    _link(frame, decoded)
    target = add_words(frame.asm, decoded.immediate_j(), frame.word("read_pc", "addr"))
    frame.verify_word(target, "write", "pc")


def _jump_register(frame: Frame, instruction: Instruction) -> None:
    asm = frame.asm
    decoded = Decoded(frame, instruction)
    frame.check_register("read_1", decoded.rs1())
    _link(frame, decoded)
    target = add_words(asm, frame.word("read_1", "value"), decoded.immediate_i())
    found = frame.word("write", "pc")
    asm.verify_equal(target.high, found.high)
    asm.verify(asm.calc(Op.OP_WITHIN, asm.sub(target.low, found.low), 0, 2))
    frame.check_aligned(frame.low_digit("write", "pc"), 2)


def _fence(frame: Frame, instruction: Instruction) -> None:
    Decoded(frame, instruction)
    frame.check_no_write()
    frame.check_next()


def _call(frame: Frame, instruction: Instruction) -> None:
    """The halt: a7 is 93, nothing is written, the program counter stays; at step 2^T a0 is 1."""
    asm = frame.asm
    Decoded(frame, instruction)
    for label, register in (("read_1", CALL_REGISTER), ("read_2", RESULT_REGISTER)):
        verify_words_equal(asm, Word(REGISTER_HIGH, 4 * register), frame.word(label, "addr"))
    verify_words_equal(asm, Word(0, CALL_HALT), frame.word("read_1", "value"))
    frame.check_no_write()
    verify_words_equal(asm, frame.word("read_pc", "addr"), frame.word("write", "pc"))
    result = frame.word("read_2", "value")
    asm.guard(frame.is_last_step(), lambda: verify_words_equal(asm, Word(0, 1), result))


WRITERS: Final[dict[Format, Writer]] = {
    Format.R: _register, Format.I: _immediate, Format.SHIFT: _immediate, Format.LOAD: _load, Format.STORE: _store,
    Format.BRANCH: _branch, Format.U: _upper, Format.JAL: _jump, Format.JALR: _jump_register, Format.FENCE: _fence,
    Format.ECALL: _call,
}  # fmt: skip
