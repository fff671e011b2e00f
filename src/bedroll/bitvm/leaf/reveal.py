"""Revealed digits on the stack, by message and field, and what facts ask of them.

Reads: messages.  Gives: `Revealed`.  Never: knows which fact is shown.  Spec: docs/spec/bitvm.md#facts
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bedroll.bitcoin.opcode import Opcode as Op

from ..message import Field, Message
from ..script.assembler import Assembler, Item, Keep, Operand
from ..script.word import Word, join_digits, join_word


@dataclass(frozen=True)
class Revealed:
    """Where digits and hints lie when a body begins.

    Attributes:
        asm: Where the body is written.
        digits: Most significant first, by (label, field).
        hints: By name, digits most significant first.
    """

    asm: Assembler
    digits: dict[tuple[str, str], list[Item]]
    hints: dict[str, list[Item]]

    @staticmethod
    def of(messages: Sequence[Message], hints: Sequence[Field] = ()) -> "Revealed":
        """Over revealed messages, the first one deepest, and hints below."""
        sizes = [(hint.name, len(hint.radices)) for hint in hints]
        fields = [(message.label, each.name, len(each.radices)) for message in messages for each in message.fields]
        asm = Assembler(sum(size for *_, size in sizes) + sum(size for *_, size in fields))
        left = iter(asm.stack)
        hint_items = {name: [next(left) for _ in range(size)] for name, size in sizes}
        digits = {(label, name): [next(left) for _ in range(size)] for label, name, size in fields}
        return Revealed(asm, digits, hint_items)

    def kept(self, label: str, name: str) -> list[Operand]:
        """Digits of a field, to be copied."""
        return [Keep(digit) for digit in self.digits[label, name]]

    def number(self, label: str, name: str) -> Item:
        """A field below 2^31 as one number."""
        return join_digits(self.asm, self.kept(label, name))

    def word(self, label: str, name: str) -> Word:
        """A field of 32 bits, as a word that stays."""
        return join_word(self.asm, self.kept(label, name)).kept

    def hint(self, name: str) -> Keep:
        """A hint of one item."""
        return Keep(self.hints[name][0])

    def verify_zero(self, label: str, name: str) -> None:
        """A field is zero."""
        self.asm.verify(self.asm.calc(Op.OP_NOT, self.asm.add(*self.kept(label, name))))

    def verify_not_zero(self, label: str, name: str) -> None:
        """A field is not zero."""
        self.asm.verify(self.asm.add(*self.kept(label, name)))

    def verify_differ(self, left: Sequence[Operand], right: Sequence[Operand]) -> None:
        """Two rows of digits differ somewhere."""
        self.asm.verify(differ(self.asm, left, right))


def differ(asm: Assembler, left: Sequence[Operand], right: Sequence[Operand]) -> Item:
    """Whether two rows of digits differ somewhere."""
    found: Item | None = None
    for one, two in zip(left, right, strict=True):
        here = asm.calc(Op.OP_NUMNOTEQUAL, one, two)
        found = here if found is None else asm.calc(Op.OP_BOOLOR, found, here)
    assert found is not None
    return found


def nibbles_of(raw: bytes) -> list[Operand]:
    """Digits of a constant, most significant first."""
    return [digit for byte in raw for digit in (byte >> 4, byte & 15)]
