"""The blocks of the dispute's Script, each with the Python model that it must equal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bedroll.bitvm.message import hash_message
from bedroll.bitvm.script.assembler import Assembler, Item, Keep
from bedroll.bitvm.script.blake3 import hash_block, push_tables
from bedroll.bitvm.script.multiply import limb, negate_nibbles, product, quarter_table
from bedroll.bitvm.script.second.blake3 import hash_block_bits
from bedroll.bitvm.script.second.multiply import full_product
from bedroll.bitvm.script.table import Table, conjunctions
from bedroll.bitvm.script.word import (
    Word,
    add_words,
    is_less,
    join_digits,
    join_word,
    multiply_power,
    reduce_once,
    signed_high,
    split_bits,
)
from bedroll.bitvm.winternitz import Mode, verification
from tests.framework.script_block import Block
from tests.reference.riscv_model import blake3

Numbers = Sequence[int]


@dataclass(frozen=True)
class Modelled:
    """A block and its model.

    Attributes:
        count: Operands.
        write: Writes the block.
        model: Results for operands in range.
        sample: Operands in range, for the price.
    """

    count: int
    write: Callable[[Assembler, list[Item]], Sequence[Item]]
    model: Callable[..., Numbers]
    sample: Numbers

    @cached_property
    def block(self) -> Block:
        """Written once."""
        return Block(self.count, self.write)

    def price(self) -> list[int]:
        """[script bytes, peak items]."""
        return [self.block.size_bytes, self.block.peak(*self.sample)]


def nibbles(word: int) -> list[int]:
    """Least significant first."""
    return [word >> 4 * at & 15 for at in range(8)]


def halves(word: int) -> list[int]:
    """High, low."""
    return [word >> 16, word & 0xFFFF]


def _limb_model(*operands: int) -> Numbers:
    left, right = operands[:8], operands[8:]
    return [sum(left[i] * right[j] << 4 * (i + j) for i in range(8) for j in range(8) if i + j < 4)]


def _negate(*operands: int) -> Numbers:
    *digits, flag = operands
    value = sum(digit << 4 * at for at, digit in enumerate(digits))
    return nibbles(-value % (1 << 32) if flag else value)


def _hash_model(*digits: int) -> Numbers:
    raw = bytes(high << 4 | low for high, low in zip(digits[::2], digits[1::2], strict=True))
    return [int(digit, 16) for digit in blake3(b"\1" + raw)[:20].hex()]


def _hash(asm: Assembler, items: list[Item]) -> Sequence[Item]:
    for item in reversed(items):
        asm.to_alt(item)
    push_tables(asm)
    for _ in items:
        asm.from_alt()
    return [asm.sub(nibble, 1) for nibble in hash_block(asm, [0, 1, *items], 33)]


def _full(asm: Assembler, items: list[Item]) -> Sequence[Item]:
    digits = [Keep(item) for item in items[2:]]
    high, low = full_product(asm, Word(items[0], items[1]).kept, digits)
    return [half for half in (*high, *low) if isinstance(half, Item)]


def _full_model(high: int, low: int, *digits: int) -> Numbers:
    right = int("".join(f"{digit:x}" for digit in digits), 16)
    total = (high << 16 | low) * right
    return [*halves(total >> 32), *halves(total & 0xFFFF_FFFF)]


def _words(items: list[Item]) -> tuple[Word, Word]:
    return Word(items[0], items[1]), Word(items[2], items[3])


def _value(high: int, low: int, *, signed: bool = False) -> int:
    value = high << 16 | low
    return value - (1 << 32) if signed and high >> 15 else value


def _pair(word: Word) -> list[Item]:
    return [half for half in word if isinstance(half, Item)]


TABLES = {
    "conjunction": Modelled(
        2,
        lambda asm, i: [Table.push(asm, conjunctions()).look_up(asm, asm.add(asm.double(i[0], 4), i[1]))],
        lambda a, b: [a & b],
        (12, 10),
    ),
    "nibble_product": Modelled(
        2, lambda asm, i: [product(asm, quarter_table(asm), *i)], lambda a, b: [a * b], (15, 15)
    ),
}
WORDS = {
    "reduce_16": Modelled(1, lambda asm, i: list(reduce_once(asm, i[0], 16)), lambda a: [a % 16, a // 16], (31,)),
    "split_bits": Modelled(
        1, lambda asm, i: split_bits(asm, i[0], 4), lambda a: [a >> at & 1 for at in range(4)], (9,)
    ),
    "shift": Modelled(
        2,
        lambda asm, i: [multiply_power(asm, i[0], split_bits(asm, i[1], 4))],
        lambda a, n: [a << n],
        (65_535, 15),
    ),
    "signed_high": Modelled(
        1, lambda asm, i: [signed_high(asm, i[0])], lambda a: [a - 65_536 if a > 32_767 else a], (65_535,)
    ),
    "join_digits": Modelled(
        7, lambda asm, i: [join_digits(asm, i)], lambda *d: [int("".join(f"{x:x}" for x in d), 16)], (15,) * 7
    ),
    "join_word": Modelled(
        8, lambda asm, i: _pair(join_word(asm, i)), lambda *d: halves(int("".join(f"{x:x}" for x in d), 16)), (15,) * 8
    ),
    "add_words": Modelled(
        4,
        lambda asm, i: _pair(add_words(asm, *_words(i))),
        lambda *o: halves((_value(*o[:2]) + _value(*o[2:])) % (1 << 32)),
        (65_535, 65_535, 0, 1),
    ),
    "is_less": Modelled(
        4,
        lambda asm, i: [is_less(asm, *_words(i), signed=False)],
        lambda *o: [int(_value(*o[:2]) < _value(*o[2:]))],
        (1, 2, 1, 3),
    ),
    "is_less_signed": Modelled(
        4,
        lambda asm, i: [is_less(asm, *_words(i), signed=True)],
        lambda *o: [int(_value(*o[:2], signed=True) < _value(*o[2:], signed=True))],
        (65_535, 2, 1, 3),
    ),
    "negate": Modelled(
        9,
        lambda asm, i: [keep.item for keep in negate_nibbles(asm, i[:8], Keep(i[8]))],
        _negate,
        (1, 2, 3, 4, 5, 6, 7, 8, 1),
    ),
}
LARGE = {
    "product_limb": Modelled(
        16,
        lambda asm, i: [limb(asm, quarter_table(asm), [Keep(x) for x in i[:8]], [Keep(x) for x in i[8:]], 0)],
        _limb_model,
        (15,) * 16,
    ),
    "blake3": Modelled(64, _hash, _hash_model, (15,) * 64),
}
SECOND = {
    "second_product": Modelled(10, _full, _full_model, (65_535, 65_535, *(15,) * 8)),
    "second_blake3": Modelled(64, lambda asm, i: hash_block_bits(asm, [0, 1, *i], 33), _hash_model, (15,) * 64),
}
BLOCKS = {**TABLES, **WORDS, **LARGE, **SECOND}


def winternitz_bytes() -> int:
    """Script that verifies 20 bytes, keys included."""
    radices = hash_message("any").radices
    return sum(map(len, verification(radices, Mode.VERIFY))) + 20 * 43
