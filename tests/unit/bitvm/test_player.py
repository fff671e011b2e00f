"""Shows the parts of a player: following through reorganisations, fee coins, the service, setup with a hostile side."""

import asyncio

import pytest

from bedroll.bitcoin.script import ANCHOR_SCRIPT
from bedroll.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from bedroll.bitvm.graph import BadSetup, Party
from bedroll.bitvm.lie.catalogue import lies
from bedroll.bitvm.player.claim import build_claim
from bedroll.bitvm.player.follower import Follower
from bedroll.bitvm.player.ledger import AnotherGraph
from bedroll.bitvm.player.purse import Purse
from bedroll.bitvm.player.service import serve
from bedroll.bitvm.player.setup import exchange
from bedroll.bitvm.player.side import Side
from bedroll.crypto import sha256
from bedroll.primitives import FeeRate, Invalid, L1Height, Satoshi, Txid, Unavailable
from tests.framework.chain import secret_key, spend
from tests.framework.dispute_game import INSTANCE, begin, book_of, honest
from tests.unit.bitvm.test_lie import SCENE, terms
from tests.unit.bitvm.test_scenario import until


async def test_a_follower_forgets_what_a_reorganisation_undoes(embedded_chain):
    chain = embedded_chain
    (point,) = await chain.fund(chain.miner.script, Satoshi(50_000))
    follower = Follower(chain.client, await chain.height())
    follower.watch([point])
    assert (await follower.sync()).height == await chain.height()
    assert follower.spends == {}
    paid = spend([chain.miner.input(point, 50_000)], [TxOut(Satoshi(49_000), chain.miner.script)])
    await chain.client.broadcast([paid.raw])
    await chain.mine(3)
    await follower.sync()
    assert follower.spends[point].transaction.txid == paid.txid
    assert follower.spends[point].height == await chain.height() - 2
    await chain.reorg(2)
    await follower.sync()
    assert point in follower.spends
    await chain.reorg(4)
    assert (await follower.sync()).height == await chain.height()
    assert point not in follower.spends
    await chain.mine()
    await follower.sync()
    assert follower.spends[point].height == await chain.height()


def parent_of(value):
    point = OutPoint(Txid(sha256(b"parent")), 0)
    outputs = (TxOut(Satoshi(value), b"\x51\x20" + secret_key("a").x_only), TxOut(Satoshi(0), ANCHOR_SCRIPT))
    return Transaction((TxIn(point, witness=(bytes(8_000),)),), outputs, 3)


async def test_a_child_lifts_its_parent_with_as_few_coins_as_it_takes(embedded_chain):
    purse = Purse(embedded_chain.client, secret_key("purse"))
    await embedded_chain.fund(purse.script, Satoshi(20_000), 12)
    await purse.refresh()
    assert purse.count() == 12
    parent = parent_of(10_000)
    for rate in (1_000, 10_000, 30_000):
        child = purse.child(parent, 10_000, FeeRate(rate), "game")
        fee = purse.spent_sat("game") - child.output_value
        assert child.vsize <= 1_000
        assert child.version == 3
        assert rate <= fee * 1_000 / (parent.vsize + child.vsize) <= rate * 1.01 + 1
        assert child.inputs[0].previous == parent.out_point(1)
    other = purse.child(parent_of(20_000), 20_000, FeeRate(1_000), "other")
    mine = {each.previous for each in child.inputs[1:]}
    assert mine.isdisjoint({each.previous for each in other.inputs[1:]})
    with pytest.raises(Invalid, match="do not suffice"):
        purse.child(parent, 10_000, FeeRate(200_000), "game")
    purse.release("game")
    assert len(purse.inputs()) == 11


async def test_a_large_coin_is_split_until_there_is_one_for_each_game(embedded_chain):
    purse = Purse(embedded_chain.client, secret_key("purse"))
    await embedded_chain.fund(purse.script, Satoshi(9_000_000), 1)
    await purse.refresh()
    made = purse.split(4, Satoshi(2_000_000), FeeRate(1_000))
    await embedded_chain.client.broadcast([made.raw])
    await purse.refresh()
    assert purse.split(4, Satoshi(2_000_000), FeeRate(1_000)) is made
    with pytest.raises(Invalid, match="do not suffice"):
        purse.child(parent_of(10_000), 10_000, FeeRate(1_000), "game")
    await embedded_chain.mine()
    await purse.refresh()
    assert purse.count() == 4
    assert purse.split(4, Satoshi(2_000_000), FeeRate(1_000)) is None


class Flaky:
    """A node that is away for the first calls, and tells which tip somebody waits at."""

    def __init__(self, client, failures):
        self._client, self.failures = client, failures
        self.waiting = asyncio.Queue()

    async def wait_for_tip(self, known, timeout_seconds):
        self.waiting.put_nowait(known)
        return await self._client.wait_for_tip(known, timeout_seconds)

    def __getattr__(self, name):
        return getattr(self._client, name)

    async def tip(self):
        if self.failures:
            self.failures -= 1
            raise Unavailable("away")
        return await self._client.tip()


async def test_the_service_plays_through_outages_until_it_is_told_to_stop(embedded_chain, tmp_path, monkeypatch):
    monkeypatch.setattr("bedroll.bitvm.player.service.BACK_OFF_SECONDS", (0.0,))
    liar = lies(3)["opcode"].make(SCENE)
    game = await begin(embedded_chain, tmp_path / "duel", SCENE, liar, honest(SCENE, Party.CHALLENGER))
    stop, players = asyncio.Event(), [side.player for side in game.duel.sides.values()]
    clients = [Flaky(embedded_chain.client, 2) for _ in players]
    tasks = [asyncio.create_task(serve(*pair, stop)) for pair in zip(players, clients, strict=True)]
    try:
        for _ in range(60):
            game.events.clear()
            tip = await embedded_chain.client.tip()
            for client in clients:
                while await client.waiting.get() != tip.hash:
                    pass
            position = game.duel.position()
            if position is not None and position.end is not None:
                break
            await embedded_chain.mine()
        assert position.winner is Party.CHALLENGER
        stop.set()
        await asyncio.gather(*tasks)
        assert all(client.failures == 0 for client in clients)
    finally:
        stop.set()
        game.duel.close()


@pytest.fixture
def pair(tmp_path):
    """Two sides of one game before its setup."""
    from dataclasses import replace

    sides = [Side(tmp_path / name, sha256(name.encode()), None) for name in ("one", "two")]
    agreed = replace(terms(), prover_key=sides[0].key.public, challenger_key=sides[1].key.public)
    setups = [side.setup(agreed, party, book_of(SCENE), L1Height(0)) for side, party in zip(sides, Party, strict=True)]
    yield setups
    for side in sides:
        side.close()


def claim_for(setup, value=100_000_000):
    holder_key = secret_key("claimer")
    from tests.framework.chain import KeyHolder

    holder = KeyHolder(holder_key)
    inputs = [holder.input(OutPoint(Txid(sha256(value.to_bytes(8, "big"))), 0), value)]
    return lambda leaves: build_claim(setup.terms, leaves, inputs, holder.script, FeeRate(1_000)).stripped


def test_a_setup_ends_with_the_same_signatures_on_both_sides(pair):
    one, other = pair
    exchange(one, other, claim_for(one))
    assert one.done
    assert other.done
    assert one.graph.digest == other.graph.digest
    exchange(one, other, claim_for(one))


def test_messages_of_a_hostile_side_are_refused(pair):
    one, other = pair
    with pytest.raises(BadSetup):
        one.accept_offer(other.offer() + b"\0")
    with pytest.raises(Invalid, match="claim comes first"):
        one.nonces()
    one.accept_offer(other.offer())
    other.accept_offer(one.offer())
    with pytest.raises(AnotherGraph):
        one.accept_offer(bytes(len(other.offer())))
    raw = claim_for(one)(one.leaves)
    for hostile in (b"", raw[:-1], raw + b"\0", bytes(100_001), b"\xff" * 200):
        with pytest.raises(Invalid):
            one.accept_claim(hostile)
    parsed = Transaction.parse(raw)
    swapped = Transaction(parsed.inputs, (parsed.outputs[1], parsed.outputs[0], *parsed.outputs[2:]))
    with pytest.raises(Invalid, match="not the game's root"):
        one.accept_claim(swapped.stripped)
    short = Transaction(parsed.inputs, (parsed.outputs[0], parsed.outputs[2]._replace(value=331), parsed.outputs[1]))
    with pytest.raises(Invalid, match="not the gate"):
        one.accept_claim(short.stripped)
    one.accept_claim(raw)
    with pytest.raises(AnotherGraph):
        one.accept_claim(claim_for(one, 200_000_000)(one.leaves))
    other.accept_claim(raw)
    ours, theirs = one.nonces(), other.nonces()
    with pytest.raises(BadSetup, match="another graph"):
        one.accept_nonces(bytes(32) + theirs[32:])
    with pytest.raises(BadSetup, match="wrong length"):
        one.accept_nonces(theirs[:-66])
    parts = other.accept_nonces(ours)
    one.accept_nonces(theirs)
    with pytest.raises(BadSetup, match="does not verify"):
        one.accept_parts(bytes(32) + parts[32:])
    assert not one.done


def test_a_setup_that_was_cut_off_anywhere_goes_on(pair, tmp_path):
    one, other = pair
    one.accept_offer(other.offer())
    other.accept_offer(one.offer())
    raw = claim_for(one)(one.leaves)
    one.accept_claim(raw)
    one.nonces()
    exchange(one, other, claim_for(one, 300_000_000))
    assert one.stored_claim() == other.stored_claim() == raw
    assert one.done
    assert other.done


async def test_no_deciding_leaf_takes_a_true_row(embedded_chain, tmp_path):
    """Every leaf after Execute, each tried by the node against an honest prover's signatures."""
    doubter = lies(3)["silent_opening"].make(SCENE)
    game = await begin(embedded_chain, tmp_path / "duel", SCENE, honest(SCENE, Party.PROVER), doubter)
    try:
        await until(game, embedded_chain, 8)
        side = game.duel.sides[Party.CHALLENGER]
        table = side.player.tables[game.duel.terms.game]
        number, tried = table.position.number, 0
        assert number == 8
        before = SCENE.true_run.row_at(table.position.record.execute.row.step - 1)
        from bedroll.bitvm.leaf import opening_hints

        previous = SCENE.true_run.hash_at(table.position.record.execute.row.step - 2)
        for name, leaf in table.sheet.book.fact_leaves[number].items():
            if any(message.label not in table.position.signatures for message in leaf.messages):
                continue
            hints = None
            if name == "program_counter":
                hints = opening_hints(previous, before.write.addr, before.write.value, before.write_pc)
            elif leaf.hints:
                hints = {hint.name: 0 for hint in leaf.hints}
            taken = table.sheet.fact(number, leaf, table.position.signatures, hints, side.key, FeeRate(1_000))
            (verdict,) = await embedded_chain.client.test_accept([taken.raw])
            assert not verdict.accepted, name
            assert "script-verify-flag-failed" in verdict.reason
            tried += 1
        print(f"{tried} leaves refused")
        assert tried >= 40
    finally:
        game.duel.close()


def test_the_instance_of_the_tests_is_32_bytes():
    assert len(INSTANCE) == 32
