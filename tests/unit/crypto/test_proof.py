"""The verifier takes a real compressed proof, and nothing that was changed: no bit of proof, public values or key. It
never panics, whatever the bytes are. Seeds are printed.
"""

import hashlib
import random
from pathlib import Path

import pytest

from bedroll.crypto.proof import is_compressed_valid, is_groth16_valid, program_name, published_circuit

FOLDER = Path(__file__).parents[2] / "vectors/sp1"
PROOF = (FOLDER / "compressed.proof").read_bytes()
VALUES = (FOLDER / "compressed.values").read_bytes()
KEY = (FOLDER / "program.key").read_bytes()


def flipped(raw, source):
    at = source.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ 1 << source.randrange(8)]) + raw[at + 1 :]


def scrambled(raw, source):
    """One of: a bit, a run of bytes, a cut, a tail, a length field at its worst, two parts exchanged."""
    way = source.randrange(8)
    at = source.randrange(len(raw))
    size = min(source.randrange(1, 40), len(raw) - at)
    if way < 3:
        return flipped(raw, source)
    if way == 3:
        return raw[:at] + source.randbytes(size) + raw[at + size :]
    if way == 4:
        return raw[:at]
    if way == 5:
        return raw + source.randbytes(size)
    if way == 6:
        at -= at % 8
        return raw[:at] + source.choice((b"\xff" * 8, bytes(8), b"\xff\xff\xff\x7f" + bytes(4))) + raw[at + 8 :]
    other = source.randrange(len(raw))
    first, second = sorted((at, other))
    return raw[:first] + raw[second:] + raw[first:second]


def changed(source):
    """A true triple with one part changed; none that is the true one."""
    while True:
        part = source.choices(("proof", "values", "key"), (80, 10, 10))[0]
        key, values, proof = KEY, VALUES, PROOF
        if part == "proof":
            proof = scrambled(PROOF, source)
        elif part == "values":
            values = scrambled(VALUES, source)
        else:
            key = scrambled(KEY, source)
        if (key, values, proof) != (KEY, VALUES, PROOF):
            return key, values, proof


def refuse(seed, count):
    print(f"seed {seed}")
    source = random.Random(seed)
    for number in range(count):
        key, values, proof = changed(source)
        assert not is_compressed_valid(key, values, proof), number


def test_a_real_proof_is_valid_and_names_its_program():
    assert is_compressed_valid(KEY, VALUES, PROOF)
    assert program_name(KEY) is not None
    assert len(program_name(KEY)) == 66


def test_no_change_of_proof_values_or_key_is_valid():
    refuse(1, 150)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_none_of_ten_thousand_changes_is_valid():
    refuse(2, 10_000)


@pytest.mark.parametrize("raw", [b"", b"\x00", b"\xff" * 8, bytes(1_000), bytes(1 << 20), b"\xff" * (1 << 20)])
def test_bytes_that_are_no_proof_are_refused(raw):
    assert not is_compressed_valid(KEY, VALUES, raw)
    assert not is_compressed_valid(raw[:200], VALUES, PROOF)
    assert not is_groth16_valid(KEY, published_circuit(), VALUES, raw)


def test_sizes_are_bounded_before_anything_is_read():
    assert not is_compressed_valid(KEY, VALUES, PROOF + bytes((2 << 20) - len(PROOF) + 1))
    assert not is_compressed_valid(KEY, bytes(1_025), PROOF)
    assert not is_compressed_valid(bytes(1_025), VALUES, PROOF)
    assert not is_groth16_valid(KEY, bytes(4_097), VALUES, bytes(356))


def test_a_proof_that_was_not_made_by_proving_is_no_proof():
    """The library's mock proofs are empty, or a serialised enumeration whose other variants are not decoded here."""
    for raw in (b"", bytes(356), b"\x01\x00\x00\x00" + PROOF, b"\x03\x00\x00\x00" + bytes(400)):
        assert not is_compressed_valid(KEY, VALUES, raw)
        assert not is_groth16_valid(KEY, published_circuit(), VALUES, raw)


def test_random_groth16_proofs_under_the_published_key_are_refused():
    source = random.Random(3)
    print("seed 3")
    circuit = published_circuit()
    for _ in range(200):
        proof = bytearray(source.randbytes(356))
        if source.random() < 0.8:
            # Past the checks in front: the circuit's name, exit code 0, the root of recursion keys.
            proof[:4] = hashlib.sha256(circuit).digest()[:4]
            proof[4:36] = bytes(32)
            proof[36:68] = bytes.fromhex("002f850ee998974d6cc00e50cd0814b098c05bfade466d28573240d057f25352")
        assert not is_groth16_valid(KEY, circuit, VALUES, bytes(proof))
