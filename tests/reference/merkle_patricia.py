"""Merkle-Patricia tries from nothing: RLP, and the root of a whole map in one recursion.

Written from the Yellow Paper, appendices B to D. Nothing is kept between calls.
"""

from functools import lru_cache

from eth_hash.auto import keccak as _keccak


@lru_cache(maxsize=1 << 16)
def keccak(data):
    return _keccak(data)


def rlp(item):
    """Encode bytes, ints (big-endian, no leading zero) and lists of such."""
    if isinstance(item, int):
        item = item.to_bytes((item.bit_length() + 7) // 8, "big")
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _head(0x80, len(item)) + item
    payload = b"".join(rlp(part) for part in item)
    return _head(0xC0, len(payload)) + payload


def _head(offset, length):
    if length < 56:
        return bytes([offset + length])
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([offset + 55 + len(digits)]) + digits


def trie_root(items):
    """Root of a map from bytes to non-empty bytes."""
    pairs = [([nibble for byte in key for nibble in (byte >> 4, byte & 15)], value) for key, value in items.items()]
    return keccak(rlp(_node(pairs)))


def secure_root(items):
    """Root of the trie whose keys are the keccaks of these."""
    return trie_root({keccak(key): value for key, value in items.items()})


def list_root(leaves):
    """Root of the trie from rlp(index) to leaf."""
    return trie_root({rlp(index): leaf for index, leaf in enumerate(leaves)})


def _node(pairs):
    """The node over these (nibbles, value), as what RLP encodes."""
    if not pairs:
        return b""
    if len(pairs) == 1:
        return [_hex_prefix(pairs[0][0], 2), pairs[0][1]]
    first, last = min(path for path, _ in pairs), max(path for path, _ in pairs)
    shared = 0
    while shared < len(first) and first[shared] == last[shared]:
        shared += 1
    if shared:
        return [_hex_prefix(first[:shared], 0), _reference([(path[shared:], value) for path, value in pairs])]
    children = [
        _reference([(path[1:], value) for path, value in pairs if path and path[0] == nibble]) for nibble in range(16)
    ]
    return [*children, next((value for path, value in pairs if not path), b"")]


def _reference(pairs):
    node = _node(pairs)
    encoded = rlp(node)
    return node if len(encoded) < 32 else keccak(encoded)


def _hex_prefix(path, flag):
    path = [flag + 1, *path] if len(path) % 2 else [flag, 0, *path]
    return bytes(high << 4 | low for high, low in zip(path[::2], path[1::2], strict=True))
