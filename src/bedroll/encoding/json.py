"""How deep a JSON text nests, known before anything decodes it.

Reads: bytes from anyone.  Gives: a refusal, or nothing.
Never: decodes: a parser that recurses could end the process on what is refused here.  Spec: docs/spec/encoding.md#json
"""

import re
from typing import Final

from bedroll.primitives import Invalid

DEPTH_MAX: Final = 64
"""Deeper than any message of the protocols that the project speaks."""
CONTAINERS_MAX: Final = 100_000
"""Objects and arrays in one text, so that a small text cannot become a large heap."""

_STRING: Final = re.compile(rb'"(?>[^"\\]+|\\.)*+"?', re.DOTALL)
_NOT_STRUCTURE: Final = bytes(set(range(256)) - set(b"[]{}"))


class JsonTooDeep(Invalid):
    """A text nests beyond `.limit` levels."""

    limit: int


class JsonTooWide(Invalid):
    """A text opens more than `.limit` objects and arrays."""

    limit: int


def check_json(text: bytes, depth_max: int = DEPTH_MAX, containers_max: int = CONTAINERS_MAX) -> None:
    """Refuse deep nesting and very many containers, before anything is built. Whether it is JSON is not asked.

    Cost: linear, and two counts for the usual small text.

    Raises:
        JsonTooDeep: Beyond `depth_max`.
        JsonTooWide: Beyond `containers_max`.

    Example:
        >>> check_json(b'["' + b"[" * 65 + b'"]')
        >>> check_json(b"[" * 65)
        Traceback (most recent call last):
        ...
        bedroll.encoding.json.JsonTooDeep: nested too deep (limit=64)
    """
    if text.count(b"[") + text.count(b"{") <= depth_max:
        return
    skeleton = _STRING.sub(b"", text).translate(None, _NOT_STRUCTURE)
    if len(skeleton) > 2 * containers_max:
        raise JsonTooWide("too many objects and arrays", limit=containers_max)
    depth = 0
    for byte in skeleton:
        depth += 1 if byte in b"[{" else -1
        if depth > depth_max:
            raise JsonTooDeep("nested too deep", limit=depth_max)
