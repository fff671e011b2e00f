"""Ethereum's encodings: one spelling a quantity, whole bytes, and errors that name the parameter."""

import pytest

from bedroll.api import Code, RpcError
from bedroll.api.quantity import (
    parse_address,
    parse_bool,
    parse_data,
    parse_quantity,
    parse_slot,
    show_data,
    show_quantity,
    show_reversed,
)


@pytest.mark.parametrize("value", [0, 1, 15, 16, 2**64, 2**256 - 1])
def test_quantities_go_there_and_back(value):
    assert parse_quantity(show_quantity(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        "0x",
        "0x00",
        "0x01",
        "1",
        "",
        "0X1",
        "0xg",
        "0x-1",
        "-0x1",
        " 0x1",
        "0x1\n",
        "0x" + "f" * 65,
        1,
        1.0,
        None,
        True,
        [],
        {},
    ],
)
def test_no_second_spelling_of_a_quantity_is_taken(value):
    with pytest.raises(RpcError) as caught:
        parse_quantity(value, "gas")
    assert caught.value.code == Code.INVALID_PARAMS
    assert "gas" in caught.value.message


def test_a_quantity_beyond_its_bits_is_refused():
    assert parse_quantity("0xffff", bits=16) == 0xFFFF
    with pytest.raises(RpcError, match="at most 16 bits"):
        parse_quantity("0x10000", bits=16)


def test_data_goes_there_and_back():
    for value in (b"", b"\x00", bytes(range(256))):
        assert parse_data(show_data(value)) == value


@pytest.mark.parametrize("value", ["", "0x0", "0xzz", "00", "0x00 ", 0, None, ["0x00"]])
def test_data_is_whole_bytes_with_a_prefix(value):
    with pytest.raises(RpcError):
        parse_data(value)


def test_sizes_are_checked():
    with pytest.raises(RpcError, match="20 bytes, not 19"):
        parse_address("0x" + "00" * 19)
    with pytest.raises(RpcError, match="at most 1 bytes, not 2"):
        parse_data("0x0000", most=1)


@pytest.mark.parametrize(("value", "slot"), [("0x0", 0), ("0x00", 0), ("0x1f", 31), ("0x" + "0" * 63 + "2", 2)])
def test_a_slot_may_be_short_or_whole(value, slot):
    assert parse_slot(value) == slot


@pytest.mark.parametrize("value", ["0x", "", "0x" + "0" * 65, 0, None])
def test_what_is_no_slot_is_refused(value):
    with pytest.raises(RpcError):
        parse_slot(value)


def test_a_truth_value_is_not_a_number():
    assert parse_bool(True) is True
    with pytest.raises(RpcError):
        parse_bool(1)


def test_a_long_value_is_cut_in_the_message():
    with pytest.raises(RpcError) as caught:
        parse_quantity("x" * 100_000)
    assert len(caught.value.message) < 200


def test_bitcoin_hashes_are_shown_reversed():
    assert show_reversed(bytes(range(3))) == "020100"
