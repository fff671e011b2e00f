"""Groth16 keys and proofs over BN254 as gnark writes them, and as SP1 wraps them.

Reads: bytes from anyone.  Gives: a `VerifyingKey`, the points of a proof, SP1's public inputs.
Never: takes a point off its curve, outside its group or at infinity, a second encoding, or bytes that are left over.
Spec: docs/spec/verifier.md#formats
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from bedroll.crypto import bn254, sha256
from bedroll.crypto.bn254 import G1, G2, Pair, Q, R
from bedroll.primitives import Invalid

from .verifier import VerifyingKey

INPUTS_MAX: Final = 64
"""Public inputs that a key may have."""

SP1_PREFIX_BYTES: Final = 4
"""SP1 begins a proof with so many bytes of the SHA-256 of the key's file."""

_WORD: Final = 32
_COMPRESSED, _RAW = 1, 2
"""How many numbers a point of G1 is written as."""
_FLAGS: Final = 0xC0
_LOW, _HIGH, _PLAIN = 0x80, 0xC0, 0x00
"""Top bits of a point's first byte: x alone with the lower or the higher y, or both coordinates."""


class ProofPoints(NamedTuple):
    """A proof.

    Attributes:
        a: Point of G1.
        b: Point of G2.
        c: Point of G1.
    """

    a: G1
    b: G2
    c: G1


@dataclass(frozen=True, slots=True)
class Sp1Proof:
    """A proof as SP1 hands it out, onchain form.

    Attributes:
        key_prefix: First bytes of the SHA-256 of the key's file.
        exit_code: Of the program; None before version 6, where it is no public input.
        key_root: Root of the keys that recursion allows; None before version 6.
        nonce: Of the proof; None before version 6.
        points: The proof itself.
    """

    key_prefix: bytes
    exit_code: int | None
    key_root: int | None
    nonce: int | None
    points: ProofPoints

    def public_inputs(self, program_key: bytes, public_values: bytes) -> tuple[int, ...]:
        """What the proof is of.

        Args:
            program_key: Hash of the program's key, 32 bytes.
            public_values: What the program published.

        Raises:
            Invalid: The hash is no number of the circuit, or not 32 bytes.
        """
        if len(program_key) != _WORD:
            raise Invalid("a program's key has a wrong length", size=len(program_key), limit=_WORD)
        key = _below(int.from_bytes(program_key), R, "the program's key is out of range")
        more = () if self.exit_code is None else (self.exit_code, self.key_root or 0, self.nonce or 0)
        return key, values_digest(public_values), *more


def values_digest(public_values: bytes) -> int:
    """SHA-256 of public values without its three highest bits, so that it is a number of the circuit."""
    return int.from_bytes(sha256(public_values)) & ((1 << 253) - 1)


def parse_key(raw: bytes) -> VerifyingKey:
    """A key as gnark's `WriteTo` or `WriteRawTo` makes it; SP1's `groth16_vk.bin` is the first.

    Raises:
        Invalid: The bytes are no such key, it has more than 64 public inputs, or it takes commitments.
    """
    reader = _Reader(raw, _form_of(raw))
    alpha = reader.g1("α")
    reader.g1("β of the first group")
    beta, gamma = reader.g2("β"), reader.g2("γ")
    reader.g1("δ of the first group")
    delta, count = reader.g2("δ"), reader.count("points of a key", INPUTS_MAX + 1)
    points = tuple(reader.g1(f"IC_{index}") for index in range(count))
    reader.count("commitments of a key", 0)
    reader.count("keys of commitments", 0)
    reader.end()
    return VerifyingKey(alpha, beta, gamma, delta, points)


def parse_proof(raw: bytes) -> ProofPoints:
    """A proof as gnark's `WriteTo`, `WriteRawTo` or `MarshalSolidity` makes it; the last has no commitments behind it.

    Raises:
        Invalid: The bytes are no such proof, or it has commitments.
    """
    sizes = {4 * _WORD: _COMPRESSED, 5 * _WORD + 4: _COMPRESSED, 8 * _WORD: _RAW, 10 * _WORD + 4: _RAW}
    if len(raw) not in sizes:
        raise Invalid("a proof has a wrong length", size=len(raw), limit=sorted(sizes))
    form = sizes[len(raw)]
    reader = _Reader(raw, form)
    points = ProofPoints(reader.g1("A"), reader.g2("B"), reader.g1("C"))
    if len(raw) % _WORD:
        reader.count("commitments of a proof", 0)
        reader.infinity("proof of knowledge")
    reader.end()
    return points


def parse_sp1_proof(raw: bytes) -> Sp1Proof:
    """A proof of SP1: 260 bytes to version 5, 356 bytes from version 6.

    Raises:
        Invalid: The bytes are no such proof.
    """
    short, long = SP1_PREFIX_BYTES + 8 * _WORD, SP1_PREFIX_BYTES + 11 * _WORD
    if len(raw) not in (short, long):
        raise Invalid("a proof of SP1 has a wrong length", size=len(raw), limit=[short, long])
    prefix, body = raw[:SP1_PREFIX_BYTES], raw[SP1_PREFIX_BYTES:]
    if len(raw) == short:
        return Sp1Proof(prefix, None, None, None, parse_proof(body))
    numbers = [
        _below(int.from_bytes(body[at : at + _WORD]), R, "a public input is out of range")
        for at in range(0, 3 * _WORD, _WORD)
    ]
    return Sp1Proof(prefix, numbers[0], numbers[1], numbers[2], parse_proof(body[3 * _WORD :]))


def parse_sp1(key_file: bytes, proof: bytes) -> tuple[VerifyingKey, Sp1Proof]:
    """A key's file and a proof that names it.

    Raises:
        Invalid: One of them is malformed, or the proof names another key.
    """
    found = parse_sp1_proof(proof)
    expected = bytes(sha256(key_file))[:SP1_PREFIX_BYTES]
    if found.key_prefix != expected:
        raise Invalid("the proof names another key", value=found.key_prefix, limit=expected)
    return parse_key(key_file), found


def _form_of(raw: bytes) -> int:
    return _RAW if raw and raw[0] & _FLAGS == _PLAIN else _COMPRESSED


def _below(number: int, limit: int, text: str) -> int:
    if number >= limit:
        raise Invalid(text, value=number, limit=limit - 1)
    return number


class _Reader:
    """Points one after the other, all in one form."""

    def __init__(self, raw: bytes, form: int) -> None:
        self._raw, self._form, self._at = raw, form, 0

    def g1(self, name: str) -> G1:
        flag, numbers = self._numbers(name, 1)
        point = (numbers[0], numbers[1]) if self._form == _RAW else bn254.curve_point(numbers[0], flag == _HIGH)
        if point is None or not bn254.is_on_curve(point):
            raise Invalid("a point is not on the curve", point=name, value=numbers)
        return point

    def g2(self, name: str) -> G2:
        flag, numbers = self._numbers(name, 2)
        # The second part of a pair comes first.
        x: Pair = (numbers[1], numbers[0])
        point = (x, (numbers[3], numbers[2])) if self._form == _RAW else bn254.twist_point(x, flag == _HIGH)
        if point is None or not bn254.is_on_twist(point) or not bn254.has_order(point):
            raise Invalid("a point is not in its group", point=name, value=numbers)
        return point

    def count(self, name: str, limit: int) -> int:
        found = int.from_bytes(self._take(name, 4))
        if found > limit:
            raise Invalid(f"too many {name}", value=found, limit=limit)
        return found

    def infinity(self, name: str) -> None:
        expected = bytes(2 * _WORD) if self._form == _RAW else b"\x40" + bytes(_WORD - 1)
        if self._take(name, len(expected)) != expected:
            raise Invalid("a proof without commitments knows nothing of them", point=name)

    def end(self) -> None:
        if self._at != len(self._raw):
            raise Invalid("bytes are left over", size=len(self._raw), limit=self._at)

    def _numbers(self, name: str, degree: int) -> tuple[int, list[int]]:
        """The flag of a point and its numbers, each below Q."""
        raw = self._take(name, degree * self._form * _WORD)
        flag = raw[0] & _FLAGS
        if flag not in ((_PLAIN,) if self._form == _RAW else (_LOW, _HIGH)):
            raise Invalid("a point has another form than this place takes", point=name, value=flag)
        raw = bytes([raw[0] & ~_FLAGS]) + raw[1:]
        numbers = [int.from_bytes(raw[at : at + _WORD]) for at in range(0, len(raw), _WORD)]
        return flag, [_below(number, Q, "a coordinate is out of range") for number in numbers]

    def _take(self, name: str, size: int) -> bytes:
        found = self._raw[self._at : self._at + size]
        if len(found) != size:
            raise Invalid("the bytes end early", part=name, size=len(self._raw), limit=self._at + size)
        self._at += size
        return found
