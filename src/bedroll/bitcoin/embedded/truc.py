"""Topologically restricted transactions (version 3, BIP-0431): small, one parent, one child.

Reads: a candidate and the mempool.  Gives: nothing, or a refusal; may mark a sibling for eviction.
Never: looks at fees: an eviction must still pay for itself (`replacement`).  Spec: docs/spec/bitcoin.md#client
"""

from collections.abc import Sequence
from typing import Final

from ..policy import TRUC_CHILD_SIZE_MAX, TRUC_SIZE_MAX, TRUC_VERSION
from .candidate import Candidate
from .mempool import Mempool

_REASON: Final = "TRUC-violation"


def check_truc(pool: Mempool, candidate: Candidate, *, allow_eviction: bool) -> None:
    """Check one transaction against its unconfirmed parents.

    Where only a sibling is in the way and that is allowed, the sibling joins the candidate's conflicts.

    Raises:
        Refused: `TRUC-violation`.
    """
    entry = candidate.entry
    restricted = entry.transaction.version == TRUC_VERSION
    parents = [pool.entries[txid] for txid in pool.held(entry.parents)]
    for parent in parents:
        if (parent.transaction.version == TRUC_VERSION) != restricted:
            raise candidate.refused(_REASON, "version 3 and others do not spend from each other while unconfirmed")
    if not restricted:
        return
    if entry.size > TRUC_SIZE_MAX:
        raise candidate.refused(_REASON, f"is too big: {entry.size} > {TRUC_SIZE_MAX} virtual bytes")
    if not parents:
        return
    if len(parents) > 1 or parents[0].parents:
        raise candidate.refused(_REASON, "would have too many ancestors")
    if entry.size > TRUC_CHILD_SIZE_MAX:
        raise candidate.refused(_REASON, f"child is too big: {entry.size} > {TRUC_CHILD_SIZE_MAX} virtual bytes")
    below = pool.descendants([parents[0].txid]) - {parents[0].txid}
    if not below or below & candidate.conflicts:
        return
    sibling = pool.entries[min(below)]
    # More than one descendant, or one with another parent, can only come from a reorganisation.
    if not allow_eviction or len(below) > 1 or len(pool.ancestors([sibling.txid])) != 2:
        raise candidate.refused(_REASON, "parent would exceed descendant count limit")
    candidate.conflicts.add(sibling.txid)
    candidate.evicts_sibling = True


def check_package_truc(pool: Mempool, candidates: Sequence[Candidate]) -> None:
    """Check the same within a package.

    Raises:
        Refused: `TRUC-violation`.
    """
    members = {candidate.entry.txid: candidate.entry for candidate in candidates}
    for candidate in candidates:
        entry = candidate.entry
        restricted = entry.transaction.version == TRUC_VERSION
        inside = [members[txid] for txid in entry.parents & members.keys()]
        for parent in inside:
            if (parent.transaction.version == TRUC_VERSION) != restricted:
                raise candidate.refused(_REASON, "version 3 and others do not spend from each other while unconfirmed")
        if not restricted or not entry.parents:
            continue
        outside = [pool.entries[txid] for txid in pool.held(entry.parents)]
        if len(inside) + len(outside) > 1 or any(parent.parents for parent in (*inside, *outside)):
            raise candidate.refused(_REASON, "would have too many ancestors")
        if entry.size > TRUC_CHILD_SIZE_MAX:
            raise candidate.refused(_REASON, f"child is too big: {entry.size} > {TRUC_CHILD_SIZE_MAX} virtual bytes")
        (parent,) = (*inside, *outside)
        siblings = [other for other in members.values() if parent.txid in other.parents and other is not entry]
        if siblings or (outside and parent.children):
            raise candidate.refused(_REASON, "parent would exceed descendant count limit")
