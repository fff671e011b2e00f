"""BN254: its two groups and the optimal ate pairing, for setting up a verification; not for secrets, not quick.

Reads: points as integers.  Gives: sums, checks, Miller lines, powers of pairings.  Never: takes constant time.
Spec: docs/spec/verifier.md#the-curve
"""

from collections.abc import Iterator
from typing import Final

X: Final = 4_965_661_367_192_848_881
"""The number that the curve is made from."""

Q: Final = 36 * X**4 + 36 * X**3 + 24 * X**2 + 6 * X + 1
"""Size of the base field."""

R: Final = 36 * X**4 + 36 * X**3 + 18 * X**2 + 6 * X + 1
"""Size of both groups."""

Pair = tuple[int, int]
"""a + b u in F_q[u] / (u² + 1)."""

G1 = tuple[int, int]
"""x, y on y² = x³ + 3; not infinity."""

G2 = tuple[Pair, Pair]
"""x, y on the twist y² = x³ + 3 / (9 + u); not infinity."""

Twelve = tuple[Pair, ...]
"""Six coefficients of powers of w, w⁶ = 9 + u."""

Line = tuple[Pair, Pair]
"""c3, c4 of the line 1 + (c3 x/y + c4 1/y w²) w through multiples of a point of the twist."""

FINAL_EXPONENT: Final = (Q**12 - 1) // R * 2 * X * (6 * X**2 + 3 * X + 1)
"""Of Fuentes-Castañeda, Knapp and Rodríguez-Henríquez: a multiple of the smallest one that is cheaper."""


def times(one: Pair, two: Pair) -> Pair:
    """Product."""
    return (one[0] * two[0] - one[1] * two[1]) % Q, (one[0] * two[1] + one[1] * two[0]) % Q


def plus(one: Pair, two: Pair) -> Pair:
    """Sum."""
    return (one[0] + two[0]) % Q, (one[1] + two[1]) % Q


def minus(one: Pair, two: Pair) -> Pair:
    """Difference."""
    return (one[0] - two[0]) % Q, (one[1] - two[1]) % Q


def inverse(number: Pair) -> Pair:
    """1 / number.

    Raises:
        ValueError: It is 0.
    """
    norm = pow(number[0] ** 2 + number[1] ** 2, -1, Q)
    return number[0] * norm % Q, -number[1] * norm % Q


def power(number: Pair, exponent: int) -> Pair:
    """number^exponent."""
    result = (1, 0)
    for bit in bin(exponent)[2:]:
        result = times(result, result)
        if bit == "1":
            result = times(result, number)
    return result


def root(number: int) -> int | None:
    """A square root in the base field; None: there is none."""
    found = pow(number, (Q + 1) // 4, Q)
    return found if (found * found - number) % Q == 0 else None


def pair_root(number: Pair) -> Pair | None:
    """A square root of a + b u; None: there is none."""
    if number[1] == 0:
        first = root(number[0])
        # −1 has no root, so one of a and −a has.
        return (first, 0) if first is not None else (0, pow(-number[0], (Q + 1) // 4, Q))
    norm = root((number[0] ** 2 + number[1] ** 2) % Q)
    if norm is None:
        return None
    for half in ((number[0] + norm) * _HALF % Q, (number[0] - norm) * _HALF % Q):
        first = root(half)
        if first:
            return first, number[1] * _HALF * pow(first, -1, Q) % Q
    return None


def curve_point(x: int, is_high: bool) -> G1 | None:
    """The point of the first group with this x, and the higher or the lower y; None: there is none."""
    y = root((x**3 + 3) % Q)
    return None if y is None else (x, y if (2 * y > Q) == is_high else -y % Q)


def twist_point(x: Pair, is_high: bool) -> G2 | None:
    """The same on the twist; the second part of y decides, the first where that is 0. Of any order."""
    y = pair_root(plus(times(times(x, x), x), _TWIST))
    if y is None:
        return None
    return x, y if (2 * (y[1] or y[0]) > Q) == is_high else minus((0, 0), y)


_HALF: Final = pow(2, -1, Q)
_XI: Final = (9, 1)
_TWIST: Final = times((3, 0), inverse(_XI))
_TURN_X: Final = power(_XI, (Q - 1) // 3)
_TURN_Y: Final = power(_XI, (Q - 1) // 2)


def is_on_curve(point: G1) -> bool:
    """Whether it is a point of the first group, whose curve has no others."""
    x, y = point
    return 0 <= x < Q and 0 <= y < Q and (y * y - x**3 - 3) % Q == 0


def is_on_twist(point: G2) -> bool:
    """Whether it is a point of the twist, of any order."""
    x, y = point
    canonical = all(0 <= part < Q for part in (*x, *y))
    return canonical and times(y, y) == plus(times(times(x, x), x), _TWIST)


def add(one: G1 | None, two: G1 | None) -> G1 | None:
    """Sum of points; None is infinity."""
    if one is None or two is None:
        return two if one is None else one
    if one[0] == two[0]:
        if (one[1] + two[1]) % Q == 0:
            return None
        slope = 3 * one[0] ** 2 * pow(2 * one[1], -1, Q)
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, Q)
    x = (slope * slope - one[0] - two[0]) % Q
    return x, (slope * (one[0] - x) - one[1]) % Q


def multiply(point: G1 | None, factor: int) -> G1 | None:
    """The point, so many times."""
    result: G1 | None = None
    for bit in bin(factor % R)[2:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def negate(point: G2) -> G2:
    """−point."""
    return point[0], minus((0, 0), point[1])


def _slope(one: G2, two: G2) -> Pair:
    if one == two:
        square = times(one[0], one[0])
        return times(times((3, 0), square), inverse(times((2, 0), one[1])))
    return times(minus(two[1], one[1]), inverse(minus(two[0], one[0])))


def _sum(one: G2, two: G2) -> tuple[G2, Line]:
    """Sum of two points of the twist, with the line through them.

    Raises:
        ValueError: The sum is infinity.
    """
    slope = _slope(one, two)
    x = minus(minus(times(slope, slope), one[0]), two[0])
    y = minus(times(slope, minus(one[0], x)), one[1])
    return (x, y), (minus((0, 0), slope), minus(times(slope, one[0]), one[1]))


def has_order(point: G2) -> bool:
    """Whether a point of the twist has order R."""
    multiple = point
    try:
        for bit in bin(R)[3:-1]:
            multiple, _ = _sum(multiple, multiple)
            if bit == "1":
                multiple, _ = _sum(multiple, point)
        # R is odd: 2 · multiple must be the opposite of the point.
        multiple, _ = _sum(multiple, multiple)
    except ValueError:
        return False
    return multiple == negate(point)


def loop_digits() -> list[int]:
    """6 X + 2 in signed digits, highest first, as many set as can be few, in as few places as then can be."""
    number, digits = 6 * X + 2, []
    while number:
        digit = 2 - number % 4 if number & 1 else 0
        digits.append(digit)
        number = (number - digit) >> 1
    if digits[-3:] == [-1, 0, 1]:
        digits[-3:] = [1, 1]
    return digits[::-1]


def _turned(point: G2) -> G2:
    """The twisted Frobenius."""
    (xa, xb), (ya, yb) = point
    return times((xa, -xb % Q), _TURN_X), times((ya, -yb % Q), _TURN_Y)


def lines(point: G2) -> Iterator[tuple[Line, bool]]:
    """Lines of the Miller loop over a point of order R, each with whether it is the first of its digit."""
    multiple = point
    for digit in loop_digits()[1:]:
        multiple, line = _sum(multiple, multiple)
        yield line, True
        if digit:
            multiple, line = _sum(multiple, point if digit > 0 else negate(point))
            yield line, False
    once = _turned(point)
    multiple, line = _sum(multiple, once)
    yield line, False
    _, line = _sum(multiple, negate(_turned(once)))
    yield line, False


def twelve_times(one: Twelve, two: Twelve) -> Twelve:
    """Product in the field of the pairing's results."""
    found = [(0, 0)] * 11
    for i, left in enumerate(one):
        if left != (0, 0):
            for j, right in enumerate(two):
                found[i + j] = plus(found[i + j], times(left, right))
    return tuple(plus(found[i], times(found[i + 6], _XI)) if i < 5 else found[i] for i in range(6))


def pairing(left: G1, right: G2) -> Twelve:
    """e(left, right) to the power 2 X (6 X² + 3 X + 1)."""
    one: Twelve = ((1, 0), *((0, 0),) * 5)
    over_y = pow(left[1], -1, Q)
    ratio = left[0] * over_y % Q
    value = one
    for number, (line, is_new) in enumerate(lines(right)):
        if is_new and number:
            value = twelve_times(value, value)
        c3, c4 = times(line[0], (ratio, 0)), times(line[1], (over_y, 0))
        value = twelve_times(((1, 0), c3, (0, 0), c4, (0, 0), (0, 0)), value)
    result = one
    for bit in bin(FINAL_EXPONENT)[2:]:
        result = twelve_times(result, result)
        if bit == "1":
            result = twelve_times(value, result)
    return result
