"""The machine that is proved gives the node's own statement, byte for byte, and none where the node gives none."""

import os
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

from bedroll._core._native import program_input, run_program
from bedroll.primitives import Invalid
from tests.costs.guest import executed
from tests.costs.proved import proved_costs
from tests.framework.scene import TO, Scene, busy

pytestmark = pytest.mark.guest
COSTS = Path(__file__).parents[1] / "costs/costs.toml"


@pytest.fixture(scope="module")
def executor():
    """The program that `make test-guest` builds."""
    return Path(os.environ["BEDROLL_EXECUTOR"])


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    made.leader.block(origin=made.origin())
    made.catch_up()
    return made


def plain(scene):
    scene.leader.block(scene.leader.sign(scene.leader.keys[0], to=TO, value=1))
    return scene.header()


def many_kinds(scene):
    busy(scene)
    return scene.header()


def forced(scene):
    ledger = scene.leader
    good = scene.forced(ledger.sign(ledger.keys[3], to=TO, nonce=0))
    wrong = scene.forced(ledger.sign(ledger.keys[3], to=TO, nonce=7))
    unpaid = scene.forced(ledger.sign(ledger.keys[2], to=TO, nonce=0), paid=False)
    ledger.block(origin=scene.origin([good, scene.forced(b"junk"), wrong, unpaid]))
    return scene.header()


def another_tip(scene):
    busy(scene)
    return scene.header(tip_l2_hash=bytes(32))


def broken_body(scene):
    busy(scene)
    body = scene.header()[1][:-1]
    return scene.header(body_hash=sha256(body).digest())[0], body


@pytest.mark.parametrize("batch", [plain, many_kinds, forced, another_tip, broken_body])
def test_the_machine_states_what_the_node_states(executor, scene, batch):
    header, body = batch(scene)
    given, stated = program_input(scene.prover.engine, scene.origins, header=header.encode(), body=body)
    _, code, values = executed(executor, given)
    assert (code, values) == (0, stated)


def test_automatic_blocks_are_stated_alike(executor, scene):
    ledger = scene.leader
    scene.origin([scene.forced(ledger.sign(ledger.keys[0], to=TO, value=1))])
    scene.origin()
    given, stated = program_input(scene.prover.engine, scene.origins)
    _, code, values = executed(executor, given)
    assert (code, values) == (0, stated)


def test_where_the_node_says_nothing_the_machine_does_not_either(executor, scene):
    header, body = many_kinds(scene)
    given, _ = program_input(scene.prover.engine, scene.origins, header=header.encode(), body=body)
    silent = 0
    for place in range(0, len(given), len(given) // 24):
        changed = given[:place] + bytes([given[place] ^ 1]) + given[place + 1 :]
        _, code, values = executed(executor, changed)
        try:
            stated = run_program(changed)
        except Invalid:
            assert (code, values) == (1, b"")
            silent += 1
        else:
            assert (code, values) == (0, stated)
    assert silent


@pytest.mark.timeout(600)
def test_transactions_and_calls_take_the_cycles_that_are_committed(executor):
    assert proved_costs(executor) == tomllib.loads(COSTS.read_text())["guest"]
