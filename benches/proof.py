"""What judging a validity proof costs: stored real ones, as a node and a light client judge them; CPU time, a core."""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bedroll.crypto.proof import is_compressed_valid, is_groth16_valid  # noqa: E402
from bedroll.light import view_of_proof  # noqa: E402
from tests.framework.settled_file import StoredVerifier, stored_file  # noqa: E402

STORED = ROOT / "tests/vectors/proofs"
TARGET_MS = {"compressed": 60, "Groth16": 5, "light file": 1_000}


def milliseconds(judge: Callable[[], bool], repeat: int) -> list[float]:
    """CPU time of each of some judgements; all must be a yes."""
    took = []
    for _ in range(repeat):
        begun = time.process_time()
        assert judge()
        took.append((time.process_time() - begun) * 1e3)
    return took


def main() -> None:
    """Judge each stored proof and print the times."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repeat", type=int, default=50)
    repeat = options.parse_args().repeat
    rows: list[tuple[str, str, Callable[[], bool]]] = []
    for name in ("batch", "settlement"):
        key, values, proof = ((STORED / f"{name}.{end}").read_bytes() for end in ("key", "values", "proof"))
        rows.append((name, "compressed", partial(is_compressed_valid, key, values, proof)))
    wrapped = json.loads((STORED / "batch.json").read_text())
    circuit, short = bytes.fromhex(wrapped["key"]), bytes.fromhex(wrapped["proof"])
    key, values = ((STORED / f"batch.{end}").read_bytes() for end in ("key", "values"))
    rows.append(("batch", "Groth16", partial(is_groth16_valid, key, circuit, values, short)))
    verifier = StoredVerifier()
    file, genesis = stored_file(verifier)
    rows.append(("settlement", "light file", lambda: view_of_proof(file.encode(), genesis, verifier).block.number == 0))
    for name, system, judge in rows:
        took = milliseconds(judge, repeat)
        quick, median, slow = min(took), statistics.median(took), max(took)
        print(f"{name:<10} {system:<10} {median:6.2f} ms ({quick:.2f} to {slow:.2f}); target {TARGET_MS[system]} ms")


if __name__ == "__main__":
    main()
