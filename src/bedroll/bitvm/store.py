"""One-time keys: secrets from one seed, and a record of what each has signed that is durable before a signature leaves.

Reads: a database file, a seed, messages; after a start, what the chain shows that we signed.  Gives: secrets, leave to
sign.
Never: lets a key sign two messages, or any key of a game sign before the chain was scanned for that game.
Spec: docs/spec/dispute.md#one-time-keys

A Winternitz key that signs two messages gives forgeries away. So the order is: scan the chain, write the message, sync,
sign. A backup that was restored lacks messages; the scan brings back those that a block holds.
"""

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bedroll.primitives import Corrupt, Invalid
from bedroll.storage import Database
from bedroll.storage.crash_point import crash_point

MIGRATIONS: Final = (
    "create table message (game blob not null, label text not null, message blob not null, source text not null,"
    " primary key (game, label)) without rowid",
)
"""Schema, by number."""
SEED_BYTES: Final = 32
GAME_BYTES: Final = 32
LABEL_SIZE_MAX: Final = 64
MESSAGE_BYTES_MAX: Final = 64


class KeySpent(Invalid):
    """A one-time key has signed another message already: it signs nothing but that, ever.

    Attributes:
        label: Of the key.
        signed: What it signed.
        asked: What it was asked to sign now.
    """

    label: str
    signed: bytes
    asked: bytes


class NotScanned(Invalid):
    """The chain was not scanned for a game since the store was opened."""


class OneTimeStore:
    """Secrets and messages of one party, over all of its games."""

    def __init__(self, database: Database, seed: bytes) -> None:
        """Open over a database with `MIGRATIONS`.

        Raises:
            Invalid: The seed is not 32 bytes.
        """
        if len(seed) != SEED_BYTES:
            raise Invalid("seed has a wrong length", size=len(seed), limit=SEED_BYTES)
        self._database = database
        self._seed = seed
        self._scanned: set[bytes] = set()

    @staticmethod
    def open(path: Path, seed: bytes) -> "OneTimeStore":
        """Open a file, or make it.

        Raises:
            Unavailable: Another process holds it.
            Corrupt: It is damaged.
            Invalid: The seed is not 32 bytes.
        """
        return OneTimeStore(Database.open(path, MIGRATIONS), seed)

    def secret(self, game: bytes, label: str) -> bytes:
        """Secret of a key, 32 bytes; the seed and these two names are all that is needed to have it again."""
        _check_names(game, label)
        return hmac.digest(self._seed, b"bedroll/dispute/one-time\0" + game + label.encode(), "sha256")

    def message(self, game: bytes, label: str) -> bytes | None:
        """What a key has signed."""
        rows = self._database.execute("select message from message where game = ? and label = ?", (game, label))
        return rows[0][0] if rows else None

    def restore(self, game: bytes, seen: Mapping[str, bytes]) -> list[str]:
        """Take in what the chain shows that our keys signed, and open the game for signing.

        Args:
            game: 32 bytes.
            seen: Message by label, from confirmed transactions.

        Returns:
            Labels that this store had not known: it comes from a backup.

        Raises:
            Corrupt: A key signed something else than this store has: the key is broken, and the seed is in other hands
                or was used by a second process. Nothing more is signed for the game.
        """
        new = []
        self._scanned.discard(game)
        with self._database.transaction():
            for label, message in seen.items():
                _check_names(game, label)
                known = self.message(game, label)
                if known is None:
                    self._put(game, label, message, "chain")
                    new.append(label)
                elif known != message:
                    raise Corrupt("the chain shows another message of a one-time key", label=label, signed=known,
                                  seen=message)  # fmt: skip
        self._scanned.add(game)
        return new

    def commit(self, game: bytes, messages: Mapping[str, bytes]) -> None:
        """Bind keys to messages, all or none; when this returns the binding is on disk, and signatures may leave.

        Raises:
            KeySpent: A key is bound to another message; nothing was written.
            NotScanned: `restore` was not called for the game since the store was opened.
        """
        if game not in self._scanned:
            raise NotScanned("the chain was not scanned for this game", game=game)
        with self._database.transaction():
            for label, message in messages.items():
                _check_names(game, label)
                if not 0 < len(message) <= MESSAGE_BYTES_MAX:
                    raise Invalid("message has a wrong length", size=len(message), limit=MESSAGE_BYTES_MAX)
                known = self.message(game, label)
                if known is None:
                    self._put(game, label, message, "signed")
                elif known != message:
                    raise KeySpent("one-time key has signed another message", label=label, signed=known, asked=message)
            crash_point("dispute.before_message_commit")
        crash_point("dispute.after_message_commit")

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _put(self, game: bytes, label: str, message: bytes, source: str) -> None:
        self._database.execute("insert into message values (?, ?, ?, ?)", (game, label, message, source))


def _check_names(game: bytes, label: str) -> None:
    if len(game) != GAME_BYTES:
        raise Invalid("name of a game has a wrong length", size=len(game), limit=GAME_BYTES)
    if not 0 < len(label) <= LABEL_SIZE_MAX or not label.isascii():
        raise Invalid("label of a key has a wrong length or letter", size=len(label), limit=LABEL_SIZE_MAX)
