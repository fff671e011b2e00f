"""A real proof of the batch program, inscribed: a node that reads Bitcoin alone takes the batch without a signature.

The proof, compressed and as Groth16, lies in tests/vectors/proofs under the key of the program that was proved; `make
prove` makes one anew.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bedroll.da import Proof, ProofSystem, StatementKind, split
from bedroll.derivation.verdict import Accepted
from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.protocol import REGTEST
from tests.framework.proof_batch import proof_batch
from tests.framework.site import Site
from tests.unit.derivation.test_engine_chain import last_verdict

FOLDER = Path(__file__).parents[2] / "vectors/proofs"
KEY, VALUES, COMPRESSED = ((FOLDER / f"batch.{end}").read_bytes() for end in ("key", "values", "proof"))
WRAPPED = {name: bytes.fromhex(text) for name, text in json.loads((FOLDER / "batch.json").read_text()).items()}
FEE = REGTEST.parameters.proof_fee


def shown(system, proof):
    return Proof(statement=StatementKind.BATCH, system=system, public_values=VALUES, proof=proof)


TRUE = shown(ProofSystem.COMPRESSED, COMPRESSED)
SHORT = shown(ProofSystem.GROTH16, WRAPPED["proof"])


@pytest.fixture
def posted(tmp_path):
    verifier = Sp1Verifier({StatementKind.BATCH: KEY}, WRAPPED["key"])
    with proof_batch(tmp_path, verifier) as made:
        yield made


def test_the_stored_proof_is_of_this_batch(posted):
    assert posted.stated == VALUES


@pytest.mark.parametrize("proof", [TRUE, SHORT], ids=["compressed", "groth16"])
def test_a_node_that_never_saw_a_signature_takes_the_batch(posted, tmp_path, proof):
    posted.leader.post(*(split(proof.encode()) if proof is TRUE else [proof]), fee=FEE)
    other = Site(tmp_path / "other", posted.leader.genesis, posted.leader.chain, verifier=posted.leader.verifier)
    other.follow()
    assert isinstance(last_verdict(other), Accepted)
    assert other.pipeline.safe.height == other.engine.tip().number == posted.leader.engine.tip().number
    mine, theirs = posted.leader.blocks()[-1], other.blocks()[-1]
    assert mine.header.rlp == theirs.header.rlp
    assert len(theirs.own_signatures()) == 9
    assert set(theirs.own_signatures()) == {None}
    other.close()


@pytest.mark.parametrize("place", [0, len(COMPRESSED) // 2, len(COMPRESSED) - 1])
def test_a_proof_with_one_bit_changed_moves_nothing(posted, place):
    changed = bytearray(COMPRESSED)
    changed[place] ^= 1
    before = posted.leader.pipeline.safe
    posted.leader.post(*split(replace(TRUE, proof=bytes(changed)).encode()), fee=FEE)
    assert posted.leader.pipeline.safe == before


def test_a_proof_without_its_fee_is_not_looked_at(posted):
    before = posted.leader.pipeline.safe
    posted.leader.post(*split(TRUE.encode()))
    assert posted.leader.pipeline.safe == before
