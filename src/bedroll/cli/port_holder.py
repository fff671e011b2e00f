"""Which process listens on a port of this machine.

Reads: /proc.  Gives: `holder_of`, `why_taken`.
Never: fails where there is no /proc or it is not allowed to look.
Spec: docs/spec/cli.md#running
"""

import os
import socket
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_LISTENS: Final = "0A"
_COMMAND_CHARACTERS_MAX: Final = 80


def holder_of(port: int, proc: Path = _PROC) -> str:
    """`process 1234 (command)`; empty where that cannot be told: another user's process, or no Linux."""
    sockets = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _listeners(proc / "net" / table, port)}
    if not sockets:
        return ""
    for folder in sorted(proc.glob("[0-9]*"), key=lambda each: int(each.name)):
        if _holds(folder / "fd", sockets):
            return f"process {folder.name} ({_command(folder)})"
    return ""


def why_taken(host: str, port: int) -> str:
    """Why nobody can listen there now, and who does; empty where one can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        holder = holder_of(port)
        return f"{error.strerror}" + (f"; {holder} has it" if holder else "")
    return ""


def _listeners(table: Path, port: int) -> list[str]:
    """Inodes of sockets that listen on the port."""
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []
    return [row[9] for row in rows if len(row) > 9 and row[3] == _LISTENS and row[1].endswith(f":{port:04X}")]


def _holds(descriptors: Path, sockets: set[str]) -> bool:
    try:
        return any(os.readlink(each) in sockets for each in descriptors.iterdir())
    except OSError:
        # It ended meanwhile, or is another user's.
        return False


def _command(folder: Path) -> str:
    try:
        words = (folder / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return "?"
    text = " ".join(word.decode(errors="replace") for word in words if word)
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown if len(shown) <= _COMMAND_CHARACTERS_MAX else shown[:_COMMAND_CHARACTERS_MAX] + "…"
