"""Units, hashes and errors that every other chapter speaks in.

Reads: nothing.  Gives: unit types, hash types, the tree of errors.
Never: imports another package of the project.  Spec: docs/spec/primitives.md
"""

from .error import (
    BedrollError,
    Corrupt,
    Invalid,
    Misconfigured,
    Reorg,
    Unavailable,
)
from .unit import (
    COIN,
    WEI_PER_SATOSHI,
    Address,
    BlockHash,
    FeeRate,
    Gas,
    Hash32,
    L1Height,
    L2Height,
    Satoshi,
    Txid,
    VSize,
    Wei,
    Weight,
    Wtxid,
)

__all__ = [
    "COIN",
    "WEI_PER_SATOSHI",
    "Address",
    "BedrollError",
    "BlockHash",
    "Corrupt",
    "FeeRate",
    "Gas",
    "Hash32",
    "Invalid",
    "L1Height",
    "L2Height",
    "Misconfigured",
    "Reorg",
    "Satoshi",
    "Txid",
    "Unavailable",
    "VSize",
    "Wei",
    "Weight",
    "Wtxid",
]
