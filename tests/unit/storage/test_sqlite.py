"""Shows that a database is atomic, belongs to one process, migrates whole, and names what is wrong."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bedroll.primitives import Corrupt, Misconfigured, Unavailable
from bedroll.storage import Database

TABLE = ["create table item (id integer primary key, body blob not null)"]


def test_a_finished_transaction_is_there_after_reopening(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "deep" / "a.sqlite", TABLE)
    with database.transaction():
        database.execute("insert into item (body) values (?)", (b"one",))
    database.close()
    again = Database.open(tmp_path / "deep" / "a.sqlite", TABLE)
    assert again.execute("select id, body from item") == [(1, b"one")]
    assert again.execute("pragma journal_mode") == [("wal",)]
    assert again.execute("pragma synchronous") == [(2,)]
    again.close()


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "a.sqlite", TABLE)

    def fail() -> None:
        with database.transaction():
            database.execute("insert into item (body) values (?)", (b"one",))
            with database.transaction():
                database.execute("insert into item (body) values (?)", (b"two",))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert database.execute("select count(*) from item") == [(0,)]
    database.execute_many("insert into item (body) values (?)", [(b"three",), (b"four",)])
    assert database.execute("select count(*) from item") == [(2,)]
    database.close()


def test_migrations_run_once_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    Database.open(path, TABLE).close()
    second = "alter table item add column note text; create index by_note on item (note)"
    database = Database.open(path, [*TABLE, second])
    assert database.execute("pragma user_version") == [(2,)]
    database.close()
    with pytest.raises(Exception, match="syntax error"):
        Database.open(path, [*TABLE, second, "create table half (id integer); create nonsense"])
    database = Database.open(path, [*TABLE, second])
    assert database.execute("select name from sqlite_master where name = 'half'") == []
    database.close()
    with pytest.raises(Misconfigured, match="newer program") as caught:
        Database.open(path, TABLE)
    assert caught.value.fields["schema"] == 2


def test_a_second_owner_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    database = Database.open(path, TABLE)
    with pytest.raises(Unavailable, match="another process holds") as caught:
        Database.open(path, TABLE)
    assert caught.value.fields["process"] == str(os.getpid())
    database.close()
    Database.open(path, TABLE).close()


def test_a_killed_owner_frees_the_file_and_keeps_what_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    program = f"""
import os, signal
from pathlib import Path
from bedroll.storage import Database
database = Database.open(Path({str(path)!r}), {TABLE!r})
database.execute("insert into item (body) values (x'01')")
with database.transaction():
    database.execute("insert into item (body) values (x'02')")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == -signal.SIGKILL
    database = Database.open(path, TABLE)
    assert database.execute("select body from item") == [(b"\x01",)]
    database.close()


def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"certainly not a database" * 100)
    with pytest.raises(Corrupt, match="damaged"):
        Database.open(path, TABLE)


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite.lock").mkdir()
    with pytest.raises(Unavailable, match="cannot be opened"):
        Database.open(tmp_path / "a.sqlite", TABLE)
