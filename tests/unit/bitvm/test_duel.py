"""Shows whole games on the embedded chain with paper leaves: order, depth, windows, fees, restarts."""

import pytest

from bedroll.bitvm.game.run import OwnRun
from bedroll.bitvm.graph import REGTEST, Party
from bedroll.bitvm.player.duel import Duel, Match
from bedroll.bitvm.player.strategy import HonestChallenger, HonestProver
from bedroll.riscv import Program
from tests.framework.assembler import assemble, layout, pack
from tests.framework.paper import paper_book

INSTANCE = bytes(range(32))
SOURCE = "li t0, 0x50000\nlw a0, 0(t0)\naddi a7, zero, 93\necall"
EXPONENT = 5


def match():
    program = Program(layout(assemble(SOURCE), data=pack([1]), input_bytes=4))
    return Match(program, paper_book(EXPONENT, 1), REGTEST, INSTANCE, 20_000_000)


@pytest.fixture
async def duel(embedded_chain, tmp_path):
    found = Duel(embedded_chain.client, tmp_path / "duel", match(), lambda event: None)
    yield found
    found.close()


class Silent:
    def answer(self, terms, record, move):
        return None


class Mute:
    """Plays until a move."""

    def __init__(self, strategy, name):
        self.strategy, self.name = strategy, name

    def answer(self, terms, record, move):
        return None if move is not None and move.name == self.name else self.strategy.answer(terms, record, move)


def prover(value=1):
    m = match()
    data = pack([value])
    return HonestProver(OwnRun(m.program, data, instance_id=INSTANCE, exponent=EXPONENT), data)


async def play(duel, chain, blocks=200):
    for _ in range(blocks):
        await duel.step()
        position = duel.position()
        if position is not None and position.end is not None:
            return position
        await chain.mine()
    raise AssertionError("the game did not end")


async def test_a_true_claim_is_closed_when_nobody_contests(duel, embedded_chain):
    strategies = {Party.PROVER: prover(), Party.CHALLENGER: HonestChallenger(duel.match.program)}
    await duel.begin(strategies, embedded_chain.fund, embedded_chain.mine)
    position = await play(duel, embedded_chain)
    assert position.winner is Party.PROVER
    assert position.gate == "close_6"
    assert [played.name for played in position.played] == [
        "input", "hashes_1_1", "digit_1_1", "hashes_1_2", "digit_1_2", "execute",
    ]  # fmt: skip
    assert not duel.sides[Party.PROVER].alarms


async def test_a_prover_who_never_answers_loses_his_bond(duel, embedded_chain):
    strategies = {Party.PROVER: Silent(), Party.CHALLENGER: HonestChallenger(duel.match.program)}
    await duel.begin(strategies, embedded_chain.fund, embedded_chain.mine)
    position = await play(duel, embedded_chain)
    assert position.winner is Party.CHALLENGER
    assert position.by == "timeout"
    assert position.ended.height - position.start >= REGTEST.input_blocks


@pytest.mark.parametrize("name", ["hashes_1_1", "hashes_1_2", "execute"])
async def test_a_prover_who_falls_silent_loses_after_one_window(duel, embedded_chain, name):
    strategies = {Party.PROVER: Mute(prover(), name), Party.CHALLENGER: HonestChallenger(duel.match.program)}
    await duel.begin(strategies, embedded_chain.fund, embedded_chain.mine)
    position = await play(duel, embedded_chain)
    assert position.winner is Party.CHALLENGER
    assert position.by == "timeout"
    assert position.ended.height - position.height <= REGTEST.delta_blocks + 1
