"""Clusters of unconfirmed transactions, and the order in which a miner would take them.

Reads: entries and who spends whom.  Gives: bundles by falling fee rate, and whether one set of bundles beats another.
Never: changes the pool.  Spec: docs/spec/bitcoin.md#client

Two transactions are in one cluster if a chain of spends connects them. A cluster's linearisation takes, again and
again, the ancestors of the transaction whose ancestors pay best; neighbours are then merged into bundles until the
fee rate falls from bundle to bundle. Bitcoin Core searches longer, but finds the same for clusters of a few.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Final

from bedroll.primitives import Satoshi, Txid, VSize

from ..transaction import Transaction

CLUSTER_COUNT_MAX: Final = 64
"""Transactions in a cluster."""
CLUSTER_SIZE_MAX_VB: Final = 101_000
"""Virtual bytes of a cluster."""


Run = list[tuple[Txid, Fraction]]
"""Entries of a cluster in the order in which a miner takes them, each with the fee rate of its bundle."""


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
class Bundle:
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


def runs_of(entries: Iterable[Entry]) -> list[Run]:
    """For each cluster its entries as a miner would take them, with the fee rate of each one's bundle."""
    return [
        [(entry.txid, bundle.rate()) for bundle in linearize(cluster) for entry in bundle.entries]
        for cluster in split_clusters(entries)
    ]


def find_surplus(entries: Iterable[Entry], runs: Iterable[Run]) -> list[Entry]:
    """Which entries must go so that no cluster is too large.

    As Bitcoin Core does it: the runs are merged by fee rate, each keeping its order; what would make a cluster too
    large goes, and with it all that rests on it or comes after it in its run. The clusters may be far too large to be
    linearised anew.

    Args:
        entries: All of a pool.
        runs: Of the clusters before they were joined.
    """
    rates: dict[Txid, Fraction] = {}
    before: dict[Txid, Txid] = {}
    held = {entry.txid: entry for entry in entries}
    for run in runs:
        left = [(txid, rate) for txid, rate in run if txid in held]
        rates.update(left)
        before.update((later[0], earlier[0]) for earlier, later in pairwise(left))
    return [
        entry
        for cluster in split_clusters(held.values())
        if is_oversized(cluster)
        for entry in _find_cluster_surplus(cluster, rates, before)
    ]


def _find_cluster_surplus(
    cluster: Sequence[Entry], rates: Mapping[Txid, Fraction], before: Mapping[Txid, Txid]
) -> list[Entry]:
    inside = {entry.txid: entry for entry in cluster}
    waits = {txid: entry.parents & inside.keys() | {before.get(txid, txid)} - {txid} for txid, entry in inside.items()}
    after: dict[Txid, list[Txid]] = {txid: [] for txid in inside}
    for txid, needed in waits.items():
        for each in needed:
            after[each].append(txid)
    missing = {txid: len(needed) for txid, needed in waits.items()}
    ready = [(-rates[txid], inside[txid].order, txid) for txid in inside if not missing[txid]]
    heapify(ready)
    part: dict[Txid, list[Txid]] = {}
    while ready:
        _, _, txid = heappop(ready)
        groups = {id(part[each]): part[each] for each in waits[txid]}
        merged = [txid, *(each for group in groups.values() for each in group)]
        if is_oversized([inside[each] for each in merged]):
            continue
        part.update((each, merged) for each in merged)
        for each in after[txid]:
            missing[each] -= 1
            if not missing[each]:
                heappush(ready, (-rates[each], inside[each].order, each))
    return [entry for txid, entry in inside.items() if txid not in part]


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


def linearize(cluster: Sequence[Entry]) -> list[Bundle]:
    """Bundles of one cluster, fee rate falling."""
    if len(cluster) == 1:
        return [Bundle(cluster[0].fee, cluster[0].weight, (cluster[0],))]
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
    bundles: list[Bundle] = []
    while left:
        best = max(
            (_gather(ordered, ancestors[at] & left) for at in range(len(ordered)) if left >> at & 1),
            key=lambda bundle: (bundle.rate(), -bundle.weight),
        )
        for entry in best.entries:
            left &= ~(1 << position[entry.txid])
        bundles.append(best)
        while len(bundles) > 1 and bundles[-1].rate() > bundles[-2].rate():
            later, earlier = bundles.pop(), bundles.pop()
            bundles.append(
                Bundle(earlier.fee + later.fee, earlier.weight + later.weight, earlier.entries + later.entries)
            )
    return bundles


def bundles_of(entries: Iterable[Entry]) -> list[Bundle]:
    """Bundles of all clusters among the entries, fee rate falling."""
    bundles = [bundle for cluster in split_clusters(entries) for bundle in linearize(cluster)]
    return sorted(bundles, key=lambda bundle: (-bundle.rate(), bundle.entries[0].order))


def is_better(new: Sequence[Bundle], old: Sequence[Bundle]) -> bool:
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


def _gather(ordered: Sequence[Entry], mask: int) -> Bundle:
    chosen = tuple(entry for at, entry in enumerate(ordered) if mask >> at & 1)
    return Bundle(sum(entry.fee for entry in chosen), sum(entry.weight for entry in chosen), chosen)


def _corners(bundles: Sequence[Bundle]) -> list[int]:
    weight, corners = 0, []
    for bundle in bundles:
        weight += bundle.weight
        corners.append(weight)
    return corners


def _paid(bundles: Sequence[Bundle], room: int) -> Fraction:
    paid = Fraction(0)
    for bundle in bundles:
        if room <= bundle.weight:
            return paid + bundle.rate() * room
        paid += bundle.fee
        room -= bundle.weight
    return paid
