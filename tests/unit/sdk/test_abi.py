"""ABI values: as another implementation encodes them, bounded whatever their offsets say."""

import pytest
from eth_abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.sdk.abi import VALUES_MAX, AbiMismatch, decode_values, parse_type

NUMBER = st.builds(lambda sign, size: f"{sign}{8 * size}", st.sampled_from(["uint", "int"]), st.integers(1, 32))
SIMPLE = st.one_of(
    NUMBER, st.sampled_from(["address", "bool", "bytes", "string"]), st.integers(1, 32).map(lambda size: f"bytes{size}")
)
TYPE = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        inner.map(lambda name: name + "[]"),
        st.tuples(inner, st.integers(1, 3)).map(lambda pair: f"{pair[0]}[{pair[1]}]"),
        st.lists(inner, min_size=1, max_size=3).map(lambda names: f"({','.join(names)})"),
    ),
    max_leaves=4,
)


def value_of(kind, draw):
    """Some value of a type, and how eth_abi wants it."""
    if kind.kind == "array":
        length = kind.size or draw(st.integers(0, 3))
        return [value_of(kind.items[0], draw) for _ in range(length)]
    if kind.kind == "tuple":
        return [value_of(item, draw) for item in kind.items]
    if kind.kind == "uint":
        return draw(st.integers(0, 2**kind.size - 1))
    if kind.kind == "int":
        return draw(st.integers(-(2 ** (kind.size - 1)), 2 ** (kind.size - 1) - 1))
    if kind.kind == "bool":
        return draw(st.booleans())
    if kind.kind == "address":
        return draw(st.binary(min_size=20, max_size=20))
    if kind.kind == "string":
        return draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
    return draw(st.binary(min_size=kind.size, max_size=kind.size or 70))


@settings(max_examples=150, deadline=None)
@given(st.lists(TYPE, max_size=3), st.data())
def test_what_another_implementation_encodes_is_read(names, data):
    types = tuple(parse_type(name) for name in names)
    values = [value_of(kind, data.draw) for kind in types]
    assert decode_values(types, encode([kind.name for kind in types], values)) == values


@settings(max_examples=200, deadline=None)
@given(st.lists(TYPE, min_size=1, max_size=3), st.binary(max_size=400))
def test_hostile_bytes_are_values_or_a_mismatch(names, data):
    try:
        decode_values(tuple(parse_type(name) for name in names), data)
    except AbiMismatch:
        return


@pytest.mark.parametrize(
    "name", ["uint7", "uint264", "bytes33", "bytes0", "bool[0]", "float", "", "(uint256", "uint[-1]"]
)
def test_what_is_no_type_is_refused(name):
    with pytest.raises(AbiMismatch):
        parse_type(name)


def test_deep_types_are_refused():
    with pytest.raises(AbiMismatch, match="too deep"):
        parse_type("(" * 30 + "bool" + ")" * 30)


def test_offsets_that_point_at_one_place_do_not_multiply():
    word = lambda number: number.to_bytes(32, "big")  # noqa: E731
    # A hundred rows that are all the same row of a hundred numbers.
    rows = 100
    data = word(32) + word(rows) + word(32 * rows) * rows + word(rows) + word(7) * rows
    with pytest.raises(AbiMismatch, match="more values"):
        decode_values((parse_type("uint256[][]"),), data)
    once = word(32) + word(VALUES_MAX) + word(1) * VALUES_MAX
    with pytest.raises(AbiMismatch, match="more values"):
        decode_values((parse_type("uint256[]"),), once)


def test_a_long_string_named_many_times_is_counted():
    word = lambda number: number.to_bytes(32, "big")  # noqa: E731
    names = 2_000
    text = word(64_000) + bytes(64_000)
    data = word(32) + word(names) + word(32 * names) * names + text
    with pytest.raises(AbiMismatch, match="more bytes"):
        decode_values((parse_type("string[]"),), data)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("address", "01" + "00" * 31),
        ("bool", "00" * 31 + "02"),
        ("uint8", "00" * 30 + "0100"),
        ("bytes4", "00" * 31 + "01"),
    ],
)
def test_words_out_of_range_are_a_mismatch(name, word):
    with pytest.raises(AbiMismatch, match="not of type"):
        decode_values((parse_type(name),), bytes.fromhex(word))
