"""A transaction on its way into the mempool.

Reads: what `admission` found out.  Gives: it to the checks that follow.  Never: is in the pool yet.
Spec: docs/spec/bitcoin.md#client
"""

from dataclasses import dataclass, field

from bedroll.primitives import Txid

from ..refusal import Cause, Refused
from ..transaction import TxOut
from .cluster import Entry
from .standard import Judged


@dataclass
class Candidate:
    """A transaction on its way in.

    Attributes:
        entry: What would be added.
        judged: For policy.
        spent: Outputs it spends.
        conflicts: Unconfirmed transactions it would replace directly.
        evicts_sibling: Whether one of them is only its sibling.
    """

    entry: Entry
    judged: Judged
    spent: list[TxOut]
    conflicts: set[Txid] = field(default_factory=set)
    evicts_sibling: bool = False

    def refused(self, reason: str, detail: str = "", cause: Cause = Cause.RULE) -> Refused:
        """A refusal of it."""
        return Refused(reason, self.entry.txid, detail, cause)
