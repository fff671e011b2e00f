"""`bedroll prover prove` as a person uses it, with the tests' worker: files, advice, the form that Groth16 wants."""

import json

import pytest
from click.testing import CliRunner

from bedroll.cli.root import main
from tests.unit.prover.conftest import PROGRAM, given


@pytest.fixture
def prove(tmp_path, worker):
    (tmp_path / "program.elf").write_bytes(PROGRAM)
    (tmp_path / "one.bin").write_bytes(given())

    def run(*options):
        asked = [
            "prover",
            "prove",
            str(tmp_path / "one.bin"),
            "--network",
            "regtest",
            "--folder",
            str(tmp_path / "net"),
        ]
        asked += ["--prover-worker", str(worker), "--prover-program", str(tmp_path / "program.elf"), *options]
        return CliRunner().invoke(main, asked)

    return run


def test_a_proof_lies_beside_its_values_and_names(prove, tmp_path):
    done = prove("--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["proof"] == str(tmp_path / "one.proof")
    assert [(tmp_path / f"one.{end}").exists() for end in ("proof", "values", "json", "wrapped")] == [True] * 3 + [
        False
    ]


def test_a_wrapped_proof_is_of_the_last_one_and_the_next_command_is_told(prove, tmp_path):
    done = prove("--wrap")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "one.wrapped").read_bytes() == b"wrapped" + (tmp_path / "one.proof").read_bytes()
    assert "bedroll prover groth16" in done.output


def test_the_same_command_again_does_nothing_twice_and_gives_the_files_anew(prove, tmp_path):
    assert prove().exit_code == 0
    (tmp_path / "one.proof").unlink()
    assert prove().exit_code == 0
    assert (tmp_path / "one.proof").exists()
    (made,) = (tmp_path / "net").glob("prover/jobs/*/made")
    assert len({line.split()[0] for line in made.read_text().splitlines()}) == len(made.read_text().splitlines())
