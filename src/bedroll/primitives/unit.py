"""Unit types: an int or a byte string says what it counts.

Reads: nothing.  Gives: one type a unit.  Never: converts silently.  Spec: docs/spec/primitives.md#units
"""

from typing import Final, NewType

Satoshi = NewType("Satoshi", int)
"""Bitcoin's smallest unit; 10^8 are one bitcoin."""
Wei = NewType("Wei", int)
"""Smallest unit of gas money on L2; 10^10 are one satoshi."""
Gas = NewType("Gas", int)
"""EVM gas, or data gas where the name says so."""
FeeRate = NewType("FeeRate", int)
"""Fee of a Bitcoin transaction in satoshi for 1,000 virtual bytes (1 sat/vB is 1,000)."""
Weight = NewType("Weight", int)
"""Weight units of a Bitcoin transaction (BIP-0141)."""
VSize = NewType("VSize", int)
"""Virtual bytes: a quarter of the weight, rounded up (BIP-0141)."""
L1Height = NewType("L1Height", int)
"""Height of a Bitcoin block."""
L2Height = NewType("L2Height", int)
"""Height of a block of this chain."""

Hash32 = NewType("Hash32", bytes)
"""Any 32-byte hash."""
BlockHash = NewType("BlockHash", bytes)
"""Hash of a Bitcoin block header, 32 bytes, internal order (as on the wire, the reverse of what is displayed)."""
Txid = NewType("Txid", bytes)
"""Hash of a Bitcoin transaction without witness, 32 bytes, internal order."""
Wtxid = NewType("Wtxid", bytes)
"""Hash of a Bitcoin transaction with witness, 32 bytes, internal order (BIP-0141)."""
Address = NewType("Address", bytes)
"""Ethereum address, 20 bytes."""

COIN: Final = Satoshi(100_000_000)
"""One bitcoin in satoshi."""
WEI_PER_SATOSHI: Final = 10**10
"""Wei in a satoshi: gas money has 18 decimals, bitcoin has 8."""
