"""What Bitcoin says of the L2 chain, for whoever runs neither: settlement statements and what they rest on.

Reads: genesis, L1 blocks and headers, proofs.  Gives: settlement parameters, inputs, statements; checked proof files.
Never: executes an L2 transaction, trusts a node.  Spec: docs/spec/settlement.md, docs/spec/light.md
"""

from .anchor import AnchorFacts
from .proof_file import BadProofFile, ProofFile
from .settled_view import SettledView, SettlementVerifier, view_of_proof
from .settlement import BlockZero, Settlement, SettlementStep, parameters_of
from .trie_proof import Unproved
from .view import ProvedAccount, TrustedBlock

__all__ = [
    "AnchorFacts",
    "BadProofFile",
    "BlockZero",
    "ProofFile",
    "ProvedAccount",
    "SettledView",
    "Settlement",
    "SettlementStep",
    "SettlementVerifier",
    "TrustedBlock",
    "Unproved",
    "parameters_of",
    "view_of_proof",
]
