"""Winternitz one-time signatures over HASH160 chains, and the scripts that verify them.

Reads: secrets of 32 bytes, digits, witness items.  Gives: public keys, signatures, script parts.
Never: remembers what was signed; the store does.  Spec: docs/spec/bitvm.md#winternitz
"""

from .key import NODE_BYTES, Signature, derive_public_key, is_signature, public_key_bytes, sign
from .verify import Mode, extraction, key_pieces, parse_items, verification, witness_items, witness_size

__all__ = [
    "NODE_BYTES",
    "Mode",
    "Signature",
    "derive_public_key",
    "extraction",
    "is_signature",
    "key_pieces",
    "parse_items",
    "public_key_bytes",
    "sign",
    "verification",
    "witness_items",
    "witness_size",
]
