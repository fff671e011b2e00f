"""Unconfirmed transactions of ours that hang together.

Reads: pending payments.  Gives: ancestors, descendants, the whole cluster.
Never: knows unconfirmed transactions of others: a wallet that spends only its own has none in its clusters.
Spec: docs/spec/bitcoin.md#wallet
"""

from collections.abc import Iterable, Sequence

from bedroll.primitives import Satoshi, Txid, VSize

from ..policy import UnconfirmedParent
from ..transaction import Transaction
from .coin import Payment


class Graph:
    """Who spends whom among pending payments."""

    def __init__(self, pending: Sequence[Payment]) -> None:
        self._payments = {each.transaction.txid: each for each in pending}
        self._parents: dict[Txid, set[Txid]] = {}
        self._children: dict[Txid, set[Txid]] = {txid: set() for txid in self._payments}
        for txid, each in self._payments.items():
            parents = {spent.previous.txid for spent in each.transaction.inputs} & self._payments.keys()
            self._parents[txid] = parents
            for parent in parents:
                self._children[parent].add(txid)

    def ancestors(self, txids: Iterable[Txid]) -> list[Payment]:
        """Pending ancestors of some transactions, themselves included where pending."""
        return self._reach(txids, self._parents)

    def descendants(self, txids: Iterable[Txid]) -> list[Payment]:
        """Pending descendants, themselves included where pending."""
        return self._reach(txids, self._children)

    def cluster(self, txids: Iterable[Txid]) -> list[Payment]:
        """Everything connected to some transactions in either direction."""
        both = {txid: self._parents[txid] | self._children[txid] for txid in self._payments}
        return self._reach(txids, both)

    def parents_of(self, transaction: Transaction) -> list[UnconfirmedParent]:
        """What the rules of topology ask of a transaction's pending parents."""
        spent = {each.previous.txid for each in transaction.inputs} & self._payments.keys()
        return [
            UnconfirmedParent(
                self._payments[txid].transaction.version,
                len(self.ancestors([txid])) - 1,
                len(self._children[txid] - {transaction.txid}),
            )
            for txid in sorted(spent)
        ]

    def in_order(self) -> list[Payment]:
        """All pending payments, parents first."""
        done: dict[Txid, Payment] = {}
        left = list(self._payments)
        while left:
            ready = [txid for txid in left if self._parents[txid] <= done.keys()]
            done.update({txid: self._payments[txid] for txid in ready})
            left = [txid for txid in left if txid not in done]
        return list(done.values())

    def _reach(self, start: Iterable[Txid], edges: dict[Txid, set[Txid]]) -> list[Payment]:
        seen: dict[Txid, Payment] = {}
        todo = [txid for txid in start if txid in self._payments]
        while todo:
            txid = todo.pop()
            if txid not in seen:
                seen[txid] = self._payments[txid]
                todo += edges[txid]
        return list(seen.values())


def fees(payments: Iterable[Payment]) -> Satoshi:
    """Sum of fees."""
    return Satoshi(sum(each.fee for each in payments))


def size(payments: Iterable[Payment]) -> VSize:
    """Sum of virtual sizes."""
    return VSize(sum(each.transaction.vsize for each in payments))
