"""A party that plays all of its games: one call a block follows the chain and acts.

Reads: a node, a ledger, a store.  Gives: transactions at the node, events, alarms.
Never: answers before the depth, signs before the store has the message, or lets one sick game stop another.
Spec: docs/spec/dispute.md#players
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bedroll.bitcoin.builder import InsufficientValue
from bedroll.bitcoin.client import BitcoinClient, BlockRef, RejectedTransaction
from bedroll.bitcoin.transaction import OutPoint, Transaction
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import Corrupt, FeeRate, Invalid, L1Height, Satoshi
from bedroll.storage.crash_point import crash_point

from ..game.book import Book
from ..game.fact import Decision, choose_fact, choose_move_leaf
from ..game.record import Message
from ..game.refute import Refutation
from ..game.wire import decode, encode
from ..graph import BURN, Move, Party, close_name, is_prover_turn
from ..leaf import Leaf
from ..store import KeySpent, OneTimeStore
from ..winternitz import Signature, sign
from .assembly import Sheet
from .event import Alarm, Event, Policy
from .follower import Follower
from .ledger import Ledger
from .position import Position, read_position
from .purse import Purse
from .setup import load_sheet
from .strategy import Strategy


@dataclass
class Sent:
    """What was handed to the node in a turn.

    Attributes:
        rate: Last fee rate.
        height: Tip when it was sent last.
        fee_sat: Fee of the last child or transaction.
    """

    rate: FeeRate
    height: L1Height
    fee_sat: int


@dataclass(frozen=True, slots=True)
class Note:
    """What is told of a transaction beside its bytes: see `Event`."""

    leaf: str
    deadline: int | None
    said: Message | None
    decides: str = ""


@dataclass
class Table:
    """A game that is played.

    Attributes:
        sheet: Transactions.
        funding: First output that the claim spends.
        party: Who we are.
        strategy: Our mind.
        noted: Confirmed moves whose messages the store was told of; −1: the chain was not scanned yet.
        sent: By turn.
        position: As of the last block.
        seen: What the follower had changed when `position` was read; −1: it was not.
    """

    sheet: Sheet
    funding: OutPoint
    party: Party
    strategy: Strategy
    noted: int = -1
    sent: dict[str, Sent] = field(default_factory=dict)
    position: Position | None = None
    seen: int = -1

    @property
    def game(self) -> bytes:
        """Name of the game."""
        return self.sheet.graph.terms.game


class Player:
    """One party; `step` is called after each block, and once after a start.

    Attributes:
        tables: Its games, by name.
    """

    def __init__(
        self, key: SecretKey, client: BitcoinClient, purse: Purse, store: OneTimeStore, ledger: Ledger,
        *, policy: Policy | None = None, on_event: Callable[[Event], None] | None = None,
        on_alarm: Callable[[Alarm], None] | None = None,
    ) -> None:  # fmt: skip
        """Make a player without games.

        Args:
            key: Its secret.
            client: The node.
            purse: Its fee coins.
            store: Its one-time keys.
            ledger: Its games.
            policy: Fees.
            on_event: Told of everything sent.
            on_alarm: Told of everything that a person should look at.
        """
        self._key, self._client, self._purse = key, client, purse
        self._store, self._ledger = store, ledger
        self._policy = policy or Policy()
        self._on_event, self._on_alarm = on_event, on_alarm
        self._follower: Follower | None = None
        self.tables: dict[bytes, Table] = {}

    def join(self, game: bytes, book: Book, strategy: Strategy) -> Table:
        """Play a game whose setup is done.

        Raises:
            Invalid: The setup is not done.
        """
        entry = self._ledger.entry(game)
        sheet, funding = load_sheet(entry, book, self._store)
        table = Table(sheet, funding, entry.party, strategy)
        self.tables[game] = table
        start = min(self._ledger.entry(name).start for name in self.tables)
        self._follower = Follower(self._client, start)
        for each in self.tables.values():
            graph = each.sheet.graph
            points = [graph.game_point(number) for number in range(len(graph.outputs))]
            self._follower.watch([each.funding, *points, graph.claim.gate, graph.claim.prize])
            each.seen = -1
        return table

    async def step(self) -> None:
        """Follow the chain to its tip and do what is due in every game.

        Raises:
            Unavailable: The node does not answer.
        """
        if self._follower is None:
            return
        tip = await self._follower.sync()
        await self._purse.refresh()
        for table in self.tables.values():
            try:
                await self._play(table, tip)
            except (Invalid, Corrupt) as error:
                self._alarm(table, "sick", str(error))
        await self._keep_coins()

    # --- one game

    async def _play(self, table: Table, tip: BlockRef) -> None:
        assert self._follower is not None
        position = self._read(table, self._follower)
        if table.noted != len(position.played):
            self._note_own(table, position)
        if position.height is None or position.start is None:
            return
        self._settle_turns(table, position)
        if position.end is None and self._is_mine(table, position):
            await self._act(table, position, tip)
        elif position.end is None and tip.height + 1 >= position.height + self._window(table, position):
            await self._punish_silence(table, position, tip)
        await self._burn(table, position, tip)

    def _read(self, table: Table, follower: Follower) -> Position:
        """Where the game stands; read again only when a spend came or went, as a witness has thousands of items."""
        if table.position is None or table.seen != follower.changes:
            table.position = read_position(table.sheet.graph, table.sheet.book, table.funding, follower.spends)
            table.seen = follower.changes
        return table.position

    def _note_own(self, table: Table, position: Position) -> None:
        """Tell the store what the chain shows that we signed; only then may it sign."""
        of = table.sheet.book.layout.messages
        seen = {
            label: signature.message
            for label, signature in position.signatures.items()
            if of[label].owner is table.party
        }
        restored = self._store.restore(table.game, seen)
        if restored:
            self._alarm(table, "restored", f"the chain shows messages that the store had not: {', '.join(restored)}")
        table.noted = len(position.played)

    def _is_mine(self, table: Table, position: Position) -> bool:
        return is_prover_turn(table.sheet.graph.terms, position.number) == (table.party is Party.PROVER)

    def _window(self, table: Table, position: Position) -> int:
        clock = table.sheet.graph.terms.clock
        return clock.delta_blocks if position.number else clock.input_blocks

    async def _act(self, table: Table, position: Position, tip: BlockRef) -> None:
        terms = table.sheet.graph.terms
        number, height = position.number, position.height
        assert height is not None
        move = terms.moves[number] if number < len(terms.moves) else None
        before = terms.moves[number - 1].mover if number else table.party
        if before is not table.party and tip.height + 1 - height < terms.clock.answer_depth_blocks:
            return
        said = await asyncio.to_thread(table.strategy.answer, terms, position.record, move)
        if said is None:
            return
        left = height + self._window(table, position) - tip.height
        if left <= terms.clock.margin_blocks:
            self._alarm(table, "late", f"{left} blocks are left for turn {number}")
        if not isinstance(said, Message):
            await self._decide(table, position, tip, said)
            return
        assert move is not None
        await self._move(table, position, tip, move, said)

    async def _move(self, table: Table, position: Position, tip: BlockRef, move: Move, said: Message) -> None:
        if await self._is_elsewhere(table, position, move, said):
            text = f"a version of {move.name} is on its way that the store does not know: a block has to show it"
            self._alarm(table, "restored", text)
            return
        leaf, own = self._sign(table, position, move, said)
        transaction = table.sheet.move(position.number, leaf, {**position.signatures, **own})
        assert position.height is not None
        note = Note(leaf.name, position.height + self._window(table, position) - 1, said)
        await self._send_with_child(table, move.name, note, transaction, tip)

    async def _is_elsewhere(self, table: Table, position: Position, move: Move, said: Message) -> bool:
        """Whether the node has this move and the store has not: it was sent before the backup in use was made."""
        _, messages = self._messages(table, position, move, said)
        if all(self._store.message(table.game, label) is not None for label in messages):
            return False
        return await self._client.mempool_entry(table.sheet.graph.planned[move.name].txid) is not None

    def _sign(
        self, table: Table, position: Position, move: Move, said: Message
    ) -> tuple[Leaf, dict[str, Signature]]:  # fmt: skip
        """One-time signatures of a move; where its keys have signed another message, that one again."""
        book = table.sheet.book
        leaf, messages = self._messages(table, position, move, said)
        try:
            self._store.commit(table.game, messages)
        except KeySpent as spent:
            self._alarm(table, "resent", f"the same answer goes out again: {spent}")
            found = {label: self._store.message(table.game, label) for label in book.layout.messages}
            known = {label: message for label, message in found.items() if message is not None}
            said = decode(book.layout, move, position.record, known)
            leaf, messages = self._messages(table, position, move, said)
            self._store.commit(table.game, messages)
        of = book.layout.messages
        secret = self._store.secret
        own = {label: sign(secret(table.game, label), of[label], raw) for label, raw in messages.items()}
        crash_point("dispute.after_sign")
        return leaf, own

    def _messages(
        self, table: Table, position: Position, move: Move, said: Message
    ) -> tuple[Leaf, dict[str, bytes]]:  # fmt: skip
        book = table.sheet.book
        leaf = choose_move_leaf(book.move_leaves[position.number], said)
        encoded = encode(book.layout, move, said)
        mine = {message.label for message in leaf.messages if message.owner is table.party}
        return leaf, {label: raw for label, raw in encoded.items() if label in mine}

    async def _decide(self, table: Table, position: Position, tip: BlockRef, said: Refutation | Decision) -> None:
        leaf, hints = choose_fact(table.sheet.book, position.number, said)

        def build(rate: FeeRate, least: int) -> Transaction:
            return table.sheet.fact(position.number, leaf, position.signatures, hints, self._key, rate, least)

        assert position.height is not None
        note = Note(leaf.name, position.height + self._window(table, position) - 1, None, leaf.decides)
        await self._send_own(table, position, note, tip, build)

    async def _punish_silence(self, table: Table, position: Position, tip: BlockRef) -> None:
        number = position.number
        if table.party is Party.CHALLENGER:
            note = Note("timeout", None, None, "the prover is silent")
            await self._send_own(
                table, position, note, tip,
                lambda rate, least: table.sheet.timeout(number, self._key, rate, least),
            )  # fmt: skip
            return
        name = close_name(number)
        note = Note("key", None, None, "the challenger is silent")
        await self._send_with_child(table, name, note, table.sheet.by_key(name), tip)

    async def _burn(self, table: Table, position: Position, tip: BlockRef) -> None:
        graph = table.sheet.graph
        assert position.start is not None
        if position.gate is not None:
            self._settle(table, BURN)
        elif table.party is Party.CHALLENGER and tip.height + 1 >= position.start + graph.terms.burn_blocks:
            note = Note("key", None, None, "the gate is still there: the claim frees nothing")
            await self._send_with_child(table, BURN, note, table.sheet.by_key(BURN), tip)

    # --- sending

    async def _send_with_child(
        self, table: Table, name: str, note: Note, transaction: Transaction, tip: BlockRef
    ) -> None:  # fmt: skip
        """Send a pre-signed transaction with the child that pays for it; in later blocks, a dearer child."""
        sent = table.sent.get(name)
        if sent is not None and sent.height >= tip.height:
            return
        rate = await self._rate(table, sent)
        spent = sum(each.value for each in table.sheet.graph.planned[name].spent)
        least = _replacing(sent, rate)
        purpose = f"{table.game.hex()}:{name}"
        try:
            child = self._purse.child(transaction, spent, rate, purpose, least)
        except InsufficientValue as error:
            self._alarm(table, "fee", str(error))
            return
        # The child's coins are ours and confirmed; its anchor is worth nothing.
        fee = self._purse.spent_sat(purpose) - child.output_value
        self._event(table, name, note, transaction, fee, child)
        await self._broadcast(table, name, [transaction, child])
        table.sent[name] = Sent(rate, tip.height, fee)

    async def _send_own(
        self, table: Table, position: Position, note: Note, tip: BlockRef, build: Callable[[FeeRate, int], Transaction]
    ) -> None:  # fmt: skip
        """Send a transaction that the challenger signs alone and whose fee comes from the bond."""
        name = f"take_{position.number}"
        sent = table.sent.get(name)
        if sent is not None and sent.height >= tip.height:
            return
        rate = await self._rate(table, sent)
        transaction = build(rate, _replacing(sent, rate))
        fee = table.sheet.graph.terms.bond_sat - transaction.output_value
        self._event(table, name, note, transaction, fee, None)
        await self._broadcast(table, name, [transaction])
        table.sent[name] = Sent(rate, tip.height, fee)

    async def _broadcast(self, table: Table, name: str, package: list[Transaction]) -> None:
        """Hand in; only a node that answered counts as asked, so an outage is followed by another try.

        Raises:
            Unavailable: The node does not answer.
        """
        try:
            await self._client.broadcast([each.raw for each in package])
        except RejectedTransaction as refusal:
            # A move that is there with another child waits; a dearer one follows after the next block.
            if len(package) == 1 or await self._client.mempool_entry(package[0].txid) is None:
                self._alarm(table, "refused", f"{name}: {refusal.reason}")
        crash_point("dispute.after_broadcast")

    async def _rate(self, table: Table, sent: Sent | None) -> FeeRate:
        """The node's estimate for the next block; after a block that left us out, more than before."""
        estimate = await self._client.fee_rate(self._policy.target_blocks)
        rate = max(estimate, self._policy.least_rate)
        if sent is not None:
            rate = max(rate, sent.rate * self._policy.raise_percent // 100 + 1)
        if rate > self._policy.rate_cap:
            self._alarm(table, "fee", f"rate {rate} is above the cap {self._policy.rate_cap}")
            rate = self._policy.rate_cap
        return FeeRate(rate)

    def _settle_turns(self, table: Table, position: Position) -> None:
        """Let go of the coins of every turn that is over: whatever spent its output, nothing else can any more.

        A late move that wins against our Close, in each of its windows, would otherwise bind one coin after the other.
        """
        moves = table.sheet.graph.terms.moves
        for number in range(position.number + (position.end is not None)):
            if number < len(moves):
                self._settle(table, moves[number].name)
            self._settle(table, close_name(number))
            self._settle(table, f"take_{number}")

    def _settle(self, table: Table, name: str) -> None:
        table.sent.pop(name, None)
        self._purse.release(f"{table.game.hex()}:{name}")

    async def _keep_coins(self) -> None:
        """One confirmed coin for each open game, and spares."""
        open_games = [table for table in self.tables.values() if table.position is None or table.position.end is None]
        if not open_games:
            return
        wanted = len(open_games) + self._policy.spare_coins
        have = self._purse.count()
        if have < wanted:
            split = self._purse.split(wanted, Satoshi(self._policy.coin_sat), FeeRate(self._policy.least_rate))
            if split is not None:
                await self._broadcast(open_games[0], "split", [split])
            elif have < len(open_games):
                self._alarm(open_games[0], "fee", f"{have} fee coins for {len(open_games)} games")

    def _event(
        self, table: Table, name: str, note: Note, transaction: Transaction, fee: int, child: Transaction | None
    ) -> None:
        if self._on_event is not None:
            self._on_event(
                Event(table.game, table.party, name, note.leaf, transaction, fee, child, note.deadline, note.said,
                      note.decides)
            )  # fmt: skip

    def _alarm(self, table: Table, kind: str, text: str) -> None:
        if self._on_alarm is not None:
            self._on_alarm(Alarm(table.game, table.party, kind, text))


def _replacing(sent: Sent | None, rate: FeeRate) -> int:
    """Least fee of a replacement; none where the rate stands at its cap: the same transaction goes out again."""
    return 0 if sent is None or rate <= sent.rate else sent.fee_sat + sent.fee_sat // 4 + 1
