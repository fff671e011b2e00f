"""Groth16 proofs of the project's own prover: they hold under their key alone, and keys are what their owner says.

The proofs were made by the Go driver; the plain pairing of `bedroll.crypto.bn254` and the RISC-V verifier judge them.
"""

import hashlib
import json
from pathlib import Path

import pytest

from bedroll.primitives import Invalid, Misconfigured
from bedroll.prover.groth16 import check_groth16, local_keys, published_keys, seal
from bedroll.riscv import Program, gnark, verifier

VECTORS = Path(__file__).parents[2] / "vectors/proofs"


class Case:
    """A proof with what it is of."""

    def __init__(self, path):
        fields = {name: bytes.fromhex(text) for name, text in json.loads(path.read_text()).items()}
        self.key, self.proof = fields["key"], fields["proof"]
        self.program, self.values = fields["program_key"], fields["public_values"]
        self.key_root = int.from_bytes(fields["key_root"])

    def check(self, **changed):
        fields = {
            "proof": self.proof,
            "values": self.values,
            "program": self.program,
            "key_root": self.key_root,
        } | changed
        check_groth16(self.key, **fields)


@pytest.fixture(params=["small", "fibonacci", "batch"])
def case(request):
    return Case(VECTORS / f"{request.param}.json")


def test_a_proof_holds(case):
    case.check()


def test_a_proof_is_of_its_values_alone(case):
    with pytest.raises(Invalid, match="does not hold"):
        case.check(values=case.values + b"\0")


@pytest.mark.parametrize(("at", "reason"), [(0, "another key"), (35, "failed"), (67, "of other keys"), (100, "curve")])
def test_a_changed_byte_is_refused(case, at, reason):
    changed = bytearray(case.proof)
    changed[at] ^= 1
    with pytest.raises(Invalid, match=reason):
        case.check(proof=bytes(changed))


def test_other_keys_of_recursion_are_refused(case):
    with pytest.raises(Invalid, match="other keys"):
        case.check(key_root=case.key_root + 1)


def test_the_verifier_on_the_disputed_machine_accepts_it(case):
    key, parsed = gnark.parse_sp1(case.key, case.proof)
    inputs = parsed.public_inputs(case.program, case.values)
    program = Program(verifier.instance(key, inputs))
    assert program.run(verifier.encode_proof(*parsed.points)).is_accepted
    other = Program(verifier.instance(key, (inputs[0] + 1, *inputs[1:])))
    assert not other.run(verifier.encode_proof(*parsed.points)).is_accepted


def test_sealing_is_what_parsing_takes_apart(case):
    parsed = gnark.parse_sp1_proof(case.proof)
    inputs = parsed.public_inputs(case.program, case.values)
    assert seal(case.key, inputs, case.proof[-256:]) == case.proof
    with pytest.raises(Invalid, match="five inputs"):
        seal(case.key, inputs[:4], case.proof[-256:])


def test_absent_keys_say_where_they_are_published(tmp_path):
    with pytest.raises(Misconfigured) as found:
        published_keys(tmp_path, "00" * 32)
    assert "https://" in found.value.allowed
    with pytest.raises(Misconfigured) as found:
        published_keys(None, None)
    assert "https://" in found.value.allowed


def test_a_key_that_is_not_the_ceremonys_is_refused(tmp_path):
    for name in ("groth16_circuit.bin", "groth16_pk.bin", "groth16_vk.bin"):
        (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(Misconfigured) as found:
        published_keys(tmp_path, hashlib.sha256(b"mine").hexdigest())
    assert found.value.value == hashlib.sha256(b"mine").hexdigest()


def test_local_keys_must_be_finished(tmp_path):
    with pytest.raises(Misconfigured) as found:
        local_keys(tmp_path)
    assert "setup-local" in found.value.allowed
