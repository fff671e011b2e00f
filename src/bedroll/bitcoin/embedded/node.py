"""The embedded node: chain, mempool and miner on one thread.

Reads: blocks and transactions.  Gives: what `EmbeddedClient` answers with.
Never: is called from two threads at once.  Spec: docs/spec/bitcoin.md#client
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar, TypeVarTuple

from bedroll.primitives import BlockHash, FeeRate, Invalid, L1Height, Txid, VSize

from ..block import BLOCK_SIZE_MAX, Block
from ..client import Acceptance, Coin, MempoolEntry
from ..fee import MIN_RELAY_RATE
from ..refusal import UNDECODABLE, Refused, reason_of
from ..transaction import OutPoint, Transaction
from .admission import RETURNING, SINGLE, Admission
from .chain import Chain, Change
from .cluster import runs_of
from .index import MEDIAN_SPAN
from .mempool import Mempool
from .miner import build_block
from .package import PACKAGE_COUNT_MAX, Outcome, PackageOutcome, check_together, submit_package

Arguments = TypeVarTuple("Arguments")
T = TypeVar("T")

MINE_TOGETHER_BLOCKS: Final = 64
"""Empty blocks that are mined before they are made durable together."""
MINE_COUNT_MAX: Final = 100_000
"""Blocks that one call may mine."""


class Node:
    """A regtest node in one folder.

    Attributes:
        replayed: Blocks that the journal gave back when it was opened.
    """

    def __init__(self, folder: Path, clock: Callable[[], int], moved: Callable[[], None]) -> None:
        self._chain = Chain(folder)
        self._clock = clock
        self._moved = moved
        self._pool = Mempool()
        self._admission = Admission(self._chain, self._pool)
        self.replayed = self._chain.replayed

    def ask(self, call: Callable[[*Arguments], T], *args: *Arguments) -> T:
        """Make a call of this node when its parts agree: a full disk may have left them apart."""
        if self._chain.is_behind:
            self._settle(self._chain.follow())
        return call(*args)

    def tip(self) -> tuple[L1Height, BlockHash]:
        """Height and hash of the best chain's last block."""
        return self._chain.tip()

    def block_hash(self, height: int) -> BlockHash | None:
        """Hash at a height of the best chain; None above the tip."""
        return self._chain.kernel.hash_at(height)

    def header(self, block: bytes) -> tuple[bytes, L1Height]:
        """Header and height of any known block. Invalid if unknown."""
        return self._chain.kernel.header(block)

    def block(self, block: BlockHash) -> bytes:
        """Serialised block. Invalid if unknown."""
        return self._chain.read(block)

    def submit_blocks(self, blocks: Sequence[bytes]) -> None:
        """Take blocks in order.

        Raises:
            RejectedBlock: One breaks a rule; those before it stand.
        """
        change = self._chain.submit(blocks)
        self._settle(change)
        if change.refused is not None:
            raise change.refused

    def mine(self, count: int, script: bytes) -> list[BlockHash]:
        """Extend the best chain, the mempool's best first."""
        if not 0 <= count <= MINE_COUNT_MAX:
            raise Invalid("cannot mine so many blocks", count=count, limit=MINE_COUNT_MAX)
        mined: list[BlockHash] = []
        while len(mined) < count:
            blocks = self._build(count - len(mined), script)
            self.submit_blocks([block.raw for block in blocks])
            mined += (block.hash for block in blocks)
        return mined

    def submit(self, raw: bytes) -> Txid:
        """Take one transaction in; one that is known already stays.

        Raises:
            Refused: With the reason.
        """
        transaction = decode(raw)
        txid = transaction.txid
        if txid not in self._pool.entries and not self._chain.index.has_output_of(txid):
            self._admission.accept(transaction, SINGLE)
        return txid

    def submit_package(self, package: Sequence[bytes]) -> PackageOutcome:
        """Take in parents with their child.

        Raises:
            Refused: It is no such package, or does not parse.
        """
        _check_count(package)
        return submit_package(self._admission, [decode(raw) for raw in package])

    def test(self, package: Sequence[bytes]) -> PackageOutcome:
        """What taking transactions in would say, changing nothing."""
        _check_count(package)
        transactions = [decode(raw) for raw in package]
        if len(transactions) > 1:
            return check_together(self._admission, transactions)
        outcome = Outcome(transactions[0].txid, transactions[0].wtxid)
        try:
            entry = self._admission.accept(transactions[0], SINGLE, keep=False).entry
            outcome.fee, outcome.size = entry.fee, entry.size
        except Refused as refusal:
            outcome.error = refusal.text()
        return PackageOutcome("transaction failed" if outcome.error else "success", [outcome])

    def test_accept(self, package: Sequence[bytes]) -> list[Acceptance]:
        """The same, as the port tells it."""
        outcome = self.test(package)
        whole = outcome.message not in ("success", "transaction failed")
        return [
            Acceptance(
                txid=each.txid,
                accepted=not (each.error or whole),
                reason=reason_of(outcome.message if whole else each.error),
                fee=None if each.error or whole else each.fee,
                size=None if each.error or whole else each.size,
            )
            for each in outcome.transactions
        ]

    def mempool_entry(self, txid: Txid) -> MempoolEntry | None:
        """The unconfirmed transaction, if it is known."""
        entry = self._pool.entries.get(txid)
        if entry is None:
            return None
        ancestors, descendants = self._pool.ancestors([txid]), self._pool.descendants([txid])
        return MempoolEntry(txid, entry.fee, entry.size, len(ancestors), len(descendants))

    def mempool(self) -> list[Txid]:
        """All unconfirmed transactions, in no order."""
        return list(self._pool.entries)

    def mempool_size(self) -> tuple[int, VSize]:
        """How many there are, and their virtual bytes."""
        return len(self._pool.entries), VSize(self._pool.size_vb)

    def coin(self, txid: Txid, index: int) -> Coin | None:
        """An unspent output as the mempool leaves it."""
        name = OutPoint(txid, index)
        if name in self._pool.spenders:
            return None
        output = self._pool.output(name)
        if output is not None:
            return Coin(txid, index, output.value, output.script, None, coinbase=False)
        return self._chain.index.coin(txid, index)

    def coins(self, scripts: Sequence[bytes]) -> list[Coin]:
        """Confirmed unspent outputs with one of the scripts."""
        return self._chain.index.coins(scripts)

    def fee_rate(self, blocks: int) -> FeeRate:
        """What gets into the next `blocks` blocks past the pool as it is."""
        if blocks < 1:
            raise Invalid("a fee is estimated for at least one block", blocks=blocks, limit=1)
        return FeeRate(max(self._pool.rate_at(blocks), MIN_RELAY_RATE))

    def checkpoint(self) -> None:
        """Make the library write its state."""
        self._chain.checkpoint()

    def close(self) -> None:
        """Write everything and let go."""
        self._chain.close()

    def _build(self, count: int, script: bytes) -> list[Block]:
        """The next block with what the mempool offers, or several empty ones."""
        height, parent = self._chain.tip()
        transactions, fees = self._pool.select()
        times = [self._time_at(at) for at in range(max(0, height - MEDIAN_SPAN + 1), height + 1)]
        blocks: list[Block] = []
        for _ in range(1 if transactions else min(count, MINE_TOGETHER_BLOCKS)):
            median = sorted(times[-MEDIAN_SPAN:])[len(times[-MEDIAN_SPAN:]) // 2]
            time = max(median + 1, self._clock())
            height = L1Height(height + 1)
            block = build_block(parent, height, time, script, transactions, fees)
            blocks.append(block)
            times.append(time)
            parent = block.hash
        return blocks

    def _time_at(self, height: int) -> int:
        time = self._chain.index.time(height)
        assert time is not None, "the index follows the chain"
        return time

    def _settle(self, change: Change) -> None:
        """Bring the mempool to what the chain is now, and say that it moved."""
        self._follow(change)
        if change.connected or change.disconnected:
            self._moved()

    def _follow(self, change: Change) -> None:
        if not change.disconnected:
            for block in change.connected:
                self._pool.remove_confirmed(block)
            return
        held = self._pool.drain()
        runs = runs_of(held)
        for transaction in [each for block in reversed(change.disconnected) for each in block.transactions[1:]]:
            if not self._chain.index.has_output_of(transaction.txid):
                self._return(self._admission.accept, transaction, RETURNING)
        runs += runs_of(self._pool.entries.values())
        for entry in held:
            self._return(self._admission.readmit, entry)
        self._pool.trim(runs)

    def _return(self, call: Callable[[*Arguments], object], *args: *Arguments) -> None:
        try:
            call(*args)
        except Refused:
            return  # Confirmed again, beaten, or resting on one that is: it has no place any more.


def decode(raw: bytes) -> Transaction:
    """Parse a transaction that was handed in.

    Raises:
        Refused: The bytes are none.
    """
    if len(raw) > BLOCK_SIZE_MAX:
        raise Refused(UNDECODABLE, b"", f"{len(raw)} bytes, at most {BLOCK_SIZE_MAX}")
    try:
        return Transaction.parse(raw)
    except Invalid as failure:
        raise Refused(UNDECODABLE, b"", str(failure)) from failure


def _check_count(package: Sequence[bytes]) -> None:
    if not 1 <= len(package) <= PACKAGE_COUNT_MAX:
        raise Invalid("a package has 1 to 25 transactions", count=len(package), limit=PACKAGE_COUNT_MAX)
