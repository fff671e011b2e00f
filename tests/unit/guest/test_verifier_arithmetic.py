"""The two functions with registers placed by hand against Python's integers: random and extreme limbs."""

import random
import re
import struct

import pytest
from scripts.guest_arithmetic import TARGET

from bedroll.crypto.bn254 import Q
from bedroll.riscv import Halted, Program
from tests.framework.assembler import INPUT, RODATA, STACK, STACK_BYTES, assemble, layout, pack

LIMBS, BITS = 10, 26
SMALL = 1 << BITS
SEED = 26


def text_of(name):
    """The function's lines, with the address of q instead of its symbol."""
    body = TARGET.read_text().split(f"{name}:\n")[1].split(".size")[0]
    body = re.sub(r"%lo\(bedroll_prime \+ (\d+)\)", lambda found: str(RODATA % 4096 + int(found[1])), body)
    return body.replace("%hi(bedroll_prime)", str(RODATA >> 12)).replace("ret", "jalr zero, ra, 0")


def program(name, factors):
    """Calls the function on the input's factors; halts with 1 if the result is the input's last ten words."""
    arguments = "".join(f"li a{index + 1}, {INPUT + 4 * LIMBS * index}\n" for index in range(factors))
    compare = "".join(
        f"lw t0, {4 * limb}(s0)\nlw t1, {4 * limb}(s1)\nxor t0, t0, t1\nor t2, t2, t0\n" for limb in range(LIMBS)
    )
    text = f"""
    li sp, {STACK + STACK_BYTES}
    li s0, {STACK}
    li s1, {INPUT + 4 * LIMBS * factors}
    addi a0, s0, 0
    {arguments}
    jal ra, called
    addi t2, zero, 0
    {compare}
    sltiu a0, t2, 1
    li a7, 93
    ecall
called:
    {text_of(name)}
    """
    prime = pack([Q >> (BITS * limb) & (SMALL - 1) for limb in range(LIMBS)])
    return Program(layout(assemble(text), rodata=prime, input_bytes=4 * LIMBS * (factors + 1)))


def number(limbs):
    return sum(limb << (BITS * place) for place, limb in enumerate(limbs))


def limbs_of(value):
    return [*(value >> (BITS * place) & (SMALL - 1) for place in range(LIMBS - 1)), value >> (BITS * (LIMBS - 1))]


def reduced(total):
    """(total + m q) / 2^260 for the only m in range that makes it whole."""
    radix = 1 << (BITS * LIMBS)
    whole, rest = divmod(total + -total * pow(Q, -1, radix) % radix * Q, radix)
    assert rest == 0
    return limbs_of(whole)


def factors(rng, count, second_limit):
    """Limbs at the ends of what the program's bounds allow, or anywhere between; tops as of numbers below 20 q."""
    for place in range(count):
        limit = SMALL if place % 2 == 0 else second_limit
        kind = rng.randrange(4)
        if kind == 0:
            limbs = [rng.choice([-limit, limit - 1]) for _ in range(LIMBS)]
        elif kind == 1:
            limbs = [rng.choice([-limit, limit - 1])] * LIMBS
        elif kind == 2:
            limbs = [rng.choice([0, 1, -1, SMALL - 1]) for _ in range(LIMBS)]
        else:
            limbs = [rng.randrange(-limit, limit) for _ in range(LIMBS)]
        yield limbs


@pytest.mark.parametrize(
    ("name", "count", "second_limit", "steps"),
    [("bedroll_product", 2, 2 * SMALL, 1_160), ("bedroll_cross", 4, SMALL, 1_642)],
)
def test_products_are_those_of_integers(name, count, second_limit, steps):
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    made = program(name, count)
    for _ in range(400):
        given = list(factors(rng, count, second_limit))
        total = sum(number(given[i]) * number(given[i + 1]) for i in range(0, count, 2))
        expected = reduced(total)
        flat = [limb for limbs in (*given, expected) for limb in limbs]
        found = made.run(struct.pack(f"<{len(flat)}i", *flat))
        assert isinstance(found, Halted)
        assert found.result == 1, given
    profile = made.profile(struct.pack(f"<{len(flat)}i", *flat))
    assert steps <= profile.outcome.step <= steps + 80


def test_a_wrong_product_would_be_seen():
    made = program("bedroll_product", 2)
    assert made.run(bytes(made.input_bytes)) == Halted(made.run(bytes(made.input_bytes)).step, 1)
    wrong = struct.pack("<30I", *[0] * 29, 1)
    assert made.run(wrong).result == 0
