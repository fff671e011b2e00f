"""Clusters of unconfirmed transactions, and the order in which a miner would take them.

Reads: entries and who spends whom.  Gives: chunks by falling fee rate, and whether one set of chunks beats another.
Never: changes the pool.  Spec: docs/spec/bitcoin.md#client

Two transactions are in one cluster if a chain of spends connects them. A cluster's linearisation takes, again and
again, the ancestors of the transaction whose ancestors pay best; neighbours are then merged into chunks until the
fee rate falls from chunk to chunk. Bitcoin Core searches longer, but finds the same for clusters of a few.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from bedroll.primitives import Satoshi, Txid, VSize

from ..transaction import Transaction

CLUSTER_COUNT_MAX: Final = 64
"""Transactions in a cluster."""
CLUSTER_SIZE_MAX_VB: Final = 101_000
"""Virtual bytes of a cluster."""


@dataclass(eq=False, slots=True)
class Entry:
    """An unconfirmed transaction.

    Attributes:
        fee: What it pays.
        weight: In weight units; raised where signature checks are dear for the size.
        sigop_cost: Signature checks as a block counts them.
        spends_coinbase: Whether it must leave if a reorganisation makes the coinbase too young.
        parents: Unconfirmed transactions whose outputs it spends.
        children: Unconfirmed transactions that spend its outputs.
        order: Position of its arrival among all.
    """

    transaction: Transaction
    fee: Satoshi
    weight: int
    sigop_cost: int
    spends_coinbase: bool
    parents: set[Txid]
    children: set[Txid]
    order: int = 0

    @property
    def txid(self) -> Txid:
        """Identifier."""
        return self.transaction.txid

    @property
    def size(self) -> VSize:
        """Virtual bytes by the weight above."""
        return VSize((self.weight + 3) // 4)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Transactions that a miner takes together, parents first."""

    fee: int
    weight: int
    entries: tuple[Entry, ...]

    def rate(self) -> Fraction:
        """Satoshi a weight unit."""
        return Fraction(self.fee, self.weight)


def split_clusters(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Split a set of entries into clusters; spends from and to others do not count."""
    left = {entry.txid: entry for entry in entries}
    near = _neighbours(left)
    clusters = []
    while left:
        _, first = left.popitem()
        cluster, front = [first], [first.txid]
        while front:
            for txid in near[front.pop()]:
                if (entry := left.pop(txid, None)) is not None:
                    cluster.append(entry)
                    front.append(txid)
        clusters.append(cluster)
    return clusters


def is_oversized(cluster: Collection[Entry]) -> bool:
    """Whether a cluster breaks the limits."""
    return len(cluster) > CLUSTER_COUNT_MAX or sum(entry.weight for entry in cluster) > 4 * CLUSTER_SIZE_MAX_VB


def sort_by_dependency(entries: Iterable[Entry]) -> list[Entry]:
    """Order entries so that parents come first; else by arrival."""
    waiting = sorted(entries, key=lambda entry: entry.order)
    inside = {entry.txid: entry for entry in waiting}
    missing = {entry.txid: len(entry.parents & inside.keys()) for entry in waiting}
    children: dict[Txid, list[Txid]] = {txid: [] for txid in inside}
    for entry in waiting:
        for parent in entry.parents & inside.keys():
            children[parent].append(entry.txid)
    ordered = [entry for entry in waiting if not missing[entry.txid]]
    for entry in ordered:
        for txid in children[entry.txid]:
            missing[txid] -= 1
            if not missing[txid]:
                ordered.append(inside[txid])
    return ordered


def linearize(cluster: Sequence[Entry]) -> list[Chunk]:
    """Chunks of one cluster, fee rate falling."""
    if len(cluster) == 1:
        return [Chunk(cluster[0].fee, cluster[0].weight, (cluster[0],))]
    ordered = sort_by_dependency(cluster)
    position = {entry.txid: at for at, entry in enumerate(ordered)}
    ancestors: list[int] = []
    for at, entry in enumerate(ordered):
        mask = 1 << at
        for parent in entry.parents:
            if parent in position:
                mask |= ancestors[position[parent]]
        ancestors.append(mask)
    left = (1 << len(ordered)) - 1
    chunks: list[Chunk] = []
    while left:
        best = max(
            (_gather(ordered, ancestors[at] & left) for at in range(len(ordered)) if left >> at & 1),
            key=lambda chunk: (chunk.rate(), -chunk.weight),
        )
        for entry in best.entries:
            left &= ~(1 << position[entry.txid])
        chunks.append(best)
        while len(chunks) > 1 and chunks[-1].rate() > chunks[-2].rate():
            later, earlier = chunks.pop(), chunks.pop()
            chunks.append(
                Chunk(earlier.fee + later.fee, earlier.weight + later.weight, earlier.entries + later.entries)
            )
    return chunks


def chunks_of(entries: Iterable[Entry]) -> list[Chunk]:
    """Chunks of all clusters among the entries, fee rate falling."""
    chunks = [chunk for cluster in split_clusters(entries) for chunk in linearize(cluster)]
    return sorted(chunks, key=lambda chunk: (-chunk.rate(), chunk.entries[0].order))


def is_better(new: Sequence[Chunk], old: Sequence[Chunk]) -> bool:
    """Whether, for every room a miner may have, `new` pays no less than `old`, and somewhere more."""
    corners = sorted({*_corners(new), *_corners(old)})
    differences = [_paid(new, weight) - _paid(old, weight) for weight in corners]
    return all(each >= 0 for each in differences) and any(each > 0 for each in differences)


def _neighbours(entries: dict[Txid, Entry]) -> dict[Txid, list[Txid]]:
    near: dict[Txid, list[Txid]] = {txid: [] for txid in entries}
    for txid, entry in entries.items():
        for parent in entry.parents:
            if parent in entries:
                near[txid].append(parent)
                near[parent].append(txid)
    return near


def _gather(ordered: Sequence[Entry], mask: int) -> Chunk:
    chosen = tuple(entry for at, entry in enumerate(ordered) if mask >> at & 1)
    return Chunk(sum(entry.fee for entry in chosen), sum(entry.weight for entry in chosen), chosen)


def _corners(chunks: Sequence[Chunk]) -> list[int]:
    weight, corners = 0, []
    for chunk in chunks:
        weight += chunk.weight
        corners.append(weight)
    return corners


def _paid(chunks: Sequence[Chunk], room: int) -> Fraction:
    paid = Fraction(0)
    for chunk in chunks:
        if room <= chunk.weight:
            return paid + chunk.rate() * room
        paid += chunk.fee
        room -= chunk.weight
    return paid
