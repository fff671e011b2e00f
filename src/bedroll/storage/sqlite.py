"""A SQLite file that survives loss of power and belongs to one process.

Reads: SQL from the owner of the file.  Gives: rows, atomic transactions, the schema at its newest number.
Never: shares the file with a second process, or runs half a migration.  Spec: docs/spec/storage.md#sqlite
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bedroll.primitives import Corrupt, Misconfigured, Unavailable

Value = int | str | bytes | float | None
"""What a column holds."""
Row = tuple[Any, ...]

_OUTSIDE: Final = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM,
})  # fmt: skip
_BROKEN: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Database:
    """One open file. Threads of the process may share it: statements and transactions exclude each other.

    Attributes:
        path: Of the file.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int) -> None:
        self.path = path
        self._connection = connection
        self._lock = lock
        self._turn = threading.RLock()

    @staticmethod
    def open(path: Path, migrations: Sequence[str]) -> "Database":
        """Open a file, make it if it is not there, and bring its schema up to date.

        Args:
            path: Of the file; its folder is made. `<path>.lock` beside it names the process that holds it.
            migrations: SQL scripts; number i takes the schema from version i to i + 1. Published ones never change.

        Raises:
            Unavailable: Another process holds the file, or the disk refuses.
            Misconfigured: A newer program has written the file.
            Corrupt: It is not a database, or damaged.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _take_lock(path)
        try:
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except sqlite3.OperationalError as error:
            os.close(lock)
            raise Unavailable("database cannot be opened", path=path, reason=str(error)) from error
        database = Database(path, connection, lock)
        try:
            database.execute("pragma journal_mode=wal")
            database.execute("pragma synchronous=full")
            database.execute("pragma foreign_keys=on")
            database._migrate(migrations)
        except BaseException:
            database.close()
            raise
        return database

    def execute(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """Run one statement and return its rows; outside `transaction` it is a transaction by itself.

        Raises:
            Unavailable: The disk refuses.
            Corrupt: The file is damaged.
        """
        with self._turn, self._errors():
            return self._connection.execute(sql, values).fetchall()

    def execute_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run one statement for each row."""
        with self._turn, self._errors():
            self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All statements inside happen, durably, or none. An inner one joins the outer one."""
        with self._turn:
            if self._connection.in_transaction:
                yield
                return
            self.execute("begin immediate")
            try:
                yield
            except BaseException:
                self.execute("rollback")
                raise
            self.execute("commit")

    def close(self) -> None:
        """Let go of the file. Later statements are an error of the program."""
        with self._turn:
            self._connection.close()
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1

    def _migrate(self, migrations: Sequence[str]) -> None:
        version: int = self.execute("pragma user_version")[0][0]
        if version > len(migrations):
            raise Misconfigured(
                "a newer program has written this file",
                option="data folder",
                value=str(self.path),
                allowed=f"schema up to {len(migrations)}",
                schema=version,
            )
        for number in range(version, len(migrations)):
            script = f"begin immediate;\n{migrations[number]};\npragma user_version = {number + 1};\ncommit;"
            with self._errors():
                self._connection.executescript(script)

    @contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _BROKEN:
                raise Corrupt("database is damaged", path=self.path, reason=str(error)) from error
            if code in _OUTSIDE:
                raise Unavailable("database cannot be used now", path=self.path, reason=str(error)) from error
            raise


def _take_lock(path: Path) -> int:
    """Lock the file's neighbour; the kernel lets go of it when the process ends, however it ends."""
    try:
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable("database cannot be opened", path=path, reason=error.strerror) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock, 32, 0).decode(errors="replace").strip()
        os.close(lock)
        raise Unavailable("another process holds this database", path=path, process=holder) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock
