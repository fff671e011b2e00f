"""Shows a game without a lie, several games of one player at once, and that a sick game leaves the others alone."""

from dataclasses import replace

from bedroll.bitvm.graph import REGTEST, Party, Terms, close_name
from bedroll.bitvm.lie.catalogue import lies
from bedroll.bitvm.lie.scene import Scene
from bedroll.bitvm.player.claim import build_claim
from bedroll.bitvm.player.setup import exchange
from bedroll.crypto import sha256
from bedroll.primitives import FeeRate, Invalid, Satoshi
from tests.framework.dispute_game import INSTANCE, begin, book_of, honest

SCENE = Scene.sample(INSTANCE, 7)


async def test_a_true_claim_is_closed_when_nobody_contests(embedded_chain, tmp_path):
    game = await begin(embedded_chain, tmp_path / "duel", SCENE, *(honest(SCENE, party) for party in Party))
    try:
        position = await game.play()
        assert position.winner is Party.PROVER
        assert position.gate == close_name(position.number)
        assert [played.name for played in position.played] == [
            "input", "hashes_1_1", "digit_1_1", "hashes_1_2", "digit_1_2", "hashes_1_3", "digit_1_3", "execute",
        ]  # fmt: skip
        heights = [played.spend.height for played in position.played]
        answers = [at for at, move in enumerate(game.duel.terms.moves[:8]) if at and move.mover is not (
            game.duel.terms.moves[at - 1].mover)]  # fmt: skip
        assert all(heights[at] - heights[at - 1] >= REGTEST.answer_depth_blocks for at in answers)
        assert all(not side.alarms for side in game.duel.sides.values())
    finally:
        game.duel.close()


class Sick:
    """A mind that fails in every turn."""

    def answer(self, terms, record, move):
        raise Invalid("this game is sick", move=move.name)


async def another_game(game, chain, number, minds):
    """One more game of the same two sides, on a claim of its own."""
    duel = game.duel
    scene = Scene.sample(sha256(bytes([number])), SCENE.exponent)
    book = book_of(scene)
    terms = replace(duel.terms, instance_id=scene.instance_id)
    start = await chain.height()
    setups = [duel.sides[party].setup(terms, party, book, start) for party in Party]
    (coin,) = await chain.matured()
    inputs = [chain.miner.input_of(coin)]

    def claim(leaves):
        return build_claim(terms, leaves, inputs, chain.miner.script, FeeRate(2_000)).stripped

    exchange(*setups, claim)
    signed = build_claim(terms, setups[0].leaves, inputs, chain.miner.script, FeeRate(2_000))
    assert signed.stripped == setups[1].stored_claim()
    await chain.client.broadcast([signed.raw])
    await chain.mine()
    for party in Party:
        duel.sides[party].join(terms.game, book, minds(scene)[party])
    return terms


async def test_one_player_plays_many_games_and_a_sick_one_harms_none(embedded_chain, tmp_path):
    liar = lies(3)
    game = await begin(
        embedded_chain, tmp_path / "duel", SCENE, liar["wrong_input"].make(SCENE), honest(SCENE, Party.CHALLENGER)
    )
    try:

        def against(name):
            return lambda scene: {
                Party.PROVER: liar[name].make(scene), Party.CHALLENGER: honest(scene, Party.CHALLENGER),
            }  # fmt: skip

        games: list[Terms] = [game.duel.terms]
        for number, name in enumerate(("opcode", "initial_stack")):
            games.append(await another_game(game, embedded_chain, number, against(name)))
        sick = await another_game(
            game, embedded_chain, 9,
            lambda scene: {Party.PROVER: honest(scene, Party.PROVER), Party.CHALLENGER: Sick()},
        )  # fmt: skip
        await embedded_chain.fund(game.duel.sides[Party.PROVER].purse.script, Satoshi(5_000_000), 3)
        tables = game.duel.sides[Party.CHALLENGER].player.tables
        for _ in range(120):
            await game.duel.step()
            if all(tables[terms.game].position.end is not None for terms in (*games, sick)):
                break
            await embedded_chain.mine()
        assert {tables[terms.game].position.winner for terms in games} == {Party.CHALLENGER}
        assert tables[sick.game].position.winner is Party.PROVER
        alarms = game.duel.sides[Party.CHALLENGER].alarms
        assert {alarm.game for alarm in alarms if alarm.kind == "sick"} == {sick.game}
        assert game.duel.sides[Party.CHALLENGER].purse.count() >= 4
    finally:
        game.duel.close()
