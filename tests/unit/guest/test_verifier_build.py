"""The committed verifier is what its sources give: in any folder, on any machine with the toolchain."""

import shutil
import subprocess
import sys

import pytest
from scripts import guest_arithmetic, guest_constants, guest_verifier

from bedroll.riscv import verifier

needs_target = pytest.mark.skipif(
    not guest_verifier.is_installed(guest_verifier.ROOT / "crates/guest/verifier"),
    reason=f"rustup target add {guest_verifier.TARGET}",
)


def test_the_written_sources_are_what_their_scripts_write():
    assert guest_arithmetic.TARGET.read_text() == "\n".join(guest_arithmetic.text()) + "\n"
    assert guest_constants.TARGET.read_text() == guest_constants.text()


@needs_target
def test_the_sources_give_the_committed_program():
    assert guest_verifier.build(guest_verifier.ROOT) == verifier.blank()


@needs_target
@pytest.mark.slow
def test_the_folder_does_not_matter(tmp_path):
    deep = tmp_path / "another folder" / "deep"
    for part in ("crates/guest/verifier", "rust-toolchain.toml", "scripts/guest_verifier.py"):
        source, target = guest_verifier.ROOT / part, deep / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("target"))
        else:
            shutil.copy(source, target)
    made = deep / "src/bedroll/riscv/verifier.elf"
    made.parent.mkdir(parents=True)
    subprocess.run([sys.executable, deep / "scripts/guest_verifier.py"], cwd=deep, check=True)
    assert made.read_bytes() == verifier.blank()
