#!/usr/bin/env python3
"""Run rustc for cargo so that what it makes does not depend on where the sources lie.

Cargo derives `-C metadata`, which goes into every symbol's name, from the folders of path dependencies and of the
standard library's sources. Symbols are sorted, so the same sources in another folder gave another program. Here the
value comes from what the crate is: package, version, crate, features and target. A package's folder, which has the
name of a registry's mirror in it, is called as the package.
"""

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

PREFIX: Final = "metadata="
# What tells two crates of one build apart.
TOLD_BY: Final = ("--crate-type", "--target", "--cfg")


def identity(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Sixteen hexadecimal digits that name the crate that `arguments` (rustc's) compile for a package."""
    told = [environment.get(name, "") for name in ("CARGO_PKG_NAME", "CARGO_PKG_VERSION", "CARGO_CRATE_NAME")]
    for option, value in pairwise(arguments):
        # A target may be a file, whose folder is what must not matter.
        told += [option, os.path.basename(value)] if option in TOLD_BY else []
    return hashlib.sha256("\0".join(told).encode()).hexdigest()[:16]


def settled(arguments: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The same arguments with the crate's metadata and its folder's name replaced; a mere question stays as it is."""
    if not any(argument.startswith(PREFIX) for argument in arguments):
        return list(arguments)
    name = identity(arguments, environment)
    package = f"{environment['CARGO_PKG_NAME']}-{environment['CARGO_PKG_VERSION']}"
    replaced = [PREFIX + name if argument.startswith(PREFIX) else argument for argument in arguments]
    return [*replaced, f"--remap-path-prefix={environment['CARGO_MANIFEST_DIR']}={package}"]


def main() -> None:
    """Become rustc, which is the first argument."""
    os.execvp(sys.argv[1], [sys.argv[1], *settled(sys.argv[2:], os.environ)])


if __name__ == "__main__":
    main()
