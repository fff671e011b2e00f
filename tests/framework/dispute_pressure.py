"""What may happen to an honest side while it plays against a liar; every pressure can be put on every lie."""

from dataclasses import replace

from bedroll.bitvm.game.record import Message
from bedroll.bitvm.player.position import Position
from bedroll.storage.crash_point import arm, disarm
from tests.framework.dispute_bout import Bout, blocks, flood

POINTS = (
    "dispute.before_message_commit", "dispute.after_message_commit", "dispute.after_sign", "dispute.after_broadcast",
)  # fmt: skip


class Pressure:
    """None: both sides look at each block.

    Attributes:
        alarms: Kinds that the honest side may raise.
        changes_end: Whether the game may end by another leaf than the lie's.
    """

    alarms: frozenset[str] = frozenset()
    changes_end = False

    def __init__(self) -> None:
        self.happened = 0

    @staticmethod
    async def prepare(chain) -> None:
        """What the chain needs before the game begins."""

    async def play(self, bout: Bout) -> Position:
        """Block after block to the end."""
        for _ in blocks():
            await self.block(bout)
            position = await bout.look()
            if position.end is not None:
                return position
            await self.mine(bout)
        raise AssertionError

    async def block(self, bout: Bout) -> None:
        """What is done before the next block."""
        await bout.step(bout.lie.party)
        await bout.step(bout.honest)

    async def mine(self, bout: Bout) -> None:
        """The next block."""
        await bout.chain.mine()


class LastBlock(Pressure):
    """The honest side looks only when the next block is its last."""

    alarms = frozenset({"late"})

    async def block(self, bout: Bout) -> None:
        position = await bout.look()
        if bout.turn(position) is bout.honest and position.number:
            await bout.wait_until(1)
            self.happened += 1
        await bout.step(bout.lie.party)
        if (await bout.look()).end is None:
            await bout.step(bout.honest)


class LeftOut(Pressure):
    """Miners leave the honest side's move out of every block but the last that it has."""

    alarms = frozenset({"late", "fee"})

    async def mine(self, bout: Bout) -> None:
        position, tip = await bout.look(), await bout.chain.client.tip()
        last = position.height + bout.window(position) - 1
        if bout.turn(position) is bout.honest and tip.height + 1 < last:
            self.happened += 1
            await bout.chain.mine_on(tip.hash)
        else:
            await bout.chain.mine()


class OpponentLastBlock(Pressure):
    """The liar looks only when the next block is his last."""

    async def block(self, bout: Bout) -> None:
        position = await bout.look()
        if bout.turn(position) is bout.lie.party:
            await bout.wait_until(1)
            self.happened += 1
        await super().block(bout)


class OpponentTooLate(Pressure):
    """The liar looks when his window is over: his move and the end of the game compete for one block."""

    alarms = frozenset({"refused"})
    changes_end = True

    async def block(self, bout: Bout) -> None:
        position = await bout.look()
        if bout.turn(position) is not bout.lie.party:
            await bout.step(bout.honest)
            return
        await bout.wait_until(0)
        self.happened += 1
        await bout.step(bout.lie.party)
        await bout.step(bout.honest)


class TenfoldFees(Pressure):
    """Once the honest side has sent something, four blocks fill with transactions at ten times its rate."""

    alarms = frozenset({"fee", "late"})

    @staticmethod
    async def prepare(chain) -> None:
        await chain.mine(80)

    async def block(self, bout: Bout) -> None:
        await super().block(bout)
        mine = [event for event in bout.game.events if event.party is bout.honest]
        if len(mine) > bout.number % 3 and not self.happened:
            self.happened = 1
            await flood(bout.chain, 10_000, 4)


class Replaced(Pressure):
    """Each of the liar's moves is first another one, that a reorganisation replaces: too shallow to count."""

    def __init__(self) -> None:
        super().__init__()
        self.done: set[str] = set()

    async def block(self, bout: Bout) -> None:
        position = await bout.look()
        await bout.step(bout.lie.party)
        moves = bout.game.duel.terms.moves
        name = moves[position.number].name if position.number < len(moves) else ""
        real = bout.sent(bout.lie.party, name)
        if name not in self.done and real is not None and await bout.is_waiting(real):
            self.done.add(name)
            self.happened += 1
            await bout.chain.mine_on((await bout.chain.client.tip()).hash, [bout.another(position, real)])
            await bout.step(bout.honest)
            await bout.chain.reorg(1, transactions=[[real]])
        await bout.step(bout.honest)


class Reorganised(Pressure):
    """Each of the liar's moves is in a block that leaves the chain before it is answered."""

    def __init__(self) -> None:
        super().__init__()
        self.done: set[str] = set()

    async def block(self, bout: Bout) -> None:
        position = await bout.look()
        last = position.played[-1] if position.played else None
        if last is not None and bout.turn(position) is bout.honest and last.name not in self.done:
            self.done.add(last.name)
            self.happened += 1
            await bout.step(bout.honest)
            await bout.chain.reorg(1)
        await super().block(bout)


class ReorganisedDeep(Pressure):
    """Each answer of the honest side leaves the chain together with the move that it answers; both come again."""

    def __init__(self) -> None:
        super().__init__()
        self.done: set[str] = set()

    async def block(self, bout: Bout) -> None:
        position = await bout.look()
        last = position.played[-1] if position.played else None
        if position.number > 1 and last.name not in self.done and bout.turn(position) is bout.lie.party:
            self.done.add(last.name)
            self.happened += 1
            await bout.step(bout.honest)
            await bout.chain.reorg(await bout.chain.height() - position.played[-2].spend.height + 1)
        await super().block(bout)


class Killed(Pressure):
    """The honest side dies at each named place in turn, and begins again from its files."""

    async def block(self, bout: Bout) -> None:
        await bout.step(bout.lie.party)
        arm(POINTS[(bout.number + self.happened) % len(POINTS)], _die)
        try:
            await bout.step(bout.honest)
        except Died:
            self.happened += 1
            bout.game.duel.restart(bout.honest)
        finally:
            disarm()
        await bout.step(bout.honest)


class Died(BaseException):
    """As `kill -9` does, nothing on the way may catch it."""


def _die(name: str) -> None:
    raise Died(name)


class OldBackup(Pressure):
    """Before each of its moves the honest side's store is the one that it had after the setup."""

    alarms = frozenset({"restored"})

    def __init__(self) -> None:
        super().__init__()
        self.done: set[int] = set()

    async def block(self, bout: Bout) -> None:
        position = await bout.look()
        if bout.turn(position) is bout.honest and position.number not in self.done:
            self.done.add(position.number)
            self.happened += 1
            duel, place = bout.game.duel, bout.game.folder / bout.honest.value
            duel.sides[bout.honest].store.close()
            for stale in place.glob("one-time.sqlite*"):
                stale.unlink()
            duel.restart(bout.honest)
        await super().block(bout)


class Silent(Pressure):
    """The liar says nothing more after some of his moves."""

    changes_end = True

    async def block(self, bout: Bout) -> None:
        position = await bout.look()
        moves = bout.game.duel.terms.moves
        own = sum(moves[at].mover is bout.lie.party for at in range(position.number))
        if own <= bout.number % 5:
            await bout.step(bout.lie.party)
        elif bout.turn(position) is bout.lie.party:
            self.happened = 1
            await bout.wait_until(0)
        await bout.step(bout.honest)


class ReplacedDeep(Pressure):
    """After the end the last move that was answered is replaced, deeper than the honest side waits: `check_answer`."""

    alarms = frozenset({"resent", "restored", "refused", "sick", "late"})
    changes_end = True

    async def play(self, bout: Bout) -> Position:
        position = await super().play(bout)
        await check_answer(bout, position, self)
        return position


async def check_answer(bout: Bout, position: Position, pressure: Pressure) -> None:
    """The answer to the move that was replaced goes out again as it was; no key signs a second message."""
    moves = bout.game.duel.terms.moves
    answers = [at for at in range(1, position.number) if moves[at].mover is bout.honest is not moves[at - 1].mover]
    if not answers:
        return
    pressure.happened += 1
    number, side, table = answers[-1], bout.side(bout.honest), bout.table(bout.honest)
    replaced = position.played[number - 1].spend
    before, known, alarms = bout.signed(), len(bout.game.events), len(side.alarms)
    depth = await bout.chain.height() - replaced.height + 1
    assert depth > bout.game.duel.terms.clock.answer_depth_blocks
    shown = replace(position, played=position.played[: number - 1])
    await bout.chain.reorg(depth, transactions=[[bout.another(shown, replaced.transaction)]])
    found = await bout.look()
    assert found.number == number
    said = table.strategy.answer(bout.game.duel.terms, found.record, moves[number])
    await bout.step(bout.honest)
    again = [event.name for event in bout.game.events[known:] if event.party is bout.honest]
    assert bout.signed() == before
    if not isinstance(said, Message):
        # The words that came are false by themselves: no answer is needed, the fact takes the bond.
        assert again == [f"take_{number}"]
        return
    kinds = [alarm.kind for alarm in side.alarms[alarms:] if alarm.kind != "late"]
    if not again:
        # The old answer copies what was said before, and the node has it still: it is left to the next block.
        assert kinds
        assert set(kinds) <= {"restored", "resent", "sick"}
        original = position.played[number].spend.transaction
        await bout.chain.mine()
        assert (await bout.look()).played[number].spend.transaction.wtxid == original.wtxid
        return
    assert again == [moves[number].name]
    if side.player._messages(table, found, moves[number], said)[1].items() <= before.items():
        assert not kinds
    else:
        assert kinds[0] == "resent"
        pressure.happened += 1


PRESSURES: dict[str, type[Pressure]] = {
    "calm": Pressure,
    "last_block": LastBlock,
    "left_out": LeftOut,
    "opponent_last_block": OpponentLastBlock,
    "opponent_too_late": OpponentTooLate,
    "opponent_silent": Silent,
    "tenfold_fees": TenfoldFees,
    "replaced": Replaced,
    "replaced_deep": ReplacedDeep,
    "reorganised": Reorganised,
    "reorganised_deep": ReorganisedDeep,
    "killed": Killed,
    "old_backup": OldBackup,
}
