"""Shows that transactions parse in one way only, come back byte for byte, and do no worse than be invalid."""

import ctypes
import hashlib
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pbk
import pbk.capi.bindings as kernel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.bitcoin.policy import NonStandard, check_transaction
from bedroll.bitcoin.transaction import (
    MONEY_MAX,
    NULL_OUT_POINT,
    OutPoint,
    Transaction,
    TxIn,
    TxOut,
    parse_transaction,
)
from bedroll.encoding import Cursor, Malformed
from bedroll.primitives import Satoshi, Txid

CORE = Path(__file__).parents[2] / "vectors/bitcoin/core"


def _cases(name: str) -> list[Any]:
    return [case for case in json.loads((CORE / name).read_text()) if isinstance(case[0], list)]


OUT_POINTS = st.builds(OutPoint, st.binary(min_size=32, max_size=32).map(Txid), st.integers(0, 2**32 - 1))
INPUTS = st.builds(
    TxIn,
    OUT_POINTS,
    st.binary(max_size=30),
    st.integers(0, 2**32 - 1),
    st.lists(st.binary(max_size=300), max_size=4).map(tuple),
)
TX_OUTPUTS = st.builds(TxOut, st.integers(0, MONEY_MAX).map(Satoshi), st.binary(max_size=60))
TRANSACTIONS = st.builds(
    Transaction,
    st.lists(INPUTS, min_size=1, max_size=4).map(tuple),
    st.lists(TX_OUTPUTS, min_size=1, max_size=4).map(tuple),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)


def _fresh(transaction: Transaction) -> Transaction:
    """The same value without the bytes it was parsed from."""
    return Transaction(transaction.inputs, transaction.outputs, transaction.version, transaction.lock_time)


@pytest.mark.parametrize(
    "case", _cases("tx_valid.json"), ids=lambda case: hashlib.sha256(str(case).encode()).hexdigest()[:8]
)
def test_published_valid_transactions_come_back(case: list[Any]) -> None:
    raw = bytes.fromhex(case[1])
    transaction = Transaction.parse(raw)
    check_transaction(transaction)
    assert _fresh(transaction).raw == raw
    assert _fresh(transaction).txid == transaction.txid
    assert _fresh(transaction).weight == transaction.weight


def test_published_invalid_transactions_are_refused_where_no_script_decides() -> None:
    reasons = []
    for case in _cases("tx_invalid.json"):
        if case[2] != "BADTX":
            continue
        try:
            check_transaction(Transaction.parse(bytes.fromhex(case[1])))
        except NonStandard as error:
            reasons.append(error.reason)
        except Malformed as error:
            reasons.append(error.message)
        else:
            reasons.append("taken")
    assert reasons == [
        "transaction has no outputs",
        "output value is too large",
        "output value is too large",
        "bad-txns-txouttotal-toolarge",
        "bad-txns-inputs-duplicate",
        "bad-cb-length",
        "bad-cb-length",
        "bad-txns-prevout-null",
        "bad-txns-prevout-null",
    ]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(TRANSACTIONS)
def test_any_transaction_comes_back(transaction: Transaction) -> None:
    parsed = Transaction.parse(transaction.raw)
    assert parsed == transaction
    assert (parsed.txid, parsed.wtxid, parsed.weight) == (transaction.txid, transaction.wtxid, transaction.weight)
    assert parsed.stripped == transaction.stripped
    assert hash(parsed) == hash(transaction)
    assert transaction.vsize == -(-transaction.weight // 4)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(transaction=TRANSACTIONS, at=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.integers(0, 10_000))
def test_changed_and_cut_bytes_parse_canonically_or_not_at_all(
    transaction: Transaction, at: int, byte: int, cut: int
) -> None:
    raw = bytearray(transaction.raw)
    raw[at % len(raw)] = byte
    with pytest.raises(Malformed):
        Transaction.parse(transaction.raw[: cut % len(raw)])
    with pytest.raises(Malformed, match="bytes follow"):
        Transaction.parse(transaction.raw + b"\0")
    try:
        parsed = Transaction.parse(bytes(raw))
    except Malformed:
        return
    # Whatever still parses has exactly these bytes: there is no second encoding.
    assert _fresh(parsed).raw == bytes(raw)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=400))
def test_garbage_is_malformed(raw: bytes) -> None:
    try:
        assert _fresh(Transaction.parse(raw)).raw == raw
    except Malformed:
        return


@settings(max_examples=100, deadline=None, derandomize=True)
@given(transaction=TRANSACTIONS, witness=st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=3))
def test_a_witness_changes_the_wtxid_alone(transaction: Transaction, witness: list[bytes]) -> None:
    changed = transaction.with_witness(0, tuple(witness))
    assert changed.txid == transaction.txid
    if tuple(witness) != transaction.inputs[0].witness:
        assert changed.wtxid != transaction.wtxid


def _kernel(raw: bytes) -> Any:
    """Bitcoin Core's view of bytes, None where it refuses them or reads them as something else."""
    handle = kernel.btck_transaction_create((ctypes.c_ubyte * len(raw)).from_buffer_copy(raw), len(raw))
    found = pbk.Transaction._from_handle(handle) if handle else None
    # It stops at the end of the transaction: bytes that follow make another serialisation.
    return found if found is not None and bytes(found) == raw else None


def _mutate(source: random.Random, raw: bytearray) -> None:
    """One structured change: a byte, a length, a cut, a copy, or the marker."""
    at = source.randrange(len(raw))
    match source.randrange(6):
        case 0:
            raw[at] = source.randrange(256)
        case 1:
            raw[at] = source.choice((0x00, 0x01, 0xFC, 0xFD, 0xFE, 0xFF))
        case 2:
            del raw[at : at + source.randrange(1, 5)]
        case 3:
            raw[at:at] = raw[at : at + source.randrange(1, 50)]
        case 4:
            raw[4:4] = b"\x00\x01"
        case 5:
            raw[at:at] = source.choice((b"\xfd\x01\x00", b"\x00", b"\xfe\xff\xff\xff\xff", b"\xff" * 9))


def _agree_with_the_kernel(seed: int, rounds: int) -> None:
    print(f"seed {seed}")
    source = random.Random(seed)
    corpus = [bytes.fromhex(case[1]) for case in _cases("tx_valid.json") + _cases("tx_invalid.json")]
    taken = 0
    for _ in range(rounds):
        raw = bytearray(source.choice(corpus))
        for _ in range(source.randrange(1, 4)):
            if raw:
                _mutate(source, raw)
        theirs = _kernel(bytes(raw)) if raw else None
        try:
            ours = Transaction.parse(bytes(raw))
        except Malformed as error:
            # What it reads and we do not: what no block can hold.
            harmless = any(why in error.message for why in ("no inputs", "no outputs", "value is too large"))
            assert theirs is None or harmless, raw.hex()
            continue
        assert theirs is not None, raw.hex()
        assert (bytes(theirs.txid), len(theirs.inputs), len(theirs.outputs)) == (
            ours.txid, len(ours.inputs), len(ours.outputs),
        )  # fmt: skip
        taken += 1
    print(f"{taken} of {rounds} taken")
    assert taken > rounds // 20


def test_bitcoin_core_takes_and_refuses_the_same_bytes() -> None:
    _agree_with_the_kernel(seed=1, rounds=3_000)


@pytest.mark.slow
def test_bitcoin_core_takes_and_refuses_the_same_bytes_at_length() -> None:
    _agree_with_the_kernel(seed=2, rounds=200_000)


PLAIN = Transaction((TxIn(OutPoint(Txid(b"\x01" * 32), 1)),), (TxOut(Satoshi(5), b"\x51"),))


def test_malformed_transactions_are_named() -> None:
    version, body, tail = PLAIN.raw[:4], PLAIN.raw[4:-4], PLAIN.raw[-4:]
    for raw, why in (
        (version + b"\x00\x00" + tail, "no inputs"),
        (version + b"\x00\x02" + body + tail, "unknown optional"),
        (version + b"\x00\x01" + body + b"\x00" + tail, "marks witnesses but has none"),
        (version + b"\x00\x01\x00", "no inputs"),
        (version + body[:42] + b"\x00" + tail, "no outputs"),
        (version + b"\xfe\xff\xff\xff\xff" + body[1:] + tail, "too large"),
        (version + b"\xfd\x01\x00" + body[1:] + tail, "shortest form"),
        (version + body[:43] + b"\xff" * 8 + body[51:] + tail, "value is too large"),
    ):
        with pytest.raises(Malformed, match=why):
            Transaction.parse(raw)


def test_many_small_counts_do_not_make_long_work() -> None:
    # A count that could be true of the bytes that follow is read; each element costs at least one byte.
    raw = PLAIN.raw[:4] + b"\x00\x01" + PLAIN.raw[4:-4] + b"\xfe" + (1_000_000).to_bytes(4, "little") + bytes(1_000_000)
    assert len(Transaction.parse(raw + bytes(4)).inputs[0].witness) == 1_000_000
    with pytest.raises(Malformed, match="too large"):
        Transaction.parse(raw[:-10])


def test_a_transaction_is_read_from_the_middle_of_bytes() -> None:
    witnessed = PLAIN.with_witness(0, (b"a", b""))
    cursor = Cursor(b"before" + witnessed.raw + PLAIN.raw, 6)
    assert parse_transaction(cursor) == witnessed
    assert parse_transaction(cursor).raw == PLAIN.raw
    cursor.finish()


def test_a_coinbase_is_known_by_its_one_null_input() -> None:
    null = TxIn(NULL_OUT_POINT, b"\x01\x02")
    assert replace(PLAIN, inputs=(null,)).is_coinbase
    assert not replace(PLAIN, inputs=(null, null)).is_coinbase
    assert not PLAIN.is_coinbase
    assert PLAIN.wtxid == PLAIN.txid
    assert str(PLAIN.inputs[0].previous) == "01" * 32 + ":1"
