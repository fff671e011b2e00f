"""Files of a settlement run are numbered as the program verifies them, and never hold another run's proof."""

import json

import pytest
from click.testing import CliRunner

from bedroll.cli.prover_settlement import _read_step, _write, read_given
from bedroll.cli.prover_submit import proof_object
from bedroll.cli.root import main
from bedroll.da import Proof, ProofSystem, StatementKind
from bedroll.light import SettlementStep
from bedroll.node.settler import SettlementRun, Verdict
from bedroll.primitives import Invalid, Misconfigured

POSTED = Proof(
    statement=StatementKind.BATCH, system=ProofSystem.COMPRESSED, public_values=bytes(387), proof=b"posted" * 100
)


def run_of(*verified, mark=b"one"):
    step = SettlementStep(statement=b"\x81" + bytes(361), state=b"state " + mark, input=b"input " + mark)
    return SettlementRun(first=1, last=9, step=step, verified=verified)


def verdict(name):
    return Verdict(given=b"given " + name, stated=b"stated " + name)


def test_what_is_given_is_numbered_in_the_programs_order(tmp_path):
    missing = _write(tmp_path / "run", run_of(verdict(b"a"), POSTED, verdict(b"b")), None)
    folder = tmp_path / "run"
    assert missing == [folder / "given-0000.input", folder / "given-0002.input"]
    assert (folder / "given-0001.proof").read_bytes() == POSTED.proof
    assert (folder / "given-0002.values").read_bytes() == b"stated b"
    assert _read_step(folder).state == b"state one"


def test_the_run_before_is_verified_first(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    _write(before, run_of(), None)
    assert _write(after, run_of(verdict(b"a")), before) == [before / "settlement.input", after / "given-0001.input"]
    (before / "settlement.proof").write_bytes(b"proved")
    assert _write(after, run_of(verdict(b"a")), before) == [after / "given-0001.input"]
    assert (after / "given-0000.proof").read_bytes() == b"proved"


def test_a_proof_is_kept_for_its_own_input_alone(tmp_path):
    _write(tmp_path, run_of(verdict(b"a")), None)
    (tmp_path / "given-0000.proof").write_bytes(b"proof of a")
    assert _write(tmp_path, run_of(verdict(b"a")), None) == []
    assert _write(tmp_path, run_of(verdict(b"b")), None) == [tmp_path / "given-0000.input"]
    assert not (tmp_path / "given-0000.proof").exists()


def test_proofs_are_read_in_their_order_and_none_may_be_missing(tmp_path):
    _write(tmp_path, run_of(verdict(b"a"), POSTED), None)
    with pytest.raises(Misconfigured) as caught:
        read_given(tmp_path)
    assert caught.value.value == tmp_path / "given-0000.proof"
    (tmp_path / "given-0000.proof").write_bytes(b"proof of a")
    assert read_given(tmp_path) == [b"proof of a", POSTED.proof]
    assert read_given(tmp_path.parent) == []


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(Misconfigured, match="no run to go on from"):
        _read_step(tmp_path)


@pytest.mark.parametrize(
    ("values", "proof", "kind", "system"),
    [
        (387, 356, StatementKind.BATCH, ProofSystem.GROTH16),
        (387, 5_000, StatementKind.BATCH, ProofSystem.COMPRESSED),
        (362, 356, StatementKind.SETTLEMENT, ProofSystem.GROTH16),
    ],
)
def test_a_proofs_kind_is_that_of_its_values(values, proof, kind, system):
    made = proof_object(bytes(values), bytes(proof))
    assert (made.statement, made.system) == (kind, system)


@pytest.mark.parametrize(("values", "proof"), [(128, 356), (387, (2 << 20) + 1)])
def test_what_is_no_statement_or_no_proof_is_given_to_nobody(values, proof):
    with pytest.raises(Invalid):
        proof_object(bytes(values), bytes(proof))


def submitted(folder, *words):
    file = folder / "a.proof"
    file.write_bytes(bytes(356))
    result = CliRunner().invoke(main, ["prover", "submit", str(file), "--json", *words], catch_exceptions=False)
    return result.exit_code, json.loads(result.stdout.splitlines()[-1])["error"]


def test_a_proof_without_values_is_not_submitted(tmp_path):
    code, error = submitted(tmp_path)
    assert (code, error["option"]) == (2, "--values")


def test_a_node_that_is_not_there_is_said_not_to_answer(tmp_path):
    (tmp_path / "a.values").write_bytes(bytes(387))
    code, error = submitted(tmp_path, "--rpc", "http://127.0.0.1:1")
    assert (code, error["kind"]) == (3, "Unavailable")
