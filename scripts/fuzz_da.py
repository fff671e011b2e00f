"""Compare the core with the plain parsers on mutations of data on Bitcoin, and say what came out.

A mutation is its number: `--first` and `--mutations` name a run completely.
"""

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.reference.da_fuzz import SHARES, run  # noqa: E402


def main() -> None:
    """Run, and print judged and valid inputs by kind."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mutations", type=int, default=20_000)
    options.add_argument("--first", type=int, default=0)
    chosen = options.parse_args()
    begun = time.monotonic()

    def progress(done: int, judged: dict[str, int], valid: dict[str, int]) -> None:
        shown = ", ".join(f"{kind} {valid[kind]}/{judged[kind]}" for kind in SHARES)
        print(f"{done:>9,} after {time.monotonic() - begun:,.0f} s: {shown}", flush=True)

    judged, valid, digest = run(chosen.first, chosen.mutations, progress)
    for kind in SHARES:
        print(f"{kind:>9}: {judged[kind]:>8,} judged alike, {valid[kind]:>8,} of them valid")
    print(f"mutations {chosen.first} to {chosen.first + chosen.mutations - 1}: no disagreement; verdicts {digest}")


if __name__ == "__main__":
    main()
