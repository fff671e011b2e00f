"""The L1 rate: what a witness byte on Bitcoin costs, as every node sees it.

Reads: what coinbases took beyond the subsidy.  Gives: `l1_rate`.
Never: asks a node for an estimate.  Spec: docs/spec/execution.md#fees
"""

from bedroll._core._native import l1_rate

__all__ = ["l1_rate"]
