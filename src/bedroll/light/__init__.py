"""What Bitcoin says of the L2 chain, for whoever runs neither: settlement statements and what they rest on.

Reads: genesis, L1 blocks, proofs.  Gives: settlement parameters, inputs, statements.
Never: executes an L2 transaction, trusts a node.  Spec: docs/spec/settlement.md
"""

from .anchor import AnchorFacts
from .settlement import BlockZero, Settlement, SettlementStep, parameters_of

__all__ = ["AnchorFacts", "BlockZero", "Settlement", "SettlementStep", "parameters_of"]
