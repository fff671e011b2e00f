"""Compute the committed costs again and write tests/costs/costs.toml; `--check` only compares.

Prices are weight units of every transaction on Bitcoin that carries the workload (commit, reveals, a commitment every
L1 block), divided by the workload's transactions. A weight unit is one witness byte.
"""

import argparse
import sys
import tomllib
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.costs.compared import compared  # noqa: E402
from tests.costs.contract import CONTRACT_KINDS, contract_cost  # noqa: E402
from tests.costs.dispute_price import price as dispute_price  # noqa: E402
from tests.costs.price import commitment_vb, proven_price, signed_price  # noqa: E402
from tests.costs.proved import proved_costs  # noqa: E402
from tests.costs.script_price import price as script_price  # noqa: E402
from tests.costs.verifier import verifier_costs  # noqa: E402
from tests.costs.witness import hour_witness  # noqa: E402
from tests.costs.workload import KINDS  # noqa: E402

COSTS = ROOT / "tests/costs/costs.toml"
HEAD = """# Deterministic prices; `make costs` writes this file, and a change of it shows in review.
# transfer_bytes: weight units on Bitcoin a transaction; unsigned_bytes: of them the body without signatures.
# compared: the same workloads as brotli over RLP and as a difference of states; neither signatures nor proofs counted.
# contract: means of a use, gas at the lowest base fee, bytes of a batch's body with the transaction's signature.
# dispute: virtual bytes of the real game, T = 26, each at its largest; fee children are counted, not weighed.
# guest: the proved program, means over a batch of 1,000 among 100,000 accounts; calls of precompiles, with the call; of
# settlement what a transaction of others adds to an L1 block, and what a posted Groth16 proof adds, one that holds and
# the dearest that does not; written by `make guest-costs`.
# witness: bytes a transfer that the program is given beside W1's whole batch, proven form; the AddressBook apart.
# verifier: steps of the RISC-V program that verifies a proof, whatever the proof; of them in its parts; its sizes.
# leaf: script bytes, items of a witness, most items on both stacks, T = 26; block: script bytes, most items.
"""


def main() -> int:
    """Compute, compare or write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true")
    options.add_argument(
        "--executor", type=Path, help="counts cycles of the proved program; else they stay as they are"
    )
    chosen = options.parse_args()
    found: dict[str, dict[str, dict[str, float]]] = {"signed": {}, "proven": {}, "compared": {}}
    for kind in KINDS:
        print(f"{kind} …", flush=True)
        found["signed"][kind] = asdict(signed_price(kind))
        found["proven"][kind] = asdict(proven_price(kind))
        found["compared"][kind] = compared(kind)
    text = HEAD + f"commitment_vb = {commitment_vb()}\n"
    for section, kinds in found.items():
        for kind, values in kinds.items():
            text += f"\n[{section}.{kind}]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())
    for kind in CONTRACT_KINDS:
        cost = contract_cost(kind)
        text += f"\n[contract.{kind}]\nevm_gas = {cost.evm_gas}\ndata_gas = {cost.data_gas}\n"
        text += f"body_bytes = {cost.body_bytes}\n"
    text += "\n[dispute]\n" + "".join(f"{name} = {value}\n" for name, value in dispute_price().items())
    text += "\n[verifier]\n" + "".join(f"{name} = {value}\n" for name, value in verifier_costs().items())
    for section, rows in script_price().items():
        text += f"\n[{section}]\n" + "".join(f"{name} = {row}\n" for name, row in rows.items())
    kept = tomllib.loads(COSTS.read_text()).get("guest", {})
    cycles = proved_costs(chosen.executor) if chosen.executor else kept
    text += "\n[guest]\n" + "".join(f"{name} = {value}\n" for name, value in cycles.items())
    text += "\n[witness]\n" + "".join(f"{name} = {value}\n" for name, value in asdict(hour_witness()).items())
    print(text)
    if chosen.check:
        same = tomllib.loads(text) == tomllib.loads(COSTS.read_text())
        print("as committed" if same else "not as committed")
        return 0 if same else 1
    COSTS.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
