"""What is to be posted and what was built for it: tables beside the wallet's, in the wallet's file.

Reads: the file.  Gives: `Queue`, `Posting`, `Attempt`.
Never: sends, or forgets a posting before it is buried.  Spec: docs/spec/writer.md#queue

One file, so that a posting's attempt and the wallet's payments for it are written down by one transaction. The
attempts of a posting spend a common coin: at most one of them can ever be in the chain.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bedroll.bitcoin.wallet import MIGRATIONS
from bedroll.primitives import FeeRate, L1Height, L2Height, Satoshi, Txid
from bedroll.storage import Database

from ..object import object_id

SCHEMA: Final = [
    *MIGRATIONS,
    """
    create table posting (
        id integer primary key autoincrement, object_id blob not null unique, kind text not null,
        object blob not null, fee_output_sat integer not null, first_height integer, last_height integer,
        l2_tip blob, created_l1 integer not null, expires_l1 integer,
        state text not null, reason text not null default '');
    create index posting_state on posting (state);
    create table attempt (
        posting integer not null references posting (id) on delete cascade, number integer not null,
        commit_txid blob not null, fee_rate integer not null, created_l1 integer not null,
        bumped_l1 integer not null, primary key (posting, number)) without rowid;
    create table reveal (
        posting integer not null, number integer not null, position integer not null, txid blob not null,
        primary key (posting, number, position),
        foreign key (posting, number) references attempt (posting, number) on delete cascade) without rowid
    """,
]
"""Migrations of a file that holds a wallet and a queue."""


class PostingState(StrEnum):
    """Where a posting stands.

    ```text
    QUEUED ──► SENT ──► CONFIRMED ──► BURIED      a reorganisation leads from CONFIRMED back to SENT
       └─► CANCELLED                              nothing of it was ever sent
    ```
    """

    QUEUED = "queued"
    SENT = "broadcast"
    CONFIRMED = "confirmed"
    BURIED = "buried"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Posting:
    """An object on its way to Bitcoin.

    Attributes:
        id: In the order of arrival.
        kind: Name of the object's kind.
        size_bytes: Of the object.
        fee_output_sat: What its (last) reveal pays to the fee script.
        first_height, last_height: L2 blocks it is about, if any.
        l2_tip: Hash of the last one.
        created_l1: L1 tip when it came.
        expires_l1: After this L1 height it is worth nothing, and is given up if nothing was sent.
        reason: What it waits for, or why it was given up.
    """

    id: int
    object_id: bytes
    kind: str
    size_bytes: int
    fee_output_sat: Satoshi
    first_height: L2Height | None
    last_height: L2Height | None
    l2_tip: bytes | None
    created_l1: L1Height
    expires_l1: L1Height | None
    state: PostingState
    reason: str

    @property
    def purpose(self) -> str:
        """The wallet's word for its payments."""
        return f"posting {self.id}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One commit with its reveals.

    Attributes:
        number: 1 for the first of its posting.
        fee_rate: Wanted when it was built or last lifted by a child.
        bumped_l1: L1 tip at that time.
        reveals: Transaction id by position, of those that are built.
    """

    posting: int
    number: int
    commit: Txid
    fee_rate: FeeRate
    created_l1: L1Height
    bumped_l1: L1Height
    reveals: dict[int, Txid]


_POSTING: Final = (
    "id, object_id, kind, length(object), fee_output_sat, first_height, last_height, l2_tip, created_l1, expires_l1,"
    " state, reason"
)


class Queue:
    """The tables of a writer, over a database opened with `SCHEMA`."""

    def __init__(self, database: Database) -> None:
        self._execute = database.execute
        self.transaction = database.transaction

    def put(
        self,
        raw: bytes,
        kind: str,
        *,
        created_l1: L1Height,
        fee_output_sat: int = 0,
        heights: tuple[L2Height, L2Height] | None = None,
        l2_tip: bytes | None = None,
        expires_l1: L1Height | None = None,
    ) -> bytes:
        """Write an object down, durably. The same object again is the same posting.

        Returns:
            Its id.
        """
        first, last = heights if heights is not None else (None, None)
        named = object_id(raw)
        with self.transaction():
            known = self.find(named)
            if known is not None:
                if known.state is PostingState.CANCELLED:
                    # Nothing of it was ever sent, or it would not have been given up.
                    self.set_state(known.id, PostingState.QUEUED)
                return named
            self._execute(
                "insert into posting (object_id, kind, object, fee_output_sat, first_height, last_height, l2_tip,"
                " created_l1, expires_l1, state) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (named, kind, raw, fee_output_sat, first, last, l2_tip, created_l1, expires_l1, PostingState.QUEUED),
            )
        return named

    def postings(self, *states: PostingState) -> list[Posting]:
        """Postings in some states, oldest first."""
        marks = ", ".join("?" * len(states))
        rows = self._execute(f"select {_POSTING} from posting where state in ({marks}) order by id", states)
        return [_posting(row) for row in rows]

    def find(self, named: bytes) -> Posting | None:
        """The posting of an object."""
        rows = self._execute(f"select {_POSTING} from posting where object_id = ?", (named,))
        return _posting(rows[0]) if rows else None

    def object_of(self, posting: Posting) -> bytes:
        """Bytes of a posting's object; empty once it is buried."""
        raw: bytes = self._execute("select object from posting where id = ?", (posting.id,))[0][0]
        return raw

    def last_of(self, kind: str) -> Posting | None:
        """The newest posting of a kind that was not given up."""
        rows = self._execute(
            f"select {_POSTING} from posting where kind = ? and state <> ? order by id desc limit 1",
            (kind, PostingState.CANCELLED),
        )
        return _posting(rows[0]) if rows else None

    def set_state(self, posting: int, state: PostingState, reason: str = "") -> None:
        """Note where a posting stands."""
        self._execute(
            "update posting set state = ?, reason = ? where id = ? and (state <> ? or reason <> ?)",
            (state, reason, posting, state, reason),
        )

    def put_attempt(self, attempt: Attempt) -> None:
        """Write an attempt down; its reveals follow by `put_reveal`."""
        self._execute(
            "insert into attempt (posting, number, commit_txid, fee_rate, created_l1, bumped_l1)"
            " values (?, ?, ?, ?, ?, ?)",
            (attempt.posting, attempt.number, attempt.commit, attempt.fee_rate, attempt.created_l1, attempt.bumped_l1),
        )

    def put_reveal(self, posting: int, number: int, position: int, txid: Txid) -> None:
        """Write down one reveal of an attempt."""
        self._execute("insert into reveal values (?, ?, ?, ?)", (posting, number, position, txid))

    def set_rate(self, posting: int, number: int, rate: FeeRate, l1_tip: L1Height) -> None:
        """Note that a child lifts the attempt to a rate."""
        self._execute(
            "update attempt set fee_rate = ?, bumped_l1 = ? where posting = ? and number = ?",
            (rate, l1_tip, posting, number),
        )

    def attempts(self, posting: int) -> list[Attempt]:
        """Attempts of a posting, oldest first."""
        rows = self._execute(
            "select number, commit_txid, fee_rate, created_l1, bumped_l1 from attempt where posting = ?"
            " order by number",
            (posting,),
        )
        return [
            Attempt(posting, number, Txid(commit), FeeRate(rate), L1Height(made), L1Height(bumped), reveals)
            for number, commit, rate, made, bumped in rows
            for reveals in (self._reveals(posting, number),)
        ]

    def bury(self, posting: Posting) -> None:
        """Drop the bytes of a posting that no reorganisation brings back any more; its row stays."""
        with self.transaction():
            self._execute("delete from attempt where posting = ?", (posting.id,))
            self._execute("update posting set object = x'' where id = ?", (posting.id,))
            self.set_state(posting.id, PostingState.BURIED)

    def _reveals(self, posting: int, number: int) -> dict[int, Txid]:
        rows = self._execute(
            "select position, txid from reveal where posting = ? and number = ? order by position", (posting, number)
        )
        return {position: Txid(txid) for position, txid in rows}


def _posting(row: tuple[object, ...]) -> Posting:
    *fields, state, reason = row
    return Posting(*fields, PostingState(str(state)), str(reason))  # type: ignore[arg-type, call-arg]
