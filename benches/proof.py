"""What judging a validity proof costs: the stored real ones, as a node judges them, one core, CPU time.

python benches/proof.py [--repeat 50]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bedroll.crypto.proof import is_compressed_valid, is_groth16_valid

STORED = Path(__file__).resolve().parents[1] / "tests/vectors/proofs"
TARGET_MS = {"compressed": 60, "Groth16": 5}


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
    for name, system, judge in rows:
        took = milliseconds(judge, repeat)
        quick, median, slow = min(took), statistics.median(took), max(took)
        print(f"{name:<10} {system:<10} {median:6.2f} ms ({quick:.2f} to {slow:.2f}); target {TARGET_MS[system]} ms")


if __name__ == "__main__":
    main()
