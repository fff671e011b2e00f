"""Signatures: read from lines and from JSON, found by selector, the data deciding between several."""

import json
from pathlib import Path

import pytest

from bedroll.crypto.keccak import keccak256
from bedroll.sdk.abi import AbiMismatch
from bedroll.sdk.signature import SignatureBook, known_signatures, parse_signature, signatures_of_json

TRANSFER = bytes.fromhex("a9059cbb")
TOPIC = keccak256(b"Transfer(address,address,uint256)")


def word(number):
    return number.to_bytes(32, "big")


def test_a_line_gives_selector_names_and_results():
    read = parse_signature("function transfer(address to, uint amount) returns (bool ok)")
    assert (read.text, read.selector) == ("transfer(address,uint256)", TRANSFER)
    assert [each.name for each in (*read.inputs, *read.outputs)] == ["to", "amount", "ok"]


def test_tuples_keep_the_names_of_their_members():
    read = parse_signature("function aggregate((address target, bool[2] flags, bytes data)[] calldata calls)")
    assert read.text == "aggregate((address,bool[2],bytes)[])"
    assert read.inputs[0].type.items[0].labels == ("target", "flags", "data")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "transfer(address)",
        "function f(",
        "function f(uint7 a)",
        "event E(uint256 a b)",
        "function f() returns bool",
    ],
)
def test_what_is_no_signature_is_refused(line):
    with pytest.raises(AbiMismatch):
        parse_signature(line)


def test_json_says_the_same_as_a_line():
    entry = {
        "type": "event",
        "name": "Moved",
        "inputs": [
            {"name": "who", "type": "address", "indexed": True},
            {"name": "rows", "type": "tuple[2]", "components": [{"name": "a", "type": "uint256"}]},
        ],
    }
    (read,) = signatures_of_json({"abi": [entry, {"type": "constructor", "inputs": []}, {"type": "receive"}]})
    assert read == parse_signature("event Moved(address indexed who, (uint256 a)[2] rows)")


@pytest.mark.parametrize(
    "abi",
    [
        None, 1, {}, {"abi": 5}, [{"type": "function", "name": "\x1b[2J"}],
        [{"type": "function", "name": "f", "inputs": [7]}],
        [{"type": "error", "name": "E", "inputs": [{"name": "a\nb", "type": "bool"}]}],
    ],
)  # fmt: skip
def test_json_that_is_no_abi_is_refused(abi):
    with pytest.raises(AbiMismatch):
        signatures_of_json(abi)


def test_indexed_arguments_tell_two_events_with_one_topic_apart():
    book = SignatureBook(
        [
            parse_signature("event Transfer(address indexed from, address indexed to, uint256 amount)"),
            parse_signature("event Transfer(address indexed from, address indexed to, uint256 indexed id)"),
        ]
    )
    _, coin = book.event([TOPIC, word(1), word(2)], word(3))
    _, piece = book.event([TOPIC, word(1), word(2), word(3)], b"")
    assert [each.name for each, _ in coin] == ["from", "to", "amount"]
    assert [(each.name, value) for each, value in piece][2] == ("id", 3)
    assert book.event([TOPIC, word(1)], b"") is None
    assert book.event([], b"") is None


def test_data_that_does_not_fit_is_unknown():
    book = SignatureBook([parse_signature("function transfer(address to, uint256 amount)")])
    assert book.call(TRANSFER + word(1)) is None
    assert book.call(TRANSFER + b"\xff" * 64) is None
    assert book.call(b"") is None
    assert [value for _, value in book.call(TRANSFER + word(1) + word(2))[1]] == [word(1)[12:], 2]


def test_the_signatures_that_come_with_the_package_can_all_be_read():
    texts = {each.text for each in known_signatures()}
    assert {"transfer(address,uint256)", "TransferSingle(address,address,address,uint256,uint256)"} <= texts


def test_what_the_published_contracts_declare_is_known():
    book = SignatureBook(known_signatures())
    files = sorted((Path(__file__).parents[2] / "vectors/contracts").glob("*/*.json"))
    artifacts = [json.loads(file.read_text()) for file in files if file.stem != "presigned"]
    declared = [each for made in artifacts for each in signatures_of_json(made)]
    assert len(declared) > 400
    assert [each.text for each in declared if not book.knows(each)] == []
