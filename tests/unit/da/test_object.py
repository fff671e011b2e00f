"""Each object has one byte string; every other byte string is refused, by both parsers alike."""

import hashlib
from dataclasses import replace

import pytest

from bedroll.crypto import tagged_hash
from bedroll.crypto.schnorr import sign
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.da import (
    Batch,
    BatchForm,
    BatchHeader,
    Commitment,
    Forced,
    Proof,
    ProofSystem,
    Rotate,
    StatementKind,
    Upgrade,
    object_id,
    parse_object,
    split,
)
from bedroll.primitives import Invalid
from bedroll.protocol import MAINNET, REGTEST
from tests.reference import da_parser

BODY = b"a body"
HEADER = BatchHeader(
    network=3,
    parent_l2_hash=b"\x01" * 32,
    first_height=1 << 40,
    block_count=10_000,
    first_origin=800_000,
    last_origin=809_999,
    tip_l2_hash=b"\x02" * 32,
    body_hash=hashlib.sha256(BODY).digest(),
)
BATCH = Batch(header=HEADER, leader_key=b"\x03" * 32, signature=b"\x04" * 64, body=BODY)
COMMITMENT = Commitment(
    parent_tip=b"\x05" * 32,
    new_tip=b"\x06" * 32,
    block_count=300,
    last_origin=7,
    anchor_hash=b"\x08" * 32,
    signature=b"\x09" * 64,
)
FORCED = Forced(network=3, payload=b"\x02raw")
CHUNK = split(bytes(range(256)) * 40, 2_000)[3]
ROTATE = Rotate(network=1, n=9, key=b"\x0a" * 32, signature=b"\x0b" * 64)
UPGRADE = Upgrade(
    network=1,
    n=2,
    rules=b"\x0c" * 32,
    activation_height=900_000,
    rotation_signature=b"\x0d" * 64,
    upgrade_signature=b"\x0e" * 64,
)
PROOF = Proof(
    statement=StatementKind.BATCH, system=ProofSystem.GROTH16, public_values=b"\x0f" * 387, proof=b"\x10" * 356
)
COMPRESSED = replace(PROOF, system=ProofSystem.COMPRESSED, proof=b"\x11" * 20_000)
OBJECTS = [BATCH, COMMITMENT, FORCED, CHUNK, PROOF, COMPRESSED, ROTATE, UPGRADE]


def by_name(found):
    return type(found).__name__


def plain(raw):
    try:
        return da_parser.parse(raw)
    except da_parser.Refused:
        return None


def core(raw):
    try:
        return parse_object(raw)
    except Invalid:
        return None


@pytest.mark.parametrize("found", OBJECTS, ids=by_name)
def test_an_object_is_what_its_bytes_say(found):
    raw = found.encode()
    assert parse_object(raw) == found
    assert object_id(raw) == hashlib.sha256(raw).digest()
    assert plain(raw)[0] == raw[1]


@pytest.mark.parametrize("found", OBJECTS, ids=by_name)
def test_every_flipped_bit_makes_another_object_or_none(found):
    raw = found.encode()
    for index in range(min(len(raw), 400)):
        for bit in range(8):
            changed = raw[:index] + bytes([raw[index] ^ 1 << bit]) + raw[index + 1 :]
            other = core(changed)
            assert (other is None) == (plain(changed) is None)
            assert other is None or (other != found and other.encode() == changed)


@pytest.mark.parametrize("found", OBJECTS, ids=by_name)
def test_every_cut_and_every_tail_is_judged_as_by_the_plain_parser(found):
    raw = found.encode()
    for changed in [*(raw[:length] for length in range(min(len(raw), 400))), raw + b"\x00"]:
        other = core(changed)
        assert (other is None) == (plain(changed) is None)
        assert other is None or other.encode() == changed


def test_no_bytes_end_in_anything_but_a_verdict():
    for kind in range(256):
        for size in (0, 1, 2, 33, 200, 400):
            raw = bytes([1, kind]) + bytes(size)
            assert (core(raw) is None) == (plain(raw) is None)
    for version in range(256):
        assert (core(bytes([version, 3, 3])) is None) == (version != 1)


def test_a_reserved_kind_is_not_valid_yet():
    with pytest.raises(Invalid, match="not valid yet"):
        parse_object(bytes([1, 8]) + bytes(300))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"block_count": 0}, "1 to 10,000 blocks"),
        ({"block_count": 10_001}, "1 to 10,000 blocks"),
        ({"block_count": 100_000}, "1 to 10,000 blocks"),
        ({"first_height": 0}, "first height"),
        ({"first_height": (1 << 64) - 1}, "first height"),
        ({"last_origin": 799_999}, "origins"),
        ({"last_origin": 810_000}, "origins"),
        ({"form": 2}, "unknown form"),
        ({"body_hash": bytes(32)}, "body hash"),
        ({"network": 256}, "does not fit"),
        ({"parent_l2_hash": bytes(31)}, "does not fit"),
    ],
)
def test_a_header_that_contradicts_itself_is_neither_written_nor_read(change, reason):
    with pytest.raises(Invalid, match=reason):
        replace(BATCH, header=replace(HEADER, **change)).encode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"public_values": b""}, "1 to 1,024"),
        ({"public_values": bytes(1_025)}, "1 to 1,024"),
        ({"public_values": bytes(70_000)}, "1 to 1,024"),
        ({"proof": bytes(355)}, "another size"),
        ({"proof": bytes(357)}, "another size"),
        ({"system": ProofSystem.COMPRESSED, "proof": b""}, "another size"),
        ({"system": ProofSystem.COMPRESSED, "proof": bytes((2 << 20) + 1)}, "another size"),
        ({"system": 3}, "unknown proof system"),
        ({"statement": 0}, "unknown kind of statement"),
        ({"statement": 3}, "unknown kind of statement"),
    ],
)
def test_a_proof_of_another_shape_is_neither_written_nor_read(change, reason):
    with pytest.raises(Invalid, match=reason):
        replace(PROOF, **change).encode()


def test_a_batch_may_leave_its_signatures_out():
    proven = replace(BATCH, header=replace(HEADER, form=BatchForm.PROVEN))
    assert parse_object(proven.encode()) == proven
    assert proven.signing_hash() != BATCH.signing_hash()


def test_an_object_above_the_limit_is_refused_unread():
    with pytest.raises(Invalid, match="4 MiB"):
        parse_object(b"\x01\x03\x03" + bytes(4 << 20))
    assert MAINNET.parameters.object_size_max == REGTEST.parameters.object_size_max == 4 << 20


def test_signatures_are_over_tagged_hashes_of_what_stands_before_them():
    assert BATCH.signing_hash() == tagged_hash("bedroll/batch", BATCH.encode()[2:120])
    assert COMMITMENT.signing_hash() == tagged_hash("bedroll/commitment", COMMITMENT.encode()[2:-64])
    assert ROTATE.signing_hash() == tagged_hash("bedroll/rotate", ROTATE.encode()[2:-64])
    assert UPGRADE.signing_hash() == tagged_hash("bedroll/upgrade", UPGRADE.encode()[2:-128])


def test_a_signature_counts_only_under_its_key():
    key, other = SecretKey(b"\x01" * 32), SecretKey(b"\x02" * 32)
    named = replace(BATCH, leader_key=key.x_only)
    signed = replace(named, signature=sign(key, named.signing_hash()))
    assert signed.is_signed_by(key.x_only)
    assert not signed.is_signed_by(other.x_only)
    assert not replace(signed, leader_key=other.x_only).is_signed_by(other.x_only)
    commitment = replace(COMMITMENT, signature=sign(key, COMMITMENT.signing_hash()))
    assert commitment.is_signed_by(key.x_only)
    assert not replace(commitment, block_count=301).is_signed_by(key.x_only)
    rotate = replace(ROTATE, signature=sign(key, ROTATE.signing_hash()))
    assert rotate.is_signed_by(key.x_only)
    digest = UPGRADE.signing_hash()
    upgrade = replace(UPGRADE, rotation_signature=sign(key, digest), upgrade_signature=sign(other, digest))
    assert upgrade.is_signed_by(key.x_only, other.x_only)
    assert not upgrade.is_signed_by(other.x_only, key.x_only)


def test_a_header_names_itself():
    assert HEADER.id() == HEADER.signing_hash()
    assert len(HEADER.encode()) == 118
