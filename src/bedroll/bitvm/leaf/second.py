"""Moves around the second search: the opening and Execute2.

Reads: a layout.  Gives: leaves.  Never: restricts where the challenger may go.
Spec: docs/spec/bitvm.md#second-search
"""

from collections.abc import Iterator

from ..message import Layout
from .execute.frame import verify_answers
from .leaf import BOTH, Leaf, build_leaf
from .reveal import Revealed


def opening_leaves(layout: Layout) -> Iterator[Leaf]:
    """Challenger: one leaf a read; what he opens is what the prover committed, and no unused read."""
    opened, answer = layout.messages["opened"], layout.digit(2, 1)
    for number in (1, 2, 3):
        read = layout.messages[f"read_{number}"]
        messages = (read, opened)
        shown = Revealed.of(messages)
        shown.verify_not_zero("opened", "addr")
        for field in read.fields:
            pairs = zip(shown.digits[read.label, field.name], shown.digits["opened", field.name], strict=True)
            for one, two in pairs:
                shown.asm.verify_equal(one, two)
        yield build_leaf(
            f"opening_{number}",
            f"the challenger opens {read.label}, and signed an answer to round 1",
            BOTH,
            verified=(answer,),
            revealed=messages,
            body=shown.asm.finish(),
        )


def execute_2_leaf(layout: Layout) -> Leaf:
    """Prover: t − 1 is the number of the answers; both hashes around step t are signed."""
    messages = (layout.messages["step_2"], *layout.answers(2))
    shown = Revealed.of(messages)
    number = shown.number("step_2", "step")
    verify_answers(shown.asm, layout, shown.digits, 2, number)
    return build_leaf(
        "execute_2",
        "t − 1 is the number of the answers of the second search",
        BOTH,
        verified=(layout.messages["left_hash_2"], layout.messages["right_hash_2"]),
        revealed=messages,
        body=shown.asm.finish(),
    )
