"""`bedroll prover`: make validity proofs, look at a prover, judge a proof.

Reads: inputs of the proved program, from a node or a file.  Gives: `command`.
Never: shows a proof that the worker has not verified.  Spec: docs/spec/prover.md
"""

import asyncio
import contextlib
import functools
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import click

from bedroll.bitcoin.client import BitcoinClient
from bedroll.config import Config
from bedroll.da import StatementKind
from bedroll.derivation.settled import SETTLED_SIZE
from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.node.settlement_follower import SettlementFollower
from bedroll.primitives import Invalid, Misconfigured
from bedroll.prover import Core, Finished, Follower, JobState, Prover, Range, read_status
from bedroll.prover.budget import checked_budget
from bedroll.prover.core import find_worker
from bedroll.prover.crew import Crew, Shortener
from bedroll.prover.executor import execute, find_executor
from bedroll.prover.job import NO_SHARDS, WRAPPED_FILE
from bedroll.prover.permit import Permits
from bedroll.prover.ray_crew import RayCrew
from bedroll.prover.service import INPUT_BYTES_MAX, Execute, HandOver
from bedroll.sdk import RpcClient
from bedroll.storage.durable_file import write_durably

from .bitcoin import open_bitcoin
from .node import circuit_of, read_genesis
from .prover_groth16 import groth16, setup_local, shortener_of
from .prover_picture import Picture, show_status
from .prover_settlement import read_given, settlement
from .prover_submit import NodeTaker, submit
from .run import QUIET, Context, declare, run_once, run_service
from .serve import run_until

_SECTIONS: Final = ("network", "folder", "prover", "log")
_ELF: Final = Path(__file__).resolve().parents[3] / "crates/guest/elf"
_PROGRAM: Final = _ELF / "batch.elf"
_SETTLEMENT: Final = _ELF / "settlement.elf"
_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("prover")
def command() -> None:
    """Make validity proofs: follow a node, or prove one input."""


command.add_command(setup_local)
command.add_command(groth16)
command.add_command(settlement)
command.add_command(submit)


@declare("run", *_SECTIONS, "genesis", "circuit", "bitcoin", group=command)
@click.option("--first", type=click.IntRange(min=1), default=1, show_default=True, help="L2 block to begin with.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of proofs; in the folder without."
)
@click.option("--settlement", is_flag=True, help="Also carry settlement on, from Bitcoin and the genesis file.")
def run(context: Context, flags: dict[str, object], *, first: int, out: Path | None, settlement: bool) -> None:
    """Follow a node and prove each batch and each run of automatic blocks that it derives.

    With --settlement also the settlement program, run after run: the node keeps the newest proof for light clients.
    """
    config = context.load(flags)
    folder = out or folder_of(config) / "proofs"
    run_service(lambda stop: _serve(context, config, first, folder, stop, settles=settlement))


@declare("prove", *_SECTIONS, group=command)
@click.argument("file", type=_FILE)
@click.option("--out", type=click.Path(path_type=Path), help="Proof's file; beside it .values and .json.")
@click.option(
    "--given", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder of given-0000.proof …"
)
@click.option("--wrap", is_flag=True, help="Also make the form that `prover groth16` takes: an hour of CPU time.")
def prove(
    context: Context, flags: dict[str, object], *, file: Path, out: Path | None, given: Path | None, wrap: bool
) -> None:
    """Prove one input of the batch program. FILE is the input; what was finished before is not done again.

    Of another program with --prover-program; with --given it verifies the proofs of that folder in their order.
    """
    config = context.load(flags, QUIET)
    proofs = [] if given is None else read_given(given)
    out = out or file.with_suffix(".proof")
    shown = run_once(_prove(context, config, file, out, proofs))
    if wrap:
        with context.output.progress() as steps:
            step = steps.begin("wrap: the proof again, over the pairing curve's field")
            run_once(_wrap(config, Path(shown["job"]), out.with_suffix(".wrapped")))
            step.done()
        shown["wrapped"] = str(out.with_suffix(".wrapped"))
    context.output.result(shown, title="validity proof")
    if wrap:
        context.output.hint(f"bedroll prover groth16 {shown['wrapped']} makes 356 bytes of it")


@declare("status", *_SECTIONS, group=command)
def status(context: Context, flags: dict[str, object]) -> None:
    """Show what a prover does: jobs, stages, shards, cycles, time, memory."""
    config = context.load(flags, QUIET)
    show_status(context.output, read_status(folder_of(config)), folder_of(config))


@declare("verify", *_SECTIONS, group=command)
@click.argument("file", type=_FILE)
@click.option("--values", type=_FILE, help="Public values; without it the file's name with .values.")
@click.option("--key", help="Digest of the program's key, 64 hexadecimal digits; without it the .json beside.")
def verify(context: Context, flags: dict[str, object], *, file: Path, values: Path | None, key: str | None) -> None:
    """Judge a compressed proof."""
    config = context.load(flags, QUIET)
    values = values or file.with_suffix(".values")
    names = file.with_suffix(".json")
    if not values.exists() or (key is None and not names.exists()):
        raise Misconfigured(
            "a proof is judged with its public values and its program's key",
            option="--values and --key",
            value=file,
            allowed=f"{values.name} and {names.name} beside the proof, or both options",
        )
    program = key if key is not None else str(json.loads(names.read_text())["program"])
    shown = run_once(_verify(config, file, values, program))
    context.output.result(shown, title=file.name)
    if not shown["holds"]:
        raise Invalid("the proof does not hold", reason=str(shown["reason"]))


@declare("key", *_SECTIONS, group=command)
def key(context: Context, flags: dict[str, object]) -> None:
    """Show under which key proofs of the program are judged."""
    config = context.load(flags, QUIET)
    context.output.result(run_once(_key(config)), title="program")


def folder_of(config: Config) -> Path:
    """Where the prover keeps its queue and jobs."""
    return config.folder / "prover"


def program_of(config: Config) -> Path:
    """The ELF file that is proved.

    Raises:
        Misconfigured: It is not there.
    """
    path = config.prover.program or _PROGRAM
    if not path.is_file():
        raise Misconfigured(
            "the proved program is not there",
            option="prover.program",
            value=path,
            allowed="an ELF file: crates/guest/elf/batch.elf of the sources",
        )
    return path


def crew_of(config: Config) -> Crew:
    """Who proves: one worker here, with a budget that can do and a permit of this machine, or those of a cluster."""
    chosen = config.prover
    if chosen.ray is not None:
        return RayCrew(chosen.ray, chosen.workers, chosen.worker, chosen.memory_bytes)
    if chosen.workers is not None:
        raise Misconfigured(
            "several workers work on a cluster", option="prover.workers", value=chosen.workers, allowed="with --ray"
        )
    memory_bytes = checked_budget(chosen.memory_bytes)
    return Core(find_worker(chosen.worker), memory_bytes, Permits.of_machine(memory_bytes))


def prover_of(config: Config, take: HandOver, picture: Picture, shortener: Shortener | None = None) -> Prover:
    """The prover of the folder."""
    return Prover(
        folder_of(config),
        crew_of(config),
        program_of(config).read_bytes(),
        take,
        memory_bytes=config.prover.memory_bytes,
        cycles_max=config.prover.uncut_cycles_max,
        execute=execute_of(config),
        shortener=shortener,
        on_change=picture.show,
    )


def execute_of(config: Config) -> Execute | None:
    """What runs a program without proving it; None without the executor."""
    executor = find_executor(config.prover.executor)
    return None if executor is None else functools.partial(execute, executor)


class RpcSource:
    """A node by its JSON-RPC."""

    def __init__(self, client: RpcClient) -> None:
        self._client = client

    async def range_of(self, height: int) -> Range | None:
        """The range that holds a block."""
        found = await self._client.call("bedroll_getProofInput", hex(height))
        if found is None:
            return None
        return Range(
            first=int(found["firstBlock"], 16),
            last=int(found["lastBlock"], 16),
            kind="automatic" if found["objectId"] is None else "batch",
            given=None if found["input"] is None else bytes.fromhex(found["input"][2:]),
            stated=None if found["publicValues"] is None else bytes.fromhex(found["publicValues"][2:]),
            waits=bool(found["waiting"]),
        )


async def _serve(
    context: Context, config: Config, first: int, folder: Path, stop: asyncio.Event, *, settles: bool
) -> None:
    shortener = await shortener_of(config, context.output)
    names = await _key(config)
    settlement = await _settlement_names(config) if settles else {}

    async def keep(finished: Finished) -> None:
        of = settlement if len(finished.values) == SETTLED_SIZE else names
        keep_files(folder / f"{finished.job.title.replace(' ', '-')}.proof", finished, of)

    if not config.prover.key:
        context.output.hint("proofs stay files: with prover.key, of `bedroll key new`, the node gets them", aside=True)
    async with RpcClient(config.prover.url, key=config.prover.key) as client:
        take = NodeTaker(client, keep) if config.prover.key else keep
        with Picture(context.output) as picture:
            prover = prover_of(config, take, picture, shortener)
            wraps = shortener is not None
            followers: list[Follower | SettlementFollower] = [Follower(RpcSource(client), prover, first, wraps=wraps)]
            try:
                async with contextlib.AsyncExitStack() as stack:
                    if settles:
                        bitcoin = await stack.enter_async_context(open_bitcoin(config))
                        followers.append(_settlement_follower(config, bitcoin, prover, wraps=wraps))
                    await run_until(_follow(prover, followers), stop)
            finally:
                await prover.close()


async def _follow(prover: Prover, followers: Sequence[Follower | SettlementFollower]) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(prover.run())
        for follower in followers:
            group.create_task(follower.run())


def _settlement_follower(config: Config, bitcoin: BitcoinClient, prover: Prover, *, wraps: bool) -> SettlementFollower:
    genesis = read_genesis(config)
    verifier = Sp1Verifier.of_network(genesis.network, circuit_of(config))
    folder = folder_of(config) / "settlement"
    return SettlementFollower(
        folder, bitcoin, genesis, verifier, prover, _SETTLEMENT.read_bytes(),
        wraps=wraps, cycles_max=config.prover.cycles_max, execute=execute_of(config),
    )  # fmt: skip


async def _settlement_names(config: Config) -> dict[str, str]:
    """Names of the settlement program.

    Raises:
        Misconfigured: It, or the program that is proved, is not the one whose key comes with this version.
    """
    verifier = Sp1Verifier.of_network(read_genesis(config).network)
    names = {}
    core = Core(find_worker(config.prover.worker), config.prover.memory_bytes)
    try:
        for kind, program in ((StatementKind.BATCH, program_of(config)), (StatementKind.SETTLEMENT, _SETTLEMENT)):
            if not program.is_file():
                raise Misconfigured(
                    "a program is not there", option="--settlement", value=program, allowed="a checkout of the sources"
                )
            names = await names_of(core, program)
            if bytes.fromhex(names["program"]) != verifier.program_digest(kind):
                raise Misconfigured(
                    "the program is not the one whose key comes with this version",
                    option="--settlement",
                    value=program,
                    allowed="the ELF file of this version",
                )
    finally:
        await core.close()
    return names


async def _prove(context: Context, config: Config, file: Path, out: Path, proofs: Sequence[bytes]) -> dict[str, Any]:
    if file.stat().st_size > INPUT_BYTES_MAX:
        raise Invalid("input is too large", value=file.stat().st_size, limit=INPUT_BYTES_MAX)
    names = await _key(config)

    async def keep(finished: Finished) -> None:
        keep_files(out, finished, names)

    with Picture(context.output) as picture:
        prover = prover_of(config, keep, picture)
        try:
            job = await prover.finish(prover.reopen(prover.add(file.read_bytes(), file.name, proofs)))
            tasks = prover.queue.tasks(job.id)
        finally:
            await prover.close()
    if job.state is JobState.FAILED:
        raise Invalid("the input cannot be proved", reason=job.reason)
    kinds = [task.kind for task in tasks if task.kind not in NO_SHARDS]
    return {
        "proof": str(out),
        "job": str(prover.folder_of(job)),
        "cycles": job.cycles,
        "shards": {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
        "seconds": round(sum(task.seconds for task in tasks), 1),
        "peak_bytes": max((task.peak_bytes for task in tasks), default=0),
        "values": job.values.hex(),
    }


async def _wrap(config: Config, job: Path, out: Path) -> None:
    memory_bytes = checked_budget(config.prover.memory_bytes)
    core = Core(find_worker(config.prover.worker), memory_bytes, Permits.of_machine(memory_bytes))
    try:
        await core.ask({"do": "wrap", "job": str(job)})
    finally:
        await core.close()
    write_durably(out, (job / WRAPPED_FILE).read_bytes())


def keep_files(out: Path, finished: Finished, names: dict[str, str]) -> None:
    """Write a proof in its forms, its values and its program's names; the proof last: it is never without them."""
    out.parent.mkdir(parents=True, exist_ok=True)
    parts = (
        (out.with_suffix(".values"), finished.values),
        (out.with_suffix(".json"), json.dumps(names, indent=2).encode() + b"\n"),
        (out.with_suffix(".groth16"), finished.groth16),
        (out, finished.proof),
    )
    for path, content in parts:
        if content:
            write_durably(path, content)


async def names_of(core: Core, program: Path) -> dict[str, str]:
    """SHA-256 of the program's file, the digests of its key, and the key."""
    told = (await core.ask({"do": "key", "program": str(program.resolve())}))["key"]
    if told["elf"] != sha256(program.read_bytes()).hexdigest():
        raise Invalid("the program changed meanwhile", path=str(program))
    return {name: str(told[name]) for name in ("elf", "program", "groth16", "key")}


async def _verify(config: Config, file: Path, values: Path, program: str) -> dict[str, Any]:
    core = Core(find_worker(config.prover.worker), config.prover.memory_bytes)
    try:
        asked = {"do": "verify", "proof": str(file.resolve()), "values": str(values.resolve()), "program": program}
        told = await core.ask(asked)
    finally:
        await core.close()
    return {"holds": told["verdict"] is None, "reason": told["verdict"] or "", "seconds": round(told["seconds"], 4)}


async def _key(config: Config) -> dict[str, str]:
    core = Core(find_worker(config.prover.worker), config.prover.memory_bytes)
    try:
        return await names_of(core, program_of(config))
    finally:
        await core.close()
