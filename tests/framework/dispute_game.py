"""Dispute games for tests: a scene, two strategies, an embedded chain, block after block."""

from dataclasses import dataclass, field
from pathlib import Path

from bedroll.bitvm.game.book import Book
from bedroll.bitvm.graph import REGTEST, Party
from bedroll.bitvm.lie.scene import TRUE_WORDS, Scene, data_of
from bedroll.bitvm.player.duel import Duel, Match
from bedroll.bitvm.player.strategy import HonestChallenger, HonestProver

INSTANCE = bytes(range(32))
BOND_SAT = 20_000_000
_BOOKS: dict[tuple[bytes, int], Book] = {}


def book_of(scene: Scene) -> Book:
    """Leaves of a scene, compiled once a process."""
    key = scene.instance_id, scene.exponent
    if key not in _BOOKS:
        _BOOKS[key] = Book.build(scene.program, scene.exponent, scene.instance_id)
    return _BOOKS[key]


def match_of(scene: Scene, clock=REGTEST, book: Book | None = None) -> Match:
    return Match(scene.program, book or book_of(scene), clock, scene.instance_id, BOND_SAT)


def honest(scene: Scene, party: Party):
    if party is Party.PROVER:
        return HonestProver(scene.true_run, data_of(TRUE_WORDS))
    return HonestChallenger(scene.program)


@dataclass
class Game:
    """A duel on a chain.

    Attributes:
        duel: Both sides.
        chain: Where it is played.
        events: Everything that was sent.
        folder: Of both sides' files.
    """

    duel: Duel
    chain: object
    events: list = field(default_factory=list)
    folder: Path | None = None

    async def play(self, blocks: int = 400):
        """Blocks until it ends, and until the verdict is settled."""
        for _ in range(blocks):
            await self.duel.step()
            position = self.duel.position()
            if position is not None and position.end is not None:
                return position
            await self.chain.mine()
        raise AssertionError(f"the game did not end: {self.duel.position()}")


async def begin(chain, folder, scene, prover, challenger, **options) -> Game:
    """Set a game up and confirm its claim."""
    events = []
    duel = Duel(chain.client, folder, match_of(scene, **options), events.append)
    await duel.begin({Party.PROVER: prover, Party.CHALLENGER: challenger}, chain.fund, chain.mine)
    return Game(duel, chain, events, folder)
