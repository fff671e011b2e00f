"""The command itself and what all of its commands share.

Reads: arguments.  Gives: `main`.  Never: imports a part of the project before it is asked for.
Spec: docs/spec/cli.md
"""

import difflib
import importlib
from pathlib import Path
from typing import Final

import click

from bedroll import __version__

from .output import Output

_COMMANDS: Final = {
    "demo": "The whole path of a transaction, from wallet to Bitcoin and back.",
    "devnet": "A chain of your own with funded keys, on its own Bitcoin.",
    "node": "Follow the chain: derive it from Bitcoin and serve it.",
    "sequencer": "Lead the chain: take transactions, make blocks, post batches.",
    "prover": "Make validity proofs: follow a node, or prove one input.",
    "light": "Know the chain from a proof and Bitcoin's headers; trust no node.",
    "forced": "Force a transaction through Bitcoin, whatever the leader does.",
    "trace": "Draw what a transaction did: calls, events, reasons.",
    "inspect": "Look at a Bitcoin transaction, an object, a batch, a block.",
    "wallet": "Bitcoin coins that pay for what is posted.",
    "db": "A node's chain: check, prune, roll back, export, import.",
    "key": "API keys: who may call what not everybody may.",
    "riscv": "Run RISC-V programs as a dispute would: steps, hashes, rows.",
    "dispute": "Play dispute games: how a wrong claim dies on Bitcoin.",
    "doctor": "Check options, Bitcoin, folder and port before they fail.",
}


class _Commands(click.Group):
    """Commands by name, each in a module of its own that is imported when it runs."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """The command of a name."""
        if name not in _COMMANDS:
            return None
        try:
            command = importlib.import_module(f".{name}", __package__).command
        except ImportError as error:
            if "bedroll._core" not in (error.name or ""):
                raise
            raise click.ClickException(f"the Rust core is not built: run `make build` ({error})") from None
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named first, or an error that says what may have been meant."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], list(_COMMANDS), n=1)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and sentences, without importing the modules."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="bedroll")
@click.option("--json", "as_json", is_flag=True, help="Write results as JSON, one document a line.")
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file with options (BEDROLL_CONFIG); docs/howto/configure.md lists them.",
)
@click.pass_context
def main(ctx: click.Context, as_json: bool, file: Path | None) -> None:
    """A rollup on Bitcoin: an Ethereum-equivalent chain that anyone rebuilds from Bitcoin alone."""
    # Options, and with them everything that has some, are imported for a command and not for this page.
    ctx.obj = importlib.import_module(".run", __package__).Context(Output(as_json=as_json), file)
