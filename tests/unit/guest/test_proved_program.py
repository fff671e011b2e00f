"""The proved programs are their sources' alone: no folder of a machine is in them, and another one builds the same."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from scripts.guest_proved import CACHE, PROGRAMS, ROOT, build, committed, sysroot

HOST_FOLDERS = (f"{ROOT}/", f"{Path.home()}/", "/home/", "/Users/", "/tmp/", "/.cargo/", "/registry/src/")
SOURCES = ("crates", "rust-toolchain.toml", "Cargo.toml", "Cargo.lock")


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_folder_of_a_machine_is_in_a_program(name):
    content = committed(name).read_bytes()
    assert [folder for folder in HOST_FOLDERS if folder.encode() in content] == []


def copied(folder):
    """The sources as they are here, in another folder."""
    listed = subprocess.run(["git", "ls-files", "-z", *SOURCES], cwd=ROOT, capture_output=True, check=True).stdout
    for name in listed.decode().split("\0")[:-1]:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_another_folder_and_another_home_build_the_same_program(tmp_path, monkeypatch):
    if not (sysroot(ROOT) / "lib/rustlib/src/rust/library/Cargo.lock").exists():
        pytest.skip("the toolchain lacks its sources: rustup component add rust-src")
    here = build(ROOT, CACHE / "guest")
    home = tmp_path / "cargo"
    home.mkdir()
    for entry in Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")).iterdir():
        (home / entry.name).symlink_to(entry)
    monkeypatch.setenv("CARGO_HOME", str(home))
    assert build(copied(tmp_path / "sources"), tmp_path / "target") == here
