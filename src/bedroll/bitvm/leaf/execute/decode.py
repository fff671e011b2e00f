"""Instruction words taken apart on the stack.

Reads: the digits of a committed opcode.  Gives: register numbers and immediates.  Never: accepts another instruction.
Spec: docs/spec/bitvm.md#execute

Digits n7 … n0, four bits each. rd is n2 and the top bit of n1; rs1 n4 and the top bit of n3; rs2 n5 and the
low bit of n6.
"""

from bedroll.bitcoin.opcode import Opcode as Op

from ...script.assembler import Assembler, Item, Keep
from ...script.word import Word, reduce_once
from .frame import Frame
from .instruction import Format, Instruction

SIGNED_LOW = 0xF000
"""Bits 12 to 15 of a negative immediate."""
SIGNED_HIGH = 0xFFFF


class Decoded:
    """Parts of a word, made when asked for; the fixed bits are checked at once.

    Args:
        frame: Of the row.
        instruction: Which the word must be.
    """

    def __init__(self, frame: Frame, instruction: Instruction) -> None:
        self.asm: Assembler = frame.asm
        self._digits = frame.digits["read_pc", "opcode"][::-1]
        asm = self.asm
        asm.verify_equal(self._digit(0), instruction.opcode & 15)
        rest, self._bit_7 = reduce_once(asm, self._digit(1), 8)
        asm.verify_equal(rest, instruction.opcode >> 4)
        self._bit_15: Item | None = None
        if instruction.funct3 is not None:
            rest, self._bit_15 = reduce_once(asm, self._digit(3), 8)
            asm.verify_equal(rest, instruction.funct3)
        self._bit_24: Item | None = None
        if instruction.funct7 is not None:
            asm.verify_equal(self._digit(7), instruction.funct7 >> 3)
            self._bit_24 = asm.sub(self._digit(6), 2 * (instruction.funct7 & 7))
            asm.verify(asm.calc(Op.OP_WITHIN, Keep(self._bit_24), 0, 2))
        if instruction.format is Format.ECALL:
            asm.verify(asm.calc(Op.OP_NOT, asm.add(*(self._digit(at) for at in range(2, 8)), Keep(self._bit_7))))

    @property
    def bit_24(self) -> Keep:
        """Top bit of the second register's number or of an amount; after `rs2`."""
        return self._low_bit_6()

    def rd(self) -> Item:
        """Number of the register written."""
        return self.asm.add(self.asm.double(self._digit(2)), Keep(self._bit_7))

    def rs1(self) -> Item:
        """Number of the first register read."""
        assert self._bit_15 is not None
        return self.asm.add(self.asm.double(self._digit(4)), Keep(self._bit_15))

    def rs2(self) -> Item:
        """Number of the second register read, or the amount of a shift."""
        return self.asm.add(self.asm.double(self._low_bit_6(), 4), self._digit(5))

    def immediate_i(self) -> Word:
        """Sign-extended bits 20 to 31."""
        asm = self.asm
        low = asm.add(asm.double(asm.add(asm.double(self._digit(7), 4), self._digit(6)), 4), self._digit(5))
        return self._extended(low, self.sign())

    def immediate_s(self) -> Word:
        """Sign-extended bits 25 to 31 and 7 to 11."""
        asm = self.asm
        low = asm.add(asm.double(self._digit(7), 3), self._high_bits_6())
        low = asm.add(asm.double(low, 4), self._digit(2))
        low = asm.add(asm.double(low), Keep(self._bit_7))
        return self._extended(low, self.sign())

    def immediate_b(self) -> Word:
        """Offset of a branch."""
        asm = self.asm
        rest, sign = reduce_once(asm, self._digit(7), 8)
        low = asm.add(asm.double(Keep(self._bit_7), 3), rest)
        low = asm.add(asm.double(low, 3), self._high_bits_6())
        low = asm.double(asm.add(asm.double(low, 4), self._digit(2)))
        return self._extended(low, sign)

    def immediate_u(self) -> Word:
        """Bits 12 to 31 where they are."""
        asm = self.asm
        high = self._digit_number(7, 6, 5, 4)
        return Word(high, asm.double(self._digit(3), 12))

    def immediate_j(self) -> Word:
        """Offset of a jump: bits 31, 19 to 12, 20, 30 to 21."""
        asm = self.asm
        rest, sign = reduce_once(asm, self._digit(7), 8)
        tens = asm.add(asm.double(rest, 4), self._digit(6))
        high_5, bit_20 = self._split_5()
        tens = asm.add(asm.double(tens, 3), high_5)
        low = asm.add(asm.double(self._digit(3)), bit_20)
        low = asm.double(asm.add(asm.double(low, 10), tens))
        high = asm.branch(
            sign,
            lambda: [asm.add(self._digit(4), SIGNED_HIGH - 15)],
            lambda: [asm.fetch(self._digit(4))],
        )[0]
        return Word(high, low)

    def _digit(self, at: int) -> Keep:
        return Keep(self._digits[at])

    def _digit_number(self, *places: int) -> Item:
        asm = self.asm
        total = asm.fetch(self._digit(places[0]))
        for place in places[1:]:
            total = asm.add(asm.double(total, 4), self._digit(place))
        return total

    def sign(self) -> Item:
        """Top bit of the word: an immediate's sign."""
        return self.asm.calc(Op.OP_GREATERTHAN, self._digit(7), 7)

    def _extended(self, low: Item, sign: Item) -> Word:
        asm = self.asm
        high, low = asm.branch(
            sign,
            lambda: [asm.push(SIGNED_HIGH), asm.add(Keep(low), SIGNED_LOW)],
            lambda: [asm.push(0), asm.copy(low)],
        )
        return Word(high, low)

    def _low_bit_6(self) -> Keep:
        if self._bit_24 is None:
            self._bit_24 = self._halve(6)[1]
        return Keep(self._bit_24)

    def _high_bits_6(self) -> Item:
        """Bits 25 to 27."""
        high, bit = self._halve(6)
        self.asm.drop(bit)
        return high

    def _split_5(self) -> tuple[Item, Item]:
        return self._halve(5)

    def _halve(self, at: int) -> tuple[Item, Item]:
        """(digit // 2, digit mod 2)."""
        asm = self.asm
        rest, high = reduce_once(asm, self._digit(at), 8)
        rest, middle = reduce_once(asm, rest, 4)
        rest, low = reduce_once(asm, rest, 2)
        half = asm.add(asm.double(asm.add(asm.double(high), middle)), low)
        return half, rest
