"""Two sides at one table in one process, for the demo and for tests: setup, claim, then block after block.

Reads: strategies.  Gives: `Duel`.  Never: helps a side: each sees only its own files and the chain.
Spec: docs/spec/dispute.md#demo
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedroll.bitcoin.client import BitcoinClient
from bedroll.bitcoin.taproot import TaprootOutput
from bedroll.bitcoin.transaction import Transaction
from bedroll.crypto import sha256
from bedroll.primitives import FeeRate, Invalid, Satoshi
from bedroll.riscv import Program

from ..game.book import Book, KeyedBook
from ..graph import Clock, Graph, Party, Terms
from .claim import build_claim
from .event import Event, Policy
from .player import Table
from .position import Position
from .setup import exchange
from .side import Side
from .strategy import Strategy

CLAIM_RATE: Final = FeeRate(2_000)
FEE_COINS: Final = 3
"""Each side begins with so many: one for the game, and spares."""

Mine = Callable[[int], Awaitable[object]]
"""Mines so many blocks."""


@dataclass
class Match:
    """What a duel is about.

    Attributes:
        program: That runs.
        book: Its leaves.
        clock: Windows.
        instance_id: 32 bytes.
        bond_sat: The seat's bond.
    """

    program: Program
    book: Book
    clock: Clock
    instance_id: bytes
    bond_sat: int


class Duel:
    """A game between two sides."""

    def __init__(self, client: BitcoinClient, folder: Path, match: Match, on_event: Callable[[Event], None]) -> None:
        self._client, self._folder, self.match, self._on_event = client, folder, match, on_event
        self.sides: dict[Party, Side] = {party: self._open(party, None) for party in Party}
        self.strategies: dict[Party, Strategy] = {}
        self.terms = self._terms()
        self.claim: Transaction | None = None
        self.policy: dict[Party, Policy | None] = {}

    async def begin(self, strategies: dict[Party, Strategy], fund: Callable[[bytes, Satoshi, int], Awaitable[object]],
                    mine: Mine) -> None:  # fmt: skip
        """Fund both, set the game up, confirm the claim, join.

        Args:
            strategies: Of both.
            fund: Pays so many outputs of a value to a script and confirms them.
            mine: Mines blocks.
        """
        prover = self.sides[Party.PROVER]
        await prover.purse.refresh()
        if self.stored_claim() is None and prover.purse.value_sat() <= self.match.bond_sat:
            await fund(prover.purse.script, Satoshi(self.match.bond_sat + 1_000_000), 1)
        await self._exchange()
        if not await self._is_claimed():
            await prover.purse.refresh()
            self.claim = prover.purse.complete(Transaction.parse(self.stored_claim() or b""))
            await self._client.broadcast([self.claim.raw])
            await mine(1)
        for side in self.sides.values():
            await side.purse.refresh()
            if side.purse.count() < FEE_COINS:
                await fund(side.purse.script, Satoshi(5_000_000), FEE_COINS)
        self.strategies = strategies
        for party in Party:
            self.join(party)

    @property
    def graph(self) -> Graph:
        """The game's transactions, as the prover has them."""
        return self.sides[Party.PROVER].player.tables[self.terms.game].sheet.graph

    def join(self, party: Party) -> Table:
        """Let a side play."""
        return self.sides[party].join(self.terms.game, self.match.book, self.strategies[party])

    def restart(self, party: Party) -> Table:
        """Close a side and open it again from its files."""
        self.sides[party].close()
        self.sides[party] = self._open(party, self.sides[party])
        return self.join(party)

    async def step(self) -> None:
        """Both sides look at the chain and act."""
        for party in Party:
            await self.sides[party].player.step()

    def position(self, party: Party = Party.CHALLENGER) -> Position | None:
        """As a side saw it last."""
        return self.sides[party].player.tables[self.terms.game].position

    def close(self) -> None:
        """Close both sides."""
        for side in self.sides.values():
            side.close()

    def stored_claim(self) -> bytes | None:
        """The claim's transaction without witnesses, if the setup has come so far."""
        ledger = self.sides[Party.PROVER].ledger
        return ledger.entry(self.terms.game).claim if self.terms.game in ledger.games() else None

    async def _is_claimed(self) -> bool:
        """Whether the claim is confirmed: an output of it that nobody spends before the end is there, or it is over."""
        claim = Transaction.parse(self.stored_claim() or b"")
        for index in range(3):
            coin = await self._client.coin(claim.txid, index)
            if coin is not None:
                return coin.height is not None
        return False

    async def _exchange(self) -> None:
        prover, challenger = (self.sides[party] for party in Party)
        start = (await self._client.tip()).height
        setups = [self.sides[party].setup(self.terms, party, self.match.book, start) for party in Party]
        await prover.purse.refresh()
        inputs = prover.purse.inputs()

        def claim(leaves: KeyedBook) -> bytes:
            return build_claim(self.terms, leaves, inputs, prover.purse.script, CLAIM_RATE).stripped

        exchange(setups[0], setups[1], claim)
        if not all(setup.done for setup in setups) or challenger.key == prover.key:
            raise Invalid("the setup did not end", game=self.terms.game)

    def _open(self, party: Party, old: Side | None) -> Side:
        folder = self._folder / party.value
        folder.mkdir(parents=True, exist_ok=True)
        seed = sha256(f"duel {party.value}".encode())
        side = Side(folder, seed, self._client, on_event=self._on_event)
        if old is not None:
            side.events = old.events
        return side

    def _terms(self) -> Terms:
        keys = {party: self.sides[party].key for party in Party}
        scripts = {party: TaprootOutput.build(keys[party].x_only).script for party in Party}
        return Terms(
            self.match.instance_id, sha256(self.match.program.raw), self.match.book.layout.shape.exponent,
            self.match.clock, keys[Party.PROVER].public, keys[Party.CHALLENGER].public,
            scripts[Party.PROVER], scripts[Party.CHALLENGER], self.match.bond_sat,
        )  # fmt: skip
