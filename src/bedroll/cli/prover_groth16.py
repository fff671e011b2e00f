"""`bedroll prover setup-local` and `bedroll prover groth16`: keys of the pairing circuit, and proofs under them.

Reads: a person's consent, wrapped proofs.  Gives: `setup_local`, `groth16`, `shortener_of`.
Never: makes a key pair without saying what it is worth.  Spec: docs/spec/groth16.md
"""

import asyncio
import sys
from pathlib import Path

import click

from bedroll.config import Config
from bedroll.da import ProofSystem
from bedroll.primitives import Misconfigured
from bedroll.protocol import network_named
from bedroll.prover.groth16 import Keys, local_keys, prove_groth16, published_keys
from bedroll.prover.groth16_task import Groth16Task
from bedroll.prover.permit import Permits
from bedroll.prover.setup_local import STAGES, VERIFYING, WARNING, local_folder
from bedroll.prover.stage import Stage, run_stages
from bedroll.prover.tool import BRIDGE, GNARK, Progress, find_tool
from bedroll.storage.durable_file import write_durably

from .output import Output, Step, Steps
from .run import Context, declare

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@declare("setup-local")
@click.option("--folder", type=_FOLDER, help="Where circuit and keys go; without it the cache folder.")
@click.option("--yes", is_flag=True, help="Begin without asking.")
def setup_local(context: Context, _flags: dict[str, object], *, folder: Path | None, yes: bool) -> None:
    """Make a Groth16 key pair alone, UNSAFE and for regtest only: once, 13 GiB, half an hour. Begins where killed."""
    output, folder = context.output, folder or local_folder()
    output.warn(WARNING)
    _show_plan(output)
    if not yes:
        _ask(folder)
    with output.progress() as steps:

        def begin(stage: Stage, done: bool) -> Progress:
            if done:
                steps.begin(f"{stage.name}: done before").done()
            return _Bars(steps, stage.name).show

        records = run_stages(folder, STAGES, begin)
    files = {name: record.sha256 for made in records for name, record in made.files.items()}
    output.result({"folder": str(folder), "safe": False, "sha256": files}, title="local keys")
    output.hint(f"bedroll devnet --circuit {folder / VERIFYING} takes proofs under them")


@declare("groth16")
@click.argument("wrapped", type=_FILE)
@click.option("--out", type=click.Path(path_type=Path), help="Proof's file; without it the name with .groth16.")
@click.option("--local", is_flag=True, help="Under the pair that `setup-local` made: unsafe, for regtest only.")
@click.option("--folder", type=_FOLDER, help="Where `setup-local` put it; without it the cache folder.")
@click.option("--keys", type=_FOLDER, help="Folder of the published ceremony's circuit and keys.")
@click.option("--sha256", help="Hash of the published proving key, 64 hexadecimal digits.")
def groth16(
    context: Context,
    _flags: dict[str, object],
    *,
    wrapped: Path,
    out: Path | None,
    local: bool,
    folder: Path | None,
    keys: Path | None,
    sha256: str | None,
) -> None:
    """Prove a wrapped proof again in 356 bytes that a pairing checks: five CPU minutes, 7 GiB."""
    pair: Keys = local_keys(folder or local_folder()) if local else published_keys(keys, sha256)
    out = out or wrapped.with_suffix(".groth16")
    with context.output.progress() as steps:
        proof = prove_groth16(wrapped, pair, _Bars(steps, "prove").show)
    write_durably(out, proof)
    context.output.result({"proof": str(out), "safe": not local, "hex": proof.hex()}, title="Groth16 proof")


async def shortener_of(config: Config, output: Output) -> Groth16Task | None:
    """What makes proofs short as a service, where the network takes Groth16 alone.

    Raises:
        Misconfigured: Proofs are to be given to a node of such a network, and keys or programs are not there.
    """
    chosen = config.prover
    if ProofSystem.COMPRESSED in network_named(config.network).parameters.proof_systems:
        return None
    if chosen.groth16_keys is None and not chosen.key:
        output.hint(
            f"{config.network} takes Groth16 alone: without prover.groth16_keys proofs stay compressed files",
            aside=True,
        )
        return None
    options = ("prover.groth16_keys", "prover.groth16_sha256")
    # Its hash is of six gigabytes.
    keys = await asyncio.to_thread(published_keys, chosen.groth16_keys, chosen.groth16_sha256, options)
    for tool in (BRIDGE, GNARK):
        find_tool(tool)
    return Groth16Task(keys, Permits.of_machine(chosen.memory_bytes))


def _show_plan(output: Output) -> None:
    rows = [
        (stage.name, stage.what, _gib(stage.memory_bytes), _gib(stage.disk_bytes), f"{-(-stage.seconds // 60)} CPU min")
        for stage in STAGES
    ]
    output.rows("stages", ("stage", "what", "memory", "disk", "time"), rows)


def _gib(count: int) -> str:
    return f"{count >> 30} GiB"


def _ask(folder: Path) -> None:
    if not sys.stdin.isatty():
        raise Misconfigured("nobody is there to agree", option="--yes", value=False, allowed="--yes")
    if not click.confirm(f"Make an unsafe key pair in {folder}?"):
        raise Misconfigured("not agreed", option="--yes", value=False, allowed="--yes, or y")


class _Bars:
    """A bar for each step that a program tells of."""

    def __init__(self, steps: Steps, name: str) -> None:
        self._steps, self._name = steps, name
        self._what, self._done = "", 0
        self._step: Step | None = None

    def show(self, what: str, done: int, total: int) -> None:
        """One line of a program."""
        if what != self._what:
            self.end()
            self._what, self._done = what, 0
            self._step = self._steps.begin(f"{self._name}: {what}", total)
        if self._step is not None:
            self._step.advance(done - self._done)
            self._done = done

    def end(self) -> None:
        """The step that was told of last has ended."""
        if self._step is not None:
            self._step.done()
        self._step = None
