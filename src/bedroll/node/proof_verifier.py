"""Derivation's verifier over the proof system, under the keys of one network.

Reads: proofs that derivation asks about.  Gives: `Sp1Verifier`.
Never: decides which proofs are looked at.  Spec: docs/spec/node.md#proof-verifier
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bedroll.crypto.proof import (
    is_compressed_valid,
    is_groth16_valid,
    program_digest,
    program_name,
    published_circuit,
)
from bedroll.da import Proof, ProofSystem, StatementKind
from bedroll.primitives import Invalid, Misconfigured
from bedroll.protocol import Network
from bedroll.riscv.gnark import parse_key

_CIRCUIT_KEY_MAX: Final = 4_096
_CIRCUIT_INPUTS: Final = 5
"""Program, values, exit code, keys of recursion, nonce."""
_KEYS: Final = Path(__file__).parent / "program_key"
"""Keys of the programs that this version proves, as `make guest` and the prover's setup made them."""
_FILES: Final = {StatementKind.BATCH: "batch.key", StatementKind.SETTLEMENT: "settlement.key"}


@dataclass(frozen=True, slots=True)
class Sp1Verifier:
    """Verifies by key of the statement's program; a statement of a kind without a key is never shown.

    Attributes:
        programs: Keys of programs by kind of statement.
        circuit: Key of the circuit that wraps proofs into Groth16; empty where there is none.
    """

    programs: dict[StatementKind, bytes] = field(default_factory=dict)
    circuit: bytes = b""

    @classmethod
    def of_network(cls, network: Network, circuit: bytes = b"") -> "Sp1Verifier":
        """Under the keys of the programs that come with this version.

        Args:
            network: Whose proofs are verified.
            circuit: Key of a Groth16 circuit of one's own, on regtest; else the published ceremony's.
        """
        if circuit and network.bitcoin != "regtest":
            raise Misconfigured(
                "a circuit of one's own is for regtest alone",
                option="circuit key",
                value=network.name,
                allowed="regtest",
            )
        programs = {kind: read_program_key(_KEYS / name) for kind, name in _FILES.items() if (_KEYS / name).exists()}
        return cls(programs, circuit or published_circuit())

    def program_digest(self, kind: StatementKind) -> bytes | None:
        """How statements name the program of a kind, 32 bytes; None without its key."""
        program = self.programs.get(kind)
        return None if program is None else program_digest(program)

    def is_valid(self, proof: Proof) -> bool:
        """Whether the program of its statement's kind gave its public values."""
        program = self.programs.get(proof.statement)
        if program is None:
            return False
        if proof.system == ProofSystem.COMPRESSED:
            return is_compressed_valid(program, proof.public_values, proof.proof)
        return bool(self.circuit) and is_groth16_valid(program, self.circuit, proof.public_values, proof.proof)


def read_program_key(path: Path) -> bytes:
    """Key of a program from the file that the prover's setup wrote.

    Raises:
        Misconfigured: There is no such file, or it holds no key.
    """
    raw = _read(path, "program key")
    if program_name(raw) is None:
        raise Misconfigured(
            "the file holds no key of a program", option="program key", value=str(path), allowed="a key made by setup"
        )
    return raw


def read_circuit_key(path: Path) -> bytes:
    """Key of the Groth16 circuit.

    Raises:
        Misconfigured: There is no such file, or it holds no key under which proofs of this version could be judged: a
            point that is none, another number of public inputs, or a setup that was never finished (γ = δ).
    """
    raw = _read(path, "circuit key")
    try:
        inputs = len(parse_key(raw).points) - 1
    except Invalid as error:
        raise _no_key(path, str(error)) from error
    if inputs != _CIRCUIT_INPUTS:
        raise _no_key(path, f"it has {inputs} public inputs")
    return raw


def _no_key(path: Path, reason: str) -> Misconfigured:
    return Misconfigured(
        "the file holds no key of a circuit",
        option="circuit",
        value=str(path),
        allowed=f"a key as `bedroll prover setup-local` makes it, of {_CIRCUIT_INPUTS} public inputs",
        reason=reason,
    )


def _read(path: Path, option: str) -> bytes:
    try:
        raw = path.read_bytes()[: _CIRCUIT_KEY_MAX + 1]
    except OSError as error:
        raise Misconfigured(
            f"the {option} cannot be read", option=option, value=str(path), allowed="a readable file", reason=str(error)
        ) from error
    if not raw or len(raw) > _CIRCUIT_KEY_MAX:
        raise Misconfigured(
            f"the {option} has an impossible size",
            option=option,
            value=f"{path}: {len(raw)} bytes",
            allowed=f"1 to {_CIRCUIT_KEY_MAX} bytes",
        )
    return raw
