"""Shows single scenes of a game under pressure in detail; `test_pressure.py` puts every pressure on every lie."""

import shutil

import pytest

from bedroll.bitcoin.builder import add_change, build_transaction, sign_transaction
from bedroll.bitvm.game.fact import choose_move_leaf
from bedroll.bitvm.game.record import DigitMessage, HashesMessage
from bedroll.bitvm.game.wire import encode
from bedroll.bitvm.graph import REGTEST, Party
from bedroll.bitvm.lie.catalogue import lies
from bedroll.bitvm.lie.scene import Scene
from bedroll.bitvm.player.event import Policy
from bedroll.bitvm.winternitz import sign
from bedroll.primitives import FeeRate, Satoshi
from tests.framework.dispute_bout import flood
from tests.framework.dispute_game import INSTANCE, begin, honest

pytestmark = pytest.mark.timeout(1_200)
"""A game ends after a bounded number of blocks; this bounds a hang, on a machine that does much else."""

SCENE = Scene.sample(INSTANCE)
LIES = lies(3)


async def start(chain, folder, name):
    lie = LIES[name]
    minds = {party: honest(SCENE, party) for party in Party}
    minds[lie.party] = lie.make(SCENE)
    return lie, await begin(chain, folder, SCENE, minds[Party.PROVER], minds[Party.CHALLENGER])


def look(game, party):
    """Where the game stands after a side has looked at the chain."""
    return game.duel.sides[party].player.tables[game.duel.terms.game].position


async def until(game, chain, number, blocks=150):
    """Play until so many moves are confirmed."""
    for _ in range(blocks):
        await game.duel.step()
        if len(look(game, Party.PROVER).played) >= number:
            return
        await chain.mine()
    raise AssertionError(f"move {number} did not come")


@pytest.mark.slow
async def test_fees_that_rise_tenfold_in_mid_game_are_outbid(embedded_chain, tmp_path):
    await embedded_chain.mine(80)
    _, game = await start(embedded_chain, tmp_path / "duel", "wrong_input")
    try:
        await until(game, embedded_chain, 3)
        await embedded_chain.mine(2)
        await game.duel.step()
        first = [event.fee_sat for event in game.events if event.name == game.events[-1].name]
        await flood(embedded_chain, 10_000, 4)
        position = await game.play()
        assert position.winner is Party.CHALLENGER
        paid = [event.fee_sat for event in game.events]
        assert max(paid) >= 9 * max(first)
        assert not [alarm for alarm in game.duel.sides[Party.CHALLENGER].alarms if alarm.kind != "fee"]
    finally:
        game.duel.close()


def forge(game, party, number, message):
    """Another version of a confirmed move: the same transaction id, another message; its key is broken by it."""
    side = game.duel.sides[party]
    table = side.player.tables[game.duel.terms.game]
    layout, move = table.sheet.book.layout, game.duel.terms.moves[number]
    leaf = choose_move_leaf(table.sheet.book.move_leaves[number], message)
    own = {
        label: sign(side.store.secret(table.game, label), layout.messages[label], raw)
        for label, raw in encode(layout, move, message).items()
    }
    return table.sheet.move(number, leaf, {**look(game, party).signatures, **own})


async def test_a_digit_that_is_replaced_below_the_answer_depth_is_answered_as_it_ends(embedded_chain, tmp_path):
    _, game = await start(embedded_chain, tmp_path / "duel", "contest_trace_hash")
    try:
        await until(game, embedded_chain, 3)
        first = look(game, Party.PROVER).record.digits
        other = forge(game, Party.CHALLENGER, 2, DigitMessage((first[0] + 1) % 8))
        await embedded_chain.reorg(1, transactions=[[other]])
        await game.duel.step()
        replaced = look(game, Party.PROVER).record.digits
        assert replaced == ((first[0] + 1) % 8,)
        position = await game.play()
        assert position.winner is Party.PROVER
        assert position.record.digits[0] == replaced[0]
        assert not game.duel.sides[Party.PROVER].alarms
    finally:
        game.duel.close()


@pytest.mark.slow
async def test_hashes_that_are_replaced_below_the_answer_depth_are_answered_as_they_end(embedded_chain, tmp_path):
    _, game = await start(embedded_chain, tmp_path / "duel", "wrong_input")
    try:
        await until(game, embedded_chain, 2)
        noise = HashesMessage(tuple(bytes([at]) * 20 for at in range(7)))
        other = forge(game, Party.PROVER, 1, noise)
        await embedded_chain.reorg(1, transactions=[[other]])
        position = await game.play()
        assert position.record.hashes[0] == noise.hashes
        assert position.record.digits[0] == 0
        assert position.winner is Party.CHALLENGER
        assert not game.duel.sides[Party.CHALLENGER].alarms
    finally:
        game.duel.close()


async def test_after_a_deep_reorganisation_the_same_answer_goes_out_again_with_an_alarm(embedded_chain, tmp_path):
    _, game = await start(embedded_chain, tmp_path / "duel", "contest_trace_hash")
    try:
        await until(game, embedded_chain, 4)
        position = look(game, Party.PROVER)
        answer = position.played[3].spend.transaction
        depth = await embedded_chain.height() - position.played[2].spend.height + 1
        assert depth >= REGTEST.answer_depth_blocks
        other = forge(game, Party.CHALLENGER, 2, DigitMessage((position.record.digits[0] + 1) % 8))
        await embedded_chain.reorg(depth, transactions=[[other]], extra=4)
        await game.duel.sides[Party.PROVER].player.step()
        (alarm,) = [each for each in game.duel.sides[Party.PROVER].alarms if each.kind == "resent"]
        assert "hash_1_2_1" in alarm.text
        sent = [event.transaction for event in game.events if event.name == "hashes_1_2"]
        assert {each.wtxid for each in sent} == {answer.wtxid}
        await embedded_chain.mine()
        await game.duel.sides[Party.PROVER].player.step()
        assert look(game, Party.PROVER).played[3].spend.transaction.wtxid == answer.wtxid
    finally:
        game.duel.close()


@pytest.mark.slow
async def test_two_answers_of_one_key_never_leave_a_store_that_was_restored(embedded_chain, tmp_path):
    """The backup is from before the answer; the opponent's move was replaced deep; the old answer is what goes out."""
    _, game = await start(embedded_chain, tmp_path / "duel", "contest_trace_hash")
    place, backup = tmp_path / "duel" / "prover", tmp_path / "backup"
    try:
        await until(game, embedded_chain, 3)
        game.duel.sides[Party.PROVER].store.close()
        shutil.copy(place / "one-time.sqlite", backup)
        game.duel.restart(Party.PROVER)
        await until(game, embedded_chain, 4)
        answer = look(game, Party.PROVER).played[3].spend.transaction
        game.duel.sides[Party.PROVER].store.close()
        for stale in place.glob("one-time.sqlite*"):
            stale.unlink()
        shutil.copy(backup, place / "one-time.sqlite")
        game.duel.restart(Party.PROVER)
        await game.duel.step()
        side = game.duel.sides[Party.PROVER]
        assert [alarm.kind for alarm in side.alarms] == ["restored"]
        label = "hash_1_2_1"
        shown = look(game, Party.PROVER).signatures[label].message
        assert side.store.message(game.duel.terms.game, label) == shown
        assert look(game, Party.PROVER).played[3].spend.transaction.wtxid == answer.wtxid
    finally:
        game.duel.close()


async def test_a_backup_from_before_a_move_that_is_still_on_its_way_waits_for_the_block(embedded_chain, tmp_path):
    _, game = await start(embedded_chain, tmp_path / "duel", "contest_trace_hash")
    place, backup = tmp_path / "duel" / "prover", tmp_path / "backup"
    try:
        await until(game, embedded_chain, 3)
        game.duel.sides[Party.PROVER].store.close()
        shutil.copy(place / "one-time.sqlite", backup)
        game.duel.restart(Party.PROVER)
        await embedded_chain.mine()
        await game.duel.sides[Party.PROVER].player.step()
        sent = game.events[-1].transaction
        assert await embedded_chain.client.mempool_entry(sent.txid) is not None
        game.duel.sides[Party.PROVER].store.close()
        for stale in place.glob("one-time.sqlite*"):
            stale.unlink()
        shutil.copy(backup, place / "one-time.sqlite")
        game.duel.restart(Party.PROVER)
        count = len(game.events)
        side = game.duel.sides[Party.PROVER]
        await side.player.step()
        assert len(game.events) == count
        assert [alarm.kind for alarm in side.alarms] == ["restored"]
        assert "on its way" in side.alarms[0].text
        position = await game.play()
        assert position.played[3].spend.transaction.wtxid == sent.wtxid
        assert position.winner is Party.PROVER
        assert {alarm.kind for alarm in side.alarms} == {"restored"}
    finally:
        game.duel.close()


@pytest.mark.slow
async def test_an_empty_purse_is_an_alarm_and_not_the_end(embedded_chain, tmp_path):
    _, game = await start(embedded_chain, tmp_path / "duel", "wrong_input")
    try:
        await until(game, embedded_chain, 2)
        purse = game.duel.sides[Party.CHALLENGER].purse
        await purse.refresh()
        inputs = purse.inputs()
        outputs, _ = add_change(inputs, [], embedded_chain.miner.script, FeeRate(1_000))
        await embedded_chain.client.broadcast([sign_transaction(build_transaction(inputs, outputs), inputs).raw])
        await embedded_chain.mine(3)
        await game.duel.step()
        assert {alarm.kind for alarm in game.duel.sides[Party.CHALLENGER].alarms} == {"fee"}
        await embedded_chain.fund(purse.script, Satoshi(5_000_000), 3)
        position = await game.play()
        assert position.winner is Party.CHALLENGER
    finally:
        game.duel.close()


async def test_a_rate_above_the_cap_is_an_alarm(embedded_chain, tmp_path):
    _, game = await start(embedded_chain, tmp_path / "duel", "wrong_input")
    try:
        player = game.duel.sides[Party.CHALLENGER].player
        player._policy = Policy(rate_cap=999)
        await until(game, embedded_chain, 3)
        assert {alarm.kind for alarm in game.duel.sides[Party.CHALLENGER].alarms} == {"fee"}
    finally:
        game.duel.close()
