"""What a stage says about an object: values, not exceptions.

Reads: nothing.  Gives: `Accepted`, `Pending`, `Rejected`.  Never: carries an object's bytes.
Spec: docs/spec/derivation.md#verdicts
"""

from typing import TypeAlias

import msgspec


class Accepted(msgspec.Struct, frozen=True, tag="accepted"):
    """The object changed the chain.

    Attributes:
        first: Height of the first L2 block it made, or speaks of.
        last: Height of the last one.
    """

    first: int
    last: int


class Pending(msgspec.Struct, frozen=True, tag="pending"):
    """The object waits for something that a later L1 block may bring."""

    reason: str


class Rejected(msgspec.Struct, frozen=True, tag="rejected"):
    """The object is ignored for good; the same bytes at the same place are ignored by every node."""

    reason: str


Verdict: TypeAlias = Accepted | Pending | Rejected
"""What RPC shows of an object."""
