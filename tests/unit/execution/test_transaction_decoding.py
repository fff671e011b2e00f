"""Shows which bytes are a transaction, what its unsigned payload is, and how its size is counted."""

from contextlib import suppress

import pytest
from eth_account import Account
from eth_keys import keys
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.crypto.keccak import keccak256
from bedroll.encoding.rlp import decode_rlp, encode_integer, encode_rlp
from bedroll.execution.engine import decode_transaction, decode_transactions
from bedroll.primitives import Invalid

KEY = Account.from_key(b"\x11" * 32)
SENDER = bytes.fromhex(KEY.address[2:])
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
TO = "0x" + "77" * 20


def signed(**fields):
    return bytes(KEY.sign_transaction(fields).raw_transaction)


def dynamic(**fields):
    base = {"type": 2, "chainId": 5, "nonce": 1, "gas": 60_000, "maxFeePerGas": 9, "maxPriorityFeePerGas": 2}
    return signed(**(base | {"to": TO, "value": 3, "data": b""} | fields))


def legacy(**fields):
    return signed(**({"nonce": 1, "gas": 60_000, "gasPrice": 9, "to": TO, "value": 3, "data": b""} | fields))


def lz_length(data: bytes) -> int:
    """The size rule of docs/spec/execution.md, written a second time."""
    last: dict[int, int] = {}
    at = length = 0
    while at < len(data):
        matched = 0
        four = data[at : at + 4]
        if len(four) == 4:
            slot = (int.from_bytes(four, "little") * 2_654_435_769 & 0xFFFFFFFF) >> 20
            candidate = last.get(slot)
            last[slot] = at
            if candidate is not None and at - candidate <= 8_191:
                while matched < min(len(data) - at, 264) and data[candidate + matched] == data[at + matched]:
                    matched += 1
        length += 3 if matched >= 4 else 1
        at += matched if matched >= 4 else 1
    return length


def test_fields_are_those_signed():
    tx = decode_transaction(dynamic(data=b"\x01\x00", accessList=[{"address": TO, "storageKeys": ["0x" + "05" * 32]}]))
    assert (tx.kind, tx.chain_id, tx.nonce, tx.gas_limit) == (2, 5, 1, 60_000)
    assert (tx.max_fee_per_gas, tx.max_priority_fee_per_gas, tx.value) == (9, 2, 3)
    assert (tx.sender, tx.to, tx.input) == (SENDER, b"\x77" * 20, b"\x01\x00")
    assert tx.access_list == [(b"\x77" * 20, [b"\x05" * 32])]
    assert tx.hash == keccak256(tx.raw)
    assert tx.v in (0, 1)


def test_a_legacy_price_is_both_fees_and_v_carries_the_chain_id():
    tx = decode_transaction(legacy(chainId=5))
    assert (tx.kind, tx.chain_id, tx.max_fee_per_gas, tx.max_priority_fee_per_gas) == (0, 5, 9, 9)
    assert tx.v in (45, 46)
    unprotected = decode_transaction(legacy())
    assert unprotected.chain_id is None
    assert unprotected.v in (27, 28)


@pytest.mark.parametrize("raw", [dynamic(), legacy(chainId=5), legacy(), dynamic(to="", data=b"\xfe" * 40)])
def test_the_payload_is_what_was_signed(raw):
    tx = decode_transaction(raw)
    signature = keys.Signature(vrs=(tx.v % 2 ^ (tx.kind == 0), tx.r, tx.s))
    assert signature.recover_public_key_from_msg_hash(keccak256(tx.payload)).to_canonical_address() == SENDER


def test_a_type_4_payload_names_authorities_and_hides_their_signatures():
    good = KEY.sign_authorization({"chainId": 5, "address": TO, "nonce": 2})
    bad = (
        good._replace(s=ORDER - good.s) if hasattr(good, "_replace") else good.model_copy(update={"s": ORDER - good.s})
    )
    raw = signed(
        type=4, chainId=5, nonce=1, gas=90_000, maxFeePerGas=9, maxPriorityFeePerGas=2,
        to=TO, value=0, data=b"", authorizationList=[good, bad],
    )  # fmt: skip
    tx = decode_transaction(raw)
    assert tx.authorizations == [(5, b"\x77" * 20, 2, SENDER), (5, b"\x77" * 20, 2, None)]
    fields = decode_rlp(tx.payload[1:])
    grants = [[encode_integer(5), b"\x77" * 20, encode_integer(2), who] for who in (SENDER, b"")]
    assert tx.payload[:1] == b"\x04"
    assert fields[-1] == grants
    assert len(fields) == 10


def test_blobs_are_refused():
    with pytest.raises(Invalid, match="blob"):
        decode_transaction(b"\x03" + encode_rlp([b""] * 14))


def test_a_high_s_is_refused():
    fields = decode_rlp(dynamic()[1:])
    flipped = int.from_bytes(fields[-1], "big")
    fields[-3], fields[-1] = encode_integer(1 - len(fields[-3])), encode_integer(ORDER - flipped)
    with pytest.raises(Invalid, match="signature"):
        decode_transaction(b"\x02" + encode_rlp(fields))


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw + b"\x00",
        lambda raw: raw[:-1],
        lambda raw: b"\x05" + raw[1:],
        lambda raw: b"",
        lambda raw: b"\x02" + encode_rlp([*decode_rlp(raw[1:]), b""]),
        lambda raw: b"\x02" + encode_rlp([b"\x00\x05", *decode_rlp(raw[1:])[1:]]),
        lambda raw: b"\x02" + encode_rlp([*decode_rlp(raw[1:])[:-3], b"\x02", *decode_rlp(raw[1:])[-2:]]),
        lambda raw: encode_rlp(raw),
    ],
)
def test_only_the_canonical_encoding_is_taken(change):
    with pytest.raises(Invalid):
        decode_transaction(change(dynamic()))


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_bytes_give_a_transaction_or_invalid(raw):
    for candidate in (raw, b"\x02" + raw):
        with suppress(Invalid):
            assert decode_transaction(candidate).raw == candidate


def test_many_are_decoded_in_order_with_reasons_in_place():
    raws = [dynamic(nonce=n) for n in range(40)]
    raws[7] = b"nonsense"
    found = decode_transactions(raws)
    assert isinstance(found[7], str)
    assert [tx.nonce for tx in found if not isinstance(tx, str)] == [n for n in range(40) if n != 7]


@given(st.binary(min_size=1, max_size=400), st.integers(1, 30))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_size_is_the_lz_length_of_sender_and_payload_and_a_share_for_the_signature(data, times):
    tx = decode_transaction(dynamic(data=data * times))
    assert tx.size == lz_length(tx.sender + tx.payload) + 75 * 2 // 5


def test_a_plain_transfer_counts_as_one():
    assert decode_transaction(dynamic()).size == 75
    assert decode_transaction(dynamic(data=b"\x00")).size != 75


@pytest.mark.parametrize(
    ("fields", "gas"),
    [
        ({}, 21_000),
        ({"data": b"\x00\x01"}, 21_000 + 4 + 16 + 30),
        ({"data": b"\x01" * 10}, 21_000 + 40 * 10),
        ({"to": "", "data": b"\x01" * 33}, max(21_000 + 32_000 + 33 * 16 + 2 * 2, 21_000 + 40 * 33)),
        ({"accessList": [{"address": TO, "storageKeys": ["0x" + "05" * 32]}]}, 21_000 + 2_400 + 1_900),
    ],
)
def test_intrinsic_gas_includes_the_calldata_floor(fields, gas):
    assert decode_transaction(dynamic(**fields)).intrinsic_gas == gas
