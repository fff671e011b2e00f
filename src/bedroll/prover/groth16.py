"""Groth16 proofs of wrapped ones: 356 bytes that a pairing checks.

Reads: a wrapped proof, a circuit with its keys.  Gives: `Keys`, `prove_groth16`, `check_groth16`.
Never: hands out a proof that it has not verified.  Spec: docs/spec/groth16.md
"""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from bedroll.primitives import Invalid, Misconfigured
from bedroll.riscv import gnark
from bedroll.riscv.verifier import is_valid

from .setup_local import CIRCUIT, CONSTRAINTS, FRUGAL, PROVING, STAGES, VERIFYING
from .stage import record_of
from .tool import BRIDGE, GNARK, Hold, Progress, find_tool, run_tool

CEREMONY: Final = "https://sp1-circuits.s3-us-east-2.amazonaws.com/v6.1.0-groth16.tar.gz"
"""Where the ceremony's circuit and keys are published."""

CEREMONY_VERIFYING_SHA256: Final = "4388a21c687fdd5f218d7e3d13190cac4c5355818d3605fd5fb811df468ee696"
"""Of the ceremony's verifying key, as the proof system's own verifier carries it."""

_PUBLISHED: Final = ("groth16_circuit.bin", "groth16_pk.bin", "groth16_vk.bin")
_WORD: Final = 32
_POINTS_BYTES: Final = 8 * _WORD


@dataclass(frozen=True, slots=True)
class Keys:
    """A compiled circuit and its pair of keys.

    Attributes:
        circuit: File of the circuit.
        proving: File of the proving key, in gnark's dump format.
        verifying: File of the verifying key.
        constraints_sha256: Of the constraints that the circuit was compiled from; None where only the publisher knows.
    """

    circuit: Path
    proving: Path
    verifying: Path
    constraints_sha256: str | None


def local_keys(folder: Path) -> Keys:
    """The pair that `setup-local` made. It is unsafe, and for regtest only.

    Raises:
        Misconfigured: It is not there, or not finished.
        Corrupt: A file is not as its stage left it.
    """
    records = {stage.name: record_of(folder, stage) for stage in STAGES}
    absent = [name for name, record in records.items() if record is None]
    if absent:
        raise Misconfigured(
            "the local keys are not finished",
            option="--folder",
            value=folder,
            stages=absent,
            allowed="a folder where `bedroll prover setup-local` has ended",
        )
    described = records["describe"]
    assert described is not None
    constraints = described.files[CONSTRAINTS].sha256
    return Keys(folder / CIRCUIT, folder / PROVING, folder / VERIFYING, constraints)


def published_keys(
    folder: Path | None, proving_sha256: str | None, options: tuple[str, str] = ("--keys", "--sha256")
) -> Keys:
    """The ceremony's pair, unpacked into a folder; the verifying key must be the one that proofs are judged under.

    Args:
        folder: Where the published archive was unpacked.
        proving_sha256: Of the proving key, as its publisher says.
        options: By which a person names both.

    Raises:
        Misconfigured: A file is absent, or has another hash.
    """
    place = f"a folder with {', '.join(_PUBLISHED)}: unpack {CEREMONY}"
    if folder is None or proving_sha256 is None:
        raise Misconfigured(
            "the ceremony's keys are named by their folder and the hash of the proving key",
            option=" and ".join(options),
            value=folder,
            allowed=place,
        )
    circuit, proving, verifying = (folder / name for name in _PUBLISHED)
    for path, expected in (
        (circuit, None),
        (verifying, CEREMONY_VERIFYING_SHA256),
        (proving, proving_sha256.lower()),
    ):
        if not path.is_file():
            raise Misconfigured("the ceremony's keys are not there", option=options[0], value=path, allowed=place)
        found = _sha256(path) if expected else ""
        if expected and found != expected:
            raise Misconfigured(
                "a key has another hash",
                option=options[1] if path == proving else options[0],
                path=path,
                value=found,
                allowed=expected,
            )
    return Keys(circuit, proving, verifying, None)


def prove_groth16(wrapped: Path, keys: Keys, progress: Progress, hold: Hold | None = None) -> bytes:
    """Prove a wrapped proof again, in 356 bytes. Five CPU minutes and 7 GiB.

    Args:
        wrapped: File of the wrapped proof.
        keys: Under which it is proved.
        progress: Told each step.
        hold: By which another thread ends it.

    Raises:
        Invalid: The file is no wrapped proof, it is of another circuit, or it does not hold.
        Misconfigured: A program is not there.
        Unavailable: A program was ended from outside.
    """
    with tempfile.TemporaryDirectory(prefix="bedroll-groth16-") as folder:
        constraints, witness, proof = (Path(folder) / name for name in ("constraints", "witness", "proof"))
        progress("describe", 0, 1)
        described = run_tool(find_tool(BRIDGE), ["describe", wrapped, constraints, witness], progress, {}, hold)
        found = described["constraints_sha256"]
        if keys.constraints_sha256 not in (None, found):
            raise Invalid("the proof is of another circuit", value=found, limit=keys.constraints_sha256)
        flags: list[str | Path] = ["-circuit", keys.circuit, "-key", keys.proving, "-verifying", keys.verifying]
        run_tool(find_tool(GNARK), ["prove", *flags, "-witness", witness, "-proof", proof], progress, FRUGAL, hold)
        told: dict[str, Any] = msgspec.json.decode(proof.read_bytes())
    verifying = keys.verifying.read_bytes()
    sealed = seal(verifying, [int(number) for number in told["inputs"]], bytes.fromhex(told["proof"]))
    key, parsed = gnark.parse_sp1(verifying, sealed)
    if not is_valid(key, map(int, told["inputs"]), *parsed.points):
        raise Invalid("the proof that was made does not hold", path=wrapped)
    return sealed


def seal(verifying: bytes, inputs: Sequence[int], points: bytes) -> bytes:
    """A proof as it is handed out: four bytes of its key's hash, exit code, root of the keys, nonce, A, B, C.

    Args:
        verifying: Content of the verifying key's file.
        inputs: The five public inputs: program, digest of the values, exit code, root of the keys, nonce.
        points: A, B and C without compression.

    Raises:
        Invalid: They are not five inputs and 256 bytes.
    """
    if len(inputs) != 5 or len(points) != _POINTS_BYTES:
        raise Invalid(
            "a proof has five inputs and 256 bytes of points", value=(len(inputs), len(points)), limit=(5, 256)
        )
    words = b"".join(number.to_bytes(_WORD) for number in inputs[2:])
    return hashlib.sha256(verifying).digest()[: gnark.SP1_PREFIX_BYTES] + words + points


def check_groth16(verifying: bytes, proof: bytes, values: bytes, program: bytes, key_root: int) -> None:
    """Check a proof of a run that ended well.

    Args:
        verifying: Content of the verifying key's file.
        proof: 356 bytes.
        values: What the program published.
        program: Hash of the program's key.
        key_root: Root of the keys that recursion allows.

    Raises:
        Invalid: The proof does not hold, or anything is malformed.
    """
    key, parsed = gnark.parse_sp1(verifying, proof)
    if parsed.exit_code != 0 or parsed.key_root != key_root:
        raise Invalid(
            "the proof is of a run that failed, or of other keys of recursion",
            value=(parsed.exit_code, parsed.key_root),
            limit=(0, key_root),
        )
    if not is_valid(key, parsed.public_inputs(program, values), *parsed.points):
        raise Invalid("the proof does not hold", value=hashlib.sha256(proof).hexdigest())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
