"""What the pipeline tells about one L1 block: the history that RPC shows.

Reads: nothing.  Gives: one record type an event.  Never: is read by derivation itself.
Spec: docs/spec/derivation.md#records

Records belong to an L1 height. Whoever stores them drops those above the height of an `L1Unwound`.
"""

from typing import TypeAlias

import msgspec

from .verdict import Verdict


class Place(msgspec.Struct, frozen=True, order=True):
    """Where an object stands on L1; the order of everything (protocol.md 3).

    Attributes:
        height: L1 height.
        transaction: Index in the block.
        input: Index in the transaction.
    """

    height: int
    transaction: int
    input: int


class ObjectSeen(msgspec.Struct, frozen=True, tag="object_seen"):
    """An object was found, or a series was completed, at this place.

    Attributes:
        object_id: SHA-256 of the object.
        kind: Name of its kind, lower case.
        txid: Of its (last) transaction, internal order.
        size: Bytes.
    """

    place: Place
    object_id: bytes
    kind: str
    txid: bytes
    size: int


class EnvelopeRejected(msgspec.Struct, frozen=True, tag="envelope_rejected"):
    """An input of a relevant transaction held something like an envelope that is not one, or no object."""

    place: Place
    txid: bytes
    reason: str


class ObjectJudged(msgspec.Struct, frozen=True, tag="object_judged"):
    """A verdict on an object. A pending one gets another later, at another L1 height."""

    height: int
    place: Place
    object_id: bytes
    verdict: Verdict


class BatchAccepted(msgspec.Struct, frozen=True, tag="batch_accepted"):
    """A batch extended the chain.

    Attributes:
        height: L1 height of the acceptance, later than the place's for a held batch.
        current: Whether it ended silence (protocol.md 4.1).
        leader: Key that signed it.
        first, last: Heights of its L2 blocks.
        tip: Hash of the last one.
        proof: Id of the `Proof` that it was accepted by, if it holds no signatures.
    """

    height: int
    place: Place
    object_id: bytes
    leader: bytes
    first: int
    last: int
    tip: bytes
    current: bool
    proof: bytes | None = None


class ProvenAdvanced(msgspec.Struct, frozen=True, tag="proven_advanced"):
    """Proofs cover the chain up to a later block.

    Attributes:
        height: L1 height of the proof.
        l2_height: Of the proven head.
        hash: Of the same.
    """

    height: int
    l2_height: int
    hash: bytes


class SettlementAdvanced(msgspec.Struct, frozen=True, tag="settlement_advanced"):
    """A settlement proof was accepted.

    Attributes:
        object_id: Of the proof.
        l1_height, l1_hash: L1 block up to which it speaks.
        l2_height, hash: The L2 tip there.
    """

    place: Place
    object_id: bytes
    l1_height: int
    l1_hash: bytes
    l2_height: int
    hash: bytes


class ChainEnded(msgspec.Struct, frozen=True, tag="chain_ended"):
    """The proven head stood still for X blocks (protocol.md 5.4): nothing is derived any more.

    Attributes:
        height: L1 height.
        l2_height: Of the proven head, whose root is the last.
        hash: Of the same.
    """

    height: int
    l2_height: int
    hash: bytes


class ForcedEnqueued(msgspec.Struct, frozen=True, tag="forced_enqueued"):
    """A forced message takes its place in L1 order; it is executed with its origin."""

    place: Place
    id: bytes
    object_id: bytes
    txid: bytes
    paid: bool


class ForcedDone(msgspec.Struct, frozen=True, tag="forced_done"):
    """A forced message ended.

    Attributes:
        height: L1 height at which the L2 block was derived.
        l2_height: The block.
        status: executed, reverted, skipped or ineligible.
    """

    height: int
    id: bytes
    l2_height: int
    status: str
    transaction_hash: bytes | None


class CommitmentSeen(msgspec.Struct, frozen=True, tag="commitment_seen"):
    """The leader promised blocks on L1.

    Attributes:
        leader: Key that signed it.
        parent: L2 hash it builds on.
        tip: L2 hash it promises.
        block_count: L2 blocks between the two.
        last_origin: L1 height.
    """

    place: Place
    object_id: bytes
    leader: bytes
    parent: bytes
    tip: bytes
    block_count: int
    last_origin: int


class EvidenceFound(msgspec.Struct, frozen=True, tag="evidence_found"):
    """Two words of one leader contradict each other.

    Attributes:
        height: L1 height at which it came to light.
        leader: The key.
        first, second: Object ids of a commitment, and of another commitment or a batch.
        promised, other: The two L2 hashes for one position.
    """

    height: int
    leader: bytes
    first: bytes
    second: bytes
    promised: bytes
    other: bytes


class AutomaticBlocks(msgspec.Struct, frozen=True, tag="automatic_blocks"):
    """Blocks derived in silence.

    Attributes:
        height: L1 height.
        silent_since: s (protocol.md 5.3).
        first, last: Heights of the L2 blocks.
    """

    height: int
    silent_since: int
    first: int
    last: int


class LeaderRotated(msgspec.Struct, frozen=True, tag="leader_rotated"):
    """A `Rotate` was taken; the key leads from L1 height `active_from` on."""

    place: Place
    object_id: bytes
    number: int
    key: bytes
    active_from: int


class UpgradeAnnounced(msgspec.Struct, frozen=True, tag="upgrade_announced"):
    """An `Upgrade` was taken; a node that does not know it stops at L1 height `active_from`."""

    place: Place
    object_id: bytes
    number: int
    active_from: int


class L1Unwound(msgspec.Struct, frozen=True, tag="l1_unwound"):
    """L1 blocks above `height` left the best chain; the derived chain ends at L2 height `safe` for now."""

    height: int
    safe: int


Record: TypeAlias = (
    ObjectSeen
    | EnvelopeRejected
    | ObjectJudged
    | BatchAccepted
    | ProvenAdvanced
    | SettlementAdvanced
    | ChainEnded
    | ForcedEnqueued
    | ForcedDone
    | CommitmentSeen
    | EvidenceFound
    | AutomaticBlocks
    | LeaderRotated
    | UpgradeAnnounced
    | L1Unwound
)
"""Everything the pipeline tells."""
