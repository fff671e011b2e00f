"""Blocks are taken whole or not at all, and only what the tag marks is looked at."""

import pytest

from bedroll.da import Carrier, build_leaf, scan_block
from bedroll.primitives import Invalid
from bedroll.protocol import REGTEST
from bedroll.protocol.fee_output import FEE_SCRIPT
from tests.framework import l1_block
from tests.reference import da_parser

TAG = REGTEST.parameters.tag
KEY = b"\x11" * 32
LEAF = build_leaf(KEY, b"body")


def carried(raw, tag=TAG):
    return [found.objects for found in scan_block(raw, tag).relevant]


def values(scanned):
    return {
        "hash": scanned.hash,
        "header": scanned.header,
        "previous": scanned.previous,
        "time": scanned.time,
        "witness_root": scanned.witness_root,
        "coinbase_value": scanned.coinbase_value,
        "transaction_count": scanned.transaction_count,
        "ambiguous": scanned.ambiguous,
        "relevant": [
            (each.index, each.txid, each.wtxid, each.fee_paid, [(at, body) for at, body, _ in each.objects])
            for each in scanned.relevant
        ],
    }


@pytest.mark.parametrize("others", range(8))
def test_a_scan_is_what_the_plain_parser_finds(others):
    fillers = [l1_block.transaction([[b"\x01" * 64]], salt=number + 1) for number in range(others)]
    found = l1_block.reveal(LEAF, tag=TAG, fee_script=FEE_SCRIPT, fee=1_000)
    raw = l1_block.block([*fillers, found], previous=b"\x07" * 32)
    scanned = scan_block(raw, TAG)
    assert values(scanned) == da_parser.scan(raw, TAG)
    assert scanned.relevant[-1].objects == [(0, b"body", "")]
    assert scanned.relevant[-1].fee_paid == 1_000


def test_only_the_tag_makes_a_transaction_relevant():
    found = l1_block.reveal(LEAF, tag=TAG)
    raw = l1_block.block([found])
    other = bytes([l1_block.double_sha256(found[0])[0] ^ 1])
    assert len(scan_block(raw, TAG).relevant) == 1
    assert scan_block(raw, other).relevant == []


def test_a_coinbase_is_never_relevant():
    for first in range(256):
        raw = l1_block.block([])
        assert scan_block(raw, bytes([first])).relevant == []


def test_a_block_without_commitment_has_nothing_relevant():
    for salt in range(600):
        full, bare = l1_block.transaction([[]], salt=salt)
        if l1_block.double_sha256(full).startswith(TAG):
            scanned = scan_block(l1_block.block([(full, bare)], commit=False), TAG)
            assert scanned.relevant == []
            assert scanned.witness_root == bytes(32)
            return
    pytest.fail("no transaction matched")


def test_every_input_is_looked_at_and_the_annex_is_not():
    before = ([b"\x01" * 64], [b"x", LEAF, l1_block.CONTROL_BLOCK])
    found = l1_block.reveal(build_leaf(KEY, b"second", carrier=Carrier.DROP), tag=TAG, before=before, annex=b"\x50ab")
    assert carried(l1_block.block([found])) == [[(1, b"body", ""), (2, b"second", "")]]


@pytest.mark.parametrize(
    ("control", "listed"),
    [
        (b"\xc0" + bytes(32), True),
        (b"\xc1" + bytes(32), True),
        (b"\xc0" + bytes(32 + 32 * 128), True),
        (b"\xc0" + bytes(32 + 32 * 129), False),
        (b"\xc0" + bytes(31), False),
        (b"\xc0" + bytes(33), False),
        (b"\xc2" + bytes(32), False),
        (b"\x50" + bytes(32), False),
        (b"", False),
    ],
)
def test_only_leaves_of_version_c0_under_a_shaped_control_block_are_leaves(control, listed):
    salt = 0
    while True:
        pair = l1_block.transaction([[LEAF, control]], salt=salt)
        if l1_block.double_sha256(pair[0]).startswith(TAG):
            break
        salt += 1
    raw = l1_block.block([pair])
    assert carried(raw) == [[(0, b"body", "")] if listed else []]
    assert values(scan_block(raw, TAG)) == da_parser.scan(raw, TAG)


def test_a_malformed_leaf_is_listed_with_its_reason():
    found = l1_block.reveal(LEAF[:-1] + b"\x52", tag=TAG)
    [[(index, body, reason)]] = carried(l1_block.block([found]))
    assert (index, body) == (0, None)
    assert reason == "nonce is not followed by OP_DROP OP_1"


def test_four_megabytes_of_tiny_elements_are_read_quickly():
    pair = l1_block.transaction([[b""] * 3_000_000])
    scanned = scan_block(l1_block.block([pair]), bytes([l1_block.double_sha256(pair[0])[0]]))
    assert scanned.relevant[0].objects == []


def test_a_999_of_999_tapscript_is_only_another_script():
    script = b"".join(b"\x20" + bytes([number % 256]) * 32 + b"\xba" for number in range(999)) + b"\x02\xe7\x03\x9c"
    stack = [b"\x01" * 64] * 998 + [b"", script, l1_block.CONTROL_BLOCK]
    pair = l1_block.transaction([stack])
    [[(_, body, _)]] = carried(l1_block.block([pair]), l1_block.double_sha256(pair[0])[:2])
    assert body is None


def test_five_thousand_junk_reveals_in_a_block_are_listed():
    junk = []
    for number in range(5_000):
        stack = [b"\x01" * 64, LEAF[:-9] + number.to_bytes(4, "big"), l1_block.CONTROL_BLOCK]
        junk.append(l1_block.transaction([stack], salt=number))
    raw = l1_block.block(junk)
    firsts = [l1_block.double_sha256(full)[0] for full, _ in junk]
    for tag in range(4):
        relevant = scan_block(raw, bytes([tag])).relevant
        assert [found.index - 1 for found in relevant] == [at for at, first in enumerate(firsts) if first == tag]


def test_a_doubled_tail_is_refused():
    pairs = [l1_block.transaction([[b"\x01"]], salt=number) for number in range(2)]
    raw = l1_block.block(pairs)
    assert scan_block(raw, TAG).transaction_count == 3
    tail = pairs[-1][0]
    doubled = raw[:80] + b"\x04" + raw[81:] + tail
    with pytest.raises(Invalid, match="doubled"):
        scan_block(doubled, TAG)


def test_a_transaction_of_64_bytes_is_pointed_out():
    body = b"\x01" + bytes(range(32)) + bytes(4) + b"\x00" + bytes(4)
    bare = b"\x02\x00\x00\x00" + body + b"\x01" + bytes(8) + b"\x04" + b"\x51\x02\x4e\x73" + bytes(4)
    assert len(bare) == 64
    scanned = scan_block(l1_block.block([(bare, bare)]), TAG)
    assert scanned.ambiguous == [1]


def test_inner_nodes_do_not_pass_for_transactions():
    pairs = [l1_block.transaction([[]], salt=number) for number in range(3)]
    raw = l1_block.block(pairs, commit=False)
    coinbase = raw[81 : len(raw) - sum(len(full) for full, _ in pairs)]
    ids = [l1_block.double_sha256(coinbase)] + [l1_block.double_sha256(bare) for _, bare in pairs]
    forged = raw[:80] + b"\x02" + ids[0] + ids[1] + ids[2] + ids[3]
    with pytest.raises(Invalid):
        scan_block(forged, TAG)


def test_the_last_commitment_counts_and_a_short_one_is_none():
    short = l1_block.output(0, l1_block.COMMITMENT_PREFIX + bytes(31))
    wrong = l1_block.output(0, l1_block.COMMITMENT_PREFIX + bytes(32))
    pair = l1_block.reveal(LEAF, tag=TAG)
    good = [l1_block.output(1), wrong, None, short]
    assert len(scan_block(l1_block.block([pair], coinbase_outputs=good), TAG).relevant) == 1
    with pytest.raises(Invalid, match="witness commitment"):
        scan_block(l1_block.block([pair], coinbase_outputs=[l1_block.output(1), None, wrong]), TAG)


@pytest.mark.parametrize("reserved", [b"", bytes(31), bytes(33)])
def test_a_commitment_needs_a_reserved_value_of_32_bytes(reserved):
    with pytest.raises(Invalid, match="reserved"):
        scan_block(l1_block.block([l1_block.reveal(LEAF, tag=TAG)], reserved=reserved), TAG)


def test_a_changed_witness_is_refused():
    raw = bytearray(l1_block.block([l1_block.reveal(LEAF, tag=TAG)]))
    raw[-40] ^= 1
    with pytest.raises(Invalid, match="witness commitment"):
        scan_block(bytes(raw), TAG)


@pytest.mark.parametrize("tag", [b"", bytes(33)])
def test_a_tag_of_no_use_is_refused(tag):
    with pytest.raises(Invalid, match="tag"):
        scan_block(l1_block.block([]), tag)


def test_every_truncation_is_refused():
    raw = l1_block.block([l1_block.reveal(LEAF, tag=TAG), l1_block.transaction([[]], salt=5)])
    for length in range(len(raw)):
        with pytest.raises(Invalid):
            scan_block(raw[:length], TAG)
    with pytest.raises(Invalid):
        scan_block(raw + b"\x00", TAG)


def test_a_block_beyond_the_weight_limit_is_refused_unread():
    with pytest.raises(Invalid, match="4,000,000"):
        scan_block(bytes(4_000_001), TAG)


def test_a_huge_count_allocates_nothing():
    for count in (b"\xfe\xff\xff\xff\xff", b"\xff" + b"\xff" * 8):
        with pytest.raises(Invalid, match="truncated"):
            scan_block(bytes(80) + count, TAG)
