"""Blocks of Script equal their Python models: everywhere on small domains, on corners and samples of the others.

Hostile operands, which the models do not know, make a block fail or give what a number of its size would give.
"""

import random

import pytest

from bedroll.bitvm.script.assembler import Assembler, Item, Keep
from bedroll.bitvm.script.blake3 import _FIRST, _ROW, _TAKE, _Compression, push_tables
from bedroll.bitvm.script.multiply import verify_division, verify_high_product, verify_low_product
from bedroll.bitvm.script.word import Word
from tests.costs.script_price import recorded_block
from tests.framework.script_block import Block, check, passes
from tests.framework.script_blocks import BLOCKS, LARGE, SECOND, TABLES, WORDS, halves, nibbles, winternitz_bytes

SEED = 20261121
CORNERS = [0, 1, 2, 15, 16, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_0000, 0xFFFF_FFFF]


def agree(modelled, *operands):
    assert modelled.block.run(*operands) == list(modelled.model(*operands)), operands


@pytest.mark.parametrize("name", list(TABLES))
def test_tables_on_all_pairs_of_nibbles(name):
    for left in range(16):
        for right in range(16):
            agree(TABLES[name], left, right)


def test_numbers_on_their_whole_domain():
    for value in range(32):
        agree(WORDS["reduce_16"], value)
    for value in range(16):
        agree(WORDS["split_bits"], value)
    for value in range(0, 65_536, 61):
        agree(WORDS["signed_high"], value)
    for amount in range(16):
        for value in (0, 1, 2, 255, 256, 32_767, 32_768, 65_535):
            agree(WORDS["shift"], value, amount)


def words(rng, count):
    """Corners, then random words."""
    return [rng.choice(CORNERS) if rng.random() < 0.5 else rng.getrandbits(32) for _ in range(count)]


@pytest.mark.parametrize("name", ["add_words", "is_less", "is_less_signed"])
def test_arithmetic_on_corners_and_samples(name):
    rng = random.Random(f"{SEED} {name}")
    pairs = [(one, two) for one in CORNERS for two in CORNERS] + [tuple(words(rng, 2)) for _ in range(200)]
    for one, two in pairs:
        agree(WORDS[name], *halves(one), *halves(two))


def test_digits_join_and_turn():
    rng = random.Random(SEED)
    for word in [*CORNERS, *words(rng, 100)]:
        agree(WORDS["join_word"], *nibbles(word)[::-1])
        agree(WORDS["join_digits"], *nibbles(word >> 4)[6::-1])
        for flag in (0, 1):
            agree(WORDS["negate"], *nibbles(word), flag)


def test_a_limb_of_a_product_on_corners_and_samples():
    rng = random.Random(SEED)
    for _ in range(40):
        one, two = words(rng, 2)
        agree(LARGE["product_limb"], *nibbles(one), *nibbles(two))
    agree(LARGE["product_limb"], *[15] * 16)


def test_a_sum_of_nibbles_and_its_xor_for_all_operands():
    """BLAKE3's inner step: each sum of two nibbles, a message nibble and a carry, against each nibble."""

    def write(asm: Assembler, items: list[Item]) -> list[Item]:
        for item in reversed(items):
            asm.to_alt(item)
        push_tables(asm)
        for _ in items:
            asm.from_alt()
        _, row = asm.apply(_ROW, (items[0],), 2)
        row, first = asm.apply(_FIRST, (row,), 2)
        taken = asm.apply(_TAKE, (asm.sub(row, items[1]),))[0]
        return [first, taken]

    block = Block(2, write)
    for total in range(48):
        for other in range(16):
            value = total % 16
            assert block.run(total + 2, other + 1) == [value + 1, (value ^ other) + 1]


@pytest.mark.parametrize("pattern", [0b0000_0000, 0b1111_1111, 0b0000_0011, 0b1111_1110, 0b0101_0101, 0b0000_0001])
def test_a_carry_of_two_goes_on_through_nibbles_without_a_message(pattern):
    """Whole words: sums of extremes, message nibbles only where the pattern has a bit, zeros elsewhere."""
    rng = random.Random(SEED + pattern)
    places = [at for at in range(8) if pattern >> at & 1]

    def write(asm: Assembler, items: list[Item]) -> list[Item]:
        for item in reversed(items):
            asm.to_alt(item)
        push_tables(asm)
        for _ in items:
            asm.from_alt()
        message = [items[24 + places.index(at)] if at in places else 0 for at in range(8)]
        writer = _Compression(asm, [], 33)
        total, turned = writer._add_xor(items[:8], items[8:16], message, items[16:24], last=False)
        return [*total, *turned]

    block = Block(24 + len(places), write)
    extremes = [0, 0xFFFF_FFFF, 0xF0F0_F0F0, 0x0F0F_0F0F, 0xFFFF_FF00, 0x0000_00FF, 1, 0x1111_1111]
    cases = [[0xFFFF_FFFF] * 4] + [[rng.choice([*extremes, rng.getrandbits(32)]) for _ in range(4)] for _ in range(50)]
    for left, right, other, given in cases:
        message = sum((given >> 4 * at & 15) << 4 * at for at in places)
        total = (left + right + message) % (1 << 32)
        biased = [digit + 1 for word in (left, right, other) for digit in nibbles(word)]
        found = block.run(*biased, *(given >> 4 * at & 15 for at in places))
        assert found == [digit + 1 for digit in (*nibbles(total), *nibbles(total ^ other))], (left, right, given)


RARE = [
    "ff040f04f8ff0f40a7f7f100dfe06ff080dff0ffff4fffffff7ffffcfff2f0f8",
    "58a000f0fe000000f3f30ff0fefff50f008f0ffff4b8f1f000ffff000000f2f3",
    "54dc0f2c007d00ff0367420ff00e0fd9730ffff020fff000f000000f000f0ff6",
    "e020ff04ffbf8e30fff0f0f080f0ff0fd4f0f000ff0304f0030300ef90fff8ff",
]
"""Messages of which one addition carries 2 into a nibble where the message has none, and 2 out of it."""


def test_blake3_equals_the_model_where_carries_are_rare():
    for text in RARE:
        agree(LARGE["blake3"], *(int(digit, 16) for digit in text))


def test_blake3_equals_the_model():
    rng = random.Random(SEED)
    for digits in ([0] * 64, [15] * 64, [rng.randrange(16) for _ in range(64)], [rng.randrange(16) for _ in range(64)]):
        agree(LARGE["blake3"], *digits)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_blake3_equals_the_model_on_many_messages():
    rng = random.Random(SEED)
    for _ in range(300):
        agree(LARGE["blake3"], *(rng.choice([0, 15, rng.randrange(16)]) for _ in range(64)))


def test_blake3_and_its_second_form_agree():
    rng = random.Random(SEED)
    digits = [rng.randrange(16) for _ in range(64)]
    assert LARGE["blake3"].block.run(*digits) == SECOND["second_blake3"].block.run(*digits)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_blake3_and_its_second_form_agree_on_many_messages():
    rng = random.Random(SEED + 1)
    for _ in range(60):
        digits = [rng.choice([0, 15, rng.randrange(16)]) for _ in range(64)]
        assert LARGE["blake3"].block.run(*digits) == SECOND["second_blake3"].block.run(*digits)


def test_products_and_quotients_are_checked_exactly():
    """Both forms of a product, and the three checks, with right results and with each single wrong bit of a sample."""
    rng = random.Random(SEED)

    def kept(items):
        return [Keep(item) for item in items]

    low = check(
        20, lambda asm, i: verify_low_product(asm, kept(i[:8]), kept(i[8:16]), Word(i[16], i[17]).kept, kept(i[18:]))
    )
    high = check(
        23, lambda asm, i: verify_high_product(asm, kept(i[:8]), kept(i[8:16]), Word(i[16], i[17]).kept, kept(i[18:]))
    )
    pairs = [(one, two) for one in CORNERS[::2] for two in CORNERS[::2]] + [tuple(words(rng, 2)) for _ in range(20)]
    for one, two in pairs:
        total = one * two
        limbs = [LARGE["product_limb"].model(*nibbles(one), *nibbles(two))[0]]
        carries, lows, carry = [], [], 0
        for number in range(4):
            limb = sum(
                (one >> 4 * i & 15) * (two >> 4 * j & 15) << 4 * (i + j - 4 * number)
                for i in range(8) for j in range(8) if 4 * number <= i + j < 4 * number + 4
            )  # fmt: skip
            carry, rest = divmod(limb + carry, 1 << 16)
            carries.append(carry)
            lows.append(rest)
        assert limbs[0] == lows[0] + (carries[0] << 16)
        factors = [*nibbles(one), *nibbles(two)]
        assert SECOND["second_product"].block.run(*halves(one), *nibbles(two)[::-1]) == [
            *halves(total >> 32), *halves(total & 0xFFFF_FFFF)
        ]  # fmt: skip
        for result, hints, script in (
            (total & 0xFFFF_FFFF, carries[:2], low), (total >> 32, [lows[0], lows[1], *carries[:3]], high)
        ):  # fmt: skip
            assert passes(script, *factors, *halves(result), *hints)
            wrong = result ^ 1 << rng.randrange(32)
            assert not passes(script, *factors, *halves(wrong), *hints)


def test_a_division_has_one_solution():
    rng = random.Random(SEED)

    def write(asm, i):
        kept = [Keep(item) for item in i]
        verify_division(asm, Word(*kept[:2]), kept[2:10], Word(*kept[10:12]), kept[12:20], Word(*kept[20:22]), kept[22])

    script = check(23, write)

    def operands(dividend, divisor, quotient, remainder):
        low = LARGE["product_limb"].model(*nibbles(quotient), *nibbles(divisor))[0] + (remainder & 0xFFFF)
        return [
            *halves(dividend),
            *nibbles(divisor),
            *halves(divisor),
            *nibbles(quotient),
            *halves(remainder),
            low >> 16,
        ]

    for _ in range(30):
        dividend, divisor = words(rng, 2)
        if not divisor:
            continue
        quotient, remainder = divmod(dividend, divisor)
        assert passes(script, *operands(dividend, divisor, quotient, remainder))
        if quotient:
            assert not passes(script, *operands(dividend, divisor, quotient - 1, (remainder + divisor) & 0xFFFF_FFFF))
        assert not passes(script, *operands(dividend, divisor, quotient ^ 1 << rng.randrange(32), remainder))
        # Right modulo 2^32 only.
        inverse = pow(divisor, -1, 1 << 32) if divisor % 2 else None
        if inverse is not None and divisor > 1:
            assert not passes(script, *operands(dividend, divisor, dividend * inverse % (1 << 32), 0)) or not remainder


@pytest.mark.parametrize("name", list(BLOCKS))
def test_a_block_costs_what_is_recorded(name):
    assert recorded_block(name) == BLOCKS[name].price()


def test_sizes_are_within_their_limits():
    assert LARGE["blake3"].block.size_bytes <= 68_000
    assert winternitz_bytes() <= 3_020
    assert max(block.block.peak(*block.sample) for block in BLOCKS.values()) <= 1_000


def test_hostile_operands_of_a_table_step_fail_or_stay_below_it():
    """Nothing above the domain of a bounded operation is taken for something inside it."""
    for value in (-1, 32, 1 << 20, -(1 << 20)):
        found = WORDS["reduce_16"].block.run(value)
        assert found is None or found[0] not in range(16) or found[0] + 16 * found[1] == value
