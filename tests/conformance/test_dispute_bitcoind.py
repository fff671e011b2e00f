"""Shows that the real game, T = 26, is played to its verdict on a real bitcoind with default policy.

Every transaction goes to it as it is sent: a move with its fee child as a package, a deciding leaf alone. None is
refused, and the bytes on the chain stay within what a dispute may cost.
"""

import pytest

from bedroll.bitvm.graph import BURN, Party
from bedroll.bitvm.lie.catalogue import lies
from bedroll.bitvm.lie.scene import Scene
from tests.framework.bitcoind import run_bitcoind
from tests.framework.chain import ManualClock, RegtestChain
from tests.framework.dispute_game import INSTANCE, begin, honest

pytestmark = [pytest.mark.bitcoind, pytest.mark.timeout(600)]

WORST_VB, NO_READ_VB = 159_000, 98_500


@pytest.mark.parametrize(("name", "limit_vb", "moves"), [
    ("wrong_result", WORST_VB, 38), ("wrong_hash_9", NO_READ_VB, 20),
])  # fmt: skip
async def test_the_real_game_relays_by_default_policy(tmp_path, name, limit_vb, moves):
    scene = Scene.sample(INSTANCE, 26)
    lie = lies(9)[name]
    async with run_bitcoind(tmp_path / "bitcoind") as client:
        chain = await RegtestChain.start(client, ManualClock())
        game = await begin(chain, tmp_path / "duel", scene, lie.make(scene), honest(scene, Party.CHALLENGER))
        try:
            position = await game.play()
            assert position.winner is Party.CHALLENGER
            assert position.by.startswith(lie.ends_by)
            assert len(position.played) == moves
            await chain.mine(position.start + game.duel.terms.burn_blocks - await chain.height() - 1)
            await game.duel.step()
            await chain.mine()
            await game.duel.step()
            assert game.duel.position().gate == BURN
            assert [side.alarms for side in game.duel.sides.values()] == [[], []]
        finally:
            game.duel.close()
    on_chain = [played.spend.transaction for played in position.played] + [position.ended.transaction]
    total = sum(each.vsize for each in on_chain)
    children = sum(event.child.vsize for event in game.events if event.child is not None)
    for event in game.events:
        print(
            f"{event.party:<10} {event.name:<12} {event.transaction.vsize:>7,} vB {event.fee_sat:>7,} sat {event.leaf}"
        )
    print(f"{name}: {total:,} vB in {len(on_chain)} transactions, fee children {children:,} vB")
    assert total <= limit_vb
