"""The follower stream's messages: one byte string for one meaning, sizes bounded before anything is allocated.

Reads: bytes from a peer.  Gives: messages.  Never: trusts a length.  Spec: docs/spec/node.md#stream

All numbers are big-endian. A message is one WebSocket message; its first byte is its kind.
"""

from dataclasses import dataclass
from typing import Final

from bedroll.encoding import Cursor
from bedroll.primitives import Invalid

VERSION: Final = 1
MESSAGE_BYTES_MAX: Final = 8 << 20
"""Longest message; a block of 30 M gas has at most about 3 MB of transactions."""
REASON_BYTES_MAX: Final = 500
TRANSACTIONS_MAX: Final = 100_000
_TRANSACTION_BYTES_MIN: Final = 4
_HELLO, _WELCOME, _BLOCK, _UNWOUND, _REFUSED = 0x01, 0x81, 0x82, 0x83, 0x84
_STEP, _AUTOMATIC, _SIGNED = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Hello:
    """Follower to leader, first: which chain, and the newest block it has.

    Attributes:
        network: Number of the network.
        genesis: Hash of L2 block 0.
        height, hash: Of its tip; blocks after the newest common one are sent.
    """

    network: int
    genesis: bytes
    height: int
    hash: bytes

    def encode(self) -> bytes:
        """Bytes of the message."""
        return b"".join((
            bytes([_HELLO, VERSION, self.network]), self.genesis, self.height.to_bytes(8, "big"), self.hash,
        ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Welcome:
    """Leader to follower, first: blocks after `height` follow; the follower unwinds to it.

    Attributes:
        height: Newest common block that the leader knows of.
        tip: Height of the leader's newest block.
    """

    height: int
    tip: int

    def encode(self) -> bytes:
        """Bytes of the message."""
        return bytes([_WELCOME, VERSION]) + self.height.to_bytes(8, "big") + self.tip.to_bytes(8, "big")


@dataclass(frozen=True, slots=True)
class StreamedBlock:
    """A sealed block: what a follower needs to make the same one.

    Attributes:
        hash: What executing it must give.
        origin_height: L1 height of its origin; the follower takes the origin from its own view of L1.
        step: Whether it is the first block of that origin.
        automatic: Whether derivation made it; such a block has no signature.
        signature: The leader's (64 bytes), or None where the height was signed before.
        transactions: The leader's, with signatures.
    """

    height: int
    hash: bytes
    timestamp: int
    origin_height: int
    step: bool
    automatic: bool
    signature: bytes | None
    transactions: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Bytes of the message."""
        flags = _STEP * self.step | _AUTOMATIC * self.automatic | _SIGNED * (self.signature is not None)
        parts = [
            bytes([_BLOCK]),
            self.height.to_bytes(8, "big"),
            self.hash,
            self.timestamp.to_bytes(8, "big"),
            self.origin_height.to_bytes(4, "big"),
            bytes([flags]),
            self.signature or b"",
            len(self.transactions).to_bytes(4, "big"),
        ]
        for raw in self.transactions:
            parts += [len(raw).to_bytes(4, "big"), raw]
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Unwound:
    """Leader to follower: blocks above `height` left the chain; others follow."""

    height: int

    def encode(self) -> bytes:
        """Bytes of the message."""
        return bytes([_UNWOUND]) + self.height.to_bytes(8, "big")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Leader to follower, last: why the stream ends."""

    reason: str

    def encode(self) -> bytes:
        """Bytes of the message."""
        return bytes([_REFUSED]) + self.reason.encode()[:REASON_BYTES_MAX]


Message = Hello | Welcome | StreamedBlock | Unwound | Refusal


def parse_message(raw: bytes) -> Message:
    """Parse one message; encoding the result gives the same bytes.

    Raises:
        Invalid: It is none, or too long.
    """
    if not 1 <= len(raw) <= MESSAGE_BYTES_MAX:
        raise Invalid("message has an impossible length", size=len(raw), limit=MESSAGE_BYTES_MAX)
    cursor = Cursor(raw)
    kind = cursor.u8()
    if kind == _HELLO:
        _expect_version(cursor.u8())
        found: Message = Hello(cursor.u8(), cursor.take(32), _u64(cursor), cursor.take(32))
    elif kind == _WELCOME:
        _expect_version(cursor.u8())
        found = Welcome(_u64(cursor), _u64(cursor))
    elif kind == _BLOCK:
        found = _parse_block(cursor)
    elif kind == _UNWOUND:
        found = Unwound(_u64(cursor))
    elif kind == _REFUSED:
        if len(raw) > 1 + REASON_BYTES_MAX:
            raise Invalid("reason is too long", size=len(raw) - 1, limit=REASON_BYTES_MAX)
        found = Refusal(cursor.take(len(raw) - 1).decode("utf-8", "replace"))
    else:
        raise Invalid("unknown kind of message", kind=kind)
    cursor.finish()
    return found


def _parse_block(cursor: Cursor) -> StreamedBlock:
    height, block_hash = _u64(cursor), cursor.take(32)
    timestamp, origin_height, flags = _u64(cursor), _u32(cursor), cursor.u8()
    if flags & ~(_STEP | _AUTOMATIC | _SIGNED):
        raise Invalid("unknown flags of a block", flags=flags)
    signature = cursor.take(64) if flags & _SIGNED else None
    count = _u32(cursor)
    if count > min(TRANSACTIONS_MAX, (len(cursor.raw) - cursor.offset) // _TRANSACTION_BYTES_MIN):
        raise Invalid("a block cannot have so many transactions", count=count, limit=TRANSACTIONS_MAX)
    transactions = tuple([cursor.take(_u32(cursor)) for _ in range(count)])
    return StreamedBlock(
        height,
        block_hash,
        timestamp,
        origin_height,
        bool(flags & _STEP),
        bool(flags & _AUTOMATIC),
        signature,
        transactions,
    )


def _expect_version(version: int) -> None:
    if version != VERSION:
        raise Invalid("the peer speaks another version of the stream", version=version, known=VERSION)


def _u64(cursor: Cursor) -> int:
    return int.from_bytes(cursor.take(8), "big")


def _u32(cursor: Cursor) -> int:
    return int.from_bytes(cursor.take(4), "big")
