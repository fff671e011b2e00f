"""Blocks: parsing, and the checks that tie every byte of a block to its header.

Reads: block bytes from anyone.  Gives: `Block`; after `check`, proof that no transaction or witness was changed.
Never: judges scripts, values or work.  Spec: docs/spec/bitcoin.md#block
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from bedroll.crypto import double_sha256
from bedroll.encoding import Cursor, encode_compact_size
from bedroll.primitives import BlockHash, Hash32, Invalid, Weight

from .header import HEADER_SIZE, Header
from .merkle import merkle_root
from .transaction import SIZE_MIN, Transaction, parse_transaction

BLOCK_WEIGHT_MAX: Final = Weight(4_000_000)
"""Heaviest block (consensus), weight units."""
BLOCK_SIZE_MAX: Final = 4_000_000
"""Longest serialisation, bytes: follows from the weight."""
COMMITMENT_PREFIX: Final = bytes.fromhex("6a24aa21a9ed")
"""First bytes of the witness commitment's script (BIP-0141); 32 bytes follow, more may."""
COMMITMENT_SIZE_MIN: Final = 38


class BadBlock(Invalid):
    """A block contradicts its own header; `.reason` is Bitcoin Core's word where it has one."""

    reason: str


@dataclass(frozen=True)
class Block:
    """A block."""

    header: Header
    transactions: tuple[Transaction, ...]

    @staticmethod
    def parse(raw: bytes) -> "Block":
        """Parse exactly one block.

        Raises:
            Malformed: Any byte is out of place.
            Invalid: Longer than a block can be.
        """
        if len(raw) > BLOCK_SIZE_MAX:
            raise Invalid("block is too long", size=len(raw), limit=BLOCK_SIZE_MAX)
        cursor = Cursor(raw)
        header = Header.parse(cursor.take(HEADER_SIZE))
        count = cursor.count(SIZE_MIN)
        transactions = tuple([parse_transaction(cursor) for _ in range(count)])
        cursor.finish()
        block = Block(header, transactions)
        block.__dict__["raw"] = raw
        return block

    @cached_property
    def raw(self) -> bytes:
        """Serialisation with witnesses."""
        return b"".join((
            self.header.raw,
            encode_compact_size(len(self.transactions)),
            *(each.raw for each in self.transactions),
        ))  # fmt: skip

    @property
    def hash(self) -> BlockHash:
        """Hash of the header, internal order."""
        return self.header.hash

    @property
    def weight(self) -> Weight:
        """Weight units, header and count included."""
        overhead = 4 * (HEADER_SIZE + len(encode_compact_size(len(self.transactions))))
        return Weight(overhead + sum(each.weight for each in self.transactions))

    @property
    def txids(self) -> list[bytes]:
        """Leaves of the header's tree."""
        return [each.txid for each in self.transactions]

    @property
    def wtxids(self) -> list[bytes]:
        """Leaves of the witness tree: the coinbase counts as 32 zero bytes."""
        return [bytes(32), *(each.wtxid for each in self.transactions[1:])]

    def check(self) -> None:
        """Tie the transactions and witnesses to the header, as Bitcoin Core's `CheckBlock` and `IsBlockMutated` do.

        A 64-byte transaction is legal in a block (until BIP-0054) and harmless here, because the first leaf is shown to
        be a coinbase; inclusion proofs refuse it.

        Raises:
            BadBlock: With the reason.
            DuplicateTail: The tree of txids or wtxids has a doubled tail.
        """
        if not self.transactions or not self.transactions[0].is_coinbase:
            raise BadBlock("first transaction is not a coinbase", reason="bad-cb-missing")
        if any(each.is_coinbase for each in self.transactions[1:]):
            raise BadBlock("there is a second coinbase", reason="bad-cb-multiple")
        if merkle_root(self.txids) != self.header.merkle_root:
            raise BadBlock("transactions do not hash to the header's root", reason="bad-txnmrklroot")
        if self.weight > BLOCK_WEIGHT_MAX:
            raise BadBlock("block is too heavy", reason="bad-blk-weight", weight=self.weight, limit=BLOCK_WEIGHT_MAX)
        self._check_witness_commitment()

    def witness_root(self) -> Hash32 | None:
        """Root of the wtxids; None where the block commits to no witness."""
        return None if witness_commitment(self.transactions[0]) is None else merkle_root(self.wtxids)

    def _check_witness_commitment(self) -> None:
        coinbase = self.transactions[0]
        committed = witness_commitment(coinbase)
        if committed is None:
            if any(each.has_witness for each in self.transactions):
                raise BadBlock("there is a witness without a commitment", reason="unexpected-witness")
            return
        reserved = coinbase.inputs[0].witness
        if len(reserved) != 1 or len(reserved[0]) != 32:
            raise BadBlock("coinbase has no 32-byte reserved value", reason="bad-witness-nonce-size")
        if commitment_hash(merkle_root(self.wtxids), reserved[0]) != committed:
            raise BadBlock("witnesses do not hash to the commitment", reason="bad-witness-merkle-match")


def witness_commitment(coinbase: Transaction) -> bytes | None:
    """Hash under the last output that looks like a witness commitment (BIP-0141), or None."""
    for output in reversed(coinbase.outputs):
        if len(output.script) >= COMMITMENT_SIZE_MIN and output.script.startswith(COMMITMENT_PREFIX):
            return output.script[6:38]
    return None


def commitment_hash(witness_root: bytes, reserved: bytes) -> Hash32:
    """What the commitment output holds, from the root and the coinbase's reserved value."""
    return double_sha256(witness_root + reserved)


def commitment_script(transactions: Sequence[Transaction], reserved: bytes = bytes(32)) -> bytes:
    """Script of the commitment output for a block's transactions without the coinbase."""
    root = merkle_root([bytes(32), *(each.wtxid for each in transactions)])
    return COMMITMENT_PREFIX + commitment_hash(root, reserved)
