"""The operator's manual of all options, made from the table.

Reads: `OPTIONS`.  Gives: `manual`.  Never: is edited by hand (a test compares).  Spec: docs/spec/config.md#manual
"""

from itertools import groupby
from pathlib import Path
from typing import Final

from .option import Option
from .table import OPTIONS

_HEAD: Final = """# Configure a node

This page is made from the table of options in `src/bedroll/config/table.py` by `bedroll doctor --manual`.

An option can be set in a TOML file (`--config FILE` or `BEDROLL_CONFIG`), in the environment, or by a flag. A flag is
stronger than the environment, the environment than the file. A name that does not exist is an error, and so is a value
out of range. Sizes in bytes may be written as `256 MiB`.

```toml
network = "regtest"

[rpc]
port = 8545
```
"""


def manual(options: tuple[Option, ...] = OPTIONS) -> str:
    """The page `docs/howto/configure.md`."""
    parts = [_HEAD]
    for section, rows in groupby(options, key=lambda option: option.name.rpartition(".")[0]):
        parts.append(f"\n## {section or 'General'}\n\n")
        parts.append("| option | flag, environment | default | allowed | meaning |\n| --- | --- | --- | --- | --- |\n")
        parts.extend(_row(option) for option in rows)
    return "".join(parts)


def _row(option: Option) -> str:
    names = " ".join(f"`{name}`" for name in (option.flag, *option.aliases, option.environment))
    return f"| `{option.name}` | {names} | {_default(option)} | {option.allowed} | {option.help} |\n"


def _default(option: Option) -> str:
    value = option.default
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
    return f"`{value.as_posix() if isinstance(value, Path) else value}`"
