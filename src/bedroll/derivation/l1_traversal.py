"""Stage 1: L1 blocks in order, with what follows from them and their ancestors alone.

Reads: raw L1 blocks.  Gives: `L1Record` (origin facts) and the scan.  Never: judges an object.
Spec: docs/spec/derivation.md#l1-traversal
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from bedroll.da import BlockScan, scan_block
from bedroll.execution.rate import l1_rate
from bedroll.primitives import L1Height, Reorg
from bedroll.protocol import Network

from .stage import HistoryForgotten

MEDIAN_TIME_SPAN: Final = 11
"""Headers whose times make a median time past (BIP-0113)."""
_SUBSIDY_FIRST_SAT: Final = 50 * 100_000_000
_HALVING_BLOCKS: Final = {"regtest": 150}
"""Blocks between halvings where it is not `_HALVING_BLOCKS_DEFAULT` (Bitcoin Core, `chainparams.cpp`)."""
_HALVING_BLOCKS_DEFAULT: Final = 210_000


class L1Record(msgspec.Struct, frozen=True):
    """Facts of one L1 block.

    Attributes:
        hash: Internal order.
        header: 80 bytes.
        witness_root: Zero where there is no witness commitment.
        time: Of the header, seconds.
        median_time: Of the block itself and ten ancestors (BIP-0113), seconds.
        fees_sat: max(0, coinbase outputs − subsidy).
        l1_rate: wei a witness byte.
    """

    height: int
    hash: bytes
    header: bytes
    witness_root: bytes
    time: int
    median_time: int
    fees_sat: int
    l1_rate: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """The L1 block before the first origin.

    Attributes:
        height: L1 height.
        hash: Internal order.
        times: Header times of up to 11 blocks that end with the anchor, oldest first; fixed by the anchor's hash.
    """

    height: L1Height
    hash: bytes
    times: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class L1Block:
    """One L1 block on its way down the pipeline."""

    record: L1Record
    scan: BlockScan


def subsidy_sat(bitcoin: str, height: int) -> int:
    """Block subsidy at a height of a Bitcoin network.

    Example:
        >>> subsidy_sat("main", 840_000)
        312500000
    """
    halvings = height // _HALVING_BLOCKS.get(bitcoin, _HALVING_BLOCKS_DEFAULT)
    return _SUBSIDY_FIRST_SAT >> halvings if halvings < 64 else 0


class L1Traversal:
    """Follows headers, never forks: `advance` takes the child of the newest block, `unwind` goes back."""

    def __init__(self, network: Network, anchor: Anchor, first_rate: int) -> None:
        self._bitcoin = network.bitcoin
        self._tag = network.parameters.tag
        self._window = network.parameters.l1_rate_window
        self._first_rate = first_rate
        self.anchor = anchor
        self._records: dict[int, L1Record] = {}
        self._height = anchor.height

    @property
    def height(self) -> L1Height:
        """Newest height."""
        return self._height

    @property
    def hash(self) -> bytes:
        """Hash at the newest height."""
        record = self._records.get(self._height)
        return self.anchor.hash if record is None else record.hash

    def record(self, height: int) -> L1Record:
        """Facts of a block above the anchor that is still kept."""
        return self._records[height]

    def hash_at(self, height: int) -> bytes | None:
        """Hash of a kept block, or of the anchor."""
        if height == self.anchor.height:
            return self.anchor.hash
        record = self._records.get(height)
        return None if record is None else record.hash

    def newest_hashes(self, height: int, count: int) -> set[bytes]:
        """Hashes of the `count` blocks below `height`, none below the anchor."""
        hashes = {self.hash_at(known) for known in range(height - count, height)}
        return {known for known in hashes if known is not None}

    def advance(self, raw: bytes) -> L1Block:
        """Take the next block.

        Raises:
            Invalid: Not a block, or its transactions do not hash to its header.
            Reorg: It is not a child of the newest block.
        """
        scan = scan_block(raw, self._tag)
        if scan.previous != self.hash:
            raise Reorg(
                "an L1 block does not follow the newest one",
                height=max(self.anchor.height, self._height - 1),
                expected_previous=self.hash,
                previous=scan.previous,
            )
        height = L1Height(self._height + 1)
        fees = max(0, scan.coinbase_value - subsidy_sat(self._bitcoin, height))
        record = L1Record(
            height=height,
            hash=scan.hash,
            header=scan.header,
            witness_root=scan.witness_root,
            time=scan.time,
            median_time=self._median_time(scan.time),
            fees_sat=fees,
            l1_rate=self._rate(height, fees),
        )
        self._records[height] = record
        self._height = height
        return L1Block(record=record, scan=scan)

    def unwind(self, height: L1Height) -> None:
        """Drop blocks above `height`.

        Raises:
            HistoryForgotten: The block at that height is not kept.
        """
        if height != self.anchor.height and height not in self._records:
            raise HistoryForgotten("that L1 block is no longer kept", height=height, oldest=min(self._records))
        for later in range(height + 1, self._height + 1):
            del self._records[later]
        self._height = height

    def forget(self, below: int) -> None:
        """Drop records that no later block needs; `below` is the lowest height that is still asked for."""
        lowest = below - self._window
        for known in [known for known in self._records if known < lowest]:
            del self._records[known]

    def load(self, records: list[L1Record]) -> None:
        """Take over the records of an earlier run, in order."""
        self._records = {record.height: record for record in records}
        self._height = L1Height(records[-1].height)

    def needed_from(self) -> L1Height:
        """Lowest height whose record is kept."""
        return L1Height(min(self._records, default=self.anchor.height + 1))

    def _median_time(self, time: int) -> int:
        times = [time]
        height = int(self._height)
        while len(times) < MEDIAN_TIME_SPAN and height > self.anchor.height:
            times.append(self._records[height].time)
            height -= 1
        missing = MEDIAN_TIME_SPAN - len(times)
        if missing:
            times.extend(self.anchor.times[-missing:])
        return sorted(times)[len(times) // 2]

    def _rate(self, height: int, fees: int) -> int:
        first = max(self.anchor.height + 1, height - self._window + 1)
        window = [self._records[known].fees_sat for known in range(first, height)]
        before = self._first_rate if height == self.anchor.height + 1 else self._records[height - 1].l1_rate
        return l1_rate([*window, fees], before)
