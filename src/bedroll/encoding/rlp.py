"""RLP: how Ethereum writes byte strings and lists.

Reads: bytes from anyone, nested lists of bytes.  Gives: `encode_rlp`, `decode_rlp`.
Never: accepts a second encoding of one value.  Spec: docs/spec/encoding.md#rlp

Source: Ethereum Yellow Paper, appendix B.
"""

from collections.abc import Sequence
from typing import Any, Final

from .cursor import Malformed

_DEPTH_MAX: Final = 16

RlpItem = bytes | Sequence["RlpItem"]


def encode_rlp(item: RlpItem) -> bytes:
    """Encode a byte string or a list.

    >>> encode_rlp([b"cat", b"", []]).hex()
    'c68363617480c0'
    """
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _head(0x80, len(item)) + item
    body = b"".join(encode_rlp(part) for part in item)
    return _head(0xC0, len(body)) + body


def encode_integer(value: int) -> bytes:
    """Big-endian bytes of a non-negative integer without leading zeros, as RLP holds numbers; zero is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def decode_rlp(raw: bytes) -> Any:
    """Decode one item: bytes, or a list of items.

    Raises:
        Malformed: Not the canonical encoding of one item, bytes left over, or nested deeper than 16.
    """
    item, end = _decode(raw, 0, len(raw), 0)
    if end != len(raw):
        raise Malformed("bytes follow the RLP item", offset=end, extra=len(raw) - end)
    return item


def _head(base: int, size: int) -> bytes:
    if size < 56:
        return bytes([base + size])
    length = encode_integer(size)
    return bytes([base + 55 + len(length)]) + length


def _decode(raw: bytes, start: int, end: int, depth: int) -> tuple[Any, int]:
    if start >= end:
        raise Malformed("RLP ends early", offset=start)
    first = raw[start]
    if first < 0x80:
        return raw[start : start + 1], start + 1
    is_list = first >= 0xC0
    body, stop = _bounds(raw, start, end, first - (0xC0 if is_list else 0x80))
    if not is_list:
        if stop - body == 1 and raw[body] < 0x80:
            raise Malformed("RLP byte below 0x80 has a length before it", offset=start)
        return raw[body:stop], stop
    if depth >= _DEPTH_MAX:
        raise Malformed("RLP is nested too deep", offset=start, depth=depth, limit=_DEPTH_MAX)
    items = []
    while body < stop:
        item, body = _decode(raw, body, stop, depth + 1)
        items.append(item)
    return items, stop


def _bounds(raw: bytes, start: int, end: int, code: int) -> tuple[int, int]:
    """Where the content of a string or list begins and ends."""
    body, size = start + 1, code
    if code > 55:
        body += code - 55
        length = raw[start + 1 : min(body, end)]
        size = int.from_bytes(length, "big")
        if body > end or length[0] == 0 or size < 56:
            raise Malformed("RLP length is not canonical", offset=start)
    if body + size > end:
        raise Malformed("RLP ends early", offset=start, size=size, left=end - body)
    return body, body + size
