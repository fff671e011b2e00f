"""A series takes only its own parts, and gives back the object byte for byte."""

import random
from dataclasses import replace

import pytest

from bedroll.da import Chunk, assemble, parse_object, split
from bedroll.primitives import Invalid
from bedroll.protocol import MAINNET
from tests.reference import da_parser

RAW = random.Random(7).randbytes(16_000)


@pytest.mark.parametrize("count", range(2, 17))
def test_a_series_of_any_length_gives_the_object(count):
    chunks = split(RAW, -(-len(RAW) // count))
    parsed = [parse_object(chunk.encode()) for chunk in chunks]
    assert parsed == chunks
    assert [chunk.index for chunk in chunks] == list(range(count))
    assert assemble(random.Random(count).sample(parsed, count)) == RAW
    assert da_parser.series([da_parser.parse(chunk.encode()) for chunk in chunks]) == RAW


def test_parts_are_equal_but_the_last():
    sizes = [len(chunk.data) for chunk in split(RAW, 3_000)]
    assert len(sizes) == 6
    assert len(set(sizes[:-1])) == 1


def test_a_full_object_goes_into_a_full_series():
    raw = bytes(4 << 20)
    chunks = split(raw)
    assert len(chunks) == 11
    assert max(len(chunk.encode()) for chunk in chunks) <= MAINNET.parameters.reveal_body_max
    assert assemble(chunks) == raw


@pytest.mark.parametrize(
    "change",
    [
        {"index": 0},
        {"index": 2},
        {"index": 5},
        {"count": 4},
        {"count": 6},
        {"count": 17},
        {"count": 1},
        {"data": b"other"},
        {"data": b""},
        {"root": bytes(32)},
        {"path": ()},
        {"path": (bytes(32),) * 3},
    ],
)
def test_a_chunk_out_of_its_place_is_refused(change):
    chunk = split(RAW, 3_200)[1]
    with pytest.raises(Invalid):
        replace(chunk, **change).encode()
    forged = replace(chunk, **change)
    raw = b"\x01\x04" + forged.root + bytes([forged.index, forged.count]) + b"".join(forged.path) + forged.data
    with pytest.raises(Invalid):
        parse_object(raw)
    with pytest.raises(da_parser.Refused):
        da_parser.parse(raw)


def test_nobody_poisons_a_series_under_its_root():
    chunks = split(RAW, 3_200)
    other = split(RAW[::-1], 3_200)
    with pytest.raises(Invalid, match="root"):
        replace(other[0], root=chunks[0].root).encode()


@pytest.mark.parametrize(
    "pick",
    [
        lambda c: [],
        lambda c: c[:-1],
        lambda c: [*c, c[0]],
        lambda c: [*c[:-1], c[0]],
        lambda c: [*c[:-1], split(RAW, 4_000)[0]],
    ],
)
def test_an_incomplete_series_is_no_object(pick):
    with pytest.raises(Invalid):
        assemble(pick(split(RAW, 3_200)))


def test_a_series_above_the_object_limit_is_no_object():
    part = bytes(1 << 20)
    chunks = [Chunk(root=bytes(32), index=index, count=5, path=(), data=part) for index in range(5)]
    with pytest.raises(Invalid, match="too large"):
        assemble(chunks)


@pytest.mark.parametrize(
    ("raw", "part_max"), [(b"", 10), (b"short", 10), (bytes(170), 10), (bytes((4 << 20) + 1), 390_000)]
)
def test_what_makes_no_series_is_not_split(raw, part_max):
    with pytest.raises(Invalid):
        split(raw, part_max)
