"""A Groth16 key pair made alone, for test networks: whoever makes it could forge proofs.

Reads: the proof system's published sample of a wrapped proof.  Gives: `STAGES`: circuit, key pair, a checked proof.
Never: keeps a secret of the setup.  Spec: docs/spec/groth16.md#local-key
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bedroll.primitives import Misconfigured

from .stage import Stage
from .tool import BRIDGE, GNARK, Progress, cache_folder, find_tool, run_tool

CONSTRAINTS, CIRCUIT = "constraints.json", "circuit.bin"
PROVING, VERIFYING = "proving.key", "verifying.key"
TEMPLATE_WITNESS, TEMPLATE_PROOF = "template.witness.json", "template.proof.json"

WARNING: Final = (
    "A key pair made by one party is UNSAFE: whoever runs this could keep its secrets and forge any proof. "
    "It is for regtest only; other networks take the key of the published ceremony."
)

_SAMPLE: Final = ("wrapped_proof.bin", "wrap_vk.bin")
_GIB: Final = 1 << 30
FRUGAL: Final = {"GOGC": "20"}
"""Collects garbage five times as often as Go would, which costs a tenth of the time and halves the memory."""


def local_folder() -> Path:
    """Where the local circuit and keys lie: outside the sources, so that they outlive a clone."""
    return cache_folder() / "groth16/local"


def sample() -> tuple[Path, Path]:
    """A wrapped proof and its key, of the version that is proved with, from the folder where cargo keeps sources.

    Raises:
        Misconfigured: They are not there.
    """
    home = Path.home() / ".cargo"
    pattern = "registry/src/*/sp1-prover-6.10.0"
    for folder in sorted(home.glob(pattern)):
        paths = folder / _SAMPLE[0], folder / _SAMPLE[1]
        if all(path.is_file() for path in paths):
            return paths
    raise Misconfigured(
        "the proof system's sources are not there",
        option="CARGO_HOME",
        value=home,
        allowed=f"{pattern}: `cargo fetch` in crates/prover gets them",
    )


def _describe(folder: Path, progress: Progress) -> Mapping[str, Any]:
    wrapped, key = sample()
    asked: list[str | Path] = ["describe", wrapped, key, folder / CONSTRAINTS, folder / TEMPLATE_WITNESS]
    return run_tool(find_tool(BRIDGE), asked, progress, {})


def _compile(folder: Path, progress: Progress) -> Mapping[str, Any]:
    asked = ["compile", *_flags(folder, constraints=CONSTRAINTS, witness=TEMPLATE_WITNESS, circuit=CIRCUIT)]
    return run_tool(find_tool(GNARK), asked, progress, FRUGAL)


def _setup(folder: Path, progress: Progress) -> Mapping[str, Any]:
    asked = ["setup", *_flags(folder, circuit=CIRCUIT, key=PROVING, verifying=VERIFYING)]
    return run_tool(find_tool(GNARK), asked, progress, FRUGAL)


def _check(folder: Path, progress: Progress) -> Mapping[str, Any]:
    flags = _flags(
        folder, circuit=CIRCUIT, key=PROVING, verifying=VERIFYING, witness=TEMPLATE_WITNESS, proof=TEMPLATE_PROOF
    )
    return run_tool(find_tool(GNARK), ["prove", *flags], progress, FRUGAL)


def _flags(folder: Path, **names: str) -> list[str | Path]:
    return [part for flag, name in names.items() for part in (f"-{flag}", folder / name)]


STAGES: Final = (
    Stage("describe", "constraints, from a sample proof", (CONSTRAINTS, TEMPLATE_WITNESS), _GIB, _GIB, 10, _describe),
    Stage("compile", "circuit of 16.0 million constraints", (CIRCUIT,), 13 * _GIB, 2 * _GIB, 370, _compile),
    Stage("setup", "key pair from secrets that are wiped", (PROVING, VERIFYING), 6 * _GIB, 6 * _GIB, 420, _setup),
    Stage("check", "a proof of the sample under the new pair", (TEMPLATE_PROOF,), 7 * _GIB, _GIB, 320, _check),
)
"""In order; the figures are those measured on two cores (docs/design/groth16.md)."""
