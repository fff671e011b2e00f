"""Byte encodings that more than one chapter uses: Bitcoin's compact size, Ethereum's RLP, Bech32 and Base58Check.

Reads: bytes from anyone.  Gives: values, and the one byte string of each value.
Never: accepts two encodings of one value, or allocates by a length it has not checked.  Spec: docs/spec/encoding.md
"""

from .cursor import Cursor, Malformed
from .integer import compact_size_length, encode_bytes, encode_compact_size

__all__ = ["Cursor", "Malformed", "compact_size_length", "encode_bytes", "encode_compact_size"]
