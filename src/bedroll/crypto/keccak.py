"""Ethereum's hash function, from the Rust core.

Reads: bytes.  Gives: 32-byte digests.  Never: anything else.  Spec: docs/spec/crypto.md#hashes
"""

from bedroll._core import _native
from bedroll.primitives import Hash32


def keccak256(raw: bytes) -> Hash32:
    """Keccak-256 of `raw`: the original padding, not that of SHA-3 (FIPS 202)."""
    return Hash32(_native.keccak256(raw))
