"""Compact sizes: how Bitcoin writes counts and lengths.

Reads: counts.  Gives: their one encoding.  Never: a longer form than needed.
Spec: docs/spec/encoding.md#compact-size
"""


def encode_compact_size(value: int) -> bytes:
    """Encode a count or length below 2^64 in the shortest form.

    >>> encode_compact_size(252).hex(), encode_compact_size(253).hex()
    ('fc', 'fdfd00')
    """
    if value < 0xFD:
        return value.to_bytes(1, "little")
    if value < 0x10000:
        return b"\xfd" + value.to_bytes(2, "little")
    if value < 0x100000000:
        return b"\xfe" + value.to_bytes(4, "little")
    return b"\xff" + value.to_bytes(8, "little")


def compact_size_length(value: int) -> int:
    """Bytes that the encoding of `value` takes."""
    if value < 0xFD:
        return 1
    if value < 0x10000:
        return 3
    return 5 if value < 0x100000000 else 9


def encode_bytes(raw: bytes) -> bytes:
    """Encode a byte string with its length before it."""
    return encode_compact_size(len(raw)) + raw
