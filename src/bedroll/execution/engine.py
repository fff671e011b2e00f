"""The Rust engine's types, under the name that the rest of the project imports.

Reads: nothing.  Gives: `Engine`, its views and values, decoding of transactions.
Never: adds logic to them.  Spec: docs/spec/execution.md#engine
"""

from bedroll._core._native import (
    Block,
    ChainImport,
    ChainStore,
    Engine,
    Header,
    Log,
    Origin,
    Outcome,
    Receipt,
    Sidecar,
    Transaction,
    View,
    decode_blob_transaction,
    decode_transaction,
    decode_transactions,
)

__all__ = [
    "Block",
    "ChainImport",
    "ChainStore",
    "Engine",
    "Header",
    "Log",
    "Origin",
    "Outcome",
    "Receipt",
    "Sidecar",
    "Transaction",
    "View",
    "decode_blob_transaction",
    "decode_transaction",
    "decode_transactions",
]
