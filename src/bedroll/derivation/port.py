"""What derivation needs of the world: something that executes L2 blocks.

Reads: nothing.  Gives: the port `Executor` and its values.  Never: knows the core behind it (`node.executor` does).
Spec: docs/spec/derivation.md#executor
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bedroll.da import BatchForm, Proof
from bedroll.primitives import L1Height, L2Height


@dataclass(frozen=True, slots=True)
class ForcedMessage:
    """One forced message as an origin carries it.

    Attributes:
        id: SHA-256("forced" ‖ network ‖ wtxid), 32 bytes.
        payload: Raw signed L2 transaction, as inscribed.
        paid: Whether its Bitcoin transaction paid `forced_fee` and the message names this network; else it is
            ineligible.
    """

    id: bytes
    payload: bytes
    paid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginBlock:
    """An L1 block as the first L2 block of that origin takes it in.

    Attributes:
        height: L1 height.
        hash: 32 bytes, internal order.
        header: 80 bytes.
        witness_root: 32 bytes; zero where the block has no witness commitment.
        median_time: Median time past of this block itself (BIP-0113), seconds.
        l1_rate: wei a witness byte.
        forced: In L1 order.
    """

    height: L1Height
    hash: bytes
    header: bytes
    witness_root: bytes
    median_time: int
    l1_rate: int
    forced: Sequence[ForcedMessage]


class Decoded(Protocol):
    """A batch's body inside its limits, not yet executed."""

    @property
    def form(self) -> int:
        """Whether it holds signatures (`BatchForm`)."""
        ...

    @property
    def blocks(self) -> Sequence[tuple[int, bool, int]]:
        """(timestamp, origin step, count of the leader's transactions) of each block."""
        ...

    @property
    def gas_limit(self) -> int:
        """EVM gas limits of all its transactions."""
        ...

    def transactions(self, index: int, base_fees: Sequence[int]) -> list[bytes]:
        """Transactions of one block, given the base fees of it and of up to ten blocks before, newest first.

        Without signatures each is `0x7f ‖ sender ‖ unsigned payload`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockOrder:
    """One L2 block to be made.

    Attributes:
        timestamp: Seconds.
        origin: Given where the block is the first of that origin.
        origin_height: L1 height of its origin.
        automatic: Whether it is derived in silence.
        body: Whose transactions it takes; None for an automatic block.
        index: Of the block inside `body`.
    """

    timestamp: int
    origin: OriginBlock | None
    origin_height: L1Height
    automatic: bool
    body: Decoded | None
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A block that was made.

    Attributes:
        hash: Of its header.
        queue_waiting: Forced messages that wait after it.
        forced: (id, status, transaction hash or None) of the messages that ended in it.
    """

    height: L2Height
    hash: bytes
    queue_waiting: int
    forced: Sequence[tuple[bytes, str, bytes | None]]


class Executor(Protocol):
    """The L2 chain of this node. It may hold blocks beyond the derived ones (the leader's, not yet on L1).

    One candidate at a time: `begin`, then `block` for each, then `accept` or `reject`.
    """

    def hash_at(self, height: L2Height) -> bytes | None:
        """Hash of a stored block."""
        ...

    def rules(self) -> bytes:
        """Digest of the rules, as statements name it (docs/spec/proof.md)."""
        ...

    def facts(self, height: L2Height) -> bytes:
        """Digest of what the header of a derived block does not say."""
        ...

    def decode(self, parent: L2Height, block_count: int, body: bytes, form: BatchForm) -> Decoded:
        """Decode a body that follows the derived block `parent`.

        Raises:
            Invalid: It is no encoding of any blocks, or goes beyond a limit.
        """
        ...

    def begin(self, parent: L2Height) -> None:
        """Begin a candidate on the derived block `parent`."""
        ...

    def block(self, order: BlockOrder) -> Built:
        """Execute the candidate's next block, or find that it is stored already.

        Raises:
            Invalid: The block breaks a rule; the candidate can only be rejected now.
        """
        ...

    def accept(self) -> None:
        """Make the candidate part of the chain; other blocks at its heights and above them are gone."""
        ...

    def reject(self) -> None:
        """Put back what was there before `begin`."""
        ...

    def unwind(self, height: L2Height, fork: L1Height) -> None:
        """The derived chain now ends at `height`; L1 blocks above `fork` are gone, and L2 blocks of such origins."""
        ...

    def forget(self, below: L2Height) -> None:
        """No unwinding will go below `below` any more."""
        ...

    def oldest(self) -> L2Height:
        """Lowest height that `unwind` can still go to, in this run or after a restart."""
        ...


class ProofVerifier(Protocol):
    """Verifies validity proofs under the keys of one network."""

    def is_valid(self, proof: Proof) -> bool:
        """Whether the program of its statement's kind gave its public values. Total, in bounded time and memory."""
        ...
