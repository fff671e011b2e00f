"""Transactions that wait for a block: who may wait, in what order they go, what makes room.

Reads: decoded transactions, account state through a port.  Gives: `Mempool`, refusals in Ethereum's words.
Never: executes, persists or reads a clock: the caller records what `add` took before it answers.
Spec: docs/spec/execution.md#mempool

Every sender has a run of transactions without a gap from its next nonce (*pending*) and others beyond a gap
(*queued*). A transaction leaves by `executed`, `refused`, replacement, eviction or `reset`. The pool itself is in the
core (`crates/front`): the desk that answers JSON-RPC there puts transactions into it without coming through here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bedroll._core import _native
from bedroll.primitives import Address, Hash32, Invalid

from .admission import Refused
from .engine import Block, Sidecar, Transaction, View, decode_blob_transaction
from .fee import FeeRule


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
        size_bytes: Raw bytes of all transactions, and of what stands beside them.
        count: Transactions.
        account_count: Transactions of one sender.
        nonce_gap: How far beyond the next nonce one may lie.
        transaction_bytes: Raw bytes of one transaction, without its blobs.
        tip_min_wei: Least priority fee cap that is taken at all.
    """

    size_bytes: int = 256 << 20
    count: int = 200_000
    account_count: int = 4_096
    nonce_gap: int = 4_096
    transaction_bytes: int = 128 << 10
    tip_min_wei: int = 0


class Mempool:
    """Pending and queued transactions of all senders, and those of blocks that are not durable.

    Attributes:
        limit: How much may wait.
        native: The pool in the core; the desk shares it.
    """

    def __init__(self, chain_id: int, limit: PoolLimit | None = None) -> None:
        self.limit = limit = limit or PoolLimit()
        self.native = _native.Mempool(
            chain_id,
            size_bytes=limit.size_bytes,
            count=limit.count,
            account_count=limit.account_count,
            nonce_gap=limit.nonce_gap,
            transaction_bytes=limit.transaction_bytes,
            tip_min_wei=limit.tip_min_wei,
        )

    def __len__(self) -> int:
        return len(self.native)

    @property
    def size_bytes(self) -> int:
        """Raw bytes of all transactions that wait, and of what stands beside them."""
        return self.native.size_bytes

    def get(self, hash: bytes) -> Transaction | None:
        """A waiting transaction."""
        return self.native.get(hash)

    def sidecar(self, hash: bytes) -> Sidecar | None:
        """What stands beside a waiting transaction with blobs."""
        return self.native.sidecar(hash)

    def transactions(self) -> list[Transaction]:
        """All that wait, in the order of arrival."""
        return self.native.transactions()

    # --- coming in -------------------------------------------------------------------------------

    def check(self, transaction: Transaction, state: AccountState) -> None:
        """Look whether a transaction could come in, were there room, before anything dear is done for it.

        Raises:
            Refused: With Ethereum's words.
        """
        if told := self.native.check(transaction, state):
            message, facts = told
            raise Refused(message, **facts)

    def add(
        self, transaction: Transaction, state: AccountState, fee: FeeRule, sidecar: Sidecar | None = None
    ) -> list[Transaction]:
        """Take one transaction.

        Args:
            transaction: Decoded; its signature is valid.
            state: Inside the open block: what was executed there counts.
            fee: Of the open block.
            sidecar: Of a transaction with blobs; verified.

        Returns:
            What it replaced or evicted.

        Raises:
            Refused: With Ethereum's words. The pool is as before.
        """
        answer = self.native.add(transaction, state, *fee.numbers, sidecar)
        if isinstance(answer, tuple):
            message, facts = answer
            raise Refused(message, **facts)
        return answer

    # --- going out -------------------------------------------------------------------------------

    def take_ready(self, fee: FeeRule, gas_left: int, limit: int) -> list[Transaction]:
        """What can be executed now: best tip first, each sender's in the order of nonces.

        The caller says of each what became of it (`executed`, `refused`, `wait`).

        Args:
            fee: Of the open block.
            gas_left: EVM gas left in it; gas limits count in full.
            limit: Most transactions to give.
        """
        return self.native.take_ready(*fee.numbers, gas_left, limit)

    def executed(self, transaction: Transaction) -> None:
        """It is in the open block: its sender's next nonce is one higher. It is kept until the block is durable."""
        self.native.executed(transaction)

    def refused(self, transaction: Transaction) -> None:
        """The engine refused it for good; what its sender has beyond it waits behind the gap."""
        self.native.refused(transaction)

    def wait(self, transaction: Transaction) -> None:
        """The engine cannot take it now (fee, room): its sender waits for `refresh`."""
        self.native.wait(transaction)

    def refresh(self) -> None:
        """Base fee, L1 rate or room have changed: everybody may be executable again."""
        self.native.refresh()

    def reset(self, state: AccountState, senders: Iterable[bytes] | None = None) -> list[Transaction]:
        """The chain changed under the pool: read nonces anew and drop what cannot go any more.

        Args:
            state: At the new tip.
            senders: Whose accounts changed; None for all.

        Returns:
            What was dropped because its nonce is used.
        """
        return self.native.reset(state, None if senders is None else list(senders))

    # --- in blocks that are not durable ------------------------------------------------------------

    @property
    def kept_bytes(self) -> int:
        """Raw bytes of all of these."""
        return self.native.kept_bytes

    def kept(self, hash: bytes) -> Transaction | None:
        """A transaction of such a block."""
        return self.native.kept(hash)

    def all_kept(self) -> list[Transaction]:
        """All of them, in no order."""
        return self.native.all_kept()

    def settle(self, block: Block) -> None:
        """The block is durable."""
        self.native.settle(block)

    def forget_kept(self, hash: bytes) -> None:
        """Its block left the chain."""
        self.native.forget_kept(hash)

    # --- questions -------------------------------------------------------------------------------

    def next_nonce(self, sender: bytes, state: AccountState) -> int:
        """Nonce after the sender's pending run."""
        return self.native.next_nonce(sender, state.nonce(sender))

    def count(self) -> tuple[int, int]:
        """Pending and queued."""
        return self.native.count()

    def content(self) -> dict[Address, tuple[list[Transaction], list[Transaction]]]:
        """Pending and queued of each sender, by nonce."""
        return {sender: self.account(sender) for sender in self.senders(bytes(20), len(self))}

    def account(self, sender: bytes) -> tuple[list[Transaction], list[Transaction]]:
        """Pending and queued of one sender, by nonce."""
        return self.native.account(sender)

    def senders(self, first: bytes, count: int) -> list[Address]:
        """Senders, the lowest `count` of those not below `first`, in order."""
        return [Address(sender) for sender in self.native.senders(first, count)]


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


def add_blobs(pool: Mempool, raw: bytes, view: View, fee: FeeRule) -> Transaction:
    """Add a transaction with blobs as wallets hand it in, the blobs beside it (EIP-4844, EIP-7594).

    Its proofs, which cost milliseconds a blob, are looked at when nothing else is wrong with it.

    Args:
        pool: Of a chain of Ethereum's own.
        raw: The network form.
        view: At the tip: its fork says what form that is.
        fee: Of the next block.

    Raises:
        Invalid: It is malformed, or breaks a rule of its fork.
        Refused: The mempool does not take it.
    """
    transaction, sidecar = decode_blob_transaction(raw, view, pool.limit.transaction_bytes)
    pool.check(transaction, view)
    sidecar.verify()
    pool.add(transaction, view, fee, sidecar)
    return transaction
