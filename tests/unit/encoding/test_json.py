"""A JSON text is refused by its structure before any parser sees it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bedroll.encoding.json as checked
from bedroll.encoding.json import JsonTooDeep, JsonTooWide, check_json


@pytest.mark.parametrize("text", [b"[" * 65, b'{"a":' * 65, b"[{" * 5_000_000])
def test_deep_nesting_is_refused_with_its_limit(text):
    with pytest.raises(JsonTooDeep) as caught:
        check_json(text, containers_max=10**8)
    assert caught.value.limit == 64


def test_brackets_in_strings_and_after_escapes_do_not_count():
    check_json(b'["' + b"[" * 10_000 + b'", "\\"' + b"{" * 10_000 + b'"]')


def test_siblings_do_not_nest():
    check_json(b"[" + b"[]," * 1_000 + b"[]]")


def test_very_many_containers_are_refused_with_their_limit():
    with pytest.raises(JsonTooWide) as caught:
        check_json(b"[" + b"{}," * 200 + b"{}]", containers_max=100)
    assert caught.value.limit == 100


def test_an_endless_string_is_no_structure():
    check_json(b'"' + b"[" * 100_000)


def test_very_many_values_are_refused_with_their_limit():
    check_json(b"[" + b"1," * 100 + b"1]", values_max=100)
    with pytest.raises(JsonTooWide, match="too many values") as caught:
        check_json(b"[" + b"1," * 101 + b"1]", values_max=100)
    assert caught.value.limit == 100
    check_json(b'["' + b"," * 1_000 + b'"]', values_max=100)


def plain_walk(text):
    """(depth, containers, commas) by one character after the other."""
    depth = deepest = containers = commas = 0
    is_string = is_escaped = False
    for byte in text:
        char = chr(byte)
        if is_string:
            is_string = is_escaped or char != '"'
            is_escaped = char == "\\" and not is_escaped
        elif char == '"':
            is_string = True
        elif char in "[{":
            depth, containers = depth + 1, containers + 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
        elif char == ",":
            commas += 1
    return deepest, containers, commas


def is_refused(text, **limits):
    try:
        check_json(text, **limits)
    except (JsonTooDeep, JsonTooWide):
        return True
    return False


STRINGS = st.text(alphabet='"\\[]{},a\n', max_size=30)
VALUES = st.recursive(
    STRINGS | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(STRINGS, inner, max_size=5),
    max_leaves=40,
)


@given(value=VALUES, piece=st.integers(1, 40))
@settings(max_examples=400, deadline=None)
def test_pieces_of_any_size_see_what_a_plain_walk_sees(value, piece):
    text = json.dumps(value).encode()
    deepest, containers, commas = plain_walk(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bedroll.encoding.json._PIECE_BYTES", piece)
        wide = {"depth_max": 0, "containers_max": 10**6}
        assert is_refused(text, **wide | {"depth_max": deepest}) is False
        assert is_refused(text, **wide | {"depth_max": deepest - 1}) is (deepest > 0)
        assert is_refused(text, depth_max=100, containers_max=10**6, values_max=commas) is False
        if commas:
            assert is_refused(text, depth_max=100, containers_max=10**6, values_max=commas - 1)
        if containers:
            assert is_refused(text, depth_max=deepest, containers_max=containers) is False


@pytest.mark.parametrize("text", [b'{"a":' * 900_000, b"[" + b'{"id":1},' * 500_000 + b"{}]", b"[" + b"0," * 2_500_000])
def test_what_is_refused_is_not_read_to_its_end(monkeypatch, text):
    read_bytes, pieces = [], checked._outside_strings

    def counted(text):
        for piece in pieces(text):
            read_bytes.append(len(piece))
            yield piece

    monkeypatch.setattr(checked, "_outside_strings", counted)
    with pytest.raises((JsonTooDeep, JsonTooWide)):
        check_json(text, values_max=100_000)
    assert 0 < sum(read_bytes) < len(text) / 4
