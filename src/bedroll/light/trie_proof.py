"""Proofs in Merkle-Patricia tries, checked without a trie.

Reads: a root, a key, nodes from anyone.  Gives: the value under the key, or that there is none.
Never: takes a node that is not the one its parent names.  Spec: docs/spec/light.md#trie-proofs

Source: Ethereum Yellow Paper, appendix D.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from bedroll.crypto.keccak import keccak256
from bedroll.encoding.rlp import decode_rlp
from bedroll.primitives import Invalid

NODE_BYTES_MAX: Final = 1_024
"""A branch of 16 hashes and a value takes less."""
_DEPTH_MAX: Final = 65
_EMPTY_ROOT: Final = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")


class Unproved(Invalid):
    """A proof does not show what it is given for."""


def proved_value(root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes | None:
    """The value under a key, or None where the trie has none there.

    Args:
        root: 32 bytes.
        key: As the trie has it, 32 bytes for accounts and slots: their keccak.
        nodes: From the root down, RLP; those below 32 bytes lie inside their parents.

    Raises:
        Unproved: The nodes do not lead from the root to the key's place.
    """
    if len(nodes) > _DEPTH_MAX or any(len(node) > NODE_BYTES_MAX for node in nodes):
        raise Unproved(f"a proof has at most {_DEPTH_MAX} nodes of {NODE_BYTES_MAX} bytes", given=len(nodes))
    if root == _EMPTY_ROOT and not nodes:
        return None
    left = iter(nodes)
    value = _walk(_node(root, left), _nibbles(key), left)
    if next(left, None) is not None:
        raise Unproved("a proof goes on below the key's place")
    return value


def _nibbles(key: bytes) -> list[int]:
    return [nibble for byte in key for nibble in (byte >> 4, byte & 15)]


def _node(reference: bytes | list[Any], left: Iterator[bytes]) -> list[Any]:
    """The node that a reference names: itself where it is short, else the next one given."""
    if isinstance(reference, list):
        return reference
    raw = next(left, None)
    if raw is None or len(reference) != 32 or keccak256(raw) != reference:
        raise Unproved("a proof lacks the node that comes next")
    node = decode_rlp(raw)
    if not isinstance(node, list) or len(node) not in (2, 17):
        raise Unproved("a node has two or seventeen items")
    return node


def _walk(node: list[Any], path: list[int], left: Iterator[bytes]) -> bytes | None:
    while True:
        if len(node) == 17:
            if not path:
                return node[16] or None
            reference, path = node[path[0]], path[1:]
        elif len(node) == 2 and isinstance(node[0], bytes) and node[0]:
            first, *rest = _nibbles(node[0])
            part = rest if first & 1 else rest[1:]
            if path[: len(part)] != part:
                return None
            path = path[len(part) :]
            if first & 2:
                return None if path else _bytes(node[1])
            reference = node[1]
        else:
            raise Unproved("a node has two or seventeen items")
        if reference == b"":
            return None
        node = _node(reference, left)


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise Unproved("a leaf holds bytes")
    return value
