"""The stored proof holds under its own key, and nothing near it does: 10,000 mutations, no acceptance, no panic."""

import random
from pathlib import Path

import pytest

from bedroll.prover.core import find_worker
from bedroll.prover.verifier import PROOF_BYTES_MAX, WorkerVerifier

pytestmark = pytest.mark.prove
FOLDER = Path(__file__).parents[1] / "vectors/proofs"
STORED = sorted(FOLDER.glob("*.proof"))
MUTATIONS = 10_000
SEED = 5


@pytest.fixture(scope="module")
def verifier():
    with WorkerVerifier(find_worker(None)) as made:
        yield made


@pytest.fixture(scope="module", params=STORED, ids=lambda path: path.stem)
def stored(request):
    """Proof, public values, the program's key."""
    return tuple(request.param.with_suffix(end).read_bytes() for end in (".proof", ".values", ".key"))


def test_the_stored_proof_holds(verifier, stored):
    assert verifier.reason(*stored) is None


def mutated(source, stored):
    """One of the three with one change: a bit, a byte, a cut, bytes more, a run of other bytes, parts exchanged."""
    parts = list(stored)
    which = source.choices((0, 1, 2), weights=(90, 5, 5))[0]
    content = bytearray(parts[which])
    place = source.randrange(len(content))
    kind = source.randrange(6)
    if kind == 0:
        content[place] ^= 1 << source.randrange(8)
    elif kind == 1:
        content[place] = (content[place] + source.randrange(1, 256)) % 256
    elif kind == 2:
        del content[place:]
    elif kind == 3:
        content[place:place] = source.randbytes(source.randrange(1, 9))
    elif kind == 4:
        # Where lengths stand, this asks for more than there is.
        content[place : place + 8] = source.choice((b"\xff" * 8, bytes(8), source.randbytes(8)))
    else:
        other = source.randrange(len(content) - 8)
        place = min(place, len(content) - 8)
        content[place : place + 8], content[other : other + 8] = content[other : other + 8], content[place : place + 8]
    parts[which] = bytes(content)
    return tuple(parts)


@pytest.mark.timeout(3_600)
def test_no_mutation_is_accepted_and_none_ends_the_verifier(verifier, stored):
    source = random.Random(SEED)
    refused = 0
    for number in range(MUTATIONS):
        changed = mutated(source, stored)
        if changed == stored:
            continue
        assert verifier.reason(*changed) is not None, f"seed {SEED}, mutation {number}"
        refused += 1
    print(f"{refused} mutations refused, seed {SEED}")
    assert refused > MUTATIONS * 0.99
    assert verifier.reason(*stored) is None


def test_a_proof_beyond_the_limit_is_refused_unread(verifier, stored):
    _, values, program = stored
    assert "at most" in verifier.reason(bytes(PROOF_BYTES_MAX + 1), values, program)


def test_a_digest_outside_the_field_is_refused(verifier, stored):
    proof, values, _ = stored
    assert "outside the field" in verifier.reason(proof, values, b"\xff" * 32)
