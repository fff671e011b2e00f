"""Bodies of batches: blocks as columns through one entropy stage.

Reads: blocks of an engine's chain, or a body from anyone.  Gives: the body, or the blocks before execution.
Never: executes.  Spec: docs/spec/da.md#bodies
"""

from typing import Final

from bedroll._core._native import (
    ChainTable,
    DecodedBatch,
    decode_batch,
    decode_body,
    encode_batch,
    encode_body,
)

BASE_FEES_MAX: Final = 11
"""Base fees that `DecodedBatch.transactions` looks at: the block's own and those of ten before."""

__all__ = [
    "BASE_FEES_MAX",
    "ChainTable",
    "DecodedBatch",
    "decode_batch",
    "decode_body",
    "encode_batch",
    "encode_body",
]
