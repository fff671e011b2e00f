"""Chains, checksums, keys and signatures.

Reads: secrets, messages.  Gives: public keys, `Signature`.  Never: writes Script.
Spec: docs/spec/bitvm.md#winternitz

A digit of radix n has a chain x, H(x), …, H^(n−1)(x): the last is its public key, and H^v(x) signs v. Whoever has it
can sign more, never less; the checksum, the sum of what is missing to the largest digits, would have to shrink.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bedroll.primitives import Invalid

from ..message import NIBBLE, Message

NODE_BYTES: Final = 20
"""A node of a chain, and so one digit's public key."""
SECRET_BYTES: Final = 32


@lru_cache(maxsize=64)
def checksum_radices(radices: tuple[int, ...]) -> tuple[int, ...]:
    """Radices of the checksum's digits, most significant first; the first has no more values than it needs.

    >>> checksum_radices((16,) * 40), checksum_radices((8,))
    ((3, 16, 16), (8,))
    """
    largest = sum(radix - 1 for radix in radices)
    found = []
    while largest >= NIBBLE:
        found.append(NIBBLE)
        largest //= NIBBLE
    return (largest + 1, *found)


@lru_cache(maxsize=64)
def all_radices(radices: tuple[int, ...]) -> tuple[int, ...]:
    """Radices of the message's digits, then of the checksum's."""
    return radices + checksum_radices(radices)


def public_key_bytes(message: Message) -> int:
    """Size of a message's public key; another size is no key."""
    return NODE_BYTES * len(all_radices(message.radices))


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature with the message that it signs.

    Attributes:
        message: Its bytes.
        nodes: One node a digit, 20 bytes each: the message's digits, then the checksum's.
    """

    message: bytes
    nodes: tuple[bytes, ...]

    def compact(self) -> bytes:
        """The message, then the nodes."""
        return self.message + b"".join(self.nodes)

    @staticmethod
    def from_compact(message: Message, raw: bytes) -> "Signature":
        """Parse the compact form of a signature of a message.

        Raises:
            Invalid: The length is wrong.
        """
        size = message.size_bytes + public_key_bytes(message)
        if len(raw) != size:
            raise Invalid("signature has a wrong length", label=message.label, size=len(raw), limit=size)
        start = message.size_bytes
        nodes = tuple(raw[at : at + NODE_BYTES] for at in range(start, size, NODE_BYTES))
        return Signature(raw[:start], nodes)


def digits_with_checksum(message: Message, raw: bytes) -> tuple[int, ...]:
    """What is signed digit by digit.

    Raises:
        Invalid: The bytes are no such message.
    """
    digits = message.digits(raw)
    missing = sum(radix - 1 - digit for radix, digit in zip(message.radices, digits, strict=True))
    checksum = []
    for radix in reversed(checksum_radices(message.radices)):
        missing, digit = divmod(missing, radix)
        checksum.append(digit)
    return digits + tuple(reversed(checksum))


def derive_public_key(secret: bytes, message: Message) -> bytes:
    """Public key of a message's secret: the ends of the chains.

    Raises:
        Invalid: The secret is not 32 bytes.
    """
    return b"".join(
        _advance(_start(secret, index), radix - 1) for index, radix in enumerate(all_radices(message.radices))
    )


def sign(secret: bytes, message: Message, raw: bytes) -> Signature:
    """Sign. The caller has made sure that this secret never signs another message.

    Raises:
        Invalid: The bytes are no such message, or the secret is not 32 bytes.
    """
    digits = digits_with_checksum(message, raw)
    return Signature(raw, tuple(_advance(_start(secret, index), digit) for index, digit in enumerate(digits)))


def is_signature(public_key: bytes, message: Message, signature: Signature) -> bool:
    """Whether a signature is a public key's.

    Raises:
        Invalid: The key has a wrong size, or the bytes are no such message.
    """
    if len(public_key) != public_key_bytes(message):
        raise Invalid("public key has a wrong size", size=len(public_key), limit=public_key_bytes(message))
    digits, radices = digits_with_checksum(message, signature.message), all_radices(message.radices)
    if len(signature.nodes) != len(digits) or any(len(node) != NODE_BYTES for node in signature.nodes):
        return False
    ends = (
        _advance(node, radix - 1 - digit) for node, radix, digit in zip(signature.nodes, radices, digits, strict=True)
    )
    return b"".join(ends) == public_key


def _start(secret: bytes, index: int) -> bytes:
    if len(secret) != SECRET_BYTES:
        raise Invalid("secret has a wrong size", size=len(secret), limit=SECRET_BYTES)
    return hashlib.sha256(secret + index.to_bytes(2, "big")).digest()[:NODE_BYTES]


_RIPEMD160: Final = hashlib.new("ripemd160")
"""To be copied: finding the algorithm by its name costs more than the hash."""


def _advance(node: bytes, steps: int) -> bytes:
    sha256, fresh = hashlib.sha256, _RIPEMD160.copy
    for _ in range(steps):
        state = fresh()
        state.update(sha256(node).digest())
        node = state.digest()
    return node
