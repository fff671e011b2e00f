"""Names of compiled functions as people write them.

Reads: symbols of a file.  Gives: readable names.  Never: fails: what is not mangled stays as it is.
Spec: docs/spec/cli.md#riscv
"""

import re
from typing import Final

_ESCAPES: Final = {
    "SP": "@",
    "BP": "*",
    "RF": "&",
    "LT": "<",
    "GT": ">",
    "LP": "(",
    "RP": ")",
    "C": ",",
    "u20": " ",
    "u27": "'",
    "u5b": "[",
    "u5d": "]",
    "u7b": "{",
    "u7d": "}",
    "u7e": "~",
    "u3b": ";",
    "u2b": "+",
    "u22": '"',
}
_ESCAPE: Final = re.compile(r"\$(" + "|".join(_ESCAPES) + r")\$")
_HASH: Final = re.compile(r"h[0-9a-f]{16}")


def readable(name: str) -> str:
    """A Rust symbol (`_ZN…E`) as a path without the hash; anything else as it is.

    >>> readable("_ZN8verifier5field3mul17h0123456789abcdefE")
    'verifier::field::mul'
    >>> readable("memcpy")
    'memcpy'
    """
    if not name.startswith("_ZN"):
        return name
    parts, at = [], 3
    while found := re.match(r"[0-9]{1,3}", name[at:]):
        length = int(found[0])
        at += len(found[0])
        parts.append(name[at : at + length])
        at += length
    if name[at:] != "E" or not parts:
        return name
    if len(parts) > 1 and _HASH.fullmatch(parts[-1]):
        parts.pop()
    text = "::".join(part.removeprefix("_") if part.startswith("_$") else part for part in parts)
    return _ESCAPE.sub(lambda found: _ESCAPES[found[1]], text).replace("..", "::")
