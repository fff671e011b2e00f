"""How deep a JSON text nests, known before anything decodes it.

Reads: bytes from anyone.  Gives: a refusal, or nothing.
Never: decodes: a parser that recurses could end the process on what is refused here.  Spec: docs/spec/encoding.md#json
"""

import re
from collections.abc import Iterator
from typing import Final

from bedroll.primitives import Invalid

DEPTH_MAX: Final = 64
"""Deeper than any message of the protocols that the project speaks."""
CONTAINERS_MAX: Final = 100_000
"""Objects and arrays in one text, so that a small text cannot become a large heap."""

_PIECE_BYTES: Final = 1 << 16
_BACKSLASH: Final = ord("\\")
_RUN: Final = re.compile(rb"\\*+.", re.DOTALL)
_NOT_STRUCTURE: Final = bytes(set(range(256)) - set(b"[]{}"))


class JsonTooDeep(Invalid):
    """A text nests beyond `.limit` levels."""

    limit: int


class JsonTooWide(Invalid):
    """A text opens more than `.limit` objects and arrays, or has more than `.limit` values."""

    limit: int


def check_json(
    text: bytes, depth_max: int = DEPTH_MAX, containers_max: int = CONTAINERS_MAX, values_max: int | None = None
) -> None:
    """Refuse deep nesting and very many containers, before anything is built. Whether it is JSON is not asked.

    Cost: linear up to what is refused, and two counts for the usual small text.

    Args:
        text: Of any size.
        depth_max: Levels.
        containers_max: Objects and arrays.
        values_max: Commas between values; None: any number.

    Raises:
        JsonTooDeep: Beyond `depth_max`.
        JsonTooWide: Beyond `containers_max` or `values_max`.

    Example:
        >>> check_json(b'["' + b"[" * 65 + b'"]')
        >>> check_json(b"[" * 65)
        Traceback (most recent call last):
        ...
        bedroll.encoding.json.JsonTooDeep: nested too deep (limit=64)
    """
    is_small = text.count(b"[") + text.count(b"{") <= depth_max
    if is_small and (values_max is None or len(text) <= 2 * values_max or text.count(b",") <= values_max):
        return
    depth = structure = values = 0
    for outside in _outside_strings(text):
        values += outside.count(b",")
        if values_max is not None and values > values_max:
            raise JsonTooWide("too many values", limit=values_max)
        skeleton = outside.translate(None, _NOT_STRUCTURE)
        structure += len(skeleton)
        if structure > 2 * containers_max:
            raise JsonTooWide("too many objects and arrays", limit=containers_max)
        for byte in skeleton:
            depth += 1 if byte in b"[{" else -1
            if depth > depth_max:
                raise JsonTooDeep("nested too deep", limit=depth_max)


def _outside_strings(text: bytes) -> Iterator[bytes]:
    """What stands outside the strings of a text, piece by piece."""
    start, in_string = 0, 0
    while start < len(text):
        end = min(start + _PIECE_BYTES, len(text))
        if text[end - 1] == _BACKSLASH:
            # A run of backslashes, and what the last of them escapes, stay together.
            rest = _RUN.match(text, end)
            end = len(text) if rest is None else rest.end()
        piece = text[start:end]
        if b"\\" in piece:
            piece = piece.replace(b"\\\\", b"").replace(b'\\"', b"")
        parts = piece.split(b'"')
        yield b"".join(parts[in_string::2])
        in_string ^= (len(parts) - 1) & 1
        start = end
