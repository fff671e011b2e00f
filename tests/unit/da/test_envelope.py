"""Both carriers hold any bytes, each exactly one grammar."""

import random

import pytest

from bedroll.da import Carrier, build_leaf, leaf_size, parse_leaf
from bedroll.primitives import Invalid
from bedroll.protocol import MAINNET, REGTEST
from tests.reference import da_parser

KEY = bytes(range(32))
SIZES = [0, 1, 2, 75, 76, 254, 255, 256, 257, 519, 520, 521, 1_040, 1_041, 5_000, 390_000]


@pytest.mark.parametrize("carrier", Carrier)
@pytest.mark.parametrize("size", SIZES)
def test_what_is_put_in_comes_out(carrier, size):
    body = random.Random(size).randbytes(size)
    script = build_leaf(KEY, body, 0xDEADBEEF, carrier)
    assert parse_leaf(script) == body == da_parser.envelope(script)
    assert len(script) == leaf_size(size, carrier) - (
        size % carrier.push_max == 1 and body[-1] in (*range(1, 17), 0x81)
    )


@pytest.mark.parametrize("carrier", Carrier)
def test_every_single_byte_has_one_push(carrier):
    for value in range(256):
        assert parse_leaf(build_leaf(KEY, bytes([value]), 0, carrier)) == bytes([value])


@pytest.mark.parametrize("carrier", Carrier)
def test_the_nonce_changes_the_leaf_and_nothing_else(carrier):
    leaves = {build_leaf(KEY, b"body", nonce, carrier) for nonce in (0, 1, 0x81, 255, 1 << 31, (1 << 32) - 1)}
    assert len(leaves) == 6
    assert {len(leaf) for leaf in leaves} == {leaf_size(4, carrier)}
    assert {parse_leaf(leaf) for leaf in leaves} == {b"body"}


def test_the_drop_form_has_no_branch():
    script = build_leaf(KEY, bytes(1_000), carrier=Carrier.DROP)
    opcodes = {opcode for opcode, pushed in da_parser.operations(script) if pushed is None}
    assert opcodes == {0xAD, 0x75}


def test_the_drop_form_costs_under_one_percent():
    assert leaf_size(100_000, Carrier.DROP) < 1.01 * leaf_size(100_000, Carrier.BRANCH)


KEY_PUSH = b"\x20" + KEY + b"\xad"
TAIL = b"\x04abcd\x75\x51"
REFUSED = {
    "empty": b"",
    "key of 33 bytes": b"\x21" + KEY + b"x\xad" + TAIL,
    "key by OP_PUSHDATA1": b"\x4c\x20" + KEY + b"\xad" + TAIL,
    "OP_CHECKSIG": b"\x20" + KEY + b"\xac" + TAIL,
    "no nonce, drop form": KEY_PUSH + b"\x51",
    "no nonce, branch form": KEY_PUSH + b"\x00\x63\x02ab\x68\x75\x51",
    "something after": KEY_PUSH + TAIL + b"\x61",
    "OP_2 at the end": KEY_PUSH + TAIL[:-1] + b"\x52",
    "OP_NOTIF": KEY_PUSH + b"\x00\x64\x02ab\x68" + TAIL,
    "OP_1 OP_IF": KEY_PUSH + b"\x51\x63\x02ab\x68" + TAIL,
    "OP_ELSE": KEY_PUSH + b"\x00\x63\x02ab\x67\x68" + TAIL,
    "no OP_ENDIF": KEY_PUSH + b"\x00\x63\x02ab" + TAIL,
    "two branches": KEY_PUSH + b"\x00\x63\x02ab\x68" * 2 + TAIL,
    "OP_SUCCESS in the branch": KEY_PUSH + b"\x00\x63\x50\x68" + TAIL,
    "OP_SUCCESS among drops": KEY_PUSH + b"\x50\x75" + TAIL,
    "OP_RESERVED push by PUSHDATA4": KEY_PUSH + b"\x00\x63\x4e\x02\x00\x00\x00ab\x68" + TAIL,
    "PUSHDATA1 below 76": KEY_PUSH + b"\x00\x63\x4c\x02ab\x68" + TAIL,
    "PUSHDATA2 below 256": KEY_PUSH + b"\x00\x63\x4d\xff\x00" + bytes(255) + b"\x68" + TAIL,
    "one small byte pushed as data": KEY_PUSH + b"\x00\x63\x01\x05\x68" + TAIL,
    "0x81 pushed as data": KEY_PUSH + b"\x01\x81\x75" + TAIL,
    "empty push by PUSHDATA1": KEY_PUSH + b"\x4c\x00\x75" + TAIL,
    "521 bytes": KEY_PUSH + b"\x00\x63\x4d\x09\x02" + bytes(521) + b"\x68" + TAIL,
    "256 bytes among drops": KEY_PUSH + b"\x4d\x00\x01" + bytes(256) + b"\x75" + TAIL,
    "push without OP_DROP": KEY_PUSH + b"\x02ab" + TAIL,
    "nonce of 521 bytes": KEY_PUSH + b"\x00\x63\x68\x4d\x09\x02" + bytes(521) + b"\x75\x51",
    "truncated push": KEY_PUSH + b"\x00\x63\x4d\x08\x02" + bytes(100),
    "push length cut": KEY_PUSH + b"\x00\x63\x4d\x08",
    "body above the limit": KEY_PUSH + b"\x00\x63" + (b"\x4d\x08\x02" + bytes(520)) * 751 + b"\x68" + TAIL,
}


@pytest.mark.parametrize("script", REFUSED.values(), ids=REFUSED.keys())
def test_near_envelopes_are_refused(script):
    with pytest.raises(Invalid):
        parse_leaf(script)
    with pytest.raises(da_parser.Refused):
        da_parser.envelope(script)


TAKEN = {
    "empty branch": (KEY_PUSH + b"\x00\x63\x68" + TAIL, b""),
    "no drops": (KEY_PUSH + TAIL, b""),
    "empty pushes": (KEY_PUSH + b"\x00\x63\x00\x00\x68" + TAIL, b""),
    "empty push dropped": (KEY_PUSH + b"\x00\x75\x02ab\x75" + TAIL, b"ab"),
    "pushes of any cut": (KEY_PUSH + b"\x00\x63\x01a\x03bcd\x51\x60\x4f\x68" + TAIL, b"abcd\x01\x10\x81"),
    "OP_1 as last byte of the body": (KEY_PUSH + b"\x51\x75" + TAIL, b"\x01"),
    "OP_1 as nonce": (KEY_PUSH + b"\x02ab\x75\x51\x75\x51", b"ab"),
    "OP_0 as nonce": (KEY_PUSH + b"\x02ab\x75\x00\x75\x51", b"ab"),
    "nonce of 520 bytes": (KEY_PUSH + b"\x00\x63\x68\x4d\x08\x02" + bytes(520) + b"\x75\x51", b""),
}


@pytest.mark.parametrize(("script", "body"), TAKEN.values(), ids=TAKEN.keys())
def test_odd_but_exact_envelopes_are_taken(script, body):
    assert parse_leaf(script) == body == da_parser.envelope(script)


@pytest.mark.parametrize("carrier", Carrier)
def test_every_cut_and_every_flip_ends_as_in_the_plain_parser(carrier):
    script = build_leaf(KEY, bytes(range(100)) * 6, 7, carrier)
    for index in range(len(script)):
        for changed in (script[:index], script[:index] + bytes([script[index] ^ 1]) + script[index + 1 :]):
            assert outcome(parse_leaf, changed) == outcome(da_parser.envelope, changed)


def outcome(parse, raw):
    try:
        return parse(raw)
    except (Invalid, da_parser.Refused):
        return None


def test_a_builder_refuses_what_no_reader_would_take():
    with pytest.raises(Invalid, match="key"):
        build_leaf(KEY[1:], b"")
    with pytest.raises(Invalid, match="limit=390000"):
        build_leaf(KEY, bytes(390_001))
    with pytest.raises(Invalid, match="nonce"):
        build_leaf(KEY, b"", 1 << 32)


def test_the_limit_is_the_networks():
    assert MAINNET.parameters.reveal_body_max == REGTEST.parameters.reveal_body_max == 390_000
