"""Hashes and curve arithmetic, by libsecp256k1 and hashlib.

Reads: bytes, keys, and the entropy that the caller passes in.  Gives: digests, keys, signatures.
Never: draws randomness, prints or pickles a secret.  Spec: docs/spec/crypto.md
"""

from .hash import double_sha256, sha256, tagged_hash

__all__ = ["double_sha256", "sha256", "tagged_hash"]
