"""What a proof says of a batch, and what it must say to count.

Reads: public values of a proof.  Gives: `BatchStatement`, digests of L1 data.  Never: trusts a proof.
Spec: docs/spec/proof.md
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bedroll.crypto import sha256
from bedroll.primitives import Invalid

from .port import OriginBlock

STATEMENT_SIZE: Final = 387
"""Bytes of the public values of the batch program."""
_VERSION: Final = 1
_QUEUES_SIZE: Final = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStatement:
    """Public values of the batch program, less the queues: those follow from the parent's state, which `parent` names.

    Attributes:
        network: Number of the network.
        rules: Digest of its rules.
        header_id: Signing hash of the batch's header; zeros for an automatic range.
        parent: Hash of the block before the first.
        parent_facts: Digest of what that block's header does not say.
        l1: Digest of the origins that are taken in.
        rejection: 0 where the batch is accepted, else the kind of rule that it breaks.
        tip: Hash of the last block; zeros where the batch is rejected.
    """

    network: int
    rules: bytes
    header_id: bytes
    parent: bytes
    parent_facts: bytes
    l1: bytes
    rejection: int
    tip: bytes


def parse_statement(values: bytes) -> BatchStatement:
    """Read public values of the batch program.

    Raises:
        Invalid: They are none of this version.
    """
    if len(values) != STATEMENT_SIZE or values[0] != _VERSION:
        raise Invalid("public values are no statement of this version", size=len(values), limit=STATEMENT_SIZE)
    hashes = [values[at : at + 32] for at in range(2, 162, 32)]
    verdict = 162 + _QUEUES_SIZE
    return BatchStatement(
        network=values[1],
        rules=hashes[0],
        header_id=hashes[1],
        parent=hashes[2],
        parent_facts=hashes[3],
        l1=hashes[4],
        rejection=values[verdict],
        tip=values[verdict + 1 : verdict + 33],
    )


def l1_digest(origins: Iterable[OriginBlock]) -> bytes:
    """Chain over origins in order, each with its forced messages; zeros before the first."""
    digest = bytes(32)
    for origin in origins:
        parts = [
            digest,
            origin.height.to_bytes(8, "big"),
            origin.hash,
            origin.witness_root,
            origin.median_time.to_bytes(8, "big"),
            origin.l1_rate.to_bytes(16, "big"),
            len(origin.forced).to_bytes(8, "big"),
        ]
        for message in origin.forced:
            parts += [message.id, sha256(message.payload), bytes([message.paid])]
        digest = bytes(sha256(b"".join(parts)))
    return digest
