"""Hash functions of Bitcoin and of BIP-0340.

Reads: bytes.  Gives: 32-byte digests.  Never: anything else.  Spec: docs/spec/crypto.md#hashes
"""

import hashlib
from functools import lru_cache

from bedroll.primitives import Hash32


def sha256(raw: bytes) -> Hash32:
    """SHA-256 of `raw`."""
    return Hash32(hashlib.sha256(raw).digest())


def double_sha256(raw: bytes) -> Hash32:
    """SHA-256 of SHA-256 of `raw`: Bitcoin's identifier hash."""
    return Hash32(hashlib.sha256(hashlib.sha256(raw).digest()).digest())


def tagged_hash(tag: str, *parts: bytes) -> Hash32:
    """SHA-256 of the tag's hash twice, then the parts (BIP-0340).

    Args:
        tag: Name of the use; fixed strings of the program only, as each is kept.
        parts: Hashed one after another, without lengths between.
    """
    state = _midstate(tag).copy()
    for part in parts:
        state.update(part)
    return Hash32(state.digest())


@lru_cache(maxsize=256)
def _midstate(tag: str) -> "hashlib._Hash":
    prefix = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(prefix + prefix)
