"""A game's transactions: moves, Close, Burn, with every signature that both parties give before it begins.

Reads: terms, the claim, leaves.  Gives: `Graph`, `Signing`, bonds, a drawing.
Never: talks to a node, or holds a one-time secret.  Spec: docs/spec/dispute.md#transactions

```text
clock, move → terms → output → graph → signing, bond, drawing
```
"""

from .clock import MAIN, REGTEST, Clock
from .graph import BURN, Graph, Leaves, Planned, Slot, close_name, gate_output, is_prover_turn, root_output
from .move import Kind, Move, Party, moves
from .output import TIMEOUT, GameOutput, timeout_script
from .signing import BadSetup, Signing, check_signatures
from .terms import GATE_SAT, Claim, Terms

__all__ = [
    "BURN",
    "GATE_SAT",
    "MAIN",
    "REGTEST",
    "TIMEOUT",
    "BadSetup",
    "Claim",
    "Clock",
    "GameOutput",
    "Graph",
    "Kind",
    "Leaves",
    "Move",
    "Party",
    "Planned",
    "Signing",
    "Slot",
    "Terms",
    "check_signatures",
    "close_name",
    "gate_output",
    "is_prover_turn",
    "moves",
    "root_output",
    "timeout_script",
]
