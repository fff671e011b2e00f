"""Build the verifier for the machine into src/bedroll/riscv/verifier.elf; `--check` only compares.

One toolchain and one set of sources give one file, wherever they lie: the names of folders are taken out of it, and the
lock and the profile are the program's own. Without the toolchain's part for the target `--check` says so and passes.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PROGRAM: Final = ROOT / "src/bedroll/riscv/verifier.elf"
TARGET: Final = "riscv32im-unknown-none-elf"


def is_installed(source: Path) -> bool:
    """Whether the toolchain that the sources name can build for the machine."""
    asked = ["rustc", "--print", "target-libdir", "--target", TARGET]
    found = subprocess.run(asked, cwd=source, capture_output=True, text=True, check=False)
    return found.returncode == 0 and any(Path(found.stdout.strip()).glob("libcore-*.rlib"))


def flags(source: Path, home: Path) -> list[str]:
    """What rustc is told: where memory lies, and to forget where the sources lay."""
    return [
        "-Clink-arg=-Tlink.ld",
        "-Clink-arg=--no-relax",
        "-Clink-arg=--build-id=none",
        "-Cstrip=debuginfo",
        f"--remap-path-prefix={source}=verifier",
        f"--remap-path-prefix={home}=cargo",
    ]


def build(root: Path) -> bytes:
    """Bytes of the program built from the sources below `root`."""
    source = root / "crates/guest/verifier"
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    with tempfile.TemporaryDirectory() as folder:
        # What a person or a machine sets for other builds must not reach this one.
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("CARGO_PROFILE", "RUSTFLAGS"))
        }
        environment = kept | {
            "CARGO_TARGET_DIR": folder,
            "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags(source, home)),
            "CARGO_INCREMENTAL": "0",
        }
        asked = ["cargo", "build", "--locked", "--release", "--target", TARGET, "--features", "program"]
        subprocess.run([*asked, "--bin", "verifier", "--quiet"], cwd=source, env=environment, check=True)
        return (Path(folder) / TARGET / "release/verifier").read_bytes()


def main() -> int:
    """Build and write, or build and compare."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true")
    chosen = options.parse_args()
    if not is_installed(ROOT / "crates/guest/verifier"):
        print(f"not built: the toolchain has no {TARGET} (rustup target add {TARGET})")
        return 0 if chosen.check else 1
    made = build(ROOT)
    print(f"{len(made)} bytes, SHA-256 {hashlib.sha256(made).hexdigest()}")
    if chosen.check:
        same = PROGRAM.exists() and made == PROGRAM.read_bytes()
        print("as committed" if same else "not as committed")
        return 0 if same else 1
    PROGRAM.write_bytes(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
