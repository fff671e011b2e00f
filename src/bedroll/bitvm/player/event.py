"""What a player tells, and how it pays.

Reads: nothing.  Gives: `Event`, `Alarm`, `Policy`.  Never: acts.
Spec: docs/spec/dispute.md#players
"""

from dataclasses import dataclass

from bedroll.bitcoin.transaction import Transaction

from ..game.record import Message
from ..graph import Party


@dataclass(frozen=True, slots=True)
class Event:
    """A transaction that was handed to the node, first or again.

    Attributes:
        game: Name of the game.
        party: Who sent it.
        name: Of the turn: a move, a Close, Burn, or `take_N`.
        leaf: By which it spends, or why.
        transaction: With witness.
        fee_sat: That it and its child pay.
        child: That pays for it; None where it pays itself.
        deadline: Height of the last block before the opponent may end the game; None: there is none.
        said: What a move says; None for what is no move.
        decides: What a deciding leaf shows, in words.
    """

    game: bytes
    party: Party
    name: str
    leaf: str
    transaction: Transaction
    fee_sat: int
    child: Transaction | None
    deadline: int | None = None
    said: Message | None = None
    decides: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person should look at.

    Attributes:
        game: Name of the game.
        party: Whose alarm it is.
        kind: "late", "resent", "restored", "refused", "fee" or "sick".
        text: What happened.
    """

    game: bytes
    party: Party
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Policy:
    """How a player pays.

    Attributes:
        target_blocks: Confirmation that the node's estimate aims at.
        least_rate: Satoshi for 1,000 vB, at least.
        rate_cap: At most; reaching it is an alarm.
        raise_percent: What a rate becomes after a block that left the transaction out.
        spare_coins: Fee coins beyond one for each open game.
        coin_sat: Size of a fee coin that is split off.
    """

    target_blocks: int = 2
    least_rate: int = 1_000
    rate_cap: int = 500_000
    raise_percent: int = 125
    spare_coins: int = 2
    coin_sat: int = 2_000_000
