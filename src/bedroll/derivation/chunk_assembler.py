"""Stage 3: puts series of chunks together.

Reads: items in L1 order.  Gives: the same items, a completed object in the place of its last chunk.
Never: sees a chunk that does not prove its place in its series (`da.parse_object` refuses it).
Spec: docs/spec/derivation.md#chunk-assembler
"""

from collections.abc import Iterable, Iterator

import msgspec

from bedroll.da import Batch, Chunk, Proof, parse_object
from bedroll.primitives import Invalid, L1Height
from bedroll.protocol import Parameters

from .item import Item, Notes
from .object_table import ObjectTable
from .record import ObjectJudged
from .stage import Stage
from .verdict import Pending, Rejected


class Series(msgspec.Struct, frozen=True):
    """A series that waits for its rest.

    Attributes:
        count: Chunks it has in all.
        first_height: L1 height of its first chunk.
        charge: What it counts against `pending_size_max`, bytes.
        size: Bytes received.
        chunks: Reference of each chunk's bytes by index.
    """

    count: int
    first_height: int
    charge: int
    size: int
    chunks: dict[int, bytes]


class AssemblerState(msgspec.Struct, frozen=True):
    """Waiting series by root, the one whose first chunk came first in front."""

    series: dict[bytes, Series]
    charge: int


class ChunkAssembler(Stage[AssemblerState]):
    """Keeps series until they are complete, too old, or crowded out."""

    def __init__(self, parameters: Parameters, table: ObjectTable, height: L1Height) -> None:
        super().__init__(AssemblerState(series={}, charge=0), height)
        self._parameters = parameters
        self._table = table

    def advance(self, items: Iterable[Item], height: L1Height, notes: Notes) -> Iterator[Item]:
        """Pass items on; a chunk goes no further unless it completes its series."""
        self._expire(height)
        for item in items:
            if isinstance(item.object, Chunk):
                whole = self._take(item, item.object, notes)
                if whole is not None:
                    yield whole
            else:
                yield item

    def references(self) -> Iterator[bytes]:
        """Of the bytes that the state needs."""
        for series in self.state.series.values():
            yield from series.chunks.values()

    def _expire(self, height: L1Height) -> None:
        oldest = height - self._parameters.proof_ttl
        kept = {root: series for root, series in self.state.series.items() if series.first_height >= oldest}
        if len(kept) != len(self.state.series):
            self.state = AssemblerState(series=kept, charge=sum(series.charge for series in kept.values()))
        else:
            # The block's own copy: the kept state of the block before must not change.
            self.state = AssemblerState(series=kept, charge=self.state.charge)

    def _take(self, item: Item, chunk: Chunk, notes: Notes) -> Item | None:
        judged = self._judge(item, chunk)
        if isinstance(judged, Item):
            notes.add(judged.seen())
            notes.add(ObjectJudged(item.place.height, item.place, item.object_id, Pending("its series is complete")))
            return judged
        notes.add(ObjectJudged(item.place.height, item.place, item.object_id, judged))
        return None

    def _judge(self, item: Item, chunk: Chunk) -> Item | Pending | Rejected:
        series = self.state.series.get(chunk.root)
        if series is None:
            series = Series(count=chunk.count, first_height=item.place.height, charge=0, size=0, chunks={})
        elif chunk.index in series.chunks:
            return Rejected("the series has this chunk already")
        charge = max(len(chunk.data), self._parameters.chunk_charge_min)
        grown = Series(
            count=series.count,
            first_height=series.first_height,
            charge=series.charge + charge,
            size=series.size + len(chunk.data),
            chunks={**series.chunks, chunk.index: self._table.put(chunk.data, item.place.height)},
        )
        if grown.size > self._parameters.object_size_max:
            self._drop(chunk.root)
            return Rejected(f"a series of {grown.size} bytes, more than {self._parameters.object_size_max}")
        if len(grown.chunks) < grown.count:
            self._keep(chunk.root, grown, charge)
            if chunk.root not in self.state.series:
                return Rejected("no room for another series")
            return Pending(f"{len(grown.chunks)} of {grown.count} chunks of its series are there")
        self._drop(chunk.root)
        return self._whole(item, grown)

    def _keep(self, root: bytes, series: Series, charge: int) -> None:
        waiting = self.state.series
        waiting[root] = series
        total = self.state.charge + charge
        while total > self._parameters.pending_size_max:
            oldest = next(iter(waiting))
            total -= waiting.pop(oldest).charge
        self.state = AssemblerState(series=waiting, charge=total)

    def _drop(self, root: bytes) -> None:
        gone = self.state.series.pop(root, None)
        if gone is not None:
            self.state = AssemblerState(series=self.state.series, charge=self.state.charge - gone.charge)

    def _whole(self, item: Item, series: Series) -> Item | Rejected:
        raw = b"".join(self._table.get(series.chunks[index]) for index in range(series.count))
        try:
            found = parse_object(raw)
        except Invalid as error:
            return Rejected(f"its series is no object: {error}")
        if not isinstance(found, Batch | Proof):
            return Rejected("its series holds an object that may not be one")
        return item.carrying(raw, found)
