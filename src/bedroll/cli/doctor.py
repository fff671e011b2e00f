"""`bedroll doctor`: find out what is wrong before a service does.

Reads: options, the folder, Bitcoin, the port.  Gives: `command`, `Finding`, `examine`.
Never: changes anything.  Spec: docs/spec/cli.md#doctor
"""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import click

from bedroll.config import Config, manual
from bedroll.primitives import BedrollError

from .bitcoin import check_bitcoin
from .port_holder import why_taken
from .run import Context, declare, run_once

_DISK_BYTES_MIN: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    ok: bool
    said: str


@declare("doctor", "network", "folder", "bitcoin", "rpc")
@click.option("--manual", "as_manual", is_flag=True, help="Print the manual of all options (docs/howto/configure.md).")
def command(context: Context, flags: dict[str, object], *, as_manual: bool) -> None:
    """Check options, Bitcoin, folder and port before they fail."""
    if as_manual:
        sys.stdout.write(manual())
        return
    config = context.load(flags)
    findings = [*examine(config), run_once(_examine_bitcoin(config))]
    context.output.rows("doctor", ("subject", "ok", "said"), [(row.subject, row.ok, row.said) for row in findings])
    if not all(row.ok for row in findings):
        context.output.hint("mend what is not ok; `bedroll devnet` needs no Bitcoin of yours")
        sys.exit(1)


def examine(config: Config) -> Iterator[Finding]:
    """Look at everything on this machine but Bitcoin."""
    yield Finding("options", True, f"network {config.network}")
    folder = config.folder
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    writable = os.access(there, os.W_OK)
    yield Finding("folder", writable, f"{folder}: {'can be written' if writable else f'{there} cannot be written'}")
    free_bytes = shutil.disk_usage(there).free
    yield Finding("disk", free_bytes >= _DISK_BYTES_MIN, f"{free_bytes / (1 << 30):.1f} GiB free")
    yield _examine_port(config.rpc.host, config.rpc.port)


def _examine_port(host: str, port: int) -> Finding:
    why = why_taken(host, port)
    return Finding("port", not why, f"{host}:{port}: {why}" if why else f"{host}:{port} is free")


async def _examine_bitcoin(config: Config) -> Finding:
    try:
        return Finding("bitcoin", True, await check_bitcoin(config))
    except BedrollError as error:
        return Finding("bitcoin", False, str(error))
