"""How long a run of settlement gets: by posted proofs, by transactions, by forced messages, and at the worst.

A run of one L1 block cannot be cut, so the default of `prover.uncut_cycles_max` must be above whatever a block holds.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bedroll.config import OPTIONS
from bedroll.da import Forced
from bedroll.protocol import REGTEST
from tests.costs.guest import SETTLEMENT, executed
from tests.framework.l1_block import transaction
from tests.framework.settled_groth16 import TRUE, Groth16Settlement
from tests.framework.settling_site import settlement_of

pytestmark = pytest.mark.guest
P = REGTEST.parameters
UNCUT, CUT = (
    next(option.default for option in OPTIONS if option.name == name)
    for name in ("prover.uncut_cycles_max", "prover.cycles_max")
)
JUNK = replace(TRUE, proof=TRUE.proof[:100] + TRUE.proof[292:] + TRUE.proof[164:292] + TRUE.proof[100:164])
"""The dearest proof that does not hold: points of the curve, in each other's place."""
BLOCK_WEIGHT = 4_000_000
PLAIN_COUNT = 1_000


@pytest.fixture(scope="module")
def settlement(tmp_path_factory):
    made = Groth16Settlement(tmp_path_factory.mktemp("length"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def cycles(settlement):
    """Cycles of the run over one L1 block with these transactions; nothing in it changes the L2 chain."""
    executor = Path(os.environ["BEDROLL_EXECUTOR"])

    def count(transactions):
        chain, height = settlement.chain, settlement.chain.height
        raw = chain.mine(*transactions)
        chain.fork(height)
        run = settlement_of(settlement.genesis, chain, settlement.verifier)
        run.last = settlement.before
        step = run.advance([raw], [], [settlement.parent.rlp], [])
        took, code, values = executed(executor, step.input, SETTLEMENT)
        assert (code, values) == (0, step.statement)
        return took

    return count


@pytest.fixture(scope="module")
def least(cycles):
    return cycles([])


@pytest.fixture(scope="module")
def junk(settlement, cycles, least):
    """Cycles of a proof that does not hold, of two and of ten in a block: the same each."""
    posted = [settlement.grinder.carry(JUNK.encode(), fee=P.proof_fee) for _ in range(10)]
    two, ten = cycles(posted[:2]), cycles(posted)
    each = (ten - two) / 8
    assert two - least == pytest.approx(2 * each, rel=0.05)
    return each


def test_a_transaction_of_others_costs_its_place_in_the_tree(cycles, least):
    each = (cycles([transaction([[b"\1" * 64]], salt=salt) for salt in range(PLAIN_COUNT)]) - least) / PLAIN_COUNT
    print(f"{each:,.0f} cycles a transaction, {least:,} a block without any")
    assert each < 20_000
    assert least + 2_500 * each < CUT, "an ordinary block is within what runs are cut to"


def test_the_worst_block_is_within_what_is_proved_uncut(settlement, cycles, least, junk):
    forced = Forced(network=REGTEST.number, payload=bytes(100)).encode()
    carried = [settlement.grinder.carry(forced, fee=P.forced_fee) for _ in range(1_000)]
    each = (cycles(carried) - least) / len(carried)
    proofs = P.proofs_max * junk
    full, bare = carried[0]
    messages = BLOCK_WEIGHT / (len(full) + 3 * len(bare)) * each
    print(f"{junk:,.0f} cycles a junk proof, {proofs:,.0f} a block's; {each:,.0f} a forced message, {messages:,.0f}")
    assert proofs > CUT, "such a block is proved alone"
    assert least + proofs + messages < UNCUT
