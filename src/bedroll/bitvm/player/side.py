"""One party with everything it needs on disk: keys, store, ledger, purse, player.

Reads: a folder, a seed.  Gives: `Side`.  Never: shares its folder with another process.
Spec: docs/spec/dispute.md#players
"""

import hmac
import os
from collections.abc import Callable
from pathlib import Path

from bedroll.bitcoin.client import BitcoinClient
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import L1Height

from ..game.book import Book
from ..graph import Party, Terms
from ..store import OneTimeStore
from .event import Alarm, Event, Policy
from .ledger import Ledger
from .player import Player, Table
from .purse import Purse
from .setup import Setup
from .strategy import Strategy


class Side:
    """A party.

    Attributes:
        key: Signs graphs, and the challenger's own spends.
        purse: Fee coins.
        player: Plays.
        alarms: All so far.
        events: All so far.
    """

    def __init__(
        self, folder: Path, seed: bytes, client: BitcoinClient, *, policy: Policy | None = None,
        entropy: Callable[[int], bytes] = os.urandom, on_event: Callable[[Event], None] | None = None,
    ) -> None:  # fmt: skip
        """Open, or open again.

        Args:
            folder: Holds the store and the ledger.
            seed: 32 bytes; all keys follow from it.
            client: The node.
            policy: Fees.
            entropy: Gives so many fresh random bytes.
            on_event: Told of everything sent.

        Raises:
            Unavailable: Another process has the folder.
        """
        self.key = SecretKey(hmac.digest(seed, b"bedroll/dispute/key", "sha256"))
        self._entropy = entropy
        self.store = OneTimeStore.open(folder / "one-time.sqlite", seed)
        self.ledger = Ledger.open(folder / "games.sqlite")
        self.purse = Purse(client, SecretKey(hmac.digest(seed, b"bedroll/dispute/fee", "sha256")))
        self.alarms: list[Alarm] = []
        self.events: list[Event] = []
        self._on_event = on_event
        self.player = Player(
            self.key, client, self.purse, self.store, self.ledger, policy=policy, on_event=self._note,
            on_alarm=self.alarms.append,
        )  # fmt: skip

    def setup(self, terms: Terms, party: Party, book: Book, start: L1Height) -> Setup:
        """Our side of a game's setup, begun or continued."""
        return Setup(terms, party, self.key, book, self.store, self.ledger, self._entropy, start)

    def join(self, game: bytes, book: Book, strategy: Strategy) -> Table:
        """Play a game whose setup is done."""
        return self.player.join(game, book, strategy)

    def close(self) -> None:
        """Let go of the folder."""
        self.store.close()
        self.ledger.close()

    def _note(self, event: Event) -> None:
        self.events.append(event)
        if self._on_event is not None:
            self._on_event(event)
