"""Build the batch program for the proof system into crates/guest/elf/batch.elf; `--check` only compares.

The stock toolchain builds it, with the standard library from its own sources (component rust-src), for the machine that
the proof system proves. One toolchain, one lock and one set of sources give one file, wherever they lie.
"""

import argparse
import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PROGRAM: Final = ROOT / "crates/guest/elf/batch.elf"
TARGET: Final = "riscv64im-succinct-zkvm-elf"
# The machine's loader wants the image there, and its scheduler pays for long lives of registers.
FLAGS: Final = (
    "-Cpasses=lower-atomic",
    "-Clink-arg=--image-base=0x78000000",
    "-Clink-arg=--build-id=none",
    "-Cpanic=abort",
    '--cfg=getrandom_backend="custom"',
    "-Cllvm-args=-misched-prera-direction=bottomup",
    "-Cllvm-args=-misched-postra-direction=bottomup",
)


def sysroot(source: Path) -> Path:
    """Folder of the toolchain that the sources name."""
    asked = ["rustc", "--print", "sysroot"]
    return Path(subprocess.run(asked, cwd=source, capture_output=True, text=True, check=True).stdout.strip())


def build(root: Path, folder: Path, extra: Sequence[str] = ()) -> bytes:
    """Bytes of the program built from the sources below `root`, intermediate files in `folder`; `extra` for cargo."""
    source = root / "crates/guest/batch"
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    remaps = [(root, "bedroll"), (home, "cargo"), (sysroot(source), "rust"), (folder, "target")]
    flags = [*FLAGS, *(f"--remap-path-prefix={place}={name}" for place, name in remaps)]
    # What a person or a machine sets for other builds must not reach this one.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CARGO_PROFILE", "RUSTFLAGS"))}
    environment = kept | {
        "CARGO_TARGET_DIR": str(folder),
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
        "CARGO_INCREMENTAL": "0",
        # The stock compiler builds its own library only when told that this is meant.
        "RUSTC_BOOTSTRAP": "1",
    }
    asked = [
        "cargo",
        "build",
        "--locked",
        "--release",
        "--quiet",
        "-Zjson-target-spec",
        "--target",
        f"../{TARGET}.json",
    ]
    parts = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=compiler-builtins-mem"]
    subprocess.run([*asked, *parts, *extra], cwd=source, env=environment, check=True)
    return (folder / TARGET / "release/batch").read_bytes()


def main() -> int:
    """Build and write, or build and compare."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    options.add_argument("--folder", type=Path, default=cache / "bedroll/guest", help="for intermediate files")
    chosen = options.parse_args()
    if not (sysroot(ROOT) / "lib/rustlib/src/rust/library/Cargo.lock").exists():
        print("not built: the toolchain lacks its sources (rustup component add rust-src)")
        return 0 if chosen.check else 1
    made = build(ROOT, chosen.folder.resolve())
    print(f"{len(made)} bytes, SHA-256 {hashlib.sha256(made).hexdigest()}")
    if chosen.check:
        same = PROGRAM.exists() and made == PROGRAM.read_bytes()
        print("as committed" if same else "not as committed: run make guest")
        return 0 if same else 1
    PROGRAM.parent.mkdir(exist_ok=True)
    PROGRAM.write_bytes(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
