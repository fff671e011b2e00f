"""Real Groth16 proofs over BN254, of two provers: see tests/vectors/groth16/SOURCE.md."""

import json
from dataclasses import dataclass
from pathlib import Path

from bedroll.crypto.bn254 import G1, G2
from bedroll.riscv.gnark import parse_sp1
from bedroll.riscv.verifier import VerifyingKey, encode_proof

VECTORS = Path(__file__).resolve().parents[1] / "vectors/groth16"


@dataclass(frozen=True)
class Sample:
    """A key, public inputs, a proof of them in 128 bytes, and what no verifier may accept."""

    name: str
    key: VerifyingKey
    inputs: tuple[int, ...]
    points: tuple[G1, G2, G1]
    proof: bytes
    broken: tuple[tuple[str, bytes], ...] = ()


def g1(raw: list[str]) -> G1:
    """A point from decimal texts."""
    return int(raw[0]), int(raw[1])


def g2(raw: list[list[str]]) -> G2:
    """A point of the twist from decimal texts."""
    return g1(raw[0]), g1(raw[1])


def arkworks() -> list[Sample]:
    """Two proofs of arkworks, each under a key of its own."""
    found = json.loads((VECTORS / "arkworks.json").read_text())
    return [
        Sample(
            f"arkworks {number}",
            VerifyingKey(
                g1(each["alpha"]),
                g2(each["beta"]),
                g2(each["gamma"]),
                g2(each["delta"]),
                tuple(map(g1, each["points"])),
            ),
            tuple(map(int, each["inputs"])),
            (g1(each["a"]), g2(each["b"]), g1(each["c"])),
            bytes.fromhex(each["proof"]),
            tuple((name, bytes.fromhex(raw)) for name, raw in each["broken"]),
        )
        for number, each in enumerate(found)
    ]


def snarkjs() -> Sample:
    """One proof of snarkjs."""
    found = json.loads((VECTORS / "snarkjs.json").read_text())
    key, proof = found["key"], found["proof"]
    points = (g1(proof["pi_a"]), g2(proof["pi_b"]), g1(proof["pi_c"]))
    return Sample(
        "snarkjs",
        VerifyingKey(
            g1(key["vk_alpha_1"]),
            g2(key["vk_beta_2"]),
            g2(key["vk_gamma_2"]),
            g2(key["vk_delta_2"]),
            tuple(map(g1, key["IC"])),
        ),
        tuple(map(int, found["inputs"])),
        points,
        encode_proof(*points),
    )


def sp1_files() -> dict[str, dict[str, bytes]]:
    """Published proofs of SP1 by version, as bytes: key, program_key, public_values, proof, inputs (32 each)."""
    found = json.loads((VECTORS / "sp1.json").read_text())
    return {version: {name: bytes.fromhex(raw) for name, raw in each.items()} for version, each in found.items()}


def sp1(version: str = "6.0.0") -> Sample:
    """One of them."""
    files = sp1_files()[version]
    key, proof = parse_sp1(files["key"], files["proof"])
    inputs = proof.public_inputs(files["program_key"], files["public_values"])
    return Sample(f"sp1 {version}", key, inputs, proof.points, encode_proof(*proof.points))


def earlier() -> dict[str, Sample]:
    """A proof of an older arkworks with one public input, and four changes of it, by what was changed."""
    found = json.loads((VECTORS / "arkworks_05.json").read_text())
    points = [g2(found[name]) for name in ("beta", "gamma", "delta")]
    key = VerifyingKey(g1(found["alpha"]), *points, tuple(map(g1, found["points"])))
    samples = {}
    for name, case in found["cases"].items():
        proof = (g1(case["a"]), g2(case["b"]), g1(case["c"]))
        samples[name] = Sample(name, key, (int(case["input"]),), proof, encode_proof(*proof))
    return samples
