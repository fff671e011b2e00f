"""The settlement program judges posted Groth16 proofs in its machine as the node does: the stored one, and all near it.

A posted proof must never end the run, whatever it is: else junk on Bitcoin would end settlement.
"""

import hashlib
import json
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from bedroll._core._native import Settled
from bedroll.crypto import bn254
from tests.costs.guest import SETTLEMENT, executed
from tests.framework.settled_groth16 import (
    BATCH_KEY,
    FEE,
    FOLDER,
    SETTLEMENT_KEY,
    TRUE,
    WRAPPED,
    Groth16Settlement,
    stored_verifier,
)

pytestmark = pytest.mark.guest
HEAD = 4 + 3 * 32
NONCE = HEAD - 32
WORD = 32
POINTS = {"A": (HEAD, 64), "B": (HEAD + 64, 128), "C": (HEAD + 192, 64)}
SEED = 11
RANDOM = 60
"""Changes in one L1 block, below the number of proofs that are looked at in it."""
EXIT_CODE, ROOT = 4, 36


@pytest.fixture(scope="module")
def executor():
    """The program that `make test-guest` builds."""
    return Path(os.environ["BEDROLL_EXECUTOR"])


@pytest.fixture(scope="module")
def settlement(tmp_path_factory):
    made = Groth16Settlement(tmp_path_factory.mktemp("groth16"))
    yield made
    made.close()


def put(content, place, part):
    return content[:place] + part + content[place + len(part) :]


def with_proof(place, part):
    """The stored proof with some bytes in place of its own."""
    return replace(TRUE, proof=put(TRUE.proof, place, part))


def word(place):
    return int.from_bytes(TRUE.proof[place : place + WORD])


def judged(executor, settlement, *objects, **options):
    """Whether node and machine take the batch; they must agree, and the statement be one."""
    step, taken = settlement.run(*objects, **options)
    _, code, values = executed(executor, step.input, SETTLEMENT)
    assert (code, values) == (0, step.statement)
    tip = settlement.tip if taken else settlement.parent
    assert Settled.decode(values).tip == tip.hash
    return taken


def test_the_machine_takes_the_stored_proof_and_says_what_the_node_derived(executor, settlement):
    assert settlement.stated == TRUE.public_values
    assert judged(executor, settlement, TRUE)


def test_a_proof_after_junk_is_taken(executor, settlement):
    assert judged(executor, settlement, with_proof(NONCE, bytes([1]) * WORD), replace(TRUE, proof=bytes(356)), TRUE)


def test_a_proof_without_its_fee_is_not_looked_at(executor, settlement):
    assert not judged(executor, settlement, TRUE, fee=FEE - 1)


def test_a_changed_head_is_refused(executor, settlement):
    places = [0, 3, EXIT_CODE + 31, ROOT, ROOT + 31, NONCE, NONCE + 31]
    changed = [with_proof(place, bytes([TRUE.proof[place] ^ 1])) for place in places]
    assert not judged(executor, settlement, *changed)


def test_changed_public_values_are_refused(executor, settlement):
    values = TRUE.public_values
    places = [0, 1, 2, 66, 98, 130, 162, 242, 322, 323, 355, 386]
    changed = [replace(TRUE, public_values=put(values, place, bytes([values[place] ^ 1]))) for place in places]
    sizes = [replace(TRUE, public_values=each) for each in (values[:-1], values + b"\0", values[:1])]
    assert not judged(executor, settlement, *changed, *sizes)


@pytest.mark.parametrize("name", POINTS)
def test_points_that_are_none_are_refused(executor, settlement, name):
    place, size = POINTS[name]
    last = place + size - 1
    beyond = [with_proof(at, (word(at) + bn254.Q).to_bytes(WORD)) for at in range(place, place + size, WORD)]
    off_curve = with_proof(last, bytes([TRUE.proof[last] ^ 1]))
    infinite, full = with_proof(place, bytes(size)), with_proof(place, b"\xff" * size)
    assert not judged(executor, settlement, *beyond, off_curve, infinite, full)


def test_a_point_of_the_twist_outside_the_group_is_refused(executor, settlement):
    points = filter(None, (bn254.twist_point((x, 0), False) for x in range(1, 100)))
    outside = next(point for point in points if not bn254.has_order(point))
    coordinates = [number.to_bytes(WORD) for real, imaginary in outside for number in (imaginary, real)]
    assert not judged(executor, settlement, with_proof(POINTS["B"][0], b"".join(coordinates)))


def test_true_points_that_prove_nothing_are_refused(executor, settlement):
    one = (1).to_bytes(WORD) + (2).to_bytes(WORD)
    (at_a, _), (at_c, _) = POINTS["A"], POINTS["C"]
    a, c = (TRUE.proof[place : place + 64] for place in (at_a, at_c))
    pairs = [(at_a, one), (at_c, one), (at_a, c), (at_c, a)]
    assert not judged(executor, settlement, *(with_proof(place, point) for place, point in pairs))


def test_another_nonce_is_refused(executor, settlement):
    assert word(NONCE) == 0
    nonces = [1, 2, 3, bn254.R - 1, bn254.R + 1, 2**255, 2**256 - 1]
    assert not judged(executor, settlement, *(with_proof(NONCE, nonce.to_bytes(WORD)) for nonce in nonces))


def test_other_forms_of_the_true_proof_are_judged_alike(executor, settlement):
    same_nonce = with_proof(NONCE, bn254.R.to_bytes(WORD))
    negated = bytearray(TRUE.proof)
    for place in (POINTS["A"][0] + 32, POINTS["B"][0] + 64, POINTS["B"][0] + 96):
        negated[place : place + WORD] = (bn254.Q - word(place)).to_bytes(WORD)
    for proof in (same_nonce, replace(TRUE, proof=bytes(negated))):
        assert judged(executor, settlement, proof)


def test_an_object_of_another_size_is_passed_over(executor, settlement):
    whole = TRUE.encode()
    sizes = [len(whole) - 356, len(whole) - 257, len(whole) - 1]
    assert not judged(executor, settlement, *(whole[:size] for size in sizes), whole + b"\0")


def test_random_changes_are_refused(executor, settlement):
    source = random.Random(SEED)
    print(f"seed {SEED}")
    changed = []
    for _ in range(RANDOM):
        place = source.randrange(len(TRUE.proof))
        changed.append(with_proof(place, bytes([TRUE.proof[place] ^ 1 << source.randrange(8)])))
    assert not judged(executor, settlement, *changed)


def judged_under(executor, settlement, proof, verifier):
    step, taken = settlement.whole_run(proof, verifier)
    _, code, values = executed(executor, step.input, SETTLEMENT)
    assert (code, values) == (0, step.statement)
    return taken


def test_one_run_from_the_anchor_takes_it_too(executor, settlement):
    assert judged_under(executor, settlement, TRUE, settlement.verifier)


def test_a_proof_of_another_program_is_refused(executor, settlement):
    assert BATCH_KEY != SETTLEMENT_KEY
    assert not judged_under(executor, settlement, TRUE, stored_verifier(batch=SETTLEMENT_KEY))


def other_circuits():
    key = WRAPPED["key"]
    yield "another circuit", bytes.fromhex(json.loads((FOLDER / "small.json").read_text())["key"])
    yield "gamma and delta exchanged", key[:128] + key[224:288] + key[192:224] + key[128:192] + key[288:]
    yield "points of the inputs cut", key[:-32]
    yield "no point", key[:32] + bytes(32) + key[64:128] + bytes(64) + key[192:]
    yield "cut", key[:100]


@pytest.mark.parametrize("circuit", [pytest.param(key, id=name) for name, key in other_circuits()])
def test_a_proof_of_another_circuit_is_refused(executor, settlement, circuit):
    verifier = stored_verifier(circuit=circuit)
    assert not judged_under(executor, settlement, TRUE, verifier)
    renamed = with_proof(0, hashlib.sha256(circuit).digest()[:4])
    assert not judged_under(executor, settlement, renamed, verifier)
