"""Which transactions the embedded mempool takes: Bitcoin Core's checks, in its order, with its reasons.

Reads: transactions from anyone, the coin index, the mempool.  Gives: entries, or `Refused`.
Never: lets in what the next block could not hold.  Spec: docs/spec/bitcoin.md#client
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bedroll.primitives import Satoshi, Txid

from ..client import Coin
from ..fee import MIN_RELAY_RATE
from ..refusal import Cause, Refused
from ..transaction import MONEY_MAX, OutPoint, Transaction, TxOut
from .candidate import Candidate
from .chain import Chain
from .cluster import Entry, is_oversized, split_clusters
from .lock import is_final, is_mature, is_sequence_final
from .mempool import MEMPOOL_SIZE_MAX_VB, Mempool
from .replacement import check_replacement
from .standard import Judged
from .truc import check_truc

SIGOPS_PER_TRANSACTION_MAX: Final = 16_000
"""Signature checks of a transaction (policy)."""
SIGOP_WEIGHT_WU: Final = 20
"""Weight that a signature check counts for at least."""


@dataclass(frozen=True, slots=True)
class Mode:
    """What is waived in one way of handing a transaction in.

    Attributes:
        returning: It was in a block that a reorganisation took away: fees and topology are not judged.
        replacement: It may replace others.
        sibling_eviction: It may replace another child of its parent (version 3).
        package_fee: Its fee rate is judged with its package's.
    """

    returning: bool = False
    replacement: bool = True
    sibling_eviction: bool = True
    package_fee: bool = False


SINGLE: Final = Mode()
RETURNING: Final = Mode(returning=True)
PACKAGE: Final = Mode(sibling_eviction=False, package_fee=True)
TESTED_PACKAGE: Final = Mode(replacement=False, sibling_eviction=False)


class Admission:
    """The checks, over one chain and one mempool."""

    def __init__(self, chain: Chain, pool: Mempool) -> None:
        self.chain = chain
        self.pool = pool

    def accept(self, transaction: Transaction, mode: Mode = SINGLE, *, keep: bool = True) -> Candidate:
        """Judge one transaction and, with `keep`, take it in and throw out what it replaces.

        Raises:
            Refused: With the reason.
        """
        candidate = self.check(transaction, mode, {})
        replaced: set[Txid] = set()
        if candidate.conflicts:
            replaced = check_replacement(self.pool, candidate, MIN_RELAY_RATE)
        self.check_cluster([candidate.entry], replaced, transaction.txid)
        if candidate.conflicts & self.pool.ancestors(self.pool.held(candidate.entry.parents)):
            raise candidate.refused("bad-txns-spends-conflicting-tx")
        if not mode.returning:
            self.check_dust_spent(candidate, {})
        self.check_scripts(candidate)
        if keep:
            self.pool.remove(replaced)
            self.pool.add(candidate.entry)
        return candidate

    def readmit(self, entry: Entry) -> None:
        """Put back an entry that a reorganisation may have taken the ground from; its scripts were judged before.

        Raises:
            Refused: The next block could not hold it.
        """
        transaction = entry.transaction
        height = self._check_final(transaction)
        if self._find_conflicts(transaction, SINGLE):
            raise Refused("txn-mempool-conflict", transaction.txid)
        coins = self._find_coins(transaction, {})
        if not is_sequence_final(transaction, coins, self.chain.index, height):
            raise Refused("non-BIP68-final", transaction.txid)
        _fee_of(transaction, coins, height)
        self.pool.add(entry)

    def check(self, transaction: Transaction, mode: Mode, beside: dict[Txid, Transaction]) -> Candidate:
        """Everything that comes before replacement, cluster limits and scripts.

        Args:
            transaction: Any.
            mode: How it came.
            beside: Earlier transactions of its package.
        """
        txid = transaction.txid
        judged = Judged.of(transaction)
        if fault := judged.find_form_fault():
            raise Refused(fault, txid)
        height = self._check_final(transaction)
        conflicts = self._find_conflicts(transaction, mode)
        coins = self._find_coins(transaction, beside)
        if not is_sequence_final(transaction, coins, self.chain.index, height):
            raise Refused("non-BIP68-final", txid)
        fee = _fee_of(transaction, coins, height)
        spent = [TxOut(coin.value, coin.script) for coin in coins]
        if fault := judged.find_input_fault(spent):
            raise Refused(fault, txid)
        sigops = judged.sigop_cost(spent)
        entry = Entry(
            transaction=transaction,
            fee=fee,
            weight=max(transaction.weight, sigops * SIGOP_WEIGHT_WU),
            sigop_cost=sigops,
            spends_coinbase=any(coin.coinbase for coin in coins),
            parents=self.pool.parents(transaction)
            | {each.previous.txid for each in transaction.inputs} & beside.keys(),
            children=set(),
        )
        candidate = Candidate(entry, judged, spent, conflicts)
        if fee and judged.dust():
            raise candidate.refused("dust", "tx with dust output must be 0-fee")
        if sigops > SIGOPS_PER_TRANSACTION_MAX:
            raise candidate.refused("bad-txns-too-many-sigops", str(sigops))
        if not mode.returning:
            if not mode.package_fee:
                check_fee_rate(fee, entry.size, txid)
            check_truc(self.pool, candidate, allow_eviction=mode.sibling_eviction)
            if self.pool.size_vb + entry.size > MEMPOOL_SIZE_MAX_VB:
                raise candidate.refused("mempool full", cause=Cause.FEE)
        return candidate

    def check_cluster(self, added: Sequence[Entry], replaced: set[Txid], txid: Txid) -> None:
        """Refuse what would make a cluster too large."""
        parents = {parent for entry in added for parent in self.pool.held(entry.parents)}
        near = self.pool.cluster(parents - replaced)
        entries = [self.pool.entries[each] for each in near - replaced]
        if any(is_oversized(cluster) for cluster in split_clusters([*entries, *added])):
            raise Refused("too-large-cluster", txid)

    def check_dust_spent(self, candidate: Candidate, beside: dict[Txid, Transaction]) -> None:
        """Refuse a child that leaves a parent's dust unspent: dust may live only inside a package."""
        transaction = candidate.entry.transaction
        spent = {each.previous for each in transaction.inputs}
        for parent_txid in {each.txid for each in spent}:
            parent = beside.get(parent_txid)
            if parent is None:
                held = self.pool.entries.get(parent_txid)
                if held is None or held.fee:
                    continue  # Who pays a fee was not let in with dust.
                parent = held.transaction
            if any(parent.out_point(at) not in spent for at in Judged.of(parent).dust()):
                raise candidate.refused("missing-ephemeral-spends", "did not spend parent's ephemeral dust")

    def check_scripts(self, candidate: Candidate) -> None:
        """Run all scripts, by consensus and by policy."""
        bad = self.chain.kernel.find_bad_input(candidate.entry.transaction, candidate.spent)
        if bad is None and candidate.judged.runs_no_script(candidate.spent):
            return  # Policy adds nothing to a signature by the output key, and its interpreter is slow.
        if fault := candidate.judged.find_script_fault(candidate.spent):
            raise candidate.refused(f"mempool-script-verify-flag-failed ({fault})")
        if bad is not None:
            raise candidate.refused("block-script-verify-flag-failed", f"input {bad}")

    def _check_final(self, transaction: Transaction) -> int:
        """Height of the next block, which the lock time must allow."""
        height = self.chain.tip()[0] + 1
        if not is_final(transaction, height, self.chain.index.median_time(height - 1)):
            raise Refused("non-final", transaction.txid)
        return height

    def _find_conflicts(self, transaction: Transaction, mode: Mode) -> set[Txid]:
        held = self.pool.entries.get(transaction.txid)
        if held is not None:
            same = held.transaction.wtxid == transaction.wtxid
            reason = "txn-already-in-mempool" if same else "txn-same-nonwitness-data-in-mempool"
            raise Refused(reason, transaction.txid)
        spenders = self.pool.spenders
        conflicts = {spenders[each.previous] for each in transaction.inputs if each.previous in spenders}
        if conflicts and not mode.replacement:
            raise Refused("bip125-replacement-disallowed", transaction.txid)
        return conflicts

    def _find_coins(self, transaction: Transaction, beside: dict[Txid, Transaction]) -> list[Coin]:
        coins = []
        for each in transaction.inputs:
            coin = self._find_coin(each.previous, beside)
            if coin is None:
                if self.chain.index.has_output_of(transaction.txid):
                    raise Refused("txn-already-known", transaction.txid)
                raise Refused("bad-txns-inputs-missingorspent", transaction.txid, cause=Cause.INPUTS)
            coins.append(coin)
        return coins

    def _find_coin(self, name: OutPoint, beside: dict[Txid, Transaction]) -> Coin | None:
        parent = beside.get(name.txid)
        output = self.pool.output(name)
        if parent is not None and name.index < len(parent.outputs):
            output = parent.outputs[name.index]
        if output is None:
            return self.chain.index.coin(name.txid, name.index)
        return Coin(name.txid, name.index, output.value, output.script, None, coinbase=False)


def check_fee_rate(fee: int, size_vb: int, txid: Txid) -> None:
    """Refuse what pays less than relaying costs."""
    least = -(-size_vb * MIN_RELAY_RATE // 1_000)
    if fee < least:
        raise Refused("min relay fee not met", txid, f"{fee} < {least}", Cause.FEE)


def _fee_of(transaction: Transaction, coins: Sequence[Coin], height: int) -> Satoshi:
    value_in = 0
    for coin in coins:
        if not is_mature(coin, height):
            depth = height - (coin.height or 0)
            detail = f"tried to spend coinbase at depth {depth}"
            raise Refused("bad-txns-premature-spend-of-coinbase", transaction.txid, detail)
        value_in += coin.value
    if value_in > MONEY_MAX:
        raise Refused("bad-txns-inputvalues-outofrange", transaction.txid)
    fee = value_in - transaction.output_value
    if fee < 0:
        raise Refused("bad-txns-in-belowout", transaction.txid)
    return Satoshi(fee)
