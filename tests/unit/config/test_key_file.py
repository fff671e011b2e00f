"""Key files: what was stored comes back, with the right password and for the right purpose only."""

import logging

import pytest

from bedroll.config.key_file import read_key, write_key
from bedroll.primitives import Misconfigured

SECRET = bytes(range(32))


def test_an_encrypted_key_comes_back_and_does_not_stand_in_the_file(tmp_path):
    path = tmp_path / "leader.json"
    write_key(path, "leader", SECRET, "correct horse")
    assert read_key(path, "leader", "correct horse") == SECRET
    assert SECRET.hex() not in path.read_text()


def test_a_key_in_the_clear_comes_back_with_a_warning(tmp_path, caplog):
    path = tmp_path / "leader.json"
    write_key(path, "leader", SECRET)
    with caplog.at_level(logging.WARNING):
        assert read_key(path, "leader") == SECRET
    assert "not encrypted" in caplog.text
    assert SECRET.hex() not in caplog.text


@pytest.mark.parametrize(("kind", "password"), [("leader", "wrong"), ("leader", ""), ("wallet", "right")])
def test_a_wrong_password_or_purpose_is_refused(tmp_path, kind, password):
    path = tmp_path / "leader.json"
    write_key(path, "leader", SECRET, "right")
    with pytest.raises(Misconfigured):
        read_key(path, kind, password)


def test_a_key_is_never_overwritten(tmp_path):
    path = tmp_path / "leader.json"
    write_key(path, "leader", SECRET)
    with pytest.raises(Misconfigured, match="exists"):
        write_key(path, "leader", bytes(32))


def test_a_key_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "leader.json"
    write_key(path, "leader", SECRET)
    path.chmod(0o644)
    with pytest.raises(Misconfigured, match="0644"):
        read_key(path, "leader")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"version":1,"kind":"leader","secret":"zz"}',
        '{"version":2,"kind":"leader","secret":"00"}',
        '{"version":1,"kind":"leader","secret":"00","salt":"00","nonce":"00","scrypt_log_n":40}',
        '{"version":1,"kind":"leader","secret":"00","salt":"00","nonce":"00","scrypt_log_n":1}',
        '{"version":1,"kind":"leader","secret":"' + "00" * 5_000 + '"}',
    ],
)
def test_a_damaged_file_is_refused(tmp_path, text):
    path = tmp_path / "leader.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(Misconfigured):
        read_key(path, "leader", "password")
