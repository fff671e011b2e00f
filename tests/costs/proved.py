"""All that is counted of the proved programs: means of a batch, calls of precompiles, L1 blocks in settlement."""

import tempfile
from pathlib import Path

from tests.costs.guest import PROGRAM, SETTLEMENT, executed, guest_costs
from tests.costs.precompile import precompile_costs
from tests.framework.l1_block import transaction
from tests.framework.settling_site import SettlingSite
from tests.framework.site import new_rollup

L1_TRANSACTIONS = 1_000
SALT = 1 << 100
"""Tells these transactions apart from those of the chain."""


def l1_costs(executor: Path) -> dict[str, int]:
    """Cycles of the settlement program for a transaction of others in an L1 block."""
    cycles = []
    with tempfile.TemporaryDirectory() as folder:
        leader = new_rollup(Path(folder) / "leader")
        leader.chain.mine()
        leader.chain.mine(*[transaction([[bytes(64)]], salt=SALT + place) for place in range(L1_TRANSACTIONS)])
        leader.follow()
        settling = SettlingSite(Path(folder) / "settling", leader.genesis, leader.chain)
        settling.follow()
        for step in settling.steps[-2:]:
            took, code, values = executed(executor, step.input, SETTLEMENT)
            assert (code, values) == (0, step.statement)
            cycles.append(took)
        settling.close()
        leader.close()
    without, with_them = cycles
    return {"settlement_l1_transaction_cycles": round((with_them - without) / L1_TRANSACTIONS)}


def proved_costs(executor: Path) -> dict[str, int]:
    """Each figure by its name in costs.toml."""
    return guest_costs(executor) | precompile_costs(executor, PROGRAM) | l1_costs(executor)
