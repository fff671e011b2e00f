"""The matrix: every lie of a prover and of a challenger, played on the embedded chain with real leaves; honesty wins.

A few games run by default; all of them under the marker `slow`.
"""

import pytest

from bedroll.bitvm.graph import Party, close_name
from bedroll.bitvm.lie.catalogue import lies
from bedroll.bitvm.lie.scene import Scene
from bedroll.bitvm.player.position import End
from tests.framework.dispute_game import INSTANCE, begin, honest

pytestmark = pytest.mark.timeout(1_200)
"""A game ends after a bounded number of blocks; this bounds a hang, on a machine that does much else."""

SCENE = Scene.sample(INSTANCE)
LIES = lies(3)
BY_DEFAULT = {"wrong_result", "wrong_input", "malformed_future_read_1", "silent_hashes_1_2", "open_wrong_value"}


async def outcome(chain, folder, lie):
    """The game of a lie, to its verdict."""
    minds = {party: honest(SCENE, party) for party in Party}
    minds[lie.party] = lie.make(SCENE)
    game = await begin(chain, folder, SCENE, minds[Party.PROVER], minds[Party.CHALLENGER])
    try:
        position = await game.play()
        alarms = {party: list(game.duel.sides[party].alarms) for party in Party}
        return position, alarms, game.events
    finally:
        game.duel.close()


async def check(chain, folder, lie):
    position, alarms, events = await outcome(chain, folder, lie)
    assert position.winner is lie.party.other, (position.by, alarms)
    assert not alarms[lie.party.other], "the honest side has nothing to be alarmed about"
    if lie.party is Party.PROVER:
        assert position.end is End.TAKEN
        assert position.by.startswith(lie.ends_by), position.by
        assert position.gate is None
    else:
        assert position.end is End.CLOSED
        assert position.gate == close_name(position.number)
    for event in events:
        if event.transaction.version == 3:
            assert event.transaction.vsize <= 10_000
            assert event.child.vsize <= 1_000
        else:
            assert event.transaction.weight <= 400_000


@pytest.mark.parametrize("name", sorted(BY_DEFAULT))
async def test_honesty_wins(embedded_chain, tmp_path, name):
    await check(embedded_chain, tmp_path / "duel", LIES[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(LIES) - BY_DEFAULT))
async def test_honesty_wins_against_every_other_lie(embedded_chain, tmp_path, name):
    await check(embedded_chain, tmp_path / "duel", LIES[name])
