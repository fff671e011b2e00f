"""What the rest of the project asks of a Bitcoin node; `embedded` and `rpc` both give it.

Reads: nothing.  Gives: the port `BitcoinClient` and its values.
Never: knows which of the two is behind it.  Spec: docs/spec/bitcoin.md#client
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bedroll.primitives import BlockHash, FeeRate, Invalid, L1Height, Satoshi, Txid, VSize


class RejectedTransaction(Invalid):
    """The node's mempool refused a transaction; `.reason` is Bitcoin Core's word, `.txid` names it."""

    reason: str
    txid: bytes


class RejectedBlock(Invalid):
    """Bitcoin Core's validation refused a block; `.reason` is its word, `.detail` what it adds, `.block` the hash."""

    reason: str
    detail: str
    block: bytes


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block of the best chain."""

    height: L1Height
    hash: BlockHash


@dataclass(frozen=True, slots=True)
class Coin:
    """An unspent output.

    Attributes:
        height: Of its block; None while unconfirmed.
        coinbase: Whether it needs 100 confirmations.
    """

    txid: Txid
    index: int
    value: Satoshi
    script: bytes
    height: L1Height | None
    coinbase: bool


@dataclass(frozen=True, slots=True)
class MempoolEntry:
    """An unconfirmed transaction as the node sees it.

    Attributes:
        ancestors: Unconfirmed transactions it rests on, itself included.
        descendants: Unconfirmed transactions that rest on it, itself included.
    """

    txid: Txid
    fee: Satoshi
    size: VSize
    ancestors: int
    descendants: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Whether the mempool would take a transaction; `reason` is empty if so."""

    txid: Txid
    accepted: bool
    reason: str
    fee: Satoshi | None
    size: VSize | None


class BitcoinClient(Protocol):
    """A Bitcoin node. Every call may raise `Unavailable`; none is retried inside for longer than its time limit."""

    async def tip(self) -> BlockRef:
        """Newest block of the best chain."""
        ...

    async def block_hash(self, height: L1Height) -> BlockHash | None:
        """Hash at a height of the best chain; None above the tip."""
        ...

    async def header(self, block: BlockHash) -> tuple[bytes, L1Height]:
        """80-byte header and height of any known block. Invalid if unknown."""
        ...

    async def block(self, block: BlockHash) -> bytes:
        """Serialised block with witnesses. Invalid if unknown."""
        ...

    async def wait_for_tip(self, known: BlockHash, timeout_seconds: float) -> BlockRef:
        """Return when the tip differs from `known`, or after the timeout."""
        ...

    async def broadcast(self, package: Sequence[bytes]) -> None:
        """Hand in one transaction, or a parent with its child. Known already is success.

        Raises:
            RejectedTransaction: With the node's reason.
        """
        ...

    async def test_accept(self, transactions: Sequence[bytes]) -> list[Acceptance]:
        """Ask what `broadcast` would say, in order, changing nothing."""
        ...

    async def mempool_entry(self, txid: Txid) -> MempoolEntry | None:
        """The unconfirmed transaction, if the node has it."""
        ...

    async def coin(self, txid: Txid, index: int) -> Coin | None:
        """An unspent output, unconfirmed ones and spends by the mempool taken into account."""
        ...

    async def coins(self, scripts: Sequence[bytes]) -> list[Coin]:
        """All confirmed unspent outputs with one of these scripts, by height, then txid, then index."""
        ...

    async def fee_rate(self, blocks: int) -> FeeRate:
        """Estimate for confirmation within `blocks`, never below what the mempool takes now."""
        ...

    async def mine(self, count: int, script: bytes) -> list[BlockHash]:
        """Mine blocks on regtest, coinbase to `script`. Misconfigured elsewhere."""
        ...

    async def close(self) -> None:
        """Let go of the node; an embedded chain is durable afterwards."""
        ...
