"""A proof that holds says one thing, executing the same blocks here another: one of both is broken.

Reads: nothing.  Gives: `Diverged`.  Never: decides which of the two is right: people do.
Spec: docs/spec/derivation.md#divergence
"""

from bedroll.primitives import Corrupt


class Diverged(Corrupt):
    """This node's execution or the proof system is broken: derivation ends before the L1 block of the proof.

    Attributes:
        l1_height: Of the block that holds the proof.
        object_id: Of the proof.
        stated: Hash of the L2 tip that the proof says.
        reason: What came to be here instead.
    """

    l1_height: int
    object_id: bytes
    stated: bytes
    reason: str

    def __init__(self, message: str, *, l1_height: int, object_id: bytes, stated: bytes, reason: str) -> None:
        super().__init__(message, l1_height=l1_height, object_id=object_id, stated=stated, reason=reason)
