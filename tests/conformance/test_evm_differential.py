"""Shows that the core does to random blocks what the execution specification and ethrex's EVM do to them.

Compared are which transactions may be in a block, status, gas and logs of each, state root, receipts root, bloom and
requests. Longer runs: `scripts/fuzz_evm.py`.
"""

import json

import pytest

from tests.framework import evm_case
from tests.framework.evm_peer import Engines, commands, differences, run

SEED, CASES = 20_261_121, 200


def test_a_case_follows_from_its_seed_and_number_alone():
    assert evm_case.make(1, 2) == evm_case.make(1, 2)
    assert evm_case.make(1, 2) != evm_case.make(1, 3)
    assert evm_case.make(1, 2) != evm_case.make(2, 2)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_three_engines_agree_on_random_blocks():
    print(f"seed {SEED}")
    with Engines(commands(["spec", "ethrex"])) as engines:
        counts, found, digest = run(engines, SEED, range(CASES))
    print(f"{counts}; verdicts {digest}")
    assert not found, json.dumps([(number, differences(answers)) for number, answers in found])[:5_000]
    assert min(counts.values()) > 100, counts


@pytest.mark.slow
def test_another_fork_is_another_verdict():
    """What the comparison sees: with the rules of the fork before, some blocks come out differently."""
    with Engines(commands(["ethrex"])) as engines:
        cases = [evm_case.make(SEED, number) for number in range(20)]
        told = [engines.judge(case)["core"] for case in cases]
        other = [engines.judge(case | {"fork": "Prague"})["ethrex"] for case in cases]
    assert sum(one != another for one, another in zip(told, other, strict=True)) > 2
