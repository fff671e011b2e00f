"""Shows that pushes are minimal, numbers canonical, kinds those of Bitcoin Core, and addresses its addresses."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.bitcoin.address import BadAddress, decode_address, encode_address
from bedroll.bitcoin.opcode import SUCCESS, Opcode
from bedroll.bitcoin.script import (
    ANCHOR_SCRIPT,
    Kind,
    build_script,
    classify,
    data_script,
    decode_number,
    encode_number,
    encode_push,
    has_success_opcode,
    is_minimal,
    is_push_only,
    is_unspendable,
    parse_script,
    taproot_script,
    witness_program,
)
from bedroll.encoding import Malformed
from bedroll.primitives import Invalid
from bedroll.protocol import MAINNET, REGTEST, TESTNET, Network

CORE = Path(__file__).parents[2] / "vectors/bitcoin/core"
NETWORKS = {"main": MAINNET, "testnet4": TESTNET, "regtest": REGTEST}
KEY = b"\x02" + b"\x11" * 32
VALID = [case for case in json.loads((CORE / "key_io_valid.json").read_text()) if not case[2]["isPrivkey"]]
INVALID = [case[0] for case in json.loads((CORE / "key_io_invalid.json").read_text())]


@settings(derandomize=True)
@given(st.one_of(st.binary(max_size=600), st.integers(65_530, 65_540).map(bytes), st.binary(max_size=1)))
def test_a_push_is_minimal_and_comes_back(item: bytes) -> None:
    (element,) = parse_script(encode_push(item))
    assert is_minimal(element)
    if element.push is not None:
        assert element.push == item
    else:
        assert len(item) == 1
        assert element.opcode in {Opcode.OP_1NEGATE, *range(Opcode.OP_1, Opcode.OP_16 + 1)}


@pytest.mark.parametrize("script", ["0100", "0181", "0110", "4c00", "4c0141", "4d0100ff", "4e01000000ff"])
def test_a_longer_push_is_not_minimal(script: str) -> None:
    (element,) = parse_script(bytes.fromhex(script))
    assert is_minimal(element) == (script == "0100")


@settings(derandomize=True)
@given(st.integers(-(2**39) + 1, 2**39 - 1))
def test_a_number_comes_back_in_its_one_form(value: int) -> None:
    raw = encode_number(value)
    assert decode_number(raw, 5) == value
    assert (len(raw) <= 4) == (abs(value) < 2**31)
    longer = raw[:-1] + bytes((raw[-1] & 0x7F, raw[-1] & 0x80)) if raw else b"\x00"
    with pytest.raises(Invalid, match="shortest form"):
        decode_number(longer, 6)


@pytest.mark.parametrize(
    ("value", "raw"),
    [(0, ""), (1, "01"), (-1, "81"), (127, "7f"), (128, "8000"), (-128, "8080"), (-255, "ff80"), (256, "0001")],
)
def test_numbers_of_the_documentation(value: int, raw: str) -> None:
    assert encode_number(value).hex() == raw


def test_a_number_that_is_too_long_is_refused() -> None:
    with pytest.raises(Invalid, match="too long") as caught:
        decode_number(bytes(5))
    assert (caught.value.fields["size"], caught.value.fields["limit"]) == (5, 4)


@settings(derandomize=True)
@given(st.binary(max_size=120))
def test_any_script_parses_to_its_bytes_or_is_malformed(script: bytes) -> None:
    covered = 0
    try:
        for element in parse_script(script):
            assert element.offset == covered
            header = 1 + {0x4C: 1, 0x4D: 2, 0x4E: 4}.get(element.opcode, 0)
            covered += header + len(element.push or b"") if element.push is not None else 1
        assert covered == len(script)
    except Malformed:
        assert not is_push_only(script)
    classify(script)
    has_success_opcode(script)


def test_every_kind_is_known() -> None:
    assert [
        classify(bytes.fromhex(script) if isinstance(script, str) else script)
        for script in (
            taproot_script(b"\x07" * 32),
            "0014" + "07" * 20,
            "0020" + "07" * 32,
            "76a914" + "07" * 20 + "88ac",
            "a914" + "07" * 20 + "87",
            build_script(KEY, Opcode.OP_CHECKSIG),
            build_script(1, KEY, KEY, 2, Opcode.OP_CHECKMULTISIG),
            ANCHOR_SCRIPT,
            data_script(b"a", b"b" * 100),
            "5210" + "07" * 16,
            "0010" + "07" * 16,
            build_script(2, KEY, 1, Opcode.OP_CHECKMULTISIG),
            "6a4c",
            "",
            "51",
        )
    ] == [
        Kind.TAPROOT,
        Kind.WITNESS_KEY_HASH,
        Kind.WITNESS_SCRIPT_HASH,
        Kind.KEY_HASH,
        Kind.SCRIPT_HASH,
        Kind.KEY,
        Kind.MULTISIG,
        Kind.ANCHOR,
        Kind.DATA,
        Kind.WITNESS_UNKNOWN,
        *[Kind.NONSTANDARD] * 5,
    ]
    assert witness_program(b"\x60\x02ab") == (16, b"ab")
    assert is_unspendable(data_script(b"x"))
    assert not is_unspendable(b"\x51")


def test_success_opcodes_are_found_outside_pushes_only() -> None:
    assert len(SUCCESS) == 87
    assert has_success_opcode(b"\x51\xbb")
    assert not has_success_opcode(build_script(b"\xbb\xbb", Opcode.OP_CHECKSIGADD))
    # Consensus looks no further than the first push that runs over the end.
    assert has_success_opcode(b"\x50\x05ab")
    assert not has_success_opcode(b"\x05\x50")


@pytest.mark.parametrize("case", VALID, ids=lambda case: case[0][:20])
def test_published_addresses(case: Any) -> None:
    text, script, about = case
    network = NETWORKS.get(about["chain"])
    if network is None:
        # Chains that are not ours (test, signet) have the prefixes of testnet4.
        network = TESTNET
    assert decode_address(text, network).hex() == script
    assert encode_address(bytes.fromhex(script), network) == text
    if about.get("tryCaseFlip"):
        assert decode_address(text.swapcase(), network).hex() == script


@pytest.mark.parametrize("text", INVALID, ids=lambda text: text[:20])
@pytest.mark.parametrize("network", NETWORKS.values(), ids=lambda network: network.name)
def test_published_non_addresses(text: str, network: Network) -> None:
    with pytest.raises(BadAddress):
        decode_address(text, network)


def test_an_address_of_another_network_is_refused_by_name() -> None:
    text = encode_address(taproot_script(b"\x07" * 32), MAINNET)
    with pytest.raises(BadAddress) as caught:
        decode_address(text, REGTEST)
    assert caught.value.fields["network"] == "regtest"
    with pytest.raises(BadAddress, match="another network"):
        decode_address(encode_address(b"\xa9\x14" + b"\x07" * 20 + b"\x87", MAINNET), TESTNET)
    with pytest.raises(BadAddress, match="has no address"):
        encode_address(b"\x51", MAINNET)


@settings(derandomize=True)
@given(st.text(max_size=100), st.sampled_from(list(NETWORKS.values())))
def test_any_text_is_an_address_or_refused(text: str, network: Network) -> None:
    try:
        assert encode_address(decode_address(text, network), network).lower() == text.lower()
    except BadAddress:
        return
