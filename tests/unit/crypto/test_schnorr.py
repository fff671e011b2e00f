"""Shows that signatures equal those of BIP-0340, and that no malformed key or signature passes or raises."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.crypto import schnorr, sha256
from bedroll.crypto.secp256k1 import ORDER, SecretKey
from bedroll.primitives import Invalid

VECTORS = Path(__file__).parents[2] / "vectors/bitcoin/bip340-test-vectors.csv"
ROWS = list(csv.DictReader(VECTORS.read_text().splitlines()))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["index"])
def test_published_signatures(row: dict[str, str]) -> None:
    public, message, signature = (bytes.fromhex(row[name]) for name in ("public key", "message", "signature"))
    assert schnorr.is_valid(public, message, signature) == (row["verification result"] == "TRUE")
    if row["secret key"] and len(message) == 32:
        key = SecretKey(bytes.fromhex(row["secret key"]))
        assert key.x_only == public
        assert schnorr.sign(key, message, bytes.fromhex(row["aux_rand"])) == signature


def test_all_published_rows_are_read() -> None:
    assert len(ROWS) == 19


@settings(max_examples=60, deadline=None, derandomize=True)
@given(secret=st.integers(1, ORDER - 1), message=st.binary(max_size=40), bit=st.integers(0, 511))
def test_a_flipped_bit_breaks_a_signature(secret: int, message: bytes, bit: int) -> None:
    key, digest = SecretKey(secret.to_bytes(32, "big")), sha256(message)
    signature = schnorr.sign(key, digest)
    schnorr.verify(key.x_only, digest, signature)
    broken = bytearray(signature)
    broken[bit // 8] ^= 1 << bit % 8
    with pytest.raises(schnorr.BadSignature):
        schnorr.verify(key.x_only, digest, bytes(broken))
    other = bytearray(digest)
    other[bit // 16] ^= 1 << bit % 8
    assert not schnorr.is_valid(key.x_only, bytes(other), signature)


@given(public=st.binary(max_size=40), message=st.binary(max_size=40), signature=st.binary(max_size=70))
@settings(deadline=None, derandomize=True)
def test_garbage_is_never_valid_and_never_raises(public: bytes, message: bytes, signature: bytes) -> None:
    assert not schnorr.is_valid(public, message, signature)


def test_sizes_of_digest_and_entropy_are_checked() -> None:
    key = SecretKey(b"\x01" * 32)
    for digest, entropy in ((bytes(31), bytes(32)), (bytes(32), bytes(33))):
        with pytest.raises(Invalid, match="32 bytes"):
            schnorr.sign(key, digest, entropy)
