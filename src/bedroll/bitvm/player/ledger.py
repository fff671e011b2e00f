"""A party's games on disk: terms, the opponent's keys, the claim, the signatures.

Reads: a database file.  Gives: `Ledger`, `Entry`.  Never: replaces a graph that a game was signed for.
Spec: docs/spec/dispute.md#setup
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedroll.primitives import Invalid, L1Height
from bedroll.storage import Database

from ..graph import Party, Terms

MIGRATIONS: Final = (
    "create table game (name blob primary key, terms blob not null, party text not null, start_height integer not null,"
    " opponent_keys blob, claim blob, digest blob, signatures blob) without rowid",
)
"""Schema, by number."""


class AnotherGraph(Invalid):
    """A game has one claim, one set of keys and one graph; a second one is refused.

    Attributes:
        part: "keys", "claim" or "graph".
    """

    part: str


@dataclass(frozen=True)
class Entry:
    """A game as it is stored.

    Attributes:
        terms: Agreed.
        party: Which of the two we are.
        start: Height from which the chain is scanned: no transaction of the game is older.
        opponent_keys: His one-time public keys; None before his offer.
        claim: The claim's transaction without witnesses; None before it is known.
        digest: Of the graph that we give parts for; None before.
        signatures: 64 bytes a slot; None before the setup is done.
    """

    terms: Terms
    party: Party
    start: L1Height
    opponent_keys: bytes | None
    claim: bytes | None
    digest: bytes | None
    signatures: bytes | None


class Ledger:
    """Games of one party; every write is durable on return."""

    def __init__(self, database: Database) -> None:
        """Open over a database with `MIGRATIONS`."""
        self._database = database

    @staticmethod
    def open(path: Path) -> "Ledger":
        """Open a file, or make it."""
        return Ledger(Database.open(path, MIGRATIONS))

    def add(self, terms: Terms, party: Party, start: L1Height) -> None:
        """Begin a game; again is nothing.

        Raises:
            AnotherGraph: We are the other party of it.
        """
        self._database.execute(
            "insert or ignore into game (name, terms, party, start_height) values (?, ?, ?, ?)",
            (terms.game, terms.serialize(), party.value, start),
        )
        if self.entry(terms.game).party is not party:
            raise AnotherGraph("we are the other party of this game", part="keys", game=terms.game)

    def games(self) -> list[bytes]:
        """Names of all games."""
        return [name for (name,) in self._database.execute("select name from game order by name")]

    def entry(self, game: bytes) -> Entry:
        """A game.

        Raises:
            Invalid: There is none of this name.
        """
        rows = self._database.execute(
            "select terms, party, start_height, opponent_keys, claim, digest, signatures from game where name = ?",
            (game,),
        )
        if not rows:
            raise Invalid("no such game", game=game)
        terms, party, start, *rest = rows[0]
        return Entry(Terms.parse(terms), Party(party), L1Height(start), *rest)

    def put_keys(self, game: bytes, keys: bytes) -> None:
        """Keep the opponent's one-time public keys."""
        self._put(game, "opponent_keys", keys, "keys")

    def put_claim(self, game: bytes, claim: bytes, digest: bytes) -> None:
        """Keep the claim and the graph's digest."""
        with self._database.transaction():
            self._put(game, "claim", claim, "claim")
            self._put(game, "digest", digest, "graph")

    def put_signatures(self, game: bytes, signatures: bytes) -> None:
        """Keep the signatures: the setup is done. A second run gives others, as good."""
        self._database.execute("update game set signatures = ? where name = ?", (signatures, game))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _put(self, game: bytes, column: str, value: bytes, part: str) -> None:
        with self._database.transaction():
            rows: Sequence[tuple[bytes | None]] = self._database.execute(
                f"select {column} from game where name = ?", (game,)
            )
            if not rows:
                raise Invalid("no such game", game=game)
            (known,) = rows[0]
            if known is None:
                self._database.execute(f"update game set {column} = ? where name = ?", (value, game))
            elif known != value:
                raise AnotherGraph("a game has one graph", part=part, game=game)
