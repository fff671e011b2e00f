"""Data on Bitcoin: envelopes in tapscript leaves, the objects in them, series of chunks, batch bodies.

Reads: L1 blocks and byte strings from anyone.  Gives: relevant transactions, objects, their one encoding, leaf scripts.
Never: raises anything but `Invalid` for what others wrote, checks a height or a key's right.  Spec: docs/spec/da.md
"""

from .chunk import assemble, split
from .envelope import Carrier, build_leaf, leaf_size, parse_leaf
from .object import (
    Batch,
    BatchForm,
    BatchHeader,
    Chunk,
    Commitment,
    Forced,
    Object,
    Proof,
    ProofSystem,
    Rotate,
    StatementKind,
    Upgrade,
    object_id,
    parse_object,
)
from .scan import BlockScan, RelevantTransaction, scan_block

__all__ = [
    "Batch",
    "BatchForm",
    "BatchHeader",
    "BlockScan",
    "Carrier",
    "Chunk",
    "Commitment",
    "Forced",
    "Object",
    "Proof",
    "ProofSystem",
    "RelevantTransaction",
    "Rotate",
    "StatementKind",
    "Upgrade",
    "assemble",
    "build_leaf",
    "leaf_size",
    "object_id",
    "parse_leaf",
    "parse_object",
    "scan_block",
    "split",
]
