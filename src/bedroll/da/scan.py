"""One L1 block: whole, in order, and with its relevant transactions.

Reads: a serialised block and the network's tag.  Gives: `BlockScan`.
Never: checks work, scripts or signatures: the Bitcoin node did.  Spec: docs/spec/da.md#scan
"""

from bedroll._core._native import BlockScan, RelevantTransaction, scan_block

__all__ = ["BlockScan", "RelevantTransaction", "scan_block"]
