"""Leaves of moves that commit and decide nothing: input, hashes, answers.

Reads: a layout.  Gives: leaves.  Never: reveals what is signed: it is only verified.
Spec: docs/spec/bitvm.md#moves
"""

from ..message import Layout
from .leaf import BOTH, Leaf, build_leaf


def input_leaf(layout: Layout) -> Leaf:
    """Prover: the input and the claimed last hash."""
    return build_leaf("input", "the prover signed the input and H_{2^T}", BOTH, verified=layout.input)


def hashes_leaf(layout: Layout, search: int, number: int) -> Leaf:
    """Prover: the hashes of a round."""
    decides = f"the prover signed the {layout.shape.hashes(number)} hashes of round {number}"
    return build_leaf(f"hashes_{search}_{number}", decides, BOTH, verified=layout.round(search, number))


def digit_leaf(layout: Layout, search: int, number: int) -> Leaf:
    """Challenger: the answer in a round; its radix is the bound on it."""
    message = layout.digit(search, number)
    decides = f"the challenger signed a digit below {layout.shape.arities[number - 1]}"
    return build_leaf(message.label, decides, BOTH, verified=(message,))
