"""The command `bedroll`.

Reads: arguments, options (`config`).  Gives: `main`.
Never: holds logic that a program could not use without it.  Spec: docs/spec/cli.md
"""

from .root import main

__all__ = ["main"]
