"""Base58Check: the text form of outputs older than witnesses, and of extended keys.

Reads: text from anyone.  Gives: bytes.  Never: works on text longer than any we know, as the cost is quadratic.
Spec: docs/spec/encoding.md#base58check
"""

import hashlib
from typing import Final

from bedroll.primitives import Invalid

LENGTH_MAX: Final = 120
"""Longest text that is read: an extended key has 111 characters."""

_CHARSET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_POSITION: Final = {character: at for at, character in enumerate(_CHARSET)}


def encode_base58check(payload: bytes) -> str:
    """Text of bytes and the first four of their double SHA-256."""
    raw = payload + _checksum(payload)
    value, text = int.from_bytes(raw, "big"), ""
    while value:
        value, digit = divmod(value, 58)
        text = _CHARSET[digit] + text
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text


def decode_base58check(text: str) -> bytes:
    """Bytes of a text, checksum removed.

    Raises:
        Invalid: A wrong character, length or checksum.
    """
    if len(text) > LENGTH_MAX:
        raise Invalid("Base58Check text is too long", size=len(text), limit=LENGTH_MAX)
    value = 0
    for character in text:
        if character not in _POSITION:
            raise Invalid("character is not one of Base58", character=character, text=text)
        value = value * 58 + _POSITION[character]
    zeros = len(text) - len(text.lstrip("1"))
    raw = bytes(zeros) + value.to_bytes((value.bit_length() + 7) // 8, "big")
    if len(raw) < 4 or _checksum(raw[:-4]) != raw[-4:]:
        raise Invalid("Base58Check checksum does not fit", text=text)
    return raw[:-4]


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
