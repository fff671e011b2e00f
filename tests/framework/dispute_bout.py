"""One lie on one chain, block by block, in the hands of a test: who looks when, and what the miners take."""

from dataclasses import dataclass
from itertools import count

from bedroll.bitcoin.builder import add_change, build_transaction, sign_transaction
from bedroll.bitcoin.script import data_script
from bedroll.bitcoin.transaction import Transaction, TxOut
from bedroll.bitvm.game.fact import choose_move_leaf
from bedroll.bitvm.game.record import (
    DigitMessage,
    Execute2Message,
    ExecuteMessage,
    HashesMessage,
    InputMessage,
    Message,
    OpeningMessage,
)
from bedroll.bitvm.game.wire import encode
from bedroll.bitvm.graph import Party, is_prover_turn
from bedroll.bitvm.lie.catalogue import Lie
from bedroll.bitvm.lie.scene import Scene
from bedroll.bitvm.player.player import Table
from bedroll.bitvm.player.position import Position, read_position
from bedroll.bitvm.winternitz import sign
from bedroll.primitives import FeeRate, Satoshi
from tests.framework.dispute_game import Game, begin, honest

NOISE = bytes(range(20))
BLOCKS_MAX = 800
"""No game is longer, whatever is done to it."""


@dataclass
class Bout:
    """A game of a liar against an honest side.

    Attributes:
        game: Both sides, the chain, what was sent.
        lie: That is told.
        number: Of the lie in the catalogue: cases that are taken in turn start there.
    """

    game: Game
    lie: Lie
    number: int

    @staticmethod
    async def begin(chain, folder, scene: Scene, lie: Lie, number: int) -> "Bout":
        minds = {party: honest(scene, party) for party in Party} | {lie.party: lie.make(scene)}
        return Bout(await begin(chain, folder, scene, minds[Party.PROVER], minds[Party.CHALLENGER]), lie, number)

    @property
    def honest(self) -> Party:
        return self.lie.party.other

    @property
    def chain(self):
        return self.game.chain

    def table(self, party: Party) -> Table:
        return self.side(party).player.tables[self.game.duel.terms.game]

    def side(self, party: Party):
        return self.game.duel.sides[party]

    async def step(self, party: Party) -> None:
        await self.side(party).player.step()

    async def look(self) -> Position:
        """Where the game stands on the chain, as the honest side would find it; nobody acts."""
        table, follower = self.table(self.honest), self.side(self.honest).player._follower
        await follower.sync()
        if table.position is None or table.seen != follower.changes:
            table.position = read_position(table.sheet.graph, table.sheet.book, table.funding, follower.spends)
            table.seen = follower.changes
        return table.position

    def turn(self, position: Position) -> Party:
        """Who is to move."""
        return Party.PROVER if is_prover_turn(self.game.duel.terms, position.number) else Party.CHALLENGER

    def window(self, position: Position) -> int:
        clock = self.game.duel.terms.clock
        return clock.delta_blocks if position.number else clock.input_blocks

    async def wait_until(self, left: int) -> None:
        """Mine until so many blocks are left to whose turn it is: with 1, the next block is his last."""
        position = await self.look()
        wanted = position.height + self.window(position) - left - 1
        missing = wanted - await self.chain.height()
        if missing > 0:
            await self.chain.mine(missing)

    def sent(self, party: Party, name: str) -> Transaction | None:
        """What a side handed in last under a name."""
        found = [event.transaction for event in self.game.events if (event.party, event.name) == (party, name)]
        return found[-1] if found else None

    async def is_waiting(self, transaction: Transaction) -> bool:
        """Whether the node has it unconfirmed: a malformed move it has not."""
        return await self.chain.client.mempool_entry(transaction.txid) is not None

    def another(self, position: Position, transaction: Transaction) -> Transaction:
        """A liar's move with other words: the same transaction id, signed by his keys, so both are valid."""
        party, table = self.lie.party, self.table(self.lie.party)
        move = self.game.duel.terms.moves[position.number]
        assert table.sheet.graph.by_txid[transaction.txid] == move.name
        said = next(
            event.said for event in reversed(self.game.events) if (event.party, event.name) == (party, move.name)
        )
        radix = self.game.duel.terms.shape.arities[move.round - 1]
        message = changed(said, radix)
        leaf = choose_move_leaf(table.sheet.book.move_leaves[position.number], message)
        layout, store = table.sheet.book.layout, self.side(party).store
        own = {
            label: sign(store.secret(table.game, label), layout.messages[label], raw)
            for label, raw in encode(layout, move, message).items()
        }
        return table.sheet.move(position.number, leaf, {**position.signatures, **own})

    def signed(self) -> dict[str, bytes]:
        """What the honest side's one-time keys have signed, by label, as its store has it."""
        rows = self.side(self.honest).store._database.execute("select label, message from message")
        return dict(rows)


def changed(said: Message, radix: int) -> Message:
    """Other words that the same leaf takes."""
    match said:
        case InputMessage():
            return InputMessage(bytes([said.data[0] ^ 1]) + said.data[1:], NOISE)
        case HashesMessage():
            return HashesMessage(tuple(bytes([at]) + NOISE[1:] for at in range(len(said.hashes))))
        case DigitMessage():
            return DigitMessage((said.digit + 1) % radix)
        case ExecuteMessage():
            return ExecuteMessage(said.digits, said.left, NOISE, said.row)
        case OpeningMessage():
            return OpeningMessage(said.read, said.value, (said.digit + 1) % 8)
        case Execute2Message():
            return Execute2Message(said.digits, said.left, NOISE)


async def flood(chain, rate: int, blocks: int) -> None:
    """Transactions that fill so many blocks at a rate: ten of the largest in each, small ones for the gap."""
    for number in range(14 * blocks):
        small = number % 14 >= 10
        (coin,) = await chain.matured()
        inputs = [chain.miner.input_of(coin)]
        outputs = [TxOut(Satoshi(0), data_script(bytes([number % 256]) * (6_000 if small else 97_000)))]
        complete, _ = add_change(inputs, outputs, chain.miner.script, FeeRate(rate - (100 if small else 0)))
        await chain.client.broadcast([sign_transaction(build_transaction(inputs, complete), inputs).raw])


def blocks():
    """Numbers of blocks, with an end: a game that does not come to one has failed."""
    for number in count():
        assert number < BLOCKS_MAX, f"the game did not end in {BLOCKS_MAX} blocks"
        yield number
