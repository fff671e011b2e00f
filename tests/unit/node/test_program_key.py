"""The keys that a node judges proofs by are those of the committed programs."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from bedroll.crypto.proof import program_name
from bedroll.da import StatementKind
from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.protocol import NETWORKS

ROOT = Path(__file__).parents[3]
KEYS = ROOT / "src/bedroll/node/program_key"
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
