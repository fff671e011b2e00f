"""The chain's hash in plain Python: BLAKE3 of one block, for H_0 before there is a trace, and for rows that none holds.

Reads: an instance, a hash, a row.  Gives: H_0, the next hash.  Never: is fast.  Spec: docs/spec/riscv.md#chain
"""

from typing import Final

from bedroll.riscv import HASH_BYTES, Row

_IV: Final = (
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
)  # fmt: skip
_ORDER: Final = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
_MIXED: Final = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip
_MASK: Final = 0xFFFF_FFFF
_ONE_BLOCK: Final = 1 | 2 | 8
"""Flags: start of a chunk, its end, the root."""


def _rotate(word: int, bits: int) -> int:
    return (word >> bits | word << (32 - bits)) & _MASK


def blake3_block(message: bytes) -> bytes:
    """BLAKE3 of at most 64 bytes.

    >>> blake3_block(b"abc").hex()[:16]
    '6437b3ac38465133'
    """
    padded = message.ljust(64, b"\0")
    words = [int.from_bytes(padded[at : at + 4], "little") for at in range(0, 64, 4)]
    state = [*_IV, *_IV[:4], 0, 0, len(message), _ONE_BLOCK]
    for _ in range(7):
        for index, (a, b, c, d) in enumerate(_MIXED):
            for word, first, second in ((words[2 * index], 16, 12), (words[2 * index + 1], 8, 7)):
                state[a] = (state[a] + state[b] + word) & _MASK
                state[d] = _rotate(state[d] ^ state[a], first)
                state[c] = (state[c] + state[d]) & _MASK
                state[b] = _rotate(state[b] ^ state[c], second)
        words = [words[at] for at in _ORDER]
    return b"".join((state[at] ^ state[at + 8]).to_bytes(4, "little") for at in range(8))


def start_hash(instance_id: bytes) -> bytes:
    """H_0 of an instance."""
    return blake3_block(b"\x00" + instance_id)[:HASH_BYTES]


def next_hash(previous: bytes, row: Row) -> bytes:
    """H_i of H_{i−1} and row i."""
    numbers = (row.write.addr, row.write.value, row.write_pc)
    return blake3_block(b"\x01" + previous + b"".join(number.to_bytes(4, "big") for number in numbers))[:HASH_BYTES]
