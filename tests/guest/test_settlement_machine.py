"""The settlement program in its machine says what the node's run of it says, and nothing where that is silent.

The executor takes every proof that is asked for as given; that they are verified is the proof system's matter.
"""

import os
from pathlib import Path

import pytest

from bedroll.da import Forced
from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.protocol import REGTEST
from tests.costs.guest import SETTLEMENT, executed
from tests.framework.settled_verdict import VerdictSettlement
from tests.framework.settling_site import SettlingSite
from tests.framework.site import HOLDERS, Wallet, new_rollup

pytestmark = pytest.mark.guest
REGTEST_NUMBER = 3


@pytest.fixture(scope="module")
def executor():
    """The program that `make test-guest` builds."""
    return Path(os.environ["BEDROLL_EXECUTOR"])


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    """Runs over a history with a batch, a lie, forced messages and silence."""
    folder = tmp_path_factory.mktemp("settled")
    leader = new_rollup(folder / "leader")
    keys = [Wallet(holder) for holder in HOLDERS]
    leader.seal([keys[0].sign(value=1), keys[1].sign(value=2)])
    leader.post(leader.batch())
    leader.post(Forced(network=REGTEST_NUMBER, payload=keys[2].sign(value=4)), fee=1_000)
    leader.seal([keys[0].sign(value=5)])
    leader.post(leader.batch(tip_l2_hash=bytes(32)))
    for _ in range(12):
        leader.chain.mine()
    leader.follow()
    site = SettlingSite(folder / "settling", leader.genesis, leader.chain)
    site.follow()
    yield site
    site.close()
    leader.close()


def test_the_machine_says_what_the_node_says_after_every_block(executor, settled):
    cycles = []
    for step in settled.steps:
        took, code, values = executed(executor, step.input, SETTLEMENT)
        assert (code, values) == (0, step.statement)
        cycles.append(took)
    print("cycles an L1 block", cycles)


def test_the_machine_is_silent_where_the_input_does_not_hold(executor, settled):
    given = settled.steps[-1].input
    for place in range(0, len(given), len(given) // 12):
        _, code, values = executed(executor, given[:place] + bytes([given[place] ^ 1]) + given[place + 1 :], SETTLEMENT)
        assert (code, values) == (1, b"")


def test_the_machine_takes_a_verdict_that_the_batch_program_gives_in_it(executor, tmp_path):
    """Both runs that `make prove` proves one inside the other; under the keys of the programs as they are."""
    made = VerdictSettlement(tmp_path, Sp1Verifier.of_network(REGTEST))
    batch_cycles, *batch = executed(executor, made.batch_input)
    assert batch == [0, made.verdict]
    cycles, *run = executed(executor, made.step.input, SETTLEMENT)
    assert run == [0, made.step.statement]
    print(f"{batch_cycles:,} cycles for the batch, {cycles:,} for the run over it")
    other = made.step.input.replace(made.verdict, made.verdict[:-1] + bytes([made.verdict[-1] ^ 1]))
    _, *run = executed(executor, other, SETTLEMENT)
    assert run[1] != made.step.statement
