"""The L1 rate: what a witness byte on Bitcoin costs.

Reads: fees of L1 blocks.  Gives: r, wei a witness byte.  Never: estimates.  Spec: docs/spec/execution.md
"""

from bedroll._core._native import l1_rate

__all__ = ["l1_rate"]
