"""Replacing unconfirmed transactions by fee: every transaction may be, none needs to signal it.

Reads: candidates and the mempool.  Gives: what would be thrown out, or a refusal.
Never: lets a replacement leave miners worse off, or relay without paying for itself.  Spec: docs/spec/bitcoin.md#client
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from bedroll.primitives import Txid

from ..refusal import Cause
from .candidate import Candidate
from .cluster import Entry, bundles_of, is_better, is_oversized, split_clusters
from .mempool import Mempool

REPLACED_CLUSTERS_MAX: Final = 100
"""Clusters that one replacement may touch."""


def check_replacement(pool: Mempool, candidate: Candidate, relay_rate: int) -> set[Txid]:
    """Check one transaction that conflicts with others.

    Returns:
        Everything that has to go: the conflicts and what rests on them.

    Raises:
        Refused: It does not pay enough, or touches too much.
    """
    entry = candidate.entry
    kind = " (including sibling eviction)" if candidate.evicts_sibling else ""
    if pool.cluster_count(candidate.conflicts) > REPLACED_CLUSTERS_MAX:
        raise candidate.refused(f"too many potential replacements{kind}")
    replaced = pool.descendants(candidate.conflicts)
    if fault := _find_fee_fault(pool, replaced, entry.fee, entry.size, relay_rate):
        raise candidate.refused(f"insufficient fee{kind}", f"rejecting replacement; {fault}", Cause.FEE)
    old, new = _stage(pool, replaced, [entry])
    if any(is_oversized(cluster) for cluster in split_clusters(new)):
        raise candidate.refused("too-large-cluster")
    if not is_better(bundles_of(new), bundles_of(old)):
        detail = "insufficient feerate: does not improve feerate diagram"
        raise candidate.refused("replacement-failed", detail, Cause.FEE)
    return replaced


def check_package_replacement(pool: Mempool, candidates: Sequence[Candidate], relay_rate: int) -> set[Txid]:
    """Check a parent with its child that together replace others.

    Returns:
        Everything that has to go.

    Raises:
        Refused: A fault of the package.
    """
    child = candidates[-1]
    if len(candidates) != 2:
        raise child.refused("package RBF failed: package must be 1-parent-1-child")
    if any(pool.held(candidate.entry.parents) for candidate in candidates):
        raise child.refused("package RBF failed: new transaction cannot have mempool ancestors")
    conflicts = {txid for candidate in candidates for txid in candidate.conflicts}
    if pool.cluster_count(conflicts) > REPLACED_CLUSTERS_MAX:
        raise child.refused("package RBF failed: too many potential replacements")
    replaced = pool.descendants(conflicts)
    entries = [candidate.entry for candidate in candidates]
    fee, size = sum(entry.fee for entry in entries), sum(entry.size for entry in entries)
    if fault := _find_fee_fault(pool, replaced, fee, size, relay_rate):
        raise child.refused("package RBF failed: insufficient anti-DoS fees", f"rejecting replacement; {fault}")
    parent = entries[0]
    if Fraction(fee, size) <= Fraction(parent.fee, parent.size):
        raise child.refused("package RBF failed: package feerate is less than or equal to parent feerate")
    old, new = _stage(pool, replaced, entries)
    if any(is_oversized(cluster) for cluster in split_clusters(new)):
        raise child.refused("too-large-cluster")
    if not is_better(bundles_of(new), bundles_of(old)):
        raise child.refused("package RBF failed: insufficient feerate: does not improve feerate diagram")
    return replaced


def _find_fee_fault(pool: Mempool, replaced: set[Txid], fee: int, size_vb: int, relay_rate: int) -> str:
    before = sum(pool.entries[txid].fee for txid in replaced)
    if fee < before:
        return f"less fees than conflicting txs; {fee} < {before}"
    least = -(-size_vb * relay_rate // 1_000)
    if fee - before < least:
        return f"not enough additional fees to relay; {fee - before} < {least}"
    return ""


def _stage(pool: Mempool, replaced: set[Txid], added: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """All clusters that change, before and after."""
    touched = pool.cluster(replaced | {txid for entry in added for txid in pool.held(entry.parents)})
    old = [pool.entries[txid] for txid in touched]
    return old, [*(pool.entries[txid] for txid in touched - replaced), *added]
