"""The set of unconfirmed transactions and how they hang together.

Reads: entries that `admission` let in; blocks.  Gives: ancestors, descendants, spenders, what to mine.
Never: judges a transaction.  Spec: docs/spec/bitcoin.md#client
"""

import itertools
from collections.abc import Callable, Iterable
from typing import Final

from bedroll.primitives import FeeRate, Satoshi, Txid

from ..block import BLOCK_WEIGHT_MAX, Block
from ..transaction import OutPoint, Transaction, TxOut
from .cluster import Entry, Run, bundles_of, find_surplus, sort_by_dependency, split_clusters

BLOCK_RESERVED_WU: Final = 8_000
"""Weight of a block kept free for header, count and coinbase."""
BLOCK_SIGOPS_MAX: Final = 80_000
"""Signature checks in a block (consensus)."""
MEMPOOL_SIZE_MAX_VB: Final = 100_000_000
"""Virtual bytes at which the pool takes no more."""


class Mempool:
    """Unconfirmed transactions."""

    def __init__(self) -> None:
        self.entries: dict[Txid, Entry] = {}
        self.spenders: dict[OutPoint, Txid] = {}
        self.size_vb = 0
        self._arrivals = itertools.count(1)

    def output(self, out_point: OutPoint) -> TxOut | None:
        """An output of an unconfirmed transaction, spent or not."""
        entry = self.entries.get(out_point.txid)
        if entry is None or out_point.index >= len(entry.transaction.outputs):
            return None
        return entry.transaction.outputs[out_point.index]

    def parents(self, transaction: Transaction) -> set[Txid]:
        """Unconfirmed transactions that it spends from."""
        return {each.previous.txid for each in transaction.inputs if each.previous.txid in self.entries}

    def held(self, txids: Iterable[Txid]) -> set[Txid]:
        """Those of the transactions that are in the pool."""
        return {txid for txid in txids if txid in self.entries}

    def ancestors(self, txids: Iterable[Txid]) -> set[Txid]:
        """The transactions and everything unconfirmed that they rest on."""
        return self._reach(txids, lambda entry: entry.parents)

    def descendants(self, txids: Iterable[Txid]) -> set[Txid]:
        """The transactions and everything that rests on them."""
        return self._reach(txids, lambda entry: entry.children)

    def cluster(self, txids: Iterable[Txid]) -> set[Txid]:
        """Everything connected with any of the transactions."""
        return self._reach(txids, lambda entry: entry.parents | entry.children)

    def cluster_count(self, txids: Iterable[Txid]) -> int:
        """In how many clusters the transactions are."""
        return len(split_clusters(self.entries[txid] for txid in self.cluster(txids)))

    def add(self, entry: Entry) -> None:
        """Take an entry in; links to parents and children are made here."""
        transaction = entry.transaction
        entry.order = next(self._arrivals)
        entry.parents = self.parents(transaction)
        for parent in entry.parents:
            self.entries[parent].children.add(entry.txid)
        entry.children = {
            spender
            for at in range(len(transaction.outputs))
            if (spender := self.spenders.get(transaction.out_point(at))) is not None
        }
        for child in entry.children:
            self.entries[child].parents.add(entry.txid)
        self.entries[entry.txid] = entry
        self.size_vb += entry.size
        for each in transaction.inputs:
            self.spenders[each.previous] = entry.txid

    def remove(self, txids: Iterable[Txid]) -> list[Entry]:
        """Take entries out; what rests on them must go by itself."""
        removed = []
        for txid in list(txids):
            entry = self.entries.pop(txid, None)
            if entry is None:
                continue
            removed.append(entry)
            self.size_vb -= entry.size
            for each in entry.transaction.inputs:
                self.spenders.pop(each.previous, None)
            for parent in entry.parents:
                if parent in self.entries:
                    self.entries[parent].children.discard(txid)
            for child in entry.children:
                if child in self.entries:
                    self.entries[child].parents.discard(txid)
        return removed

    def remove_confirmed(self, block: Block) -> None:
        """Forget what a block confirmed, and what can no longer be confirmed because of it."""
        self.remove(transaction.txid for transaction in block.transactions)
        beaten = {
            self.spenders[each.previous]
            for transaction in block.transactions[1:]
            for each in transaction.inputs
            if each.previous in self.spenders
        }
        self.remove(self.descendants(beaten))

    def trim(self, runs: Iterable[Run]) -> None:
        """Throw out what makes clusters too large: only a reorganisation joins them so.

        Args:
            runs: Of the clusters before that.
        """
        self.remove([entry.txid for entry in find_surplus(self.entries.values(), runs)])

    def drain(self) -> list[Entry]:
        """Take everything out, parents first."""
        ordered = sort_by_dependency(self.entries.values())
        self.entries.clear()
        self.spenders.clear()
        self.size_vb = 0
        return ordered

    def select(self) -> tuple[list[Transaction], Satoshi]:
        """What a miner puts in the next block, in order, and the fees of it."""
        chosen: list[Entry] = []
        inside: set[Txid] = set()
        weight, sigops = BLOCK_RESERVED_WU, 400
        for bundle in bundles_of(self.entries.values()):
            cost = sum(entry.sigop_cost for entry in bundle.entries)
            whole = inside.union(entry.txid for entry in bundle.entries)
            fits = weight + bundle.weight <= BLOCK_WEIGHT_MAX and sigops + cost <= BLOCK_SIGOPS_MAX
            if not bundle.fee or not fits or any(entry.parents - whole for entry in bundle.entries):
                continue
            chosen += bundle.entries
            inside = whole
            weight += bundle.weight
            sigops += cost
        return [entry.transaction for entry in chosen], Satoshi(sum(entry.fee for entry in chosen))

    def rate_at(self, blocks: int) -> FeeRate:
        """Fee rate of what is mined last in the next `blocks` blocks; zero if all of the pool is."""
        room = blocks * (BLOCK_WEIGHT_MAX - BLOCK_RESERVED_WU)
        for bundle in bundles_of(self.entries.values()):
            room -= bundle.weight
            if room < 0:
                return FeeRate(-(-bundle.fee * 4_000 // bundle.weight))
        return FeeRate(0)

    def _reach(self, txids: Iterable[Txid], near: Callable[[Entry], set[Txid]]) -> set[Txid]:
        reached = set(txids)
        front = list(reached)
        while front:
            for txid in near(self.entries[front.pop()]):
                if txid not in reached:
                    reached.add(txid)
                    front.append(txid)
        return reached
