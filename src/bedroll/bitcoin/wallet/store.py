"""Tables of a wallet, and the questions it asks of them.

Reads: a database through the port `Store`.  Gives: coins, payments, the chain as followed.
Never: decides anything.  Spec: docs/spec/bitcoin.md#wallet
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from bedroll.primitives import BlockHash, L1Height, Satoshi, Txid

from ..transaction import OutPoint, Transaction
from .coin import Payment, State, WalletCoin
from .key import Branch

MIGRATIONS: Final = [
    """
    create table chain (height integer primary key, hash blob not null);
    create table branch (branch integer primary key, next integer not null);
    create table coin (
        out_point blob primary key, value integer not null, script blob not null,
        branch integer not null, number integer not null,
        height integer, coinbase integer not null, purpose text
    ) without rowid;
    create index coin_by_height on coin (height);
    create index coin_by_purpose on coin (purpose);
    create table payment (
        txid blob primary key, raw blob not null, fee integer not null, purpose text not null,
        state text not null, prior text, height integer, replaces blob, change integer, made integer not null
    ) without rowid;
    create index payment_by_state on payment (state);
    create index payment_by_purpose on payment (purpose);
    create index payment_by_height on payment (height);
    create table spend (
        out_point blob not null, spender blob not null, height integer, primary key (out_point, spender)
    ) without rowid;
    create index spend_by_spender on spend (spender);
    create index spend_by_height on spend (height)
    """,
]
"""Schema of a wallet's file, for whoever opens it."""

_COIN: Final = (
    "coin.out_point, coin.value, coin.script, coin.branch, coin.number, coin.height, coin.coinbase, coin.purpose"
)
_PAYMENT: Final = "raw, fee, purpose, state, height, replaces"
_UNSPENT: Final = """not exists (
    select 1 from spend left join payment on payment.txid = spend.spender
    where spend.out_point = coin.out_point and (spend.height is not null or payment.state in ('pending', 'mined')))"""


class Store(Protocol):
    """What a wallet asks of a database. `bedroll.storage.Database` opened with `MIGRATIONS` gives it."""

    def execute(self, sql: str, values: Sequence[Any] = ...) -> list[tuple[Any, ...]]:
        """Run one statement."""
        ...

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing."""
        ...


class Ledger:
    """The tables, as values."""

    def __init__(self, store: Store) -> None:
        self._execute = store.execute
        self._execute_many = store.execute_many
        self.transaction = store.transaction

    # --- chain

    def tip(self) -> tuple[L1Height, BlockHash] | None:
        """Newest block that was connected."""
        rows = self._execute("select height, hash from chain order by height desc limit 1")
        return (rows[0][0], rows[0][1]) if rows else None

    def hash_at(self, height: int) -> BlockHash | None:
        """Hash of a block that was connected."""
        rows = self._execute("select hash from chain where height = ?", (height,))
        return rows[0][0] if rows else None

    def put_block(self, height: int, block: bytes) -> None:
        """Append to the chain."""
        self._execute("insert into chain values (?, ?)", (height, block))

    def drop_block(self, height: int) -> None:
        """Everything a block decided is open again."""
        self._execute("delete from chain where height = ?", (height,))
        self._execute("update coin set height = null where height = ?", (height,))
        self._execute("update spend set height = null where height = ?", (height,))
        self._execute("delete from spend where height is null and spender not in (select txid from payment)")
        self._execute("update payment set state = prior, prior = null, height = null where height = ?", (height,))

    # --- keys

    def next_index(self, branch: Branch) -> int:
        """First key that was never given out nor seen."""
        rows = self._execute("select next from branch where branch = ?", (branch.value,))
        return rows[0][0] if rows else 0

    def put_next_index(self, branch: Branch, index: int) -> None:
        """Raise it."""
        self._execute("insert or replace into branch values (?, ?)", (branch.value, index))

    # --- coins

    def coin(self, out_point: OutPoint) -> WalletCoin | None:
        """One coin, spent or not."""
        rows = self._execute(f"select {_COIN} from coin where out_point = ?", (out_point.serialize(),))
        return _coin(rows[0]) if rows else None

    def put_coin(self, coin: WalletCoin) -> None:
        """Add a coin, or set the height of one that is known; its lock stays."""
        self._execute(
            "insert into coin values (?, ?, ?, ?, ?, ?, ?, ?) "
            "on conflict (out_point) do update set height = excluded.height",
            (
                coin.out_point.serialize(), coin.value, coin.script, coin.branch.value, coin.index,
                coin.height, int(coin.coinbase), coin.purpose,
            ),
        )  # fmt: skip

    def unspent(self) -> list[WalletCoin]:
        """Coins that neither a block nor a pending transaction spends, and that may come to exist."""
        rows = self._execute(f"select {_COIN} from coin where {_UNSPENT} order by out_point")
        return [_coin(row) for row in rows]

    def is_unspent(self, out_point: OutPoint) -> bool:
        """Whether neither a block nor a pending transaction spends a coin."""
        return bool(self._execute(f"select 1 from coin where out_point = ? and {_UNSPENT}", (out_point.serialize(),)))

    def set_purpose(self, out_points: Iterable[OutPoint], purpose: str | None) -> None:
        """Lock coins, or free them."""
        self._execute_many(
            "update coin set purpose = ? where out_point = ?", [(purpose, each.serialize()) for each in out_points]
        )

    def free_purpose(self, purpose: str) -> None:
        """Free every coin locked for it."""
        self._execute("update coin set purpose = null where purpose = ?", (purpose,))

    # --- spends

    def put_spend(self, out_point: OutPoint, spender: bytes, height: int | None) -> None:
        """Say that a transaction spends a coin."""
        self._execute(
            "insert into spend values (?, ?, ?) "
            "on conflict (out_point, spender) do update set height = excluded.height",
            (out_point.serialize(), spender, height),
        )

    def spenders(self, out_point: OutPoint) -> list[bytes]:
        """All transactions known to spend it."""
        return [
            row[0] for row in self._execute("select spender from spend where out_point = ?", (out_point.serialize(),))
        ]

    # --- payments

    def payment(self, txid: bytes) -> Payment | None:
        """One transaction of ours."""
        rows = self._execute(f"select {_PAYMENT} from payment where txid = ?", (txid,))
        return _payment(rows[0]) if rows else None

    def payments(self, *, purpose: str | None = None, state: State | None = None) -> list[Payment]:
        """Transactions of ours, oldest first."""
        rows = self._execute(
            f"select {_PAYMENT} from payment "
            "where purpose = coalesce(?, purpose) and state = coalesce(?, state) order by made",
            (purpose, state.value if state else None),
        )
        return [_payment(row) for row in rows]

    def pending_txids(self, *, version: int | None = None) -> set[Txid]:
        """Identifiers of pending transactions, of one version or of all, without reading the transactions."""
        rows = self._execute("select txid, substr(raw, 1, 4) from payment where state = 'pending'")
        return {Txid(txid) for txid, head in rows if version is None or int.from_bytes(head, "little") == version}

    def fees_mined(self, prefix: str) -> Satoshi:
        """Fees of mined transactions whose purpose begins with `prefix`."""
        rows = self._execute(
            "select coalesce(sum(fee), 0) from payment where state = 'mined' and substr(purpose, 1, ?) = ?",
            (len(prefix), prefix),
        )
        return Satoshi(rows[0][0])

    def put_payment(self, payment: Payment, change: int | None) -> None:
        """Add a transaction, or take its place; `change` is the position of its change output."""
        self._execute(
            "insert or replace into payment values "
            "(?, ?, ?, ?, ?, null, ?, ?, ?, (select coalesce(max(made), 0) + 1 from payment))",
            (
                payment.transaction.txid, payment.transaction.raw, payment.fee, payment.purpose, payment.state.value,
                payment.height, payment.replaces, change,
            ),
        )  # fmt: skip

    def change_of(self, txid: bytes) -> int | None:
        """Position of the change output."""
        rows = self._execute("select change from payment where txid = ?", (txid,))
        return rows[0][0] if rows else None

    def set_state(self, txid: bytes, state: State) -> None:
        """Set where a transaction stands by our own will."""
        self._execute("update payment set state = ?, prior = null, height = null where txid = ?", (state.value, txid))

    def set_state_by_block(self, txid: bytes, state: State, height: int) -> None:
        """Set where a transaction stands by a block; `drop_block` undoes it."""
        self._execute(
            "update payment set prior = state, state = ?, height = ? where txid = ?", (state.value, height, txid)
        )


def _coin(row: tuple[Any, ...]) -> WalletCoin:
    out_point, value, script, branch, index, height, coinbase, purpose = row
    name = OutPoint(Txid(out_point[:32]), int.from_bytes(out_point[32:], "little"))
    return WalletCoin(name, Satoshi(value), script, Branch(branch), index, height, bool(coinbase), purpose)


def _payment(row: tuple[Any, ...]) -> Payment:
    raw, fee, purpose, state, height, replaces = row
    return Payment(Transaction.parse(raw), Satoshi(fee), purpose, State(state), height, replaces)
