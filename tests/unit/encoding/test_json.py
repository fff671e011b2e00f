"""A JSON text is refused by its structure before any parser sees it."""

import pytest

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
