"""The page of a command's options: what people use first, then the rest by section.

Reads: options of the table, click's own.  Gives: `Flag`, `flag_of`, `PagedCommand`.
Never: leaves an option out.  Spec: docs/spec/cli.md#output
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from bedroll.config import Option

_METAVARS: Final = {int: "NUMBER", float: "NUMBER", Path: "PATH", tuple: "LIST", bool: "true|false", str: "TEXT"}
_SOURCES: Final = (
    "Each of them is also an environment variable (--rpc-port: BEDROLL_RPC_PORT) and a line in the file of --config; "
    "docs/howto/configure.md lists all with defaults."
)


class Flag(click.Option):
    """A flag of an option of the table; `section` is empty for those that stand first."""

    def __init__(self, *args: Any, section: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


def flag_of(option: Option, command: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that adds an option's flag, the short forms first."""
    section = option.name.rpartition(".")[0]
    is_first = bool(option.aliases) or section in ("", command)
    return click.option(
        *option.aliases,
        option.flag,
        option.attribute,
        cls=Flag,
        section="" if is_first else section,
        default=None,
        metavar="|".join(option.choices) or _METAVARS[option.kind],
        help=option.help if option.low is None and option.high is None else f"{option.help}  [{option.allowed}]",
    )


class PagedCommand(click.Command):
    """A command whose page is in sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What people use first, then each section."""
        sections: dict[str, list[tuple[str, str]]] = {"": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                section = parameter.section if isinstance(parameter, Flag) else ""
                sections.setdefault(section, []).append(record)
        for section, records in sections.items():
            with formatter.section(f"Options of {section}" if section else "Options"):
                formatter.write_dl(records)
        if any(isinstance(parameter, Flag) for parameter in self.params):
            formatter.write_paragraph()
            formatter.write_text(_SOURCES)
