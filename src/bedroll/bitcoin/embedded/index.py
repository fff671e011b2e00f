"""Coins by name and by script, kept in step with the active chain.

Reads: blocks as they join and leave the active chain.  Gives: unspent outputs, block hashes and median times by height.
Never: shows a half-applied block: each change of the chain is one SQLite transaction.
Spec: docs/spec/bitcoin.md#client

A spent coin stays in its row with the height at which it was spent, so a block leaves by two statements and
needs no undo record. The file may lag behind the chain after a crash; it then catches up when it is opened.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bedroll.primitives import BlockHash, Corrupt, L1Height, Satoshi, Txid

from ..block import Block
from ..client import Coin
from ..script import is_unspendable

MEDIAN_SPAN: Final = 11
"""Blocks whose median time bounds the next block's (consensus)."""

_SCHEMA: Final = """
create table if not exists block (height integer primary key, hash blob, time integer) strict;
create table if not exists coin (
    txid blob, position integer, value integer, script blob, height integer, coinbase integer, spent integer,
    primary key (txid, position)
) strict, without rowid;
create index if not exists coin_script on coin (script) where spent is null;
create index if not exists coin_height on coin (height);
create index if not exists coin_spent on coin (spent) where spent is not null;
"""
_COIN: Final = "select txid, position, value, script, height, coinbase from coin where spent is null and "
_SCRIPTS_MAX: Final = 500
"""Scripts asked for in one statement."""


class CoinIndex:
    """The index, in a file of its own."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("pragma journal_mode = wal")
        # It can always be rebuilt from the chain, so it need not be durable, only whole.
        self._database.execute("pragma synchronous = normal")
        self._database.executescript(_SCHEMA)

    def tip(self) -> tuple[L1Height, BlockHash] | None:
        """Last block that the index holds; None if it holds none."""
        row = self._database.execute("select height, hash from block order by height desc limit 1").fetchone()
        return None if row is None else (L1Height(row[0]), BlockHash(row[1]))

    def hash_at(self, height: int) -> BlockHash | None:
        """Hash at a height; None if there is no such block."""
        row = self._database.execute("select hash from block where height = ?", (height,)).fetchone()
        return None if row is None else BlockHash(row[0])

    def median_time(self, height: int) -> int:
        """Median of the times of the block at `height` and the ten before it, seconds (BIP-0113)."""
        rows = self._database.execute(
            "select time from block where height between ? and ?", (height - MEDIAN_SPAN + 1, height)
        )
        times: list[int] = sorted(time for (time,) in rows)
        return times[len(times) // 2]

    def time(self, height: int) -> int | None:
        """Time of the block at a height, seconds; None if there is no such block."""
        row = self._database.execute("select time from block where height = ?", (height,)).fetchone()
        return None if row is None else int(row[0])

    def begin(self) -> None:
        """Start a change of the chain."""
        self._database.execute("begin")

    def commit(self) -> None:
        """End it."""
        self._database.execute("commit")

    def rollback(self) -> None:
        """Drop it."""
        if self._database.in_transaction:
            self._database.execute("rollback")

    def connect(self, height: int, block: Block) -> None:
        """Add the block that follows the index's last one."""
        run = self._database.execute
        run("insert into block values (?, ?, ?)", (height, block.hash, block.header.time))
        if height == 0:
            return  # Consensus makes the first coinbase unspendable.
        for position, transaction in enumerate(block.transactions):
            txid = transaction.txid
            if position:
                for each in transaction.inputs:
                    spending = (height, *each.previous)
                    if not run("update coin set spent = ? where txid = ? and position = ?", spending).rowcount:
                        raise Corrupt("coin index lacks a coin that a valid block spends", height=height, txid=txid)
            self._database.executemany(
                "insert into coin values (?, ?, ?, ?, ?, ?, null)",
                [
                    (txid, at, output.value, output.script, height, position == 0)
                    for at, output in enumerate(transaction.outputs)
                    if not is_unspendable(output.script)
                ],
            )

    def disconnect(self, height: int) -> None:
        """Take off the index's last block."""
        self._database.execute("delete from coin where height = ?", (height,))
        self._database.execute("update coin set spent = null where spent = ?", (height,))
        self._database.execute("delete from block where height = ?", (height,))

    def clear(self) -> None:
        """Forget everything, to be built anew."""
        for table in ("coin", "block"):
            self._database.execute(f"delete from {table}")

    def coin(self, txid: bytes, position: int) -> Coin | None:
        """A confirmed unspent output."""
        row = self._database.execute(_COIN + "txid = ? and position = ?", (txid, position)).fetchone()
        return None if row is None else _coin(row)

    def has_output_of(self, txid: bytes) -> bool:
        """Whether the chain has an unspent output of the transaction."""
        return self._database.execute(_COIN + "txid = ? limit 1", (txid,)).fetchone() is not None

    def coins(self, scripts: Sequence[bytes]) -> list[Coin]:
        """Confirmed unspent outputs with one of the scripts, by height, then transaction, then position."""
        wanted = sorted(set(scripts))
        found = []
        for start in range(0, len(wanted), _SCRIPTS_MAX):
            part = wanted[start : start + _SCRIPTS_MAX]
            marks = ", ".join("?" * len(part))
            found += [_coin(row) for row in self._database.execute(f"{_COIN}script in ({marks})", part)]
        return sorted(found, key=lambda coin: (coin.height, coin.txid, coin.index))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def _coin(row: tuple[bytes, int, int, bytes, int, int]) -> Coin:
    txid, position, value, script, height, coinbase = row
    return Coin(
        txid=Txid(txid),
        index=position,
        value=Satoshi(value),
        script=script,
        height=L1Height(height),
        coinbase=bool(coinbase),
    )
