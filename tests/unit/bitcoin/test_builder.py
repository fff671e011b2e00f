"""Shows that a built transaction weighs what was said before signing, pays its rate, and never overspends."""

from contextlib import suppress

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from bedroll.bitcoin.builder import (
    Input,
    InsufficientValue,
    KeyPath,
    LeafPath,
    add_change,
    build_transaction,
    estimate_weight,
    sign_transaction,
)
from bedroll.bitcoin.fee import rate_of, vsize_of
from bedroll.bitcoin.opcode import Opcode
from bedroll.bitcoin.script import ANCHOR_SCRIPT, build_script, taproot_script
from bedroll.bitcoin.sighash import HashType
from bedroll.bitcoin.taproot import TaprootOutput
from bedroll.bitcoin.transaction import OutPoint, TxOut
from bedroll.crypto import sha256
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import FeeRate, Invalid, Satoshi, Txid
from bedroll.protocol.fee_output import NUMS_KEY

KEY = SecretKey(sha256(b"builder"))
CHANGE = taproot_script(b"\x09" * 32)
TARGET = TxOut(Satoshi(10_000), taproot_script(b"\x08" * 32))


def _input(number: int, value: int, hash_type: HashType = HashType.DEFAULT) -> Input:
    output = TxOut(Satoshi(value), taproot_script(KEY.x_only))
    return Input(OutPoint(Txid(sha256(bytes((number,)))), number), output, KeyPath(KEY, hash_type))


def _leaf_input(size: int, value: int, *, items: tuple[bytes, ...] = (), signed: bool = True) -> Input:
    script = build_script(KEY.x_only, Opcode.OP_CHECKSIGVERIFY, bytes(size), Opcode.OP_DROP, Opcode.OP_1)
    output = TaprootOutput.build(NUMS_KEY, [script, b"\x51"])
    spend = LeafPath(script, output.control_block(0), KEY if signed else None, items)
    return Input(OutPoint(Txid(sha256(b"leaf")), 0), TxOut(Satoshi(value), output.script), spend)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    values=st.lists(st.integers(1_000, 10**8), min_size=1, max_size=5),
    hash_type=st.sampled_from(HashType),
    size=st.integers(2, 600),
    signed=st.booleans(),
    rate=st.integers(100, 100_000),
)
def test_the_weight_is_known_before_signing(
    values: list[int], hash_type: HashType, size: int, signed: bool, rate: int
) -> None:
    inputs = [_input(number, value, hash_type) for number, value in enumerate(values)]
    inputs.append(_leaf_input(size, 5_000, items=(b"\x01", b""), signed=signed))
    inputs.append(Input(OutPoint(Txid(sha256(b"anchor")), 1), TxOut(Satoshi(240), ANCHOR_SCRIPT), None))
    targets = [TxOut(Satoshi(400), TARGET.script)] * (len(inputs) + 1)
    with suppress(InsufficientValue):
        outputs, fee = add_change(inputs, targets, CHANGE, FeeRate(rate))
        event("the inputs suffice")
        _check(inputs, outputs, fee, rate)
    # With enough added, it goes.
    inputs.append(_input(9, 10**10, hash_type))
    outputs, fee = add_change(inputs, targets, CHANGE, FeeRate(rate))
    _check(inputs, outputs, fee, rate)


def _check(inputs: list[Input], outputs: list[TxOut], fee: Satoshi, rate: int) -> None:
    signed_transaction = sign_transaction(build_transaction(inputs, outputs), inputs)
    assert signed_transaction.weight == estimate_weight(inputs, outputs)
    assert sum(each.output.value for each in inputs) - signed_transaction.output_value == fee
    assert rate_of(fee, signed_transaction.vsize) >= rate
    assert all(each.value >= 330 for each in outputs)


def test_change_below_dust_goes_to_the_fee() -> None:
    inputs = [_input(1, 10_000 + 111 + 300)]
    outputs, fee = add_change(inputs, [TARGET], CHANGE, FeeRate(1_000))
    assert (outputs, fee) == ([TARGET], 411)
    outputs, fee = add_change([_input(1, 10_000 + 154 + 330)], [TARGET], CHANGE, FeeRate(1_000))
    assert (outputs[-1], fee) == (TxOut(Satoshi(330), CHANGE), 154)


def test_a_least_fee_holds_above_the_rate() -> None:
    outputs, fee = add_change([_input(1, 50_000)], [TARGET], CHANGE, FeeRate(1_000), 9_999)
    assert (fee, outputs[-1].value) == (9_999, 50_000 - 10_000 - 9_999)


def test_what_is_missing_is_said() -> None:
    size = vsize_of(estimate_weight([_input(1, 1)], [TARGET]))
    with pytest.raises(InsufficientValue) as caught:
        add_change([_input(1, 10_000)], [TARGET], CHANGE, FeeRate(1_000))
    assert caught.value.missing_sat == size
    with pytest.raises(InsufficientValue) as caught:
        add_change([_input(1, 400)], [], CHANGE, FeeRate(1_000))
    assert caught.value.missing_sat == 330 + 111 - 400
    with pytest.raises(InsufficientValue) as caught:
        build_transaction([_input(1, 9_999)], [TARGET])
    assert caught.value.missing_sat == 1


def test_inputs_and_outputs_are_there_and_match() -> None:
    for inputs, outputs in (([], [TARGET]), ([_input(1, 5)], [])):
        with pytest.raises(Invalid, match="inputs and outputs"):
            build_transaction(inputs, outputs)
    for value in (-1, 21 * 10**14 + 1):
        with pytest.raises(Invalid, match="no such value"):
            build_transaction([_input(1, 5_000)], [TxOut(Satoshi(value), TARGET.script)])
        with pytest.raises(Invalid, match="no such value"):
            add_change([_input(1, 5_000)], [TxOut(Satoshi(value), TARGET.script)], CHANGE, FeeRate(1_000))
    unsigned = build_transaction([_input(1, 10_000)], [TARGET])
    with pytest.raises(Invalid, match="not those of the transaction"):
        sign_transaction(unsigned, [_input(2, 10_000)])


def test_signing_is_deterministic_unless_entropy_is_given() -> None:
    inputs = [_input(1, 10_000)]
    unsigned = build_transaction(inputs, [TARGET])
    assert sign_transaction(unsigned, inputs) == sign_transaction(unsigned, inputs)
    other = sign_transaction(unsigned, inputs, entropy=b"\x01" * 32)
    assert other != sign_transaction(unsigned, inputs)
    assert other.txid == unsigned.txid
