"""`bedroll db`: check a node's chain, cut it back, carry it to another folder.

Reads: the folder of a node that does not run.  Gives: `command`.
Never: touches a folder that another process holds.  Spec: docs/spec/cli.md#db
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from rich.filesize import decimal

from bedroll.config import Config
from bedroll.execution.engine import ChainStore
from bedroll.node.snapshot import Report, export_snapshot, import_snapshot
from bedroll.node.store import NodeStore
from bedroll.primitives import Corrupt, Invalid, Misconfigured
from bedroll.storage.folder import DataFolder

from .output import Output, Step
from .run import Context, declare

_SECTIONS: Final = ("folder", "genesis", "log")
_BLOCKS: Final = 200
"""Blocks in one part of a check."""
_ROWS: Final = 50_000
_PRUNED_BLOCKS: Final = 1_000
_PARTS: Final = 256


@click.group("db", help="Check, prune, roll back, export and import a node's chain; the node must not run.")
def command() -> None:
    """Group of the commands below."""


@contextmanager
def _held(folder: Path) -> Iterator[Path]:
    """The chain's folder, while nobody else has the node's."""
    with DataFolder(folder, "bedroll db"):
        chain = folder / "chain"
        if not (chain / "data.mdb").is_file():
            raise Misconfigured(
                "there is no chain in the folder", option="folder", value=str(folder), allowed="a node's"
            )
        yield chain


def _size_bytes(chain: Path) -> int:
    """What the chain takes of the disk: its files have room in them that takes none."""
    return sum(path.stat().st_blocks * 512 for path in chain.rglob("*") if path.is_file())


@contextmanager
def _opened(config: Config) -> Iterator[ChainStore]:
    with _held(config.folder) as chain:
        store = ChainStore.open(str(chain))
        try:
            yield store
        finally:
            store.close()


@contextmanager
def reporting(output: Output) -> Iterator[Report]:
    """Bars for what a snapshot's work tells, one a kind."""
    with output.progress() as steps:
        bars: dict[str, Step] = {}
        seen: dict[str, int] = {}

        def report(what: str, done: int, of: int) -> None:
            if what not in bars:
                bars[what] = steps.begin(what, of or None)
            bars[what].advance(done - seen.get(what, 0))
            seen[what] = done

        yield report


@declare("check", *_SECTIONS, group=command)
def check(context: Context, flags: dict[str, object]) -> None:
    """Verify everything: blocks, roots, state against its tries, indexes against blocks. Ends with a verdict."""
    config = context.load(flags)
    with _opened(config) as store, reporting(context.output) as report:
        height, block_hash, oldest, rows = store.facts()
        counts = dict(rows)
        for first in range(0, height + 1, _BLOCKS):
            store.check_blocks(first, first + _BLOCKS - 1)
            report("blocks", min(first + _BLOCKS, height + 1), height + 1)
        for part in range(_PARTS):
            store.check_tries(part)
            report("tries", part + 1, _PARTS)
        after: bytes | None = None
        done, flat = 0, counts["account"] + counts["slot"]
        while True:
            after = store.check_flat(after, _ROWS)
            done = min(done + _ROWS, flat)
            report("accounts and slots", done, flat)
            if after is None:
                break
        at: int | None = 0
        while at is not None:
            report("postings", at, height + 1)
            at = store.check_postings(at)
        report("postings", height + 1, height + 1)
        store.check_past(oldest)
        problems = store.check_end()
    context.output.result(
        {
            "verdict": "whole" if not problems else "damaged",
            "tip": {"height": height, "hash": "0x" + block_hash.hex()},
            "oldest state": oldest,
            "accounts": counts["account"],
            "slots": counts["slot"],
            "size": decimal(_size_bytes(config.folder / "chain")),
            "problems": problems,
        },
        title="bedroll db check",
    )
    if problems:
        raise Corrupt("the chain's folder is damaged", problems=len(problems), first=problems[0])


@declare("prune", *_SECTIONS, group=command)
@click.option("--keep", type=click.IntRange(min=0), required=True, help="Newest blocks whose state stays.")
def prune(context: Context, flags: dict[str, object], *, keep: int) -> None:
    """Drop the state of old blocks. Blocks, receipts and logs stay; the file's room is used again, not given back."""
    config = context.load(flags)
    with _opened(config) as store, reporting(context.output) as report:
        height, _, oldest, _ = store.facts()
        target = max(oldest, height - keep)
        for upto in [*range(oldest + _PRUNED_BLOCKS, target, _PRUNED_BLOCKS), target]:
            store.prune(upto)
            report("blocks", upto - oldest, target - oldest)
    context.output.result(
        {"oldest state before": oldest, "oldest state": target, "tip": height}, title="bedroll db prune"
    )


@declare("rollback", *_SECTIONS, group=command)
@click.argument("height", type=click.IntRange(min=0))
def rollback(context: Context, flags: dict[str, object], *, height: int) -> None:
    """Make block HEIGHT the newest again. The node derives from the anchor after it: what is there is only compared."""
    config = context.load(flags)
    if (config.folder / "signer.log").exists():
        raise Misconfigured(
            "this folder leads a chain: other blocks at heights that it signed would contradict it",
            option="folder",
            value=str(config.folder),
            allowed="a folder without signer.log",
        )
    with _opened(config) as store:
        before, _, oldest, _ = store.facts()
        if not oldest <= height <= before:
            raise Invalid("that block cannot be the newest", height=height, oldest=oldest, newest=before)
        # First what derivation remembers: a checkpoint must never be ahead of the chain.
        if (config.folder / "node.sqlite").is_file():
            remembered = NodeStore(config.folder / "node.sqlite")
            remembered.clear()
            remembered.close()
        store.unwind_to(height)
        _, block_hash, _, _ = store.facts()
    context.output.result(
        {"newest before": before, "newest": height, "hash": "0x" + block_hash.hex()}, title="bedroll db rollback"
    )


@declare("export", *_SECTIONS, group=command)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def export(context: Context, flags: dict[str, object], *, file: Path) -> None:
    """Write blocks and newest state into FILE, compressed; its hash is printed for those who import it."""
    config = context.load(flags)
    genesis = config.genesis or config.folder / "genesis.json"
    text = genesis.read_text() if genesis.is_file() else ""
    with _held(config.folder) as chain, reporting(context.output) as report:
        store = ChainStore.open(str(chain))
        height, block_hash, _, _ = store.facts()
        store.close()
        digest = export_snapshot(chain, file, genesis=text, report=report)
    context.output.result(
        {
            "file": str(file),
            "size": decimal(file.stat().st_size),
            "sha256": digest.hex(),
            "blocks": f"0 to {height}",
            "newest": "0x" + block_hash.hex(),
        },
        title="bedroll db export",
    )
    context.output.hint(f"bedroll db import {file} --block 0x{block_hash.hex()} --folder NEW")


@declare("import", *_SECTIONS, group=command)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--block", metavar="HASH", help="Newest block that the snapshot must have; from a source you trust.")
def import_(context: Context, flags: dict[str, object], *, file: Path, block: str | None) -> None:
    """Fill a new folder from FILE. Every root is compared before the folder can be used."""
    config = context.load(flags)
    wanted = None if block is None else parse_hash(block)
    with DataFolder(config.folder, "bedroll db"), reporting(context.output) as report:
        head = import_snapshot(file, config.folder / "chain", block_hash=wanted, report=report)
        genesis = config.folder / "genesis.json"
        if head.genesis and not genesis.exists():
            genesis.write_text(head.genesis)
    if wanted is None:
        context.output.warn("nobody vouched for the newest block: compare its hash with one from a source you trust")
    context.output.result(
        {
            "folder": str(config.folder),
            "blocks": f"0 to {head.height}",
            "newest": "0x" + head.block_hash.hex(),
            "size": decimal(_size_bytes(config.folder / "chain")),
        },
        title="bedroll db import",
    )


def parse_hash(text: str) -> bytes:
    """A block's hash as people give it.

    Raises:
        Misconfigured: It is none.
    """
    try:
        value = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        value = b""
    if len(value) != 32:
        raise Misconfigured("not a block hash", option="--block", value=text, allowed="0x and 64 hexadecimal digits")
    return value
