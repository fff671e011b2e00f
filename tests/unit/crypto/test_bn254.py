"""BN254 for setting up a verification: agreement with py_ecc, and what the subgroup check rests on."""

import math
import random

from py_ecc.optimized_bn128 import FQ, FQ12, G1, G2, normalize
from py_ecc.optimized_bn128 import multiply as their_multiply
from py_ecc.optimized_bn128 import pairing as their_pairing

from bedroll.crypto import bn254
from bedroll.crypto.bn254 import Q, R, X

SEED = 254


def ours(point):
    x, y = normalize(point)
    if isinstance(x, FQ):
        return int(x), int(y)
    return tuple(map(int, x.coeffs)), tuple(map(int, y.coeffs))


def twelve(value):
    """Their polynomial in w over F_q, w¹² = 18 w⁶ − 82, in ours: u = w⁶ − 9."""
    numbers = list(map(int, value.coeffs))
    return tuple(((numbers[i] + 9 * numbers[i + 6]) % Q, numbers[i + 6]) for i in range(6))


def test_sums_and_multiples_are_those_of_py_ecc():
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    one = ours(G1)
    for _ in range(5):
        factor = rng.randrange(1, R)
        assert bn254.multiply(one, factor) == ours(their_multiply(G1, factor))
    assert bn254.multiply(one, R) is None
    assert bn254.add(one, (one[0], Q - one[1])) is None


def test_the_pairing_is_a_power_of_py_eccs():
    exponent = 2 * X * (6 * X**2 + 3 * X + 1)
    left, right = their_multiply(G1, 5), their_multiply(G2, 7)
    expected = twelve(their_pairing(right, left) ** exponent)
    assert expected != twelve(FQ12.one())
    assert bn254.pairing(ours(left), ours(right)) == expected
    assert math.gcd(exponent, R) == 1


def test_only_points_of_order_r_have_it():
    point = ours(their_multiply(G2, 11))
    assert bn254.is_on_twist(point)
    assert bn254.has_order(point)
    outside = next(
        (x, y)
        for k in range(1, 50)
        for x in [(k, 5)]
        for y in [root(bn254.plus(bn254.times(bn254.times(x, x), x), bn254._TWIST))]
        if y
    )
    assert bn254.is_on_twist(outside)
    assert not bn254.has_order(outside)
    assert not bn254.is_on_twist((point[0], (point[1][0] + Q, point[1][1])))


def root(square):
    """A square root in F_q², by the norm; None where there is none."""
    a, b = square
    norm = pow(a * a + b * b, (Q + 1) // 4, Q)
    for sign in (1, -1):
        first = pow((a + sign * norm) * pow(2, -1, Q), (Q + 1) // 4, Q)
        found = (first, b * pow(2 * first, -1, Q) % Q)
        if bn254.times(found, found) == square:
            return found
    return None


def test_the_endomorphism_of_the_subgroup_check_vanishes_on_points_of_order_r_alone():
    """6x + 2 + ψ − ψ² + ψ³: its norm and the number of points of the twist have only R in common."""
    trace = 6 * X * X + 1
    twist_points = R * (2 * Q - R)
    # ψ² = tψ − q, so the sum is c + dψ with norm c² + cdt + d²q.
    c, d = 0, 1
    powers = [(1, 0), (0, 1)]
    for _ in range(2):
        c, d = powers[-1]
        powers.append((-Q * d, c + trace * d))
    weights = (6 * X + 2, 1, -1, 1)
    c = sum(weight * power[0] for weight, power in zip(weights, powers, strict=True))
    d = sum(weight * power[1] for weight, power in zip(weights, powers, strict=True))
    norm = c * c + c * d * trace + d * d * Q
    assert math.gcd(norm, twist_points) == R
    assert (6 * X + 2 + Q - Q**2 + Q**3) % R == 0


def test_the_loop_digits_are_the_number():
    digits = bn254.loop_digits()
    assert sum(digit << place for place, digit in enumerate(reversed(digits))) == 6 * X + 2
    assert set(digits) == {-1, 0, 1}


def test_a_point_follows_from_its_x_and_which_y():
    for factor in range(1, 6):
        one, two = ours(their_multiply(G1, factor)), ours(their_multiply(G2, factor))
        x, y = one
        assert bn254.curve_point(x, 2 * y > Q) == one
        assert bn254.curve_point(x, 2 * y < Q) == (x, Q - y)
        (x, y) = two
        is_high = 2 * (y[1] or y[0]) > Q
        assert bn254.twist_point(x, is_high) == two
        assert bn254.twist_point(x, not is_high) == bn254.negate(two)


def test_half_of_all_numbers_have_a_root():
    found = [bn254.root(number) for number in range(1, 200)]
    assert all(root is None or root * root % Q == number for number, root in enumerate(found, 1))
    assert 80 < sum(root is None for root in found) < 120
    pairs = [(a, b) for a in range(14) for b in range(14)]
    roots = [bn254.pair_root(pair) for pair in pairs]
    assert all(root is None or bn254.times(root, root) == pair for pair, root in zip(pairs, roots, strict=True))
    # A product of two numbers without a root has one.
    without = [pair for pair, root in zip(pairs, roots, strict=True) if root is None]
    assert 70 < len(without) < 126
    assert all(bn254.pair_root(bn254.times(without[0], other)) is not None for other in without)
