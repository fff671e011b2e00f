"""Write the verifier's constants: crates/guest/verifier/src/constant.rs; `--check` only compares.

Everything follows from x, the number that BN254 is made from, and from the two non-residues −1 and 9 + u.
"""

import sys
from pathlib import Path
from typing import Final

TARGET: Final = Path(__file__).resolve().parents[1] / "crates/guest/verifier/src/constant.rs"

X: Final = 4_965_661_367_192_848_881
Q: Final = 36 * X**4 + 36 * X**3 + 24 * X**2 + 6 * X + 1
R: Final = 36 * X**4 + 36 * X**3 + 18 * X**2 + 6 * X + 1
BITS: Final = 26
LIMBS: Final = 10

Pair = tuple[int, int]


def times(one: Pair, two: Pair) -> Pair:
    """Product in F_q[u] / (u² + 1)."""
    return (one[0] * two[0] - one[1] * two[1]) % Q, (one[0] * two[1] + one[1] * two[0]) % Q


def power(number: Pair, exponent: int) -> Pair:
    result = (1, 0)
    for bit in bin(exponent)[2:]:
        result = times(result, result)
        if bit == "1":
            result = times(result, number)
    return result


def over(number: Pair) -> Pair:
    """1 / number."""
    norm = pow(number[0] ** 2 + number[1] ** 2, -1, Q)
    return number[0] * norm % Q, -number[1] * norm % Q


def signed_digits(number: int, width: int) -> list[int]:
    """Digits that are 0 or odd, less than 2^(width−1) in size, lowest first; two in `width` places are not both set."""
    digits = []
    while number:
        digit = 0
        if number & 1:
            digit = number % (1 << width)
            if digit >= 1 << (width - 1):
                digit -= 1 << width
            number -= digit
        digits.append(digit)
        number >>= 1
    return digits


def limbs(number: int) -> str:
    """A number's Montgomery form in limbs."""
    form = (number << (BITS * LIMBS)) % Q
    parts = [form >> (BITS * index) & ((1 << BITS) - 1) for index in range(LIMBS)]
    return "[" + ", ".join(f"{part:_}" for part in parts) + "]"


def pair(number: Pair) -> str:
    return f"[{limbs(number[0])}, {limbs(number[1])}]"


def words(number: int) -> str:
    return "[" + ", ".join(f"0x{number >> (32 * index) & 0xFFFFFFFF:04x}" for index in range(8)) + "]"


def text() -> str:
    """The file."""
    xi = (9, 1)
    coefficient = over(xi)
    coefficient = 3 * coefficient[0] % Q, 3 * coefficient[1] % Q
    ate, seed = signed_digits(6 * X + 2, 2), signed_digits(X, 4)
    if ate[-3:] == [-1, 0, 1]:
        ate[-3:] = [1, 1]  # as many digits, one doubling less
    lines = sum(1 + (digit != 0) for digit in ate[:-1]) + 2
    parts = [
        "//! Written by scripts/guest_constants.py; do not edit.\n\nuse crate::field::LIMBS;\n\n"
        "type Limbs = [i32; LIMBS];\n",
        f"/// 3: y² = x³ + 3.\npub const CURVE: Limbs = {limbs(3)};\n",
        f"/// 3 / (9 + u): the twist's coefficient.\npub const TWIST: [Limbs; 2] = {pair(coefficient)};\n",
        f"/// 1/2.\npub const HALF: Limbs = {limbs(pow(2, -1, Q))};\n",
    ]
    for order in (1, 2, 3):
        base = power(xi, (Q**order - 1) // 6)
        coefficients = ", ".join(pair(power(base, index)) for index in range(1, 6))
        parts.append(
            f"/// (9 + u)^(i (q^{order} − 1) / 6) for i from 1.\n"
            f"pub const FROBENIUS_{order}: [[Limbs; 2]; 5] = [{coefficients}];\n"
        )
    parts += [
        f"/// (q − 3) / 4.\npub const ROOT_EXPONENT: [u32; 8] = {words((Q - 3) // 4)};\n",
        f"/// q − 2.\npub const INVERSE_EXPONENT: [u32; 8] = {words(Q - 2)};\n",
        f"/// 6 x + 2 in signed digits, lowest first.\npub const ATE: [i8; {len(ate)}] = {ate};\n",
        f"/// x in odd signed digits below 8, lowest first.\npub const SEED: [i8; {len(seed)}] = {seed};\n",
        f"/// Lines of a Miller loop.\npub const LINES: usize = {lines};\n",
    ]
    return "\n".join(parts)


def main() -> int:
    """Write or compare."""
    if "--check" in sys.argv[1:]:
        same = TARGET.read_text().split() == text().split()
        print("as committed" if same else "not as committed")
        return 0 if same else 1
    TARGET.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
