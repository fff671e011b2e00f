"""Compare the core with other Ethereum engines on random blocks, and say what came out.

A case is its seed and number: `--seed`, `--first` and `--cases` name a run completely. `make peers` builds the peers.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.framework import evm_case  # noqa: E402
from tests.framework.evm_peer import Engines, commands, differences, run, shrink  # noqa: E402


def explain(engines: Engines, seed: int, number: int) -> None:
    """Print the smallest case that the engines still disagree upon, and their answers."""
    case = shrink(engines, evm_case.make(seed, number))
    print(json.dumps(case))
    for field, said in differences(engines.judge(case)).items():
        print(f"{field}: {json.dumps(said)}")


def main() -> None:
    """Run, and print what became of the transactions."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cases", type=int, default=4_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--peers", default="spec,ethrex", help="which, by comma")
    options.add_argument("--explain", type=int, help="shrink the case with this number instead")
    chosen = options.parse_args()
    begun = time.monotonic()
    print(f"seed {chosen.seed}, cases {chosen.first} to {chosen.first + chosen.cases - 1}", flush=True)

    def progress(done: int, counts: dict[str, int], found: list[tuple[int, dict[str, object]]]) -> None:
        if done % 100 == 0:
            shown = ", ".join(f"{name} {count:,}" for name, count in counts.items())
            print(f"{done:>8,} after {time.monotonic() - begun:,.0f} s: {shown}", flush=True)
        if found and found[-1][0] == chosen.first + done - 1:
            print(f"DISAGREEMENT in case {found[-1][0]}: {json.dumps(differences(found[-1][1]))}", flush=True)

    with Engines(commands(chosen.peers.split(","))) as engines:
        if chosen.explain is not None:
            explain(engines, chosen.seed, chosen.explain)
            return
        numbers = range(chosen.first, chosen.first + chosen.cases)
        counts, found, digest = run(engines, chosen.seed, numbers, progress)
    total = sum(counts.values())
    shown = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    print(f"{chosen.cases:,} cases, {total:,} transactions: {shown}; {len(found)} disagreements; verdicts {digest}")
    sys.exit(bool(found))


if __name__ == "__main__":
    os.environ.setdefault("PROFILE", "quick")
    main()
