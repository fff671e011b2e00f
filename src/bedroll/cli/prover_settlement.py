"""`bedroll prover settlement`: what the next run of the settlement program is given, and what it verifies, as files.

Reads: Bitcoin, the genesis file, the folder of the run before.  Gives: `settlement`.
Never: proves (`bedroll prover prove` does).  Spec: docs/spec/settlement.md#making-inputs
"""

import tempfile
from pathlib import Path
from typing import Final

import click

from bedroll.config import Config
from bedroll.da import Proof
from bedroll.derivation.settled import SETTLED_SIZE, parse_settled
from bedroll.light import SettlementStep
from bedroll.node.header_walk import anchor_headers
from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.node.settler import SettlementRun, Settler
from bedroll.primitives import L1Height, Misconfigured
from bedroll.prover.job import given_name
from bedroll.prover.verifier import PROOF_BYTES_MAX
from bedroll.storage.durable_file import write_durably

from .bitcoin import open_bitcoin
from .node import circuit_of, read_genesis
from .run import QUIET, Context, declare, run_once

_NAME: Final = "settlement"
_STATE_BYTES_MAX: Final = 1 << 30
_FOLDER: Final = click.Path(path_type=Path, file_okay=False)


@declare("settlement", "network", "folder", "genesis", "circuit", "bitcoin", "log")
@click.option("--out", type=_FOLDER, required=True, help="Folder for input, state, and what is to be verified.")
@click.option("--after", type=_FOLDER, help="Folder of the run to go on from; without it from the anchor.")
@click.option("--upto", type=click.IntRange(min=1), help="L1 block to end with; the newest final one without.")
def settlement(context: Context, flags: dict[str, object], *, out: Path, after: Path | None, upto: int | None) -> None:
    """Make the input of the settlement program's next run, and those of the verdicts that it verifies."""
    config = context.load(flags, QUIET)
    previous = None if after is None else _read_step(after)
    run = run_once(_make(config, previous, upto))
    missing = _write(out, run, after)
    said = parse_settled(run.step.statement)
    context.output.result(
        {
            "first": run.first,
            "last": run.last,
            "block": {"number": said.height, "hash": "0x" + said.tip.hex()},
            "input": str(out / f"{_NAME}.input"),
            "toProve": [str(path) for path in missing],
        },
        title="settlement run",
    )
    for path in missing:
        context.output.hint(f"bedroll prover prove {path}")
    program = "--prover-program crates/guest/elf/settlement.elf"
    context.output.hint(f"bedroll prover prove {out / _NAME}.input {program} --given {out}")


async def _make(config: Config, previous: SettlementStep | None, upto: int | None) -> SettlementRun:
    genesis = read_genesis(config)
    verifier = Sp1Verifier.of_network(genesis.network, circuit_of(config))
    async with open_bitcoin(config) as client:
        last = (await client.tip()).height - genesis.network.parameters.finality_depth if upto is None else upto
        with tempfile.TemporaryDirectory(prefix="bedroll-settlement-") as folder:
            headers = await anchor_headers(client, genesis, Path(folder) / "anchor.headers")
            settler = Settler(Path(folder), genesis, headers, verifier)
            try:
                return await settler.run(client, L1Height(last), previous)
            finally:
                settler.close()


def _read_step(folder: Path) -> SettlementStep:
    """Statement and state of an earlier run.

    Raises:
        Misconfigured: They are not there.
    """
    parts = []
    for end, most in (("values", SETTLED_SIZE), ("state", _STATE_BYTES_MAX)):
        path = folder / f"{_NAME}.{end}"
        if not path.is_file():
            raise Misconfigured("there is no run to go on from", option="--after", value=path, allowed="its folder")
        with path.open("rb") as file:
            parts.append(file.read(most + 1))
    return SettlementStep(statement=parts[0], state=parts[1], input=b"")


def _write(out: Path, run: SettlementRun, after: Path | None) -> list[Path]:
    """All files of a run, in the order in which the program verifies what is given; what is still to be proved."""
    out.mkdir(parents=True, exist_ok=True)
    content: dict[str, bytes] = {}
    missing: list[Path] = []
    if after is not None:
        before = after / f"{_NAME}.proof"
        if before.is_file():
            content[given_name(0)] = before.read_bytes()
        else:
            missing.append(after / f"{_NAME}.input")
    for place, item in enumerate(run.verified, 0 if after is None else 1):
        proof = given_name(place)
        name = Path(proof).stem
        if isinstance(item, Proof):
            content[proof] = item.proof
        else:
            content |= {f"{name}.input": item.given, f"{name}.values": item.stated}
            if not _is_proved(out / name, item.given):
                missing.append(out / f"{name}.input")
    step = run.step
    content |= {f"{_NAME}.state": step.state, f"{_NAME}.values": step.statement, f"{_NAME}.input": step.input}
    for name, raw in content.items():
        write_durably(out / name, raw)
    return missing


def _is_proved(base: Path, given: bytes) -> bool:
    """Whether the proof of this input lies there; one of another input is removed."""
    known, proof = base.with_suffix(".input"), base.with_suffix(".proof")
    if known.is_file() and known.read_bytes() == given and proof.is_file():
        return True
    proof.unlink(missing_ok=True)
    return False


def read_given(folder: Path) -> list[bytes]:
    """Proofs that a run verifies, in its order.

    Raises:
        Misconfigured: One is still to be made, or is larger than a proof can be.
    """
    places = {int(path.name[6:10]) for path in folder.glob("given-[0-9][0-9][0-9][0-9].*")}
    proofs = []
    for place in range(max(places, default=-1) + 1):
        path = folder / given_name(place)
        if not path.is_file() or path.stat().st_size > PROOF_BYTES_MAX:
            raise Misconfigured(
                "a proof that the run verifies is not there",
                option="--given",
                value=path,
                allowed=f"at most {PROOF_BYTES_MAX} bytes, of `bedroll prover prove {path.with_suffix('.input')}`",
            )
        proofs.append(path.read_bytes())
    return proofs
