"""`bedroll dispute`: a false claim dies on an embedded Bitcoin chain, move by move.

Reads: nothing but options.  Gives: `command`.  Never: shows a move that the chain did not take.
Spec: docs/spec/cli.md#dispute
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click

from bedroll.bitvm.lie.catalogue import lies
from bedroll.bitvm.lie.scene import EXPONENT
from bedroll.bitvm.search import Shape
from bedroll.primitives import Corrupt, Misconfigured

from .dispute_demo import Demo
from .run import QUIET, Context, declare, run_once

EXPONENT_MIN: Final = 7
"""The sample program halts within 2^7 steps."""
HONEST: Final = "none"
"""Name of the game in which nobody lies."""


@click.group("dispute")
def command() -> None:
    """Play dispute games: how a wrong claim dies on Bitcoin."""


@declare("demo", group=command)
@click.option("--lie", "name", default="wrong_result", show_default=True, help="Who lies and how; `none` for nobody.")
@click.option("--list", "listing", is_flag=True, help="Show all lies.")
@click.option(
    "--exponent", type=click.IntRange(EXPONENT_MIN, 26), default=EXPONENT, show_default=True,
    help="T: the trace has 2^T steps; 26 is the real game.",
)  # fmt: skip
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Keep everything here.")
def demo(
    context: Context, flags: dict[str, object], *, name: str, listing: bool, exponent: int, folder: Path | None
) -> None:
    """Play one game between an honest party and a liar, with real scripts on an embedded chain."""
    context.load(flags, QUIET)
    catalogue = lies(Shape(exponent).rounds)
    if listing:
        rows = [
            (lie.name, lie.party.value, lie.text, lie.ends_by + "…" * lie.ends_by.endswith("_"))
            for lie in catalogue.values()
        ]
        context.output.rows("lies", ("name", "who lies", "what is said", "ends by"), rows)
        return
    if name != HONEST and name not in catalogue:
        raise Misconfigured("no such lie", option="lie", value=name, allowed="a name that --list shows, or none")
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise Misconfigured("the demo begins anew", option="folder", value=folder, allowed="an empty folder")
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bedroll-dispute-")))
        lie = catalogue.get(name)
        found = run_once(Demo(context.output, place, lie, exponent).run())
    context.output.result(found, title="verdict")
    if lie is not None and found["winner"] == lie.party.value:
        raise Corrupt("the liar has won: the game has a fault", lie=lie.name, decided_by=found["decided_by"])
