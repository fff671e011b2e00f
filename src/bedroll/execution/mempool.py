"""Transactions that wait for a block: who may wait, in what order they go, what makes room.

Reads: decoded transactions, account state through a port.  Gives: `Mempool`, refusals in Ethereum's words.
Never: executes, persists or reads a clock: the caller records what `add` took before it answers.
Spec: docs/spec/execution.md#mempool

Every sender has a run of transactions without a gap from its next nonce (*pending*) and others beyond a gap
(*queued*). A transaction leaves by `executed`, `refused`, replacement, eviction or `reset`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final, Protocol

from bedroll.primitives import Address, Hash32, Invalid

from .admission import Refused, check_account, check_alone
from .engine import Transaction
from .fee import FeeRule, cost_wei

REPLACEMENT_PERCENT: Final = 10
"""By how much both fee fields of a replacement must be higher."""


class AccountState(Protocol):
    """State that nonces and balances are read from: `View` is one."""

    def nonce(self, address: bytes) -> int:
        """Next nonce."""
        ...

    def balance(self, address: bytes) -> int:
        """Balance, wei."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimit:
    """How much may wait.

    Attributes:
        size_bytes: Raw bytes of all transactions.
        count: Transactions.
        account_count: Transactions of one sender.
        nonce_gap: How far beyond the next nonce one may lie.
        transaction_bytes: Raw bytes of one transaction.
        tip_min_wei: Least priority fee cap that is taken at all.
    """

    size_bytes: int = 256 << 20
    count: int = 200_000
    account_count: int = 4_096
    nonce_gap: int = 4_096
    transaction_bytes: int = 128 << 10
    tip_min_wei: int = 0


class _Account:
    """One sender's transactions, by nonce."""

    __slots__ = ("cost_wei", "entries", "next_nonce")

    def __init__(self, next_nonce: int) -> None:
        self.next_nonce = next_nonce
        self.entries: dict[int, Transaction] = {}
        self.cost_wei = 0

    def run(self) -> Iterator[Transaction]:
        nonce = self.next_nonce
        while nonce in self.entries:
            yield self.entries[nonce]
            nonce += 1


class Mempool:
    """Pending and queued transactions of all senders."""

    def __init__(self, chain_id: int, limit: PoolLimit | None = None) -> None:
        self._chain_id = chain_id
        self._limit = limit or PoolLimit()
        self._account: dict[bytes, _Account] = {}
        self._transaction: dict[bytes, Transaction] = {}
        self._order: dict[bytes, int] = {}
        self._arrivals = 0
        self._size_bytes = 0
        self._floor_wei: int | None = None
        """Where the pool is full: a tip that was too low to make room."""
        self._fresh: dict[bytes, None] = {}
        """Senders that may have something executable: all others wait for a new base fee or nonce."""

    def __len__(self) -> int:
        return len(self._transaction)

    @property
    def size_bytes(self) -> int:
        """Raw bytes of all transactions."""
        return self._size_bytes

    def get(self, hash: bytes) -> Transaction | None:
        """A waiting transaction."""
        return self._transaction.get(hash)

    def transactions(self) -> list[Transaction]:
        """All, in the order of arrival."""
        return sorted(self._transaction.values(), key=lambda each: self._order[each.hash])

    # --- coming in -------------------------------------------------------------------------------

    def add(self, transaction: Transaction, state: AccountState, fee: FeeRule) -> list[Transaction]:
        """Take one transaction.

        Args:
            transaction: Decoded; its signature is valid.
            state: Inside the open block: what was executed there counts.
            fee: Of the open block.

        Returns:
            What it replaced or evicted.

        Raises:
            Refused: With Ethereum's words. The pool is as before.
        """
        if transaction.hash in self._transaction:
            raise Refused("already known", hash=transaction.hash)
        check_alone(transaction, self._chain_id, self._limit.transaction_bytes, self._limit.tip_min_wei)
        account = self._account.get(transaction.sender)
        next_nonce = state.nonce(transaction.sender)
        replaced = account.entries.get(transaction.nonce) if account else None
        spent_wei = account.cost_wei if account else 0
        check_account(
            transaction,
            next_nonce=next_nonce,
            balance_wei=state.balance(transaction.sender),
            waiting_wei=spent_wei - (cost_wei(replaced) if replaced else 0),
            nonce_gap=self._limit.nonce_gap,
        )
        if replaced is not None:
            _check_replacement(transaction, replaced)
            self._insert(transaction, next_nonce)
            return [replaced]
        if account is not None and len(account.entries) >= self._limit.account_count:
            raise Refused("account limit exceeded", waiting=len(account.entries), limit=self._limit.account_count)
        evicted = self._make_room(transaction, fee)
        self._insert(transaction, next_nonce)
        return evicted

    def _insert(self, transaction: Transaction, next_nonce: int) -> None:
        account = self._account.setdefault(transaction.sender, _Account(next_nonce))
        account.next_nonce = max(account.next_nonce, next_nonce)
        old = account.entries.get(transaction.nonce)
        if old is not None:
            self._remove(old)
            account = self._account.setdefault(transaction.sender, account)
        account.entries[transaction.nonce] = transaction
        account.cost_wei += cost_wei(transaction)
        self._transaction[transaction.hash] = transaction
        self._arrivals += 1
        self._order[transaction.hash] = self._arrivals
        self._size_bytes += len(transaction.raw)
        self._fresh[transaction.sender] = None

    def _make_room(self, transaction: Transaction, fee: FeeRule) -> list[Transaction]:
        over_bytes = self._size_bytes + len(transaction.raw) - self._limit.size_bytes
        over_count = len(self._transaction) + 1 - self._limit.count
        if over_bytes <= 0 and over_count <= 0:
            return []
        tip_wei = fee.tip_wei(transaction)
        if self._floor_wei is not None and tip_wei <= self._floor_wei:
            # Looked for in vain before, and nothing has left since: cheap floods cost no search.
            raise Refused("transaction underpriced", tip_wei=tip_wei, pool="full")
        # Room for a hundredth more, so that a full pool does not sort itself at every arrival.
        over_bytes += self._limit.size_bytes // 100
        over_count += self._limit.count // 100
        victims: list[Transaction] = []
        for worst in sorted(self._last_of_each(), key=lambda each: (fee.tip_wei(each), -self._order[each.hash])):
            if fee.tip_wei(worst) >= tip_wei or worst.sender == transaction.sender:
                continue
            victims.append(worst)
            over_bytes -= len(worst.raw)
            over_count -= 1
            if over_bytes <= 0 and over_count <= 0:
                break
        short_bytes = over_bytes - self._limit.size_bytes // 100
        short_count = over_count - self._limit.count // 100
        if short_bytes > 0 or short_count > 0:
            self._floor_wei = tip_wei
            raise Refused("transaction underpriced", tip_wei=tip_wei, pool="full")
        for victim in victims:
            self._remove(victim)
        return victims

    def _last_of_each(self) -> Iterator[Transaction]:
        """The highest nonce of every sender: removing it opens no gap."""
        for account in self._account.values():
            if account.entries:
                yield account.entries[max(account.entries)]

    # --- going out -------------------------------------------------------------------------------

    def take_ready(self, fee: FeeRule, gas_left: int, limit: int) -> list[Transaction]:
        """What can be executed now: best tip first, each sender's in the order of nonces.

        The caller says of each what became of it (`executed`, `refused`) or calls `put_back`.

        Args:
            fee: Of the open block.
            gas_left: EVM gas left in it; gas limits count in full.
            limit: Most transactions to give.
        """
        runs: list[tuple[int, int, list[Transaction]]] = []
        for sender in list(self._fresh):
            run = self._executable_run(sender, fee, limit)
            if run:
                runs.append((-fee.tip_wei(run[0]), self._order[run[0].hash], run))
            else:
                del self._fresh[sender]
        ready: list[Transaction] = []
        for _, _, run in sorted(runs, key=lambda each: each[:2]):
            for transaction in run:
                gas_left -= fee.evm_gas(transaction)
                if gas_left < 0 or len(ready) >= limit:
                    return ready
                ready.append(transaction)
        return ready

    def _executable_run(self, sender: bytes, fee: FeeRule, limit: int) -> list[Transaction]:
        account = self._account.get(sender)
        run: list[Transaction] = []
        if account is not None:
            for transaction in account.run():
                if len(run) >= limit or not fee.is_executable(transaction):
                    break
                run.append(transaction)
        return run

    def executed(self, transaction: Transaction) -> None:
        """It is in the open block: its sender's next nonce is one higher."""
        account = self._account.get(transaction.sender)
        if account is not None:
            account.next_nonce = max(account.next_nonce, transaction.nonce + 1)
        self._remove(transaction)
        if transaction.sender in self._account:
            self._fresh[transaction.sender] = None

    def refused(self, transaction: Transaction) -> None:
        """The engine refused it for good; what its sender has beyond it waits behind the gap."""
        self._remove(transaction)

    def wait(self, transaction: Transaction) -> None:
        """The engine cannot take it now (fee, room): its sender waits for `refresh`."""
        self._fresh.pop(transaction.sender, None)

    def refresh(self) -> None:
        """Base fee, L1 rate or room have changed: everybody may be executable again."""
        self._fresh = dict.fromkeys(self._account)
        self._floor_wei = None

    def reset(self, state: AccountState, senders: Iterable[bytes] | None = None) -> list[Transaction]:
        """The chain changed under the pool: read nonces and balances anew and drop what cannot go any more.

        Args:
            state: At the new tip.
            senders: Whose accounts changed; None for all.

        Returns:
            What was dropped because its nonce is used.
        """
        dropped: list[Transaction] = []
        for sender in list(self._account if senders is None else senders):
            account = self._account.get(sender)
            if account is None:
                continue
            account.next_nonce = state.nonce(sender)
            stale = [each for nonce, each in account.entries.items() if nonce < account.next_nonce]
            for transaction in stale:
                self._remove(transaction)
            dropped += stale
            if sender in self._account:
                self._fresh[sender] = None
        return dropped

    def _remove(self, transaction: Transaction) -> None:
        if self._transaction.pop(transaction.hash, None) is None:
            return
        self._floor_wei = None
        del self._order[transaction.hash]
        self._size_bytes -= len(transaction.raw)
        account = self._account[transaction.sender]
        del account.entries[transaction.nonce]
        account.cost_wei -= cost_wei(transaction)
        if not account.entries:
            del self._account[transaction.sender]
            self._fresh.pop(transaction.sender, None)

    # --- questions -------------------------------------------------------------------------------

    def next_nonce(self, sender: bytes, state: AccountState) -> int:
        """Nonce after the sender's pending run."""
        nonce = state.nonce(sender)
        account = self._account.get(sender)
        while account is not None and nonce in account.entries:
            nonce += 1
        return nonce

    def count(self) -> tuple[int, int]:
        """Pending and queued."""
        pending = sum(sum(1 for _ in account.run()) for account in self._account.values())
        return pending, len(self._transaction) - pending

    def content(self) -> dict[Address, tuple[list[Transaction], list[Transaction]]]:
        """Pending and queued of each sender, by nonce."""
        return {Address(sender): self.account(sender) for sender in self._account}

    def account(self, sender: bytes) -> tuple[list[Transaction], list[Transaction]]:
        """Pending and queued of one sender, by nonce."""
        account = self._account.get(sender)
        if account is None:
            return [], []
        run = list(account.run())
        beyond = sorted(nonce for nonce in account.entries if not 0 <= nonce - account.next_nonce < len(run))
        return run, [account.entries[nonce] for nonce in beyond]

    def senders(self, first: bytes, count: int) -> list[Address]:
        """Senders, the lowest `count` of those not below `first`, in order."""
        return [Address(sender) for sender in nsmallest(count, (each for each in self._account if each >= first))]


def add_many(
    pool: Mempool,
    transactions: Sequence[Transaction | str],
    state: AccountState,
    fee: FeeRule,
) -> list[Hash32 | Invalid]:
    """Add decoded transactions in order; a string is why one could not be decoded.

    Returns:
        Hash or refusal of each.
    """
    answers: list[Hash32 | Invalid] = []
    for transaction in transactions:
        if isinstance(transaction, str):
            answers.append(Refused(transaction))
            continue
        try:
            pool.add(transaction, state, fee)
        except Refused as refusal:
            answers.append(refusal)
        else:
            answers.append(Hash32(transaction.hash))
    return answers


def _check_replacement(new: Transaction, old: Transaction) -> None:
    for name in ("max_fee_per_gas", "max_priority_fee_per_gas"):
        least_wei = -(-getattr(old, name) * (100 + REPLACEMENT_PERCENT) // 100)
        if getattr(new, name) < least_wei:
            raise Refused(
                "replacement transaction underpriced", field=name, given_wei=getattr(new, name), least_wei=least_wei
            )
