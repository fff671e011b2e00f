"""The program that verifies a Groth16 proof, set up for one key and one statement.

Reads: a verification key, public inputs.  Gives: the program's file for this instance, a proof's input bytes.
Never: takes a point that is off its curve or outside its group.  Spec: docs/spec/verifier.md
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

from bedroll.crypto import bn254
from bedroll.crypto.bn254 import G1, G2, Q, R
from bedroll.primitives import Corrupt, Invalid

PROOF_BYTES: Final = 128
"""Length of a compressed proof: the program's whole input."""

SHA256: Final = "cd5ad8f537f4aa4e30589204b4321d1c37ac3bf2911f445d9f69b921bde7f75d"
"""Of the program as built, before an instance is written into it."""

KEY_BYTES: Final = 28_320
"""Size of the section `.key`."""

STATEMENT_BYTES: Final = 80
"""Size of the section `.statement`."""

_LIMB_BITS: Final = 26
_LIMBS: Final = 10
_HIGH: Final = 0x80


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A Groth16 verification key over BN254.

    Attributes:
        alpha: Point of G1.
        beta: Point of G2.
        gamma: Point of G2.
        delta: Point of G2.
        points: IC_0 and one point of G1 for each public input.

    Raises:
        Invalid: A point is not of its group, or is infinity; γ and δ are one point, so that anybody could make proofs.
    """

    alpha: G1
    beta: G2
    gamma: G2
    delta: G2
    points: tuple[G1, ...]

    def __post_init__(self) -> None:
        """Check every point."""
        for name, one in [("alpha", self.alpha), *((f"IC_{i}", point) for i, point in enumerate(self.points))]:
            if not bn254.is_on_curve(one):
                raise Invalid("a point of the key is not on the curve", point=name, value=one)
        for name, two in (("beta", self.beta), ("gamma", self.gamma), ("delta", self.delta)):
            if not bn254.is_on_twist(two) or not bn254.has_order(two):
                raise Invalid("a point of the key is not in its group", point=name, value=two)
        if self.gamma == self.delta:
            raise Invalid("gamma and delta of the key are one point: its setup was never finished", value=self.gamma)
        if not self.points:
            raise Invalid("the key has no point for the constant 1", value=0, limit=1)


def public_inputs(key_hash: int, digest: int, key_root: int) -> tuple[int, ...]:
    """The five public inputs of a claim: key hash, digest, exit code 0, key root, nonce 0."""
    return key_hash, digest, 0, key_root, 0


def statement_point(key: VerifyingKey, inputs: Iterable[int]) -> G1:
    """L = IC_0 + Σ x_i · IC_i.

    Raises:
        Invalid: The inputs are not as many as the key takes, an input is not below R, or L is infinity.
    """
    given = tuple(inputs)
    if len(given) != len(key.points) - 1:
        raise Invalid("the key takes another number of public inputs", value=len(given), limit=len(key.points) - 1)
    total: G1 | None = key.points[0]
    for number, point in zip(given, key.points[1:], strict=True):
        if not 0 <= number < R:
            raise Invalid("a public input is out of range", value=number, limit=R - 1)
        total = bn254.add(total, bn254.multiply(point, number))
    if total is None:
        raise Invalid("the public inputs sum to infinity", value=given)
    return total


def is_valid(key: VerifyingKey, inputs: Iterable[int], a: G1, b: G2, c: G1) -> bool:
    """Whether a proof holds: e(A, B) = e(α, β) · e(L, γ) · e(C, δ), by the curve's plain formulas. A second of work.

    Raises:
        Invalid: As for `statement_point`, or a point is not of its group.
    """
    if not (bn254.is_on_curve(a) and bn254.is_on_curve(c) and bn254.is_on_twist(b) and bn254.has_order(b)):
        raise Invalid("a point of the proof is not in its group", value=(a, b, c))
    found = bn254.pairing(key.alpha, key.beta)
    for left, right in ((statement_point(key, inputs), key.gamma), (c, key.delta)):
        found = bn254.twelve_times(found, bn254.pairing(left, right))
    return bn254.pairing(a, b) == found


def _form(number: int) -> bytes:
    """A number as the program holds it: ten limbs of number · 2^260 modulo Q, a word each."""
    shifted = (number << (_LIMB_BITS * _LIMBS)) % Q
    limbs = (shifted >> (_LIMB_BITS * index) & ((1 << _LIMB_BITS) - 1) for index in range(_LIMBS))
    return struct.pack(f"<{_LIMBS}I", *limbs)


@lru_cache(maxsize=4)
def key_section(key: VerifyingKey) -> bytes:
    """Content of `.key`: the lines of −γ, the lines of −δ, e(α, β). Half a second of work, done once a key."""
    numbers: list[int] = []
    for point in (key.gamma, key.delta):
        for line, _ in bn254.lines(bn254.negate(point)):
            numbers += [*line[0], *line[1]]
    value = bn254.pairing(key.alpha, key.beta)
    # F_q⁶ + F_q⁶ w, each with 1, v, v² = w²: the even powers of w, then the odd ones.
    for index in (0, 2, 4, 1, 3, 5):
        numbers += value[index]
    return b"".join(map(_form, numbers))


def statement_section(key: VerifyingKey, inputs: Iterable[int]) -> bytes:
    """Content of `.statement`: x/y and 1/y of L.

    Raises:
        Invalid: As for `statement_point`.
    """
    x, y = statement_point(key, inputs)
    over = pow(y, -1, Q)
    return _form(x * over % Q) + _form(over)


def blank() -> bytes:
    """The program as built: it refuses every proof."""
    return files("bedroll.riscv").joinpath("verifier.elf").read_bytes()


def instance(key: VerifyingKey, inputs: Iterable[int]) -> bytes:
    """The program for one key and one statement.

    Raises:
        Invalid: As for `statement_point`.
    """
    return write_sections(blank(), {".key": key_section(key), ".statement": statement_section(key, inputs)})


def write_sections(file: bytes, contents: Mapping[str, bytes]) -> bytes:
    """A program's file with other contents in some sections, which keep their sizes."""
    written = bytearray(file)
    start, count, names = struct.unpack_from("<I", file, 32)[0], *struct.unpack_from("<HH", file, 48)
    headers = [struct.unpack_from("<10I", file, start + 40 * index) for index in range(count)]
    table = headers[names][4]
    found = {file[table + header[0] : file.index(b"\0", table + header[0])].decode(): header for header in headers}
    for name, content in contents.items():
        if name not in found or found[name][5] != len(content):
            raise Corrupt("the program has no such section of this size", section=name, size=len(content))
        written[found[name][4] : found[name][4] + len(content)] = content
    return bytes(written)


def encode_proof(a: G1, b: G2, c: G1) -> bytes:
    """A proof as the program reads it: x of each point, the top bit set where y is the higher root.

    Raises:
        Invalid: A point is not on its curve.
    """
    for name, point in (("A", a), ("C", c)):
        if not bn254.is_on_curve(point):
            raise Invalid("a point of the proof is not on the curve", point=name, value=point)
    if not bn254.is_on_twist(b):
        raise Invalid("a point of the proof is not on the curve", point="B", value=b)
    (xa, xb), (ya, yb) = b
    return b"".join(
        (
            _coordinate(a[0], 2 * a[1] > Q),
            _coordinate(xa, is_high=False),
            _coordinate(xb, 2 * (yb or ya) > Q),
            _coordinate(c[0], 2 * c[1] > Q),
        )
    )


def _coordinate(number: int, is_high: bool) -> bytes:
    raw = bytearray(number.to_bytes(32, "little"))
    raw[31] |= _HIGH * is_high
    return bytes(raw)
