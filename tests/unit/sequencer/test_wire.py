"""Shows that the stream's messages have one encoding each and that hostile bytes end in `Invalid`, nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedroll.primitives import Invalid
from bedroll.sequencer.wire import (
    MESSAGE_BYTES_MAX,
    Hello,
    Refusal,
    StreamedBlock,
    Unwound,
    Welcome,
    parse_message,
)

HASHES = st.binary(min_size=32, max_size=32)
HEIGHTS = st.integers(0, 2**64 - 1)
BLOCKS = st.builds(
    StreamedBlock,
    height=HEIGHTS,
    hash=HASHES,
    timestamp=HEIGHTS,
    origin_height=st.integers(0, 2**32 - 1),
    step=st.booleans(),
    automatic=st.booleans(),
    signature=st.none() | st.binary(min_size=64, max_size=64),
    transactions=st.lists(st.binary(max_size=50), max_size=5).map(tuple),
)
MESSAGES = st.one_of(
    st.builds(Hello, network=st.integers(0, 255), genesis=HASHES, height=HEIGHTS, hash=HASHES),
    st.builds(Welcome, height=HEIGHTS, tip=HEIGHTS),
    BLOCKS,
    st.builds(Unwound, height=HEIGHTS),
    st.builds(Refusal, reason=st.text(max_size=40)),
)


@given(MESSAGES)
def test_a_message_comes_back_as_it_was(message):
    assert parse_message(message.encode()) == message


@given(MESSAGES, st.data())
def test_a_mutated_message_is_invalid_or_another_with_that_encoding(message, data):
    raw = bytearray(message.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))] + data.draw(st.binary(max_size=3))
    try:
        found = parse_message(bytes(raw))
    except Invalid:
        return
    if not isinstance(found, Refusal):
        assert found.encode() == bytes(raw)


@given(st.binary(max_size=200))
def test_garbage_is_invalid(raw):
    try:
        parse_message(raw)
    except Invalid:
        return


def test_lengths_that_lie_are_refused_before_anything_is_taken():
    head = StreamedBlock(1, bytes(32), 2, 3, True, False, None, ()).encode()[:-4]
    with pytest.raises(Invalid, match="so many"):
        parse_message(head + b"\xff\xff\xff\xff")
    with pytest.raises(Invalid, match="so many"):
        parse_message(head + (100_001).to_bytes(4, "big") + bytes(500_000))
    with pytest.raises(Invalid):
        parse_message(head + b"\x00\x00\x00\x01\xff\xff\xff\xff")
    with pytest.raises(Invalid, match="impossible length"):
        parse_message(bytes(MESSAGE_BYTES_MAX + 1))


def test_another_version_is_named():
    raw = bytearray(Hello(3, bytes(32), 0, bytes(32)).encode())
    raw[1] = 9
    with pytest.raises(Invalid, match="another version") as refusal:
        parse_message(bytes(raw))
    assert (refusal.value.version, refusal.value.known) == (9, 1)
