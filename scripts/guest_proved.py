"""Build the programs for the proof system into crates/guest/elf; `--check` only compares.

The stock toolchain builds it, with the standard library from its own sources (component rust-src), for the machine
that the proof system proves. One toolchain, one lock and one set of sources give one file, wherever they lie:
`guest_rustc.py` keeps the names of folders out of it.
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
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "bedroll"
PROGRAMS: Final = ("batch", "settlement")
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


def committed(name: str) -> Path:
    """Where a program lies in the repository."""
    return ROOT / f"crates/guest/elf/{name}.elf"


def build(
    root: Path, folder: Path, name: str = "batch", extra: Sequence[str] = (), sources: Path | None = None
) -> bytes:
    """Bytes of a program.

    Args:
        root: The checkout.
        folder: For intermediate files.
        name: Of the program.
        extra: For cargo.
        sources: Where other sources of the same shape lie: what both have in common is not built twice.
    """
    source = (sources or root) / "crates/guest/proved"
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    remaps = [(root, "bedroll"), (home, "cargo"), (sysroot(source), "rust"), (folder, "target")]
    flags = [*FLAGS, *(f"--remap-path-prefix={place}={name}" for place, name in remaps)]
    # What a person or a machine sets for other builds must not reach this one.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CARGO_PROFILE", "RUSTFLAGS"))}
    environment = kept | {
        "CARGO_TARGET_DIR": str(folder),
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
        "CARGO_INCREMENTAL": "0",
        "RUSTC_WRAPPER": str(ROOT / "scripts/guest_rustc.py"),
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
        str(root / f"crates/guest/{TARGET}.json"),
        "--bin",
        name,
        *(["--features", name] if name != "batch" else []),
    ]
    parts = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=compiler-builtins-mem"]
    subprocess.run([*asked, *parts, *extra], cwd=source, env=environment, check=True)
    return (folder / TARGET / "release" / name).read_bytes()


def main() -> int:
    """Build and write, or build and compare."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true")
    options.add_argument("--folder", type=Path, default=CACHE / "guest", help="for intermediate files")
    chosen = options.parse_args()
    if not (sysroot(ROOT) / "lib/rustlib/src/rust/library/Cargo.lock").exists():
        print("not built: the toolchain lacks its sources (rustup component add rust-src)")
        return 0 if chosen.check else 1
    differ = False
    for name in PROGRAMS:
        made = build(ROOT, chosen.folder.resolve(), name)
        file = committed(name)
        print(f"{name}: {len(made)} bytes, SHA-256 {hashlib.sha256(made).hexdigest()}")
        if not chosen.check:
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(made)
        elif not file.exists() or made != file.read_bytes():
            print("not as committed: run make guest")
            differ = True
    return int(differ)


if __name__ == "__main__":
    sys.exit(main())
