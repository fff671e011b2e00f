"""Build the Go driver of the pairing circuit, `bedroll-gnark`; `--test` runs its tests instead.

The circuit itself is the proof system's published Go module, taken from cargo's registry folder as it lies: a Go
workspace joins it with `crates/prover/gnark`. Its two calls into Rust, hints that the circuit checks, are laid over
with plain Go, so no C is involved.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DRIVER: Final = ROOT / "crates/prover/gnark"
MODULE: Final = "sp1-recursion-gnark-ffi"
GO: Final = "1.25.0"
# What stands in the module, what stands there instead, and how often it must.
PATCHES: Final = (
    ('/*\n#include "../../koalabear.h"\n*/\nimport "C"\n', "", 1),
    ("C.uint(", "uint64(", 5),
    ("C.koalabearinv(", "inverse(", 1),
    ("C.koalabearextinv(", "extensionInverse(", 4),
)


def module_folder() -> Path:
    """Go sources of the proof system's circuit, of the version that the lock names."""
    asked = ["cargo", "metadata", "--locked", "--format-version", "1"]
    found = subprocess.run(asked, cwd=ROOT / "crates/prover", capture_output=True, text=True, check=True).stdout
    packages = [package for package in json.loads(found)["packages"] if package["name"] == MODULE]
    if len(packages) != 1:
        raise SystemExit(f"crates/prover has {len(packages)} packages named {MODULE}; 1 is expected")
    return Path(packages[0]["manifest_path"]).parent / "go"


def patched(text: str) -> str:
    """The module's field arithmetic without its calls into C.

    Raises:
        SystemExit: The module is not the one that the patches were written for.
    """
    for before, after, count in PATCHES:
        if text.count(before) != count:
            raise SystemExit(f"{MODULE} has {before!r} {text.count(before)} times; {count} are expected")
        text = text.replace(before, after)
    return text


def prepare(folder: Path, module: Path) -> tuple[dict[str, str], list[str]]:
    """Environment and flags under which the go command sees driver and circuit as one."""
    folder.mkdir(parents=True, exist_ok=True)
    field = module / "sp1/koalabear/koalabear.go"
    (folder / "koalabear.go").write_text(patched(field.read_text()))
    over = {
        str(field): str(folder / "koalabear.go"),
        str(field.with_name("inverse.go")): str(DRIVER / "koalabear/inverse.go"),
    }
    (folder / "overlay.json").write_text(json.dumps({"Replace": over}))
    (folder / "go.work").write_text(f"go {GO}\n\nuse (\n\t{DRIVER}\n\t{module}\n)\n")
    environment = os.environ | {"GOWORK": str(folder / "go.work"), "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
    return environment, ["-overlay", str(folder / "overlay.json"), "-trimpath", "-buildvcs=false"]


def main() -> int:
    """Build or test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="for the program and intermediate files")
    parser.add_argument("--test", action="store_true", help="vet the driver and run its tests")
    given = parser.parse_args()
    environment, flags = prepare(given.folder.resolve(), module_folder())
    if given.test:
        steps = [["go", "vet", *flags[:2], "./..."], ["go", "test", *flags, "./..."]]
    else:
        steps = [["go", "build", *flags, "-o", str(given.folder.resolve() / "bedroll-gnark"), "."]]
    for step in steps:
        code = subprocess.run(step, cwd=DRIVER, env=environment, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
