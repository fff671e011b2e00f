"""Leaves of the game: moves, instructions, facts, and the catalogue of all of them.

Reads: a program, T.  Gives: `Catalogue`, `Leaf`, `Scripts`.  Never: holds a secret.  Spec: docs/spec/bitvm.md#leaves
"""

from ..script.template import BOTH, CHALLENGER, Keys
from .catalogue import Catalogue, Scripts
from .chain import opening_hints
from .execute import instruction_of
from .ground import Ground
from .leaf import Leaf

__all__ = [
    "BOTH",
    "CHALLENGER",
    "Catalogue",
    "Ground",
    "Keys",
    "Leaf",
    "Scripts",
    "instruction_of",
    "opening_hints",
]
