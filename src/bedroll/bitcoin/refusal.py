"""How a mempool says no: one vocabulary for the embedded node and for bitcoind's answers.

Reads: Bitcoin Core's texts.  Gives: the reason without its details; which of a package's refusals tells most.
Never: invents a reason.  Spec: docs/spec/bitcoin.md#client
"""

from collections.abc import Sequence
from enum import Enum
from typing import Final

from bedroll.primitives import Txid

from .client import RejectedTransaction

MISSING: Final = "missing-inputs"
"""Reason for inputs that are unknown or spent; some of Bitcoin Core's calls have another word for it."""
UNDECODABLE: Final = "TX decode failed"
"""Reason for bytes that are no transaction."""
_MISSING_LONG: Final = "bad-txns-inputs-missingorspent"
_TOLD_BY_TRANSACTION: Final = ("success", "transaction failed", "unspent-dust")


class Cause(Enum):
    """What kind of refusal it is. A package may still save a transaction from `FEE` and `INPUTS`."""

    RULE = "rule"
    FEE = "fee"
    INPUTS = "inputs"
    PACKAGE = "package"


class Refused(RejectedTransaction):
    """A refusal inside the embedded mempool; `.detail` is what Bitcoin Core says after the comma."""

    detail: str
    cause: Cause

    def __init__(self, reason: str, txid: bytes, detail: str = "", cause: Cause = Cause.RULE) -> None:
        super().__init__("transaction refused", reason=reason_of(reason), txid=txid, detail=detail)
        self.cause = cause
        self._word = reason

    def text(self) -> str:
        """As Bitcoin Core writes it."""
        return f"{self._word}, {self.detail}" if self.detail else self._word


def reason_of(text: str) -> str:
    """Reason in a text of Bitcoin Core's."""
    reason = text.partition(", ")[0]
    return MISSING if reason == _MISSING_LONG else reason


def choose_refusal(message: str, errors: Sequence[tuple[Txid, str | None]]) -> RejectedTransaction | None:
    """The refusal that explains why a package was not taken whole.

    A package's own fault comes first. Else the last transaction's that is more than a missing input: that one
    follows from its parent's refusal.

    Args:
        message: `package_msg` of `submitpackage`.
        errors: For each transaction in order its text, None where it was taken.
    """
    if reason_of(message) not in _TOLD_BY_TRANSACTION:
        return RejectedTransaction("transaction refused", reason=reason_of(message), txid=errors[-1][0])
    told = [(txid, reason_of(text)) for txid, text in errors if text is not None]
    if not told:
        return None
    txid, reason = next((each for each in reversed(told) if each[1] != MISSING), told[0])
    return RejectedTransaction("transaction refused", reason=reason, txid=txid)
