"""Shows that a one-time key signs one message in its life: over restarts, old backups and second processes."""

import shutil

import pytest

from bedroll.bitvm.store import KeySpent, NotScanned, OneTimeStore
from bedroll.primitives import Corrupt, Invalid, Unavailable

GAME, OTHER, SEED = bytes(32), bytes([1]) * 32, b"s" * 32


@pytest.fixture
def path(tmp_path):
    return tmp_path / "one-time.sqlite"


def opened(path, seen=None):
    store = OneTimeStore.open(path, SEED)
    store.restore(GAME, seen or {})
    return store


def test_a_key_signs_the_same_message_again_and_no_other(path):
    store = opened(path)
    store.commit(GAME, {"digit_1": b"\x03"})
    store.commit(GAME, {"digit_1": b"\x03"})
    with pytest.raises(KeySpent) as refusal:
        store.commit(GAME, {"digit_1": b"\x04"})
    assert (refusal.value.signed, refusal.value.asked) == (b"\x03", b"\x04")
    store.close()
    store = opened(path)
    with pytest.raises(KeySpent):
        store.commit(GAME, {"digit_1": b"\x04"})
    assert store.message(GAME, "digit_1") == b"\x03"
    store.close()


def test_a_refused_commit_binds_none_of_its_keys(path):
    store = opened(path)
    store.commit(GAME, {"a": b"1"})
    with pytest.raises(KeySpent):
        store.commit(GAME, {"b": b"2", "a": b"x"})
    assert store.message(GAME, "b") is None
    store.close()


def test_nothing_is_signed_before_the_chain_was_scanned(path):
    store = OneTimeStore.open(path, SEED)
    with pytest.raises(NotScanned):
        store.commit(GAME, {"a": b"1"})
    store.restore(GAME, {})
    store.commit(GAME, {"a": b"1"})
    store.restore(OTHER, {})
    store.commit(OTHER, {"a": b"2"})
    store.close()


def test_an_old_backup_learns_from_the_chain_what_it_signed(path, tmp_path):
    store = opened(path)
    store.close()
    shutil.copy(path, tmp_path / "backup.sqlite")
    store = opened(path)
    store.commit(GAME, {"digit_1": b"\x03"})
    store.close()
    store = OneTimeStore.open(tmp_path / "backup.sqlite", SEED)
    assert store.restore(GAME, {"digit_1": b"\x03"}) == ["digit_1"]
    with pytest.raises(KeySpent):
        store.commit(GAME, {"digit_1": b"\x02"})
    store.commit(GAME, {"digit_1": b"\x03"})
    assert store.restore(GAME, {"digit_1": b"\x03"}) == []
    store.close()


def test_a_chain_that_contradicts_the_store_stops_the_game(path):
    store = opened(path)
    store.commit(GAME, {"digit_1": b"\x03"})
    with pytest.raises(Corrupt, match="another message"):
        store.restore(GAME, {"digit_1": b"\x01"})
    with pytest.raises(NotScanned):
        store.commit(GAME, {"digit_2": b"\x01"})
    store.close()


def test_two_processes_do_not_share_a_store(path):
    store = opened(path)
    with pytest.raises(Unavailable, match="another process"):
        OneTimeStore.open(path, SEED)
    store.close()


def test_secrets_follow_from_the_seed_alone_and_differ_by_name(path, tmp_path):
    store = opened(path)
    found = {store.secret(game, label) for game in (GAME, OTHER) for label in ("a", "b", "digit_1", "digit_11")}
    assert len(found) == 8
    again = OneTimeStore.open(tmp_path / "other.sqlite", SEED)
    assert again.secret(GAME, "a") == store.secret(GAME, "a")
    store.close()
    again.close()


@pytest.mark.parametrize(("game", "label", "message"), [
    (bytes(31), "a", b"1"), (GAME, "", b"1"), (GAME, "x" * 65, b"1"), (GAME, "a", b""), (GAME, "a", bytes(65)),
    (GAME, "ä", b"1"),
])  # fmt: skip
def test_malformed_names_and_messages_are_refused(path, game, label, message):
    store = opened(path)
    with pytest.raises(Invalid):
        store.commit(game, {label: message})
    store.close()
    with pytest.raises(Invalid, match="seed"):
        OneTimeStore.open(path.with_name("bad"), b"short")
