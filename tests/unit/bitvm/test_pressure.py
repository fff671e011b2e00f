"""The matrix, its second dimension: every lie under every pressure, played on the embedded chain; honesty wins.

A pressure is what may happen meanwhile (`tests/framework/dispute_pressure.py`): acting at the last allowed block, fees
ten times as high, moves that are replaced or reorganised, a kill, a lost store, a silent or late opponent. By default
each pressure meets one lie, another one each; under the marker `slow` all of them meet all. Without one:
`test_matrix.py`.
"""

import pytest

from bedroll.bitvm.graph import Party
from bedroll.bitvm.lie.catalogue import lies
from bedroll.bitvm.lie.scene import Scene
from bedroll.bitvm.player.position import End
from tests.framework.dispute_bout import Bout
from tests.framework.dispute_game import INSTANCE
from tests.framework.dispute_pressure import PRESSURES

pytestmark = pytest.mark.timeout(1_200)
"""A game ends after a bounded number of blocks; this bounds a hang, on a machine that does much else."""

SCENE = Scene.sample(INSTANCE)
LIES = lies(3)
NUMBERS = {name: number for number, name in enumerate(LIES)}
BY_DEFAULT = {
    "last_block": "wrong_input", "left_out": "opcode", "opponent_last_block": "silent_hashes_1_2",
    "opponent_too_late": "open_later_write", "opponent_silent": "wrong_result", "tenfold_fees": "wrong_input",
    "replaced": "read_2_value", "replaced_deep": "wrong_hash_2", "reorganised": "open_later_write",
    "reorganised_deep": "pc", "killed": "trap", "old_backup": "contest_opcode",
}  # fmt: skip
EVERY = [(pressure, lie) for pressure in PRESSURES for lie in LIES if pressure != "calm"]


def check_end(position, lie):
    """The honest side won, and by what refutes this lie."""
    if lie.party is Party.PROVER:
        assert position.end is End.TAKEN
        assert position.by.startswith(lie.ends_by), position.by
    else:
        assert position.end is End.CLOSED


def check_events(bout):
    """What the honest side said, it said once; everything has a form that relays."""
    said = {}
    for event in bout.game.events:
        if event.transaction.version == 3:
            assert event.transaction.vsize <= 10_000
            assert event.child.vsize <= 1_000
        else:
            assert event.transaction.weight <= 400_000
        if event.party is bout.honest and event.said is not None:
            said.setdefault(event.name, set()).add(event.transaction.wtxid)
    assert all(len(versions) == 1 for versions in said.values())


async def play(chain, folder, pressure_name, lie_name):
    """A game of the matrix; how often the pressure was felt."""
    lie, pressure = LIES[lie_name], PRESSURES[pressure_name]()
    await pressure.prepare(chain)
    bout = await Bout.begin(chain, folder, SCENE, lie, NUMBERS[lie_name])
    try:
        position = await pressure.play(bout)
        alarms = {alarm.kind for alarm in bout.side(bout.honest).alarms}
    finally:
        bout.game.duel.close()
    assert position.winner is bout.honest, (position.by, alarms)
    assert alarms <= pressure.alarms, bout.side(bout.honest).alarms
    if not pressure.changes_end:
        check_end(position, lie)
        check_events(bout)
    return pressure.happened


@pytest.mark.parametrize(("pressure", "lie"), BY_DEFAULT.items())
async def test_honesty_wins_under_pressure(embedded_chain, tmp_path, pressure, lie):
    assert await play(embedded_chain, tmp_path / "duel", pressure, lie) > 0


@pytest.mark.slow
@pytest.mark.parametrize(("pressure", "lie"), EVERY)
async def test_honesty_wins_under_every_pressure_against_every_lie(embedded_chain, tmp_path, pressure, lie):
    await play(embedded_chain, tmp_path / "duel", pressure, lie)


def test_by_default_each_pressure_meets_a_lie():
    assert {"calm", *BY_DEFAULT} == set(PRESSURES)
    assert set(BY_DEFAULT.values()) <= set(LIES)
