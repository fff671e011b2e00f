"""Blocks as the API holds them: read from the engine once, then shared by the calls that ask about them.

Reads: the engine.  Gives: `BlockRecord`, `Records`.
Never: serves a block that has left the chain.  Spec: docs/spec/api-chain.md#blocks
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from bedroll.execution.engine import Block, Engine, Header, Receipt, Transaction

from .worker import Worker


@dataclass(frozen=True, slots=True)
class EthereumPart:
    """What only blocks of Ethereum's own chains have.

    Attributes:
        ommers: Headers of uncles in RLP.
        withdrawals: (index, validator, address, gwei); None before Shanghai.
        blob_base_fee: Wei a blob gas; None before Cancun.
    """

    ommers: Sequence[bytes]
    withdrawals: Sequence[tuple[int, int, bytes, int]] | None
    blob_base_fee: int | None


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """A sealed block with its lists as Python objects.

    Attributes:
        log_start: Index in the block of each transaction's first log.
        forced: Id of the forced message that each transaction came from, by its position.
        ethereum: None on this chain.
    """

    header: Header
    origin_height: int
    automatic: bool
    size: int
    transactions: Sequence[Transaction]
    receipts: Sequence[Receipt]
    log_start: Sequence[int]
    forced: dict[int, bytes]
    ethereum: EthereumPart | None = None


def record_of(block: Block, blob_base_fee: int | None = None) -> BlockRecord:
    """Take a block out of the engine's hands, with what the engine says that its blobs cost (None: it knows none)."""
    transactions, receipts = block.transactions, block.receipts
    ids = {transaction_hash: message_id for _, message_id, _, transaction_hash in block.forced if transaction_hash}
    forced = {
        position: ids[transaction.hash]
        for position, transaction in enumerate(transactions[: block.forced_count])
        if transaction.hash in ids
    }
    return BlockRecord(
        header=block.header,
        origin_height=block.origin_height,
        automatic=block.automatic,
        size=block.size,
        transactions=transactions,
        receipts=receipts,
        log_start=list(accumulate((len(receipt.logs) for receipt in receipts), initial=0)),
        forced=forced,
        ethereum=EthereumPart(block.ommers, block.withdrawals, blob_base_fee) if block.is_ethereum else None,
    )


class Records:
    """The newest read blocks, by hash, so that a reorganisation cannot make an entry wrong."""

    def __init__(
        self, engine: Engine, worker: Worker, *, blocks_max: int = 256, transactions_max: int = 20_000
    ) -> None:
        """Begin empty.

        Args:
            engine: Where blocks are read.
            worker: Threads to read them on.
            blocks_max: Blocks to keep.
            transactions_max: Transactions of all of them: what bounds the memory, at about 2 kB each.
        """
        self._engine = engine
        self._worker = worker
        self._blocks_max = blocks_max
        self._transactions_max = transactions_max
        self._transactions = 0
        self._kept: OrderedDict[bytes, BlockRecord] = OrderedDict()

    async def at(self, height: int) -> BlockRecord | None:
        """The block of the chain at a height."""
        header = self._engine.header(height)
        if header is None:
            return None
        found = self._kept.get(header.hash)
        if found is not None:
            self._kept.move_to_end(header.hash)
            return found
        record = await self._worker.run(self._read, height)
        if record is not None:
            self.keep(record)
        return record

    def keep(self, record: BlockRecord) -> None:
        """Remember a block that will be asked about soon."""
        if record.header.hash in self._kept:
            return
        self._kept[record.header.hash] = record
        self._transactions += len(record.transactions)
        while len(self._kept) > 1 and (
            len(self._kept) > self._blocks_max or self._transactions > self._transactions_max
        ):
            _, gone = self._kept.popitem(last=False)
            self._transactions -= len(gone.transactions)

    async def with_transaction(self, transaction_hash: bytes) -> tuple[BlockRecord, int] | None:
        """The block that includes a transaction, and its position there."""
        place = self._engine.find_transaction(transaction_hash)
        if place is None:
            return None
        record = await self.at(place[0])
        if record is None or place[1] >= len(record.transactions):
            return None
        # The chain may have been reorganised between the two reads.
        return (record, place[1]) if record.transactions[place[1]].hash == transaction_hash else None

    def _read(self, height: int) -> BlockRecord | None:
        block = self._engine.block(height)
        if block is None:
            return None
        fees = self._engine.blob_fees(height) if block.is_ethereum else None
        return record_of(block, None if fees is None else fees[0])
