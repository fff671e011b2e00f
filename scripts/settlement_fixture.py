"""The settlement proof in tests/vectors/proofs: its input, and its place among the vectors once it is proved.

    python scripts/settlement_fixture.py input settlement.input
    bedroll prover prove settlement.input --prover-program crates/guest/elf/settlement.elf --out settlement.proof
    python scripts/settlement_fixture.py keep settlement.proof

The first run of the settlement program over three L1 blocks without batches: it needs no proof of another run. The last
step verifies the proof and writes `settlement.proof`, `.values`, `.key` and `.json`, which the tests take.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bedroll.crypto.proof import is_compressed_valid  # noqa: E402
from bedroll.node.proof_verifier import Sp1Verifier  # noqa: E402
from bedroll.protocol import REGTEST  # noqa: E402
from tests.framework.settled_file import STORED_HEIGHT, StoredSettlement  # noqa: E402

VECTORS: Final = ROOT / "tests/vectors/proofs"
KEYS: Final = ROOT / "src/bedroll/node/program_key"


def main() -> int:
    """Write the input, or keep the proof."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("do", choices=("input", "keep"))
    options.add_argument("file", type=Path)
    given = options.parse_args()
    stored = StoredSettlement(Sp1Verifier.of_network(REGTEST))
    step = stored.run(STORED_HEIGHT)
    if given.do == "input":
        given.file.write_bytes(step.input)
        print(f"{given.file}: {len(step.input):,} bytes")
        return 0
    proof, key = given.file.read_bytes(), (KEYS / "settlement.key").read_bytes()
    if not is_compressed_valid(key, step.statement, proof):
        print("the proof does not show the statement under settlement.key: was the program changed meanwhile?")
        return 1
    named = json.loads((KEYS / "names.json").read_text())["settlement"]
    (VECTORS / "settlement.values").write_bytes(step.statement)
    (VECTORS / "settlement.json").write_text(json.dumps(named | {"block": stored.zero.header.hex()}, indent=1) + "\n")
    shutil.copyfile(KEYS / "settlement.key", VECTORS / "settlement.key")
    shutil.copyfile(given.file, VECTORS / "settlement.proof")
    print(f"kept {len(proof):,} bytes of proof in {VECTORS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
