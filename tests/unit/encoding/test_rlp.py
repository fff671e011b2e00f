"""Shows that RLP is canonical both ways, and that another implementation reads and refuses the same bytes."""

from typing import Any

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.encoding import Malformed
from bedroll.encoding.rlp import decode_rlp, encode_integer, encode_rlp

ITEMS = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5), max_leaves=20)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(ITEMS)
def test_an_item_comes_back_and_is_that_of_the_other(item: Any) -> None:
    raw = encode_rlp(item)
    assert raw == rlp.encode(item)
    assert decode_rlp(raw) == item


@settings(max_examples=300, deadline=None, derandomize=True)
@given(item=ITEMS, at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_changed_bytes_are_read_alike_or_refused_by_both(item: Any, at: int, byte: int) -> None:
    raw = bytearray(encode_rlp(item))
    raw[at % len(raw)] = byte
    try:
        theirs = rlp.decode(bytes(raw))
    except rlp.exceptions.DecodingError:
        with pytest.raises(Malformed):
            decode_rlp(bytes(raw))
        return
    assert decode_rlp(bytes(raw)) == theirs
    assert encode_rlp(theirs) == bytes(raw)


@pytest.mark.parametrize(
    "raw", ["", "8100", "817f", "b800", "b837", "b90038", "83aa", "c1", "c28080ff", "f800", "bfffffffffffffffff"]
)
def test_a_second_encoding_is_refused(raw: str) -> None:
    with pytest.raises(Malformed):
        decode_rlp(bytes.fromhex(raw))


def test_nesting_has_an_end() -> None:
    item: Any = b""
    for _ in range(16):
        item = [item]
    assert decode_rlp(encode_rlp(item)) == item
    with pytest.raises(Malformed, match="nested too deep"):
        decode_rlp(encode_rlp([item]))
    with pytest.raises(Malformed):
        decode_rlp(b"\xc1" * 100_000)


def test_integers_have_no_leading_zeros() -> None:
    assert [encode_integer(value).hex() for value in (0, 1, 255, 256, 2**64)] == [
        "",
        "01",
        "ff",
        "0100",
        "010000000000000000",
    ]
