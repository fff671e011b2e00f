"""Keys and proofs of gnark and SP1: published ones verify in Python and on the machine; nothing else parses."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.crypto import bn254
from bedroll.crypto.bn254 import Q, R
from bedroll.primitives import Invalid
from bedroll.riscv import Halted, Program
from bedroll.riscv.gnark import INPUTS_MAX, parse_key, parse_proof, parse_sp1, parse_sp1_proof, values_digest
from bedroll.riscv.verifier import VerifyingKey, instance, is_valid
from tests.framework.groth16 import arkworks, sp1, sp1_files

VERSIONS = sorted(sp1_files())
FILES = sp1_files()["6.0.0"]
SAMPLE = sp1()
STEPS = 31_931_585


def g1(point, is_raw=False):
    """As gnark writes a point of G1."""
    x, y = point
    raw = bytearray(x.to_bytes(32))
    if is_raw:
        return bytes(raw) + y.to_bytes(32)
    raw[0] |= 0xC0 if 2 * y > Q else 0x80
    return bytes(raw)


def g2(point, is_raw=False):
    """As gnark writes a point of G2."""
    (xa, xb), (ya, yb) = point
    raw = bytearray(xb.to_bytes(32) + xa.to_bytes(32))
    if is_raw:
        return bytes(raw) + yb.to_bytes(32) + ya.to_bytes(32)
    raw[0] |= 0xC0 if 2 * (yb or ya) > Q else 0x80
    return bytes(raw)


def key_bytes(key, is_raw=False):
    """A key as gnark writes it. The points of G1 for β and δ are in no equation: any will do."""
    parts = [
        g1(key.alpha, is_raw), g1((1, 2), is_raw), g2(key.beta, is_raw), g2(key.gamma, is_raw), g1((1, 2), is_raw),
        g2(key.delta, is_raw), len(key.points).to_bytes(4), *(g1(point, is_raw) for point in key.points), bytes(8),
    ]  # fmt: skip
    return b"".join(parts)


def proof_bytes(points, is_raw=False):
    return g1(points[0], is_raw) + g2(points[1], is_raw) + g1(points[2], is_raw)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_published_proof_of_sp1_verifies_in_python_and_on_the_machine(version):
    sample = sp1(version)
    assert len(sample.inputs) == {"4.0.0": 2, "6.0.0": 5}[version]
    assert b"".join(number.to_bytes(32) for number in sample.inputs) == sp1_files()[version]["inputs"]
    assert is_valid(sample.key, sample.inputs, *sample.points)
    assert Program(instance(sample.key, sample.inputs)).run(sample.proof) == Halted(STEPS, 1)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_published_proof_is_of_no_other_statement(version):
    files = sp1_files()[version]
    key, proof = parse_sp1(files["key"], files["proof"])
    values = bytearray(files["public_values"])
    values[-1] ^= 1
    inputs = proof.public_inputs(files["program_key"], bytes(values))
    assert Program(instance(key, inputs)).run(sp1(version).proof) == Halted(STEPS, 0)


def test_what_sp1_says_beside_its_proof_is_read():
    proof = parse_sp1_proof(FILES["proof"])
    assert proof.key_prefix == hashlib.sha256(FILES["key"]).digest()[:4]
    assert (proof.exit_code, proof.nonce) == (0, 0)
    assert proof.key_root == 0x008CD56E10C2FE24795CFF1E1D1F40D3A324528D315674DA45D26AFB376E8670
    old = parse_sp1_proof(sp1_files()["4.0.0"]["proof"])
    assert (old.exit_code, old.key_root, old.nonce) == (None, None, None)
    assert values_digest(b"") == int.from_bytes(hashlib.sha256(b"").digest()) % 2**253


def test_a_proof_under_another_key_is_refused_by_its_first_bytes():
    with pytest.raises(Invalid, match="names another key"):
        parse_sp1(sp1_files()["4.0.0"]["key"], FILES["proof"])


def test_a_program_key_that_is_no_number_of_the_circuit_is_refused():
    proof = parse_sp1_proof(FILES["proof"])
    with pytest.raises(Invalid, match="out of range"):
        proof.public_inputs(R.to_bytes(32), b"")
    with pytest.raises(Invalid, match="wrong length"):
        proof.public_inputs(bytes(31), b"")


@pytest.mark.parametrize("is_raw", [False, True])
def test_a_key_in_either_form_is_the_same_key(is_raw):
    assert parse_key(key_bytes(SAMPLE.key, is_raw)) == SAMPLE.key == parse_key(FILES["key"])
    ours = arkworks()[0]
    assert parse_key(key_bytes(ours.key, is_raw)) == ours.key


@pytest.mark.parametrize("is_raw", [False, True])
def test_a_proof_in_either_form_with_and_without_its_end_is_the_same(is_raw):
    for sample in (SAMPLE, arkworks()[0]):
        plain = proof_bytes(sample.points, is_raw)
        nothing = bytes(4) + (bytes(64) if is_raw else b"\x40" + bytes(31))
        assert parse_proof(plain) == parse_proof(plain + nothing) == sample.points


@settings(max_examples=20, deadline=None)
@given(st.integers(1, R - 1), st.integers(1, 64), st.booleans(), st.booleans())
def test_any_point_is_read_as_it_was_written(factor, small, is_raw, is_high):
    one = bn254.multiply((1, 2), factor)
    one = one if (2 * one[1] > Q) == is_high else (one[0], Q - one[1])
    # The twist's points are multiples of a key's, both signs.
    two = SAMPLE.key.beta if is_high else bn254.negate(SAMPLE.key.beta)
    three = bn254.multiply(one, small)
    assert parse_proof(proof_bytes((one, two, three), is_raw)) == (one, two, three)


def parses(parse, raw):
    """What is parsed, or None; nothing but `Invalid` is raised."""
    try:
        return parse(raw)
    except Invalid:
        return None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_byte_is_refused_or_makes_another_key_or_proof(data):
    name, parse = data.draw(st.sampled_from([("key", parse_key), ("proof", parse_sp1_proof)]))
    good = FILES[name]
    at, bit = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(0, 7))
    raw = bytearray(good)
    raw[at] ^= 1 << bit
    found = parses(parse, bytes(raw))
    # β and δ of the first group are read and checked, but are in no equation.
    unused = name == "key" and (32 <= at < 64 or 192 <= at < 224)
    assert found is None or unused or found != parse(good)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=600), st.sampled_from([parse_key, parse_proof, parse_sp1_proof]))
def test_random_bytes_are_refused(raw, parse):
    assert parses(parse, raw) is None


def test_no_cut_and_no_longer_file_parses():
    for parse, raw in (
        (parse_key, FILES["key"]),
        (parse_sp1_proof, FILES["proof"]),
        (parse_proof, FILES["proof"][100:]),
    ):
        assert parses(parse, raw) is not None
        for size in {0, 1, 31, 32, 63, 64, 128, 292, len(raw) - 8, len(raw) - 1}:
            assert size >= len(raw) or parses(parse, raw[:size]) is None
        assert parses(parse, raw + b"\0") is None


def put(raw, at, part):
    return raw[:at] + part + raw[at + len(part) :]


@pytest.mark.parametrize(("at", "part", "text"), [
    (0, b"\x40" + bytes(31), "another form"), (0, bytes(32), "out of range"),
    (0, b"\x80" + bytes(30) + b"\x04", "not on the curve"),
    (0, bytes([0x80 | Q >> 248]) + (Q & (1 << 248) - 1).to_bytes(31), "out of range"),
    (64, b"\x40" + bytes(63), "another form"), (64, b"\x80" + bytes(62) + b"\x01", "not in its group"),
    (288, (INPUTS_MAX + 2).to_bytes(4), "too many points"), (288, b"\xff" * 4, "too many points"),
    (288, (5).to_bytes(4), "too many commitments|bytes are left"), (288, bytes(4), "too many|left over|no point"),
    (484, (1).to_bytes(4), "too many commitments"), (488, (1).to_bytes(4), "too many keys"),
])  # fmt: skip
def test_a_malformed_key_is_refused_with_the_reason(at, part, text):
    with pytest.raises(Invalid, match=text):
        parse_key(put(FILES["key"], at, part))


@pytest.mark.parametrize(("at", "part", "text"), [
    (0, bytes(64), "not on the curve"), (0, b"\xff" * 32, "another form"),
    (0, (SAMPLE.points[0][0] + Q).to_bytes(32), "another form|out of range"),
    (32, (SAMPLE.points[0][1] + Q).to_bytes(32), "out of range"),
    (32, (Q - SAMPLE.points[0][1] + 1).to_bytes(32), "not on the curve"),
    (64, bytes(128), "not in its group"), (192, bytes(64), "not on the curve"),
])  # fmt: skip
def test_a_malformed_proof_is_refused_with_the_reason(at, part, text):
    with pytest.raises(Invalid, match=text):
        parse_proof(put(proof_bytes(SAMPLE.points, is_raw=True), at, part))


def test_commitments_are_refused():
    plain = proof_bytes(SAMPLE.points)
    with pytest.raises(Invalid, match="too many commitments"):
        parse_proof(plain + (1).to_bytes(4) + b"\x40" + bytes(31))
    with pytest.raises(Invalid, match="knows nothing"):
        parse_proof(plain + bytes(4) + plain[:32])


def test_public_inputs_of_sp1_above_the_field_are_refused():
    for at in (4, 36, 68):
        with pytest.raises(Invalid, match="out of range"):
            parse_sp1_proof(put(FILES["proof"], at, R.to_bytes(32)))


def test_a_point_of_the_twist_outside_the_group_is_refused():
    x = next((k, 0) for k in range(1, 100) if (p := bn254.twist_point((k, 0), False)) and not bn254.has_order(p))
    point = bn254.twist_point(x, False)
    with pytest.raises(Invalid, match="not in its group"):
        parse_proof(proof_bytes((SAMPLE.points[0], point, SAMPLE.points[2])))
    with pytest.raises(Invalid, match="not in its group"):
        is_valid(SAMPLE.key, SAMPLE.inputs, SAMPLE.points[0], point, SAMPLE.points[2])


def test_a_key_without_points_is_refused():
    with pytest.raises(Invalid, match="no point for the constant"):
        VerifyingKey(SAMPLE.key.alpha, SAMPLE.key.beta, SAMPLE.key.gamma, SAMPLE.key.delta, ())
