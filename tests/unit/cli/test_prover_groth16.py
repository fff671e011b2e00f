"""`bedroll prover setup-local` warns and asks before it works; `groth16` says what keys it lacks."""

import json

import pytest
from click.testing import CliRunner

from bedroll.cli.root import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return lambda *words: CliRunner().invoke(main, ["--json", "prover", *map(str, words)])


def test_setup_says_that_it_is_unsafe_and_what_it_takes_and_asks(run, tmp_path):
    done = run("setup-local", "--folder", tmp_path / "keys")
    assert done.exit_code == 2
    assert "UNSAFE" in done.stderr
    stages, refused = map(json.loads, done.stdout.splitlines())
    assert [row["stage"] for row in stages["stages"]] == ["describe", "compile", "setup", "check"]
    assert all("GiB" in row["memory"] and "GiB" in row["disk"] and "min" in row["time"] for row in stages["stages"])
    assert refused["error"]["option"] == "--yes"
    assert not (tmp_path / "keys").exists()


def test_a_proof_needs_finished_local_keys(run, tmp_path):
    wrapped = tmp_path / "wrapped.proof"
    wrapped.write_bytes(b"")
    done = run("groth16", wrapped, "--local")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]["stages"].split() == ["describe", "compile", "setup", "check"]


def test_a_proof_under_the_ceremonys_keys_needs_them(run, tmp_path):
    wrapped = tmp_path / "wrapped.proof"
    wrapped.write_bytes(b"")
    for words in ((), ("--keys", tmp_path, "--sha256", "00" * 32)):
        done = run("groth16", wrapped, *words)
        assert done.exit_code == 2
        assert "https://" in json.loads(done.stdout)["error"]["allowed"]
