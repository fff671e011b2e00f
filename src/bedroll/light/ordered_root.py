"""Root of the trie over a list: transactions or receipts of a block by their index.

Reads: byte strings.  Gives: `ordered_root`.  Never: keeps a trie.  Spec: docs/spec/light.md#receipts

Source: Ethereum Yellow Paper, appendix D.
"""

from collections.abc import Sequence

from bedroll.crypto.keccak import keccak256
from bedroll.encoding.rlp import RlpItem, encode_integer, encode_rlp

_Pair = tuple[list[int], bytes]


def ordered_root(values: Sequence[bytes]) -> bytes:
    """Root over `values`, each under RLP of its index.

    >>> ordered_root([]).hex()[:16]
    '56e81f171bcc55a6'
    """
    pairs = [(_nibbles(encode_rlp(encode_integer(index))), value) for index, value in enumerate(values)]
    return bytes(keccak256(encode_rlp(_node(sorted(pairs)))))


def _nibbles(key: bytes) -> list[int]:
    return [nibble for byte in key for nibble in (byte >> 4, byte & 15)]


def _compact(path: Sequence[int], leaf: bool) -> bytes:
    """Hex-prefix encoding."""
    flag = 2 if leaf else 0
    nibbles = [flag + 1, *path] if len(path) % 2 else [flag, 0, *path]
    return bytes(high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))


def _node(pairs: list[_Pair]) -> RlpItem:
    """The node over pairs that are sorted by their paths; no path is the beginning of another."""
    if not pairs:
        return b""
    if len(pairs) == 1:
        path, value = pairs[0]
        return [_compact(path, leaf=True), value]
    first, last = pairs[0][0], pairs[-1][0]
    shared = next(at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    if shared:
        below = _reference([(path[shared:], value) for path, value in pairs])
        return [_compact(first[:shared], leaf=False), below]
    groups: list[list[_Pair]] = [[] for _ in range(16)]
    for path, value in pairs:
        groups[path[0]].append((path[1:], value))
    return [*(_reference(group) for group in groups), b""]


def _reference(pairs: list[_Pair]) -> RlpItem:
    node = _node(pairs)
    encoded = encode_rlp(node)
    return node if len(encoded) < 32 or node == b"" else bytes(keccak256(encoded))
