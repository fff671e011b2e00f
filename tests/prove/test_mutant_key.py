"""Proofs are judged by the program's key: that of a program with one opcode flipped (P-04) is another one."""

import json
import subprocess
from pathlib import Path

import pytest

from bedroll.da import Proof, ProofSystem, StatementKind
from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.protocol import REGTEST
from bedroll.prover.core import find_worker
from tests.framework.mutant_program import mutant_program

pytestmark = pytest.mark.prove
FOLDER = Path(__file__).parents[1] / "vectors/proofs"
KEY, VALUES, PROOF = ((FOLDER / f"batch.{end}").read_bytes() for end in ("key", "values", "proof"))


@pytest.mark.timeout(900)
def test_no_proof_goes_from_the_program_to_its_mutant_or_back(tmp_path):
    file = tmp_path / "mutant.elf"
    file.write_bytes(mutant_program())
    asked = json.dumps({"do": "key", "program": str(file)}) + "\n"
    said = subprocess.run([find_worker(None)], input=asked, capture_output=True, text=True, check=True).stdout
    mutant = Sp1Verifier({StatementKind.BATCH: bytes.fromhex(json.loads(said)["key"]["key"])})
    shown = Proof(statement=StatementKind.BATCH, system=ProofSystem.COMPRESSED, public_values=VALUES, proof=PROOF)
    assert Sp1Verifier({StatementKind.BATCH: KEY}).is_valid(shown)
    assert not mutant.is_valid(shown)
    pinned = Sp1Verifier.of_network(REGTEST).program_digest(StatementKind.BATCH)
    assert mutant.program_digest(StatementKind.BATCH) != pinned
