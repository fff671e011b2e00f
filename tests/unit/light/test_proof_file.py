"""A proof file is read back as it was written, and nothing else is read: each way to be wrong has its words."""

import random

import pytest

from bedroll.crypto import sha256
from bedroll.da import ProofSystem
from bedroll.light import BadProofFile, ProofFile
from bedroll.light.proof_file import (
    BLOCK_BYTES_MAX,
    FILE_BYTES_MAX,
    LATER_HEADERS_MAX,
    MAGIC,
    PERIOD_HEADERS_MAX,
    PROOF_BYTES_MAX,
    VALUES_BYTES_MAX,
    join_headers,
    split_headers,
)

HEADER = bytes(80)
FILE = ProofFile(
    network=3,
    system=ProofSystem.COMPRESSED,
    values=b"values",
    proof=b"proof" * 100,
    block=b"block",
    anchor=(HEADER,),
    settled=(HEADER, b"\x01" * 80),
    later=(b"\x02" * 80,),
)
VALUES_AT = len(MAGIC) + 3


def sealed(raw):
    """Bytes with the checksum that they should have."""
    return raw[:-32] + sha256(raw[:-32])


def reason(raw):
    with pytest.raises(BadProofFile) as caught:
        ProofFile.decode(raw)
    return caught.value.reason


def test_a_file_is_read_as_it_was_written():
    assert ProofFile.decode(FILE.encode()) == FILE
    assert split_headers(join_headers(FILE.settled)) == FILE.settled


def test_the_largest_parts_fit_and_one_more_byte_does_not():
    largest = ProofFile(
        network=255,
        system=ProofSystem.GROTH16,
        values=bytes(VALUES_BYTES_MAX),
        proof=bytes(PROOF_BYTES_MAX),
        block=bytes(BLOCK_BYTES_MAX),
        anchor=(HEADER,) * PERIOD_HEADERS_MAX,
        settled=(HEADER,) * PERIOD_HEADERS_MAX,
        later=(HEADER,) * LATER_HEADERS_MAX,
    )
    raw = largest.encode()
    assert len(raw) == FILE_BYTES_MAX
    assert ProofFile.decode(raw) == largest
    assert reason(raw + b"\0") == "size"


def changed(part, value):
    fields = {name: getattr(FILE, name) for name in FILE.__dataclass_fields__}
    return ProofFile(**fields | {part: value})


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("values", b"", "public values"),
        ("values", bytes(VALUES_BYTES_MAX + 1), "public values"),
        ("proof", b"", "proof"),
        ("proof", bytes(PROOF_BYTES_MAX + 1), "proof"),
        ("block", bytes(BLOCK_BYTES_MAX + 1), "block"),
        ("anchor", (), "anchor headers"),
        ("anchor", (HEADER,) * (PERIOD_HEADERS_MAX + 1), "anchor headers"),
        ("settled", (), "settled headers"),
        ("settled", (bytes(79),), "settled headers"),
        ("later", (HEADER,) * (LATER_HEADERS_MAX + 1), "later headers"),
    ],
)
def test_no_file_is_written_that_could_not_be_read(part, value, said):
    with pytest.raises(BadProofFile) as caught:
        changed(part, value).encode()
    assert caught.value.reason == said


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (lambda raw: b"", "format"),
        (lambda raw: b"\x89PNG" + raw[4:], "format"),
        (lambda raw: raw[: len(MAGIC)] + b"\x02" + raw[len(MAGIC) + 1 :], "version"),
        (lambda raw: raw[: len(MAGIC) + 2] + b"\x09" + raw[len(MAGIC) + 3 :], "proof system"),
        (lambda raw: raw[:-1], "cut"),
        (lambda raw: raw[: VALUES_AT + 4], "cut"),
        (lambda raw: raw + b"\0", "size"),
        (lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), "checksum"),
        (lambda raw: raw[:VALUES_AT] + b"\xff\xff" + raw[VALUES_AT + 2 :], "public values"),
        (lambda raw: raw[:VALUES_AT] + b"\x00\x00" + raw[VALUES_AT + 2 :], "public values"),
    ],
)
def test_each_way_to_be_no_file_has_its_words(forge, said):
    assert reason(forge(FILE.encode())) == said


def test_a_promised_size_is_refused_before_anything_is_made_of_it():
    raw = FILE.encode()
    place = VALUES_AT + 2 + len(FILE.values)
    assert reason(sealed(raw[:place] + (1 << 31).to_bytes(4, "big") + raw[place + 4 :])) == "proof"


def test_no_change_of_a_file_is_read_as_another_and_nothing_else_is_raised():
    chance, raw = random.Random(6), FILE.encode()
    for _ in range(5_000):
        forged = bytearray(raw)
        place = chance.randrange(len(forged))
        if chance.random() < 0.3:
            del forged[place : place + chance.randrange(1, 50)]
        else:
            forged[place] ^= 1 << chance.randrange(8)
        with pytest.raises(BadProofFile):
            ProofFile.decode(bytes(forged))
        # With the right checksum it may be a file: of other bytes, which the check then looks at.
        resealed = sealed(bytes(forged))
        try:
            assert ProofFile.decode(resealed).encode() == resealed
        except BadProofFile:
            continue


@pytest.mark.parametrize("raw", [bytes(79), bytes(81), bytes(80 * (LATER_HEADERS_MAX + 1))])
def test_headers_of_ones_own_fill_their_bytes(raw):
    with pytest.raises(BadProofFile, match="headers"):
        split_headers(raw)
