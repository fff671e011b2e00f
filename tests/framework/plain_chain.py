"""An L2 chain as plain as can be, behind derivation's executor port.

For tests of selection, silence and unwinding alone, where what a transaction does is of no matter. A block's hash is
that of a header whose state root is SHA-256 over everything that makes the block; a transaction is any bytes but `BAD`.
What runs transactions is tested with the engine.
"""

import hashlib
from dataclasses import dataclass, field

import msgspec
import rlp
from eth_utils import keccak

from bedroll.derivation import Built
from bedroll.primitives import Invalid

BAD = b"bad"
RULES = hashlib.sha256(b"plain rules").digest()
"""Stands for the digest of the rules."""
FORCED_A_BLOCK = 2
"""Messages that the forced part of an ordinary block takes; an automatic block takes three times as many."""


@dataclass(frozen=True)
class PlainBlock:
    """A block and the state after it. `queue` holds ids of forced messages that wait."""

    height: int
    hash: bytes
    timestamp: int
    origin_height: int
    automatic: bool
    forced: tuple[bytes, ...]
    transactions: tuple[bytes, ...]
    queue: tuple[bytes, ...]
    header: bytes = field(repr=False)


def plain_header(number, content):
    """RLP of an Ethereum header that says nothing but its number and `content` as its state root."""
    empty = bytes(32)
    return rlp.encode(
        [empty, empty, bytes(20), content, empty, empty, bytes(256), 0, number, 0, 0, 0, b"", empty, bytes(8)]
    )


def plain_genesis(timestamp, anchor_height):
    header = plain_header(0, hashlib.sha256(b"plain genesis").digest())
    return PlainBlock(0, keccak(header), timestamp, anchor_height, False, (), (), (), header)


def plain_child(parent, timestamp, origin, automatic, transactions):
    """The block after `parent`. `origin`: None, or (L1 height, L1 hash, ids of forced messages)."""
    if BAD in transactions:
        raise Invalid("a bad transaction")
    queue = parent.queue + (origin[2] if origin else ())
    taken = FORCED_A_BLOCK * (3 if automatic else 1)
    forced, queue = queue[:taken], queue[taken:]
    parts = [parent.hash, str(timestamp).encode(), origin[1] if origin else b"", str(automatic).encode()]
    parts += [*forced, b"|", *transactions]
    content = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()
    header = plain_header(parent.height + 1, content)
    return PlainBlock(
        height=parent.height + 1,
        hash=keccak(header),
        timestamp=timestamp,
        origin_height=origin[0] if origin else parent.origin_height,
        automatic=automatic,
        forced=forced,
        transactions=tuple(transactions),
        queue=queue,
        header=header,
    )


def plain_body(blocks):
    """Body of [(timestamp, origin step, [transaction])]."""
    return msgspec.msgpack.encode(blocks)


def plain_facts(block):
    """Stands for the digest of what a block's header does not say."""
    return hashlib.sha256(b"facts" + block.hash).digest()


class PlainDecoded:
    def __init__(self, blocks, form=0):
        self._blocks = blocks
        self.form = int(form)
        self.blocks = [(timestamp, step, len(transactions)) for timestamp, step, transactions in blocks]
        self.gas_limit = sum(count for _, _, count in self.blocks)

    def transactions(self, index, base_fees):
        return self._blocks[index][2]


class PlainExecutor:
    """Keeps blocks in a list; a candidate is a copy of it."""

    def __init__(self, genesis):
        self.blocks = [genesis]
        self._candidate = None
        self.forgotten = 0

    def hash_at(self, height):
        return self.blocks[height].hash if height < len(self.blocks) else None

    def rules(self):
        return RULES

    def facts(self, height):
        return plain_facts(self.blocks[height])

    def decode(self, parent, block_count, body, form=0):
        try:
            return PlainDecoded(msgspec.msgpack.decode(body, type=list[tuple[int, bool, list[bytes]]]), form)
        except msgspec.DecodeError as error:
            raise Invalid("no body", reason=str(error)) from error

    def begin(self, parent):
        assert self._candidate is None
        assert parent >= self.forgotten
        self._candidate = self.blocks[: parent + 1]

    def block(self, order):
        origin = None
        if order.origin is not None:
            origin = (order.origin.height, order.origin.hash, tuple(message.id for message in order.origin.forced))
        transactions = [] if order.body is None else order.body.transactions(order.index, [])
        block = plain_child(self._candidate[-1], order.timestamp, origin, order.automatic, transactions)
        assert block.origin_height == order.origin_height
        self._candidate.append(block)
        return Built(
            height=block.height,
            hash=block.hash,
            queue_waiting=len(block.queue),
            forced=tuple((id, "executed", None) for id in block.forced),
        )

    def accept(self):
        self.blocks, self._candidate = self._candidate, None

    def reject(self):
        self._candidate = None

    def unwind(self, height, fork):
        assert height >= self.forgotten
        self.blocks = self.blocks[: height + 1]

    def forget(self, below):
        self.forgotten = max(self.forgotten, below)

    def oldest(self):
        return self.forgotten
