"""Merkle trees of Bitcoin blocks: roots, paths, and the two ways they can lie.

Reads: leaves (txids or wtxids), paths from anyone.  Gives: roots.
Never: accepts a tree in which a tail was doubled (CVE-2012-2459) or a path to a leaf that is not there.
Spec: docs/spec/bitcoin.md#merkle
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from bedroll.crypto import double_sha256
from bedroll.primitives import Hash32, Invalid

PATH_LENGTH_MAX: Final = 16
"""No block holds 2^17 transactions: 4,000,000 weight units over 240 each are 16,666."""


class DuplicateTail(Invalid):
    """Two equal nodes side by side: the same root belongs to a shorter list (CVE-2012-2459)."""


def merkle_root(leaves: Sequence[bytes]) -> Hash32:
    """Root over leaves; an odd node is paired with itself.

    Raises:
        Invalid: There are no leaves.
        DuplicateTail: Two different positions at one level hold equal nodes as a pair.
    """
    if not leaves:
        raise Invalid("a Merkle tree has at least one leaf")
    sha = hashlib.sha256
    level = list(leaves)
    while len(level) > 1:
        if len(level) & 1:
            level.append(level[-1])
            pairs = len(level) - 2
        else:
            pairs = len(level)
        for at in range(0, pairs, 2):
            if level[at] == level[at + 1]:
                raise DuplicateTail("Merkle tree has a doubled tail", position=at, node=level[at])
        level = [sha(sha(level[at] + level[at + 1]).digest()).digest() for at in range(0, len(level), 2)]
    return Hash32(level[0])


def merkle_path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Siblings of a leaf from the bottom up.

    Raises:
        Invalid: There is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise Invalid("no such leaf", index=index, leaves=len(leaves))
    path = []
    level = list(leaves)
    while len(level) > 1:
        if len(level) & 1:
            level.append(level[-1])
        path.append(level[index ^ 1])
        level = [double_sha256(level[at] + level[at + 1]) for at in range(0, len(level), 2)]
        index >>= 1
    return tuple(path)


def root_of_path(leaf: bytes, index: int, path: Sequence[bytes]) -> Hash32:
    """Root that a path leads to.

    Raises:
        Invalid: The path is longer than any block's, a node is not 32 bytes, or the index does not fit the path.
        DuplicateTail: The leaf is the copy that pairs an odd tail, which is no leaf.
    """
    if len(path) > PATH_LENGTH_MAX:
        raise Invalid("Merkle path is too long", length=len(path), limit=PATH_LENGTH_MAX)
    if not 0 <= index < 1 << len(path):
        raise Invalid("leaf index does not fit the path", index=index, limit=(1 << len(path)) - 1)
    node = leaf
    for sibling in path:
        if len(sibling) != 32:
            raise Invalid("Merkle node is not 32 bytes", size=len(sibling))
        if index & 1:
            if sibling == node:
                raise DuplicateTail("leaf is the copy of an odd tail", node=node)
            node = double_sha256(sibling + node)
        else:
            node = double_sha256(node + sibling)
        index >>= 1
    return Hash32(node)
