"""Cold keys: `Rotate` replaces the leader after C blocks, `Upgrade` stops a node that does not know it."""

from dataclasses import replace

import pytest

from bedroll.crypto import schnorr
from bedroll.da import Upgrade
from bedroll.derivation import Accepted, Pending, Rejected, UnknownUpgrade
from bedroll.derivation.record import LeaderRotated
from bedroll.protocol import REGTEST
from tests.framework.plain_rollup import LEADER, OTHER, ROTATION, UPGRADE, PlainRollup, key_named


@pytest.fixture
def rollup():
    made = PlainRollup()
    made.quiet(4)
    return made


def post(rollup, *objects):
    for each in objects:
        rollup.stage(each.encode())
    return rollup.mine()


def test_a_rotation_acts_after_c_blocks(rollup):
    post(rollup, rollup.rotate(1, OTHER))
    included = rollup.chain.height
    assert [r.active_from for r in rollup.records if isinstance(r, LeaderRotated)] == [included + 2]
    post(rollup, rollup.honest(key=OTHER), rollup.honest(parent=rollup.executor.blocks[0]))
    assert isinstance(rollup.verdict(0), Rejected)
    assert isinstance(rollup.verdict(1), Accepted)
    post(rollup, rollup.honest(), rollup.honest(key=OTHER, parent=rollup.executor.blocks[-1]))
    assert rollup.verdict(0) == Rejected("it is not signed by the leader of its L1 height")
    assert isinstance(rollup.verdict(1), Accepted)


@pytest.mark.parametrize(
    ("number", "signer", "network", "reason"),
    [
        (1, ROTATION, 3, "its number 1 is not above 1"),
        (0, ROTATION, 3, "its number 0 is not above 1"),
        (2, LEADER, 3, "it is not signed by the rotation key"),
        (2, UPGRADE, 3, "it is not signed by the rotation key"),
        (2, ROTATION, 1, "it is for network 1, not 3"),
    ],
)
def test_a_rotation_out_of_order_is_ignored(rollup, number, signer, network, reason):
    post(rollup, rollup.rotate(1, OTHER))
    post(rollup, rollup.rotate(number, key_named("third"), signer=signer, network=network))
    assert rollup.verdict() == Rejected(reason)
    rollup.quiet(3)
    assert rollup.pipeline.leader == OTHER.x_only


def test_the_last_of_several_waiting_rotations_leads(rollup):
    third = key_named("third")
    post(rollup, rollup.rotate(1, OTHER), rollup.rotate(5, third), rollup.rotate(3, OTHER))
    assert isinstance(rollup.verdict(1), Pending)
    assert rollup.verdict(2) == Rejected("its number 3 is not above 5")
    rollup.quiet(2)
    assert rollup.pipeline.leader == third.x_only


def test_a_rotation_that_a_reorganisation_takes_away_is_gone(rollup):
    post(rollup, rollup.rotate(1, OTHER))
    rollup.quiet(3)
    rollup.reorganise(4)
    rollup.quiet(5)
    assert rollup.pipeline.leader == LEADER.x_only


def upgrade(rollup, delay, *, rotation=ROTATION, upgrade_key=UPGRADE, number=1):
    height = rollup.next_height + delay
    made = Upgrade(network=3, n=number, rules=bytes(32), activation_height=height)
    digest = made.signing_hash()
    return replace(
        made, rotation_signature=schnorr.sign(rotation, digest), upgrade_signature=schnorr.sign(upgrade_key, digest)
    )


def test_a_node_stops_at_an_active_upgrade_it_does_not_know_and_stays_where_it_was(rollup):
    post(rollup, upgrade(rollup, REGTEST.parameters.upgrade_delay))
    assert isinstance(rollup.verdict(), Pending)
    rollup.quiet(REGTEST.parameters.upgrade_delay - 1)
    height = rollup.pipeline.height
    for _ in range(2):
        with pytest.raises(UnknownUpgrade) as caught:
            rollup.pipeline.advance(rollup.chain.mine())
        assert caught.value.value == 1
        assert caught.value.active_from == height + 1
        assert rollup.pipeline.height == height
        rollup.chain.fork(height)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ({"delay": 19}, "it would be active at L1 height 224, earliest is 225"),
        ({"delay": 20, "rotation": LEADER}, "it is not signed by both the rotation key and the upgrade key"),
        ({"delay": 20, "upgrade_key": ROTATION}, "it is not signed by both the rotation key and the upgrade key"),
        ({"delay": 20, "number": 0}, "its number 0 is not above 0"),
    ],
)
def test_an_upgrade_needs_both_keys_and_its_delay(rollup, shape, reason):
    post(rollup, upgrade(rollup, **shape))
    assert rollup.verdict() == Rejected(reason)
    rollup.quiet(22)
