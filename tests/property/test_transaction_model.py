"""The engine and the execution model take the same bytes for transactions, and read the same in them.

Bytes begin as signed transactions; then some items or bytes are spelt in another way, mostly one that must be refused.
"""

import pytest
import rlp as rlp_library
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll._core._native import decode_transaction
from bedroll.primitives import Invalid
from bedroll.protocol import REGTEST
from tests.framework.execution_pair import BOUNDED, SECRETS, access_lists, calldata
from tests.reference.merkle_patricia import rlp
from tests.reference.signed_transaction import NoTransaction, Signed, decode, sign


@st.composite
def spellings(draw):
    """A signed transaction, some of whose items or bytes are spelt in another way."""
    kind, to = draw(st.sampled_from([0, 1, 2])), draw(st.sampled_from([b"", b"\x77" * 20]))
    access_list = draw(access_lists) if kind else []
    made = Signed(kind, 5, 1, 7, 7, 30_000, to, draw(st.sampled_from([0, 127, 128])), draw(calldata), access_list)
    raw = sign(made, SECRETS[0])
    items = rlp_library.decode(raw[1:] if kind else raw)
    place = draw(st.integers(0, len(items) - 1))
    item = items[place]
    change = draw(st.sampled_from(["none", "zero", "longer", "list", "drop", "twice", "other", "word", "past"]))
    wider = {"zero": b"\0", "longer": b"\1", "past": bytes(33)}
    if change in wider and isinstance(item, bytes):
        items[place] = wider[change] + item
    elif change in ("list", "twice", "drop"):
        items[place : place + 1] = {"list": [[item]], "twice": [item, item], "drop": []}[change]
    elif change in ("other", "word"):
        items[place] = draw(st.binary(max_size=9)) if change == "other" else b"\xff" * 32
    payload = rlp(items)
    if draw(st.integers(0, 7)) == 0:
        inside = b"".join(map(rlp, items))
        payload = b"\xf9" + len(inside).to_bytes(2, "big") + inside
    spelt = bytearray((bytes([kind]) if kind else b"") + payload + draw(st.sampled_from([b"", b"", b"", b"\0"])))
    if draw(st.integers(0, 3)) == 0:
        spelt[draw(st.integers(0, len(spelt) - 1))] = draw(st.integers(0, 255))
    return bytes(spelt)


@given(spellings())
@settings(max_examples=250, **BOUNDED)
def test_both_take_the_same_bytes_for_transactions(raw):
    read_by_both(raw)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@given(spellings())
@settings(max_examples=20_000, **BOUNDED)
def test_both_take_the_same_bytes_for_transactions_many_times(raw):
    read_by_both(raw)


def read_by_both(raw):
    """Decode in both; what one takes the other takes for the same."""
    try:
        ours = decode(raw)
    except NoTransaction:
        with pytest.raises(Invalid):
            decode_transaction(raw)
        return
    theirs = decode_transaction(raw)
    assert (theirs.sender, theirs.hash, theirs.payload) == (ours.sender, ours.hash, ours.payload)
    assert (theirs.kind, theirs.chain_id, theirs.nonce) == (ours.kind, ours.chain_id, ours.nonce)
    assert theirs.gas_limit == ours.gas_limit
    assert (theirs.max_fee_per_gas, theirs.max_priority_fee_per_gas) == (ours.max_fee, ours.tip)
    assert (theirs.to or b"", theirs.value, theirs.input) == (ours.to, ours.value, ours.data)
    assert theirs.intrinsic_gas == max(ours.intrinsic_gas, ours.floor_gas)
    assert theirs.size == ours.size(REGTEST.parameters.transfer_bytes)
