"""The committed row on the stack, and conditions that every instruction shares.

Reads: messages' digits.  Gives: `Frame`.  Never: knows an instruction.
Spec: docs/spec/bitvm.md#execute
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bedroll.bitcoin.opcode import Opcode as Op
from bedroll.riscv.trace import REGISTER_START

from ...message import Layout, Message
from ...script.assembler import Assembler, Item, Keep, Operand
from ...script.word import Word, join_digits, join_number, join_word, reduce_once, verify_words_equal
from ..ground import Span, Territory

REGISTER_HIGH = REGISTER_START >> 16


@dataclass
class Frame:
    """Digits of the revealed messages by (label, field), and words made of them once.

    Attributes:
        asm: Where the script is written.
        layout: Of the game.
        territory: Of the program.
        digits: Most significant first.
        hints: Unsigned numbers below all digits, by name.
        compute: Forms of what instructions compute, by mnemonic.
        number: k − 1.
        pc: Address of the instruction, one number.
    """

    asm: Assembler
    layout: Layout
    territory: Territory
    digits: dict[tuple[str, str], list[Item]]
    hints: dict[str, Item]
    compute: Mapping[str, Callable[["Frame", Any], None]]
    number: Item = field(init=False)
    pc: Item = field(init=False)
    _words: dict[tuple[str, str], Word] = field(default_factory=dict)

    @staticmethod
    def of(
        layout: Layout,
        territory: Territory,
        messages: Sequence[Message],
        hints: Sequence[str],
        compute: Mapping[str, Callable[["Frame", Any], None]],
    ) -> "Frame":
        """Frame over revealed messages, the first one deepest, and hints below."""
        sizes = [len(each.radices) for message in messages for each in message.fields]
        asm = Assembler(len(hints) + sum(sizes))
        names = dict(zip(hints, asm.stack, strict=False))
        digits, at = {}, len(hints)
        for message in messages:
            for each in message.fields:
                digits[message.label, each.name] = asm.stack[at : at + len(each.radices)]
                at += len(each.radices)
        return Frame(asm, layout, territory, digits, names, compute)

    def word(self, label: str, name: str) -> Word:
        """A field as a word that stays; its digits stay as well."""
        key = label, name
        if key not in self._words:
            made = join_word(self.asm, [Keep(digit) for digit in self.digits[key]])
            self._words[key] = made.kept
        return self._words[key]

    def low_digit(self, label: str, name: str) -> Keep:
        """Lowest digit of a field."""
        return Keep(self.digits[label, name][-1])

    def check_step(self, reads: Sequence[str]) -> None:
        """The answers write k − 1; no read is from the future; at step 1 the program starts at its entry."""
        asm = self.asm
        self.number = join_digits(asm, [Keep(digit) for digit in self.digits["step", "step"]])
        verify_answers(asm, self.layout, self.digits, 1, self.number)
        for label in reads:
            last = join_digits(asm, [Keep(digit) for digit in self.digits[label, "last_step"]])
            asm.verify(asm.calc(Op.OP_LESSTHANOREQUAL, last, Keep(self.number)))
        self.pc = join_number(asm, self.word("read_pc", "addr"))
        self.check_span(Keep(self.pc), (self.territory.code,))
        self.check_aligned(self.low_digit("read_pc", "addr"), 4)
        late = asm.calc(Op.OP_0NOTEQUAL, Keep(self.number))
        at_entry = asm.calc(Op.OP_NUMEQUAL, Keep(self.pc), self.territory.entry)
        asm.verify(asm.calc(Op.OP_BOOLOR, late, at_entry))

    def is_last_step(self) -> Item:
        """Whether k = 2^T."""
        return self.asm.calc(Op.OP_NUMEQUAL, Keep(self.number), self.layout.shape.steps - 1)

    def check_span(self, address: Operand, spans: Sequence[Span]) -> None:
        """An address lies in one of some spans."""
        asm = self.asm
        address = asm.fetch(address)
        found = [asm.calc(Op.OP_WITHIN, Keep(address), span.start, span.end) for span in spans]
        inside: Item | int = found[0] if found else 0
        for each in found[1:]:
            inside = asm.calc(Op.OP_BOOLOR, inside, each)
        asm.verify(inside)
        asm.drop(address)

    def check_aligned(self, digit: Operand, size: int) -> None:
        """An address whose lowest digit is given is a multiple of 2 or 4."""
        asm = self.asm
        rest = asm.fetch(digit)
        bit = 8
        while bit >= size:
            rest, over = reduce_once(asm, rest, bit)
            asm.drop(over)
            bit //= 2
        asm.verify(asm.calc(Op.OP_NOT, rest))

    def check_register(self, label: str, index: Operand) -> None:
        """A read or the write is that of a register; of x0 all is zero, but a write's value, checked elsewhere."""
        asm = self.asm
        index = asm.fetch(index)
        address = self.word(label, "addr")
        asm.verify_equal(asm.double(Keep(index), 2), address.low)
        if label == "write":
            rest: list[Operand] = []
        else:
            value = self.word(label, "value")
            rest = [value.high, value.low, *(Keep(digit) for digit in self.digits[label, "last_step"])]
        asm.guard(
            asm.calc(Op.OP_0NOTEQUAL, index),
            lambda: asm.verify_equal(address.high, REGISTER_HIGH),
            lambda: asm.verify(asm.calc(Op.OP_NOT, asm.add(address.high, *rest))),
        )

    def check_no_write(self) -> None:
        """The write is none."""
        address, value = self.word("write", "addr"), self.word("write", "value")
        self.asm.verify(self.asm.calc(Op.OP_NOT, self.asm.add(*address, *value)))

    def check_next(self) -> None:
        """The next instruction is the following one."""
        asm = self.asm
        asm.verify_equal(join_number(asm, self.word("write", "pc")), asm.add(Keep(self.pc), 4))

    def verify_word(self, found: Word, label: str, name: str) -> None:
        """A word is a committed one."""
        verify_words_equal(self.asm, found, self.word(label, name))


def verify_answers(
    asm: Assembler, layout: Layout, digits: dict[tuple[str, str], list[Item]], search: int, number: Item
) -> None:
    """The revealed answers of a search write a number."""
    total: Item | None = None
    for answer, arity in zip(layout.answers(search), layout.shape.arities, strict=True):
        digit = Keep(digits[answer.label, "digit"][0])
        total = asm.fetch(digit) if total is None else asm.add(asm.double(total, arity.bit_length() - 1), digit)
    assert total is not None
    asm.verify_equal(total, Keep(number))
