"""Leaves of the game: moves, instructions, facts, and the catalogue of all of them.

Reads: a program, T.  Gives: `Catalogue`, `Leaf`.  Never: holds a secret.  Spec: docs/spec/bitvm.md#leaves
"""

from .leaf import BOTH, CHALLENGER, Keys, Leaf, build_leaf

__all__ = ["BOTH", "CHALLENGER", "Keys", "Leaf", "build_leaf"]
