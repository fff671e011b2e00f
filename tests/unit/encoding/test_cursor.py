"""Shows that a cursor never reads past the end, and takes compact sizes in one form only."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.encoding import Cursor, Malformed, compact_size_length, encode_bytes, encode_compact_size


@settings(derandomize=True)
@given(st.integers(0, 2**64 - 1))
def test_a_compact_size_comes_back(value: int) -> None:
    raw = encode_compact_size(value)
    assert len(raw) == compact_size_length(value)
    cursor = Cursor(raw)
    assert cursor.compact_size(limit=2**64) == value
    cursor.finish()


@pytest.mark.parametrize(
    "raw", ["fd0000", "fdfc00", "fe00000000", "feffff0000", "ff0000000000000000", "ffffffffff00000000"]
)
def test_a_longer_form_is_refused(raw: str) -> None:
    with pytest.raises(Malformed, match="shortest form") as caught:
        Cursor(b"\x00" + bytes.fromhex(raw), 1).compact_size(limit=2**64)
    assert caught.value.offset == 1


def test_a_count_needs_room_for_its_elements() -> None:
    assert Cursor(b"\x02" + bytes(82)).count(41) == 2
    with pytest.raises(Malformed, match="too large") as caught:
        Cursor(b"\x03" + bytes(82)).count(41)
    assert (caught.value.fields["value"], caught.value.fields["limit"]) == (3, 2)


def test_a_size_above_the_limit_of_all_is_refused_before_it_is_taken() -> None:
    with pytest.raises(Malformed, match="too large") as caught:
        Cursor(bytes.fromhex("fe01000002")).sized()
    assert caught.value.fields["limit"] == 0x02000000


@settings(derandomize=True)
@given(
    st.binary(max_size=40), st.sampled_from(["u8", "u16", "u32", "u64", "compact_size", "sized"]), st.integers(0, 41)
)
def test_reading_stays_inside(raw: bytes, method: str, offset: int) -> None:
    cursor = Cursor(raw, min(offset, len(raw)))
    with suppress(Malformed):
        getattr(cursor, method)()
    assert cursor.offset <= len(raw)
    assert cursor.left() == len(raw) - cursor.offset


def test_integers_are_little_endian_and_rest_is_refused() -> None:
    cursor = Cursor(bytes.fromhex("01020003000000040000000000000002abcdff"))
    assert [cursor.u8(), cursor.u16(), cursor.u32(), cursor.u64(), cursor.sized()] == [1, 2, 3, 4, b"\xab\xcd"]
    with pytest.raises(Malformed, match="bytes follow"):
        cursor.finish()
    assert encode_bytes(b"\xab\xcd") == bytes.fromhex("02abcd")
