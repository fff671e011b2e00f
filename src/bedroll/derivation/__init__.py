"""From Bitcoin to the chain: a pure and total function of L1 blocks.

Reads: raw L1 blocks, one after another.  Gives: L2 blocks through an executor, heads, records of all that happened.
Never: does I/O; raises on anything that an L1 block contains.  Spec: docs/spec/derivation.md
"""

from .checkpoint import Checkpoint
from .derive import derive
from .divergence import Diverged
from .head import Head
from .object_source import UnknownUpgrade
from .pipeline import Pipeline, Step
from .port import BlockOrder, Built, Decoded, Executor, ForcedMessage, OriginBlock, ProofVerifier
from .record import Record
from .stage import HistoryForgotten
from .verdict import Accepted, Pending, Rejected, Verdict

__all__ = [
    "Accepted",
    "BlockOrder",
    "Built",
    "Checkpoint",
    "Decoded",
    "Diverged",
    "Executor",
    "ForcedMessage",
    "Head",
    "HistoryForgotten",
    "OriginBlock",
    "Pending",
    "Pipeline",
    "ProofVerifier",
    "Record",
    "Rejected",
    "Step",
    "UnknownUpgrade",
    "Verdict",
    "derive",
]
