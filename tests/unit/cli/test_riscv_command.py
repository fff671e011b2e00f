"""`bedroll riscv`: what run, trace and profile say, in JSON and in words, and how bad files are refused."""

import hashlib
import json

import pytest
from click.testing import CliRunner

from bedroll.cli import main
from bedroll.riscv.verifier import PROOF_BYTES, blank
from tests.framework.assembler import INPUT, assemble, layout
from tests.framework.groth16 import sp1, sp1_files

SQUARE = f"""
    li s0, {INPUT}
    lw t0, 0(s0)
    mul t1, t0, t0
    addi t2, zero, 49
    sub t1, t1, t2
    sltiu a0, t1, 1
    li a7, 93
    ecall
"""


@pytest.fixture
def riscv(tmp_path):
    """Run a command on a program that says whether the square of its input is 49."""
    file, given = tmp_path / "square.elf", tmp_path / "input"
    file.write_bytes(layout(assemble(SQUARE), input_bytes=4))
    given.write_bytes((7).to_bytes(4, "little"))

    def run(name, *arguments, code=0, words=False, program=file, source=given):
        options = [] if words else ["--json"]
        line = [*options, "riscv", name, str(program), "--input", str(source), *arguments]
        done = CliRunner().invoke(main, line, catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.output if words or code else json.loads(done.stdout)

    return run


def test_run_says_how_a_program_ends(riscv):
    found = riscv("run")
    assert (found["outcome"], found["step"], found["result"]) == ("halted", 10, 1)
    assert riscv("run", "--limit", "3")["outcome"] == "running"


def test_a_trap_is_a_result(riscv, tmp_path):
    file = tmp_path / "trap.elf"
    file.write_bytes(layout(assemble("lw t0, 4(zero)"), input_bytes=4))
    found = riscv("run", program=file)
    assert (found["outcome"], found["reason"], found["value"]) == ("trapped", "load address", "0x4")
    traced = riscv("trace", "--exponent", "4", program=file)
    assert (traced["accepted"], traced["last_step"], traced["rows"]) == (False, 0, [])


def test_trace_shows_rows_and_the_claim(riscv):
    found = riscv("trace", "--exponent", "4", "--step", "4", "--count", "3")
    assert (found["accepted"], found["last_step"], len(found["hash"])) == (True, 16, 40)
    assert [row["step"] for row in found["rows"]] == [4, 5, 6]
    assert found["rows"][0]["write"]["value"] == 49
    words = riscv("trace", "--exponent", "4", "--step", "4", words=True)
    assert "t1 = 0x31" in words
    assert "mul" in words


def test_profile_counts_instructions(riscv):
    found = riscv("profile")
    assert found["instructions"]["mul"] == 1
    assert sum(found["instructions"].values()) == 9
    assert "mul" in riscv("profile", words=True)


def test_what_is_no_program_is_refused_with_the_rule(riscv, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(bytes(100))
    assert "not an ELF file" in riscv("run", program=other, code=1)
    assert "another length" in riscv("run", source=other, code=1)
    assert "not hexadecimal" in riscv("trace", "--instance", "zz", code=1)
    assert "no such step" in riscv("trace", "--exponent", "4", "--step", "17", code=1)


def test_profile_of_the_verifier_draws_its_calls(riscv, tmp_path):
    file, proof = tmp_path / "verifier.elf", tmp_path / "proof"
    file.write_bytes(blank())
    proof.write_bytes(bytes(PROOF_BYTES))
    found = riscv("profile", program=file, source=proof)
    assert found["same_for_every_input"] is True
    assert (found["calls"]["name"], found["calls"]["steps"]) == ("_start", found["step"] - 1)
    words = riscv("profile", words=True, program=file, source=proof)
    tree = words[words.index("\ncalls\n") :]
    for name in ("_start", "main", "Pairs<F>::miller", "pairing::final_power", "bedroll_cross"):
        assert name in tree
    assert "████████████████" in tree


def test_a_program_that_reads_its_input_to_branch_is_not_the_same_for_every_input(riscv, tmp_path):
    file = tmp_path / "branch.elf"
    text = f"li s0, {INPUT}\nlw t0, 0(s0)\nbeq t0, zero, end\nend:\nli a7, 93\necall"
    file.write_bytes(layout(assemble(text), input_bytes=4))
    assert riscv("profile", program=file)["same_for_every_input"] is False


def make_instance(tmp_path, key, proof, *options):
    for name, raw in (("key", key), ("proof", proof)):
        (tmp_path / name).write_bytes(raw)
    line = ["--json", "riscv", "instance", str(tmp_path / "key"), str(tmp_path / "proof"), *options]
    return CliRunner().invoke(main, [*line, "--folder", str(tmp_path / "made")], catch_exceptions=False)


def test_a_published_proof_becomes_a_program_that_says_yes(tmp_path):
    files = sp1_files()["6.0.0"]
    (tmp_path / "values").write_bytes(files["public_values"])
    options = ["--program-key", "0x" + files["program_key"].hex(), "--public-values", str(tmp_path / "values")]
    done = make_instance(tmp_path, files["key"], files["proof"], *options)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["outcome"], found["result"]) == ("halted", 1)
    assert found["inputs"] == [str(number) for number in sp1().inputs]
    assert (tmp_path / "made/proof.bin").read_bytes() == sp1().proof
    assert hashlib.sha256((tmp_path / "made/verifier.elf").read_bytes()).hexdigest() == found["program"]
    other = [f"--input={number}" for number in sp1().inputs[:-1]] + ["--input=1"]
    done = make_instance(tmp_path, files["key"], files["proof"][100:], *other)
    assert (json.loads(done.stdout)["outcome"], json.loads(done.stdout)["result"]) == ("halted", 0)


@pytest.mark.parametrize(("options", "code", "text"), [
    (["--input", "x"], 1, "no decimal number"), (["--input", "1"], 1, "another number of public inputs"),
    (["--program-key", "00"], 2, "two kinds of statement"),
])  # fmt: skip
def test_a_statement_that_does_not_fit_is_refused(tmp_path, options, code, text):
    files = sp1_files()["6.0.0"]
    done = make_instance(tmp_path, files["key"], files["proof"][100:], *options)
    assert done.exit_code == code, done.output
    assert text in done.output
    assert not (tmp_path / "made").exists()
