"""Writing Script: a tracked stack, templates with places for keys, and verified blocks of arithmetic.

Reads: what a block shall compute.  Gives: script bytes.  Never: knows the game.  Spec: docs/spec/bitvm.md#blocks
"""

from .template import Keys, Template

__all__ = ["Keys", "Template"]
