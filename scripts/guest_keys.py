"""Write the verification keys of the programs in crates/guest/elf beside the node's verifier.

Keys follow from the programs alone. The prover's worker computes them (`make prover` builds it); each change of a
program needs new ones.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
KEYS: Final = ROOT / "src/bedroll/node/program_key"
PROGRAMS: Final = ("batch", "settlement")


def main() -> int:
    """Ask the worker and write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--worker", type=Path, required=True, help="bedroll-prover-core")
    worker = options.parse_args().worker
    files = {name: ROOT / f"crates/guest/elf/{name}.elf" for name in PROGRAMS}
    asked = "".join(json.dumps({"do": "key", "program": str(file)}) + "\n" for file in files.values())
    ran = subprocess.run([worker], input=asked, capture_output=True, text=True, check=True)
    KEYS.mkdir(exist_ok=True)
    names = {}
    for (name, file), line in zip(files.items(), ran.stdout.splitlines(), strict=True):
        key = json.loads(line)["key"]
        if key["elf"] != hashlib.sha256(file.read_bytes()).hexdigest():
            print(f"the worker read another {name}.elf")
            return 1
        (KEYS / f"{name}.key").write_bytes(bytes.fromhex(key.pop("key")))
        names[name] = key
        print(f"{name}: {key['program']}")
    (KEYS / "names.json").write_text(json.dumps(names, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
