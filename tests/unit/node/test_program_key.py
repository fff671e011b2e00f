"""The keys that a node judges proofs by are those of the committed programs."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from bedroll.crypto.proof import program_name
from bedroll.da import StatementKind
from bedroll.node.proof_verifier import Sp1Verifier, read_circuit_key
from bedroll.primitives import Misconfigured
from bedroll.protocol import NETWORKS

ROOT = Path(__file__).parents[3]
KEYS = ROOT / "src/bedroll/node/program_key"
CIRCUITS = {
    name: bytes.fromhex(json.loads((ROOT / f"tests/vectors/proofs/{name}.json").read_text())["key"])
    for name in ("batch", "small")
}
NAMES = json.loads((KEYS / "names.json").read_text())


@pytest.mark.parametrize("name", ["batch", "settlement"])
def test_a_key_is_of_the_committed_program(name):
    """It fails after a change of the program: `make guest-keys` mends it."""
    assert sha256((ROOT / f"crates/guest/elf/{name}.elf").read_bytes()).hexdigest() == NAMES[name]["elf"]
    assert program_name((KEYS / f"{name}.key").read_bytes()) == "0x" + NAMES[name]["groth16"]


@pytest.mark.parametrize("network", NETWORKS.values(), ids=lambda network: network.name)
def test_every_network_judges_both_programs(network):
    assert set(Sp1Verifier.of_network(network).programs) == {StatementKind.BATCH, StatementKind.SETTLEMENT}


def test_both_names_of_a_program_are_the_same_eight_words():
    """Compressed proofs have them as words of 4 bytes, Groth16 proofs as digits of 31 bits."""
    for names in NAMES.values():
        words = [int(names["program"][at : at + 8], 16) for at in range(0, 64, 8)]
        number = 0
        for word in words:
            number = number << 31 | word
        assert f"{number:064x}" == names["groth16"]


@pytest.mark.parametrize("name", CIRCUITS)
def test_a_circuit_of_ones_own_is_taken(tmp_path, name):
    (tmp_path / "circuit.key").write_bytes(CIRCUITS[name])
    assert read_circuit_key(tmp_path / "circuit.key") == CIRCUITS[name]


def broken_circuits():
    key = CIRCUITS["batch"]
    points = 292 + 6 * 32
    yield "gamma is delta", key[:128] + key[224:288] + key[192:], "never finished"
    yield "points cut", key[: points - 32], "end"
    yield "fewer inputs", key[:288] + bytes([0, 0, 0, 5]) + key[292 : points - 32] + key[points:], "4 public inputs"
    yield "a point that is none", key[:32] + key[32:64] + bytes([key[64]]) + bytes(31) + key[96:], "point"
    yield "bytes left over", key + b"\0", "left over"
    yield "nothing of a key", b"key", ""


@pytest.mark.parametrize(("key", "reason"), [pytest.param(*rest, id=name) for name, *rest in broken_circuits()])
def test_a_circuit_that_could_be_cheated_or_judges_nothing_is_refused(tmp_path, key, reason):
    (tmp_path / "circuit.key").write_bytes(key)
    with pytest.raises(Misconfigured) as caught:
        read_circuit_key(tmp_path / "circuit.key")
    print(caught.value.fields["reason"])
    assert reason in caught.value.fields["reason"]
