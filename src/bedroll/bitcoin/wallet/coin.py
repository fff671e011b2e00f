"""What a wallet knows of outputs and of its own transactions.

Reads: nothing.  Gives: the values.  Never: changes.  Spec: docs/spec/bitcoin.md#wallet
"""

from dataclasses import dataclass
from enum import Enum

from bedroll.primitives import L1Height, Satoshi

from ..transaction import OutPoint, Transaction, TxOut
from .key import Branch


@dataclass(frozen=True, slots=True)
class WalletCoin:
    """An output that a key of the wallet spends.

    Attributes:
        out_point: Its name.
        value: In satoshi.
        script: Of the output.
        branch: Which chain of keys.
        index: Which key there.
        height: Of its block; None while unconfirmed.
        coinbase: Whether it needs 100 confirmations.
        purpose: What it is locked for; None if free.
    """

    out_point: OutPoint
    value: Satoshi
    script: bytes
    branch: Branch
    index: int
    height: L1Height | None
    coinbase: bool
    purpose: str | None

    @property
    def output(self) -> TxOut:
        """As the output of its transaction."""
        return TxOut(self.value, self.script)


class State(Enum):
    """Where a transaction of ours stands. Every change is one database transaction.

    ```text
    PENDING ──► MINED             a block has it
       ▲ │  ◄──                   that block left the best chain
       │ ├────► REPLACED          a bump of ours took its inputs; if a block has it anyhow: MINED, the bump CONFLICTED
       │ ├────► CONFLICTED        a block spends one of its inputs otherwise; back when that block leaves
       │ └────► ABANDONED         we gave it up; if a block has it anyhow: MINED
    ```
    """

    PENDING = "pending"
    MINED = "mined"
    REPLACED = "replaced"
    CONFLICTED = "conflicted"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Payment:
    """A transaction of ours.

    Attributes:
        transaction: Signed.
        fee: It pays.
        purpose: What it is for; the caller's word.
        state: Where it stands.
        height: Of its block, or of the block that conflicts.
        replaces: The transaction it took the inputs of, if any.
    """

    transaction: Transaction
    fee: Satoshi
    purpose: str
    state: State
    height: L1Height | None
    replaces: bytes | None


@dataclass(frozen=True, slots=True)
class Balance:
    """What the coins are worth, each counted once.

    Attributes:
        available: May be spent now: confirmed, or change of our own pending transactions; not locked.
        locked: Could be spent, but is kept for a purpose.
        immature: Coinbase outputs younger than 100 blocks.
        unconfirmed: Paid by others, in no block yet (again, after a reorganisation).
    """

    available: Satoshi
    locked: Satoshi
    immature: Satoshi
    unconfirmed: Satoshi
