"""Shows that outputs, trees and signatures equal those of BIP-0341, and that Bitcoin Core's code agrees with ours."""

import ctypes
import json
from pathlib import Path
from typing import Any

import pbk
import pbk.capi.bindings as kernel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pbk.script import PrecomputedTransactionData, ScriptVerificationFlags

from bedroll.bitcoin.address import encode_address
from bedroll.bitcoin.builder import Input, KeyPath, LeafPath, build_transaction, estimate_weight, sign_transaction
from bedroll.bitcoin.opcode import Opcode
from bedroll.bitcoin.script import build_script, taproot_script
from bedroll.bitcoin.sighash import HashType, SighashCache, taproot_sighash
from bedroll.bitcoin.taproot import (
    BadControlBlock,
    ControlBlock,
    TaprootOutput,
    TapTree,
    branch_hash,
    leaf_hash,
    tweak_output_key,
    tweak_secret_key,
)
from bedroll.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from bedroll.bitcoin.witness import KeySpend, ScriptSpend, parse_taproot_witness
from bedroll.crypto import schnorr, sha256
from bedroll.crypto.secp256k1 import BadKey, SecretKey
from bedroll.primitives import Invalid, Satoshi, Txid
from bedroll.protocol import MAINNET
from bedroll.protocol.fee_output import NUMS_KEY

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/bitcoin/bip341-wallet-test-vectors.json").read_text())
SPENDING = VECTORS["keyPathSpending"][0]
KEY = SecretKey(sha256(b"a key of this test"))


def _leaves(tree: Any, depth: int = 0) -> list[tuple[int, int, bytes]]:
    """(depth, id, leaf hash) of a nested pair of leaves."""
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [(depth, tree["id"], leaf_hash(bytes.fromhex(tree["script"]), tree["leafVersion"]))]
    return [leaf for side in tree for leaf in _leaves(side, depth + 1)]


def _verify(transaction: Transaction, spent: list[TxOut], index: int) -> bool:
    """Bitcoin Core's verdict on one input, under all consensus rules."""
    raw = transaction.raw
    buffer = (ctypes.c_ubyte * len(raw)).from_buffer_copy(raw)
    theirs = pbk.Transaction._from_handle(kernel.btck_transaction_create(buffer, len(raw)))
    outputs = [pbk.TransactionOutput(pbk.ScriptPubkey(each.script), each.value) for each in spent]
    checked = PrecomputedTransactionData(theirs, outputs)
    script = outputs[index].script_pubkey
    return bool(script.verify(spent[index].value, theirs, checked, index, ScriptVerificationFlags.ALL))


@pytest.mark.parametrize("case", VECTORS["scriptPubKey"], ids=lambda case: case["expected"]["scriptPubKey"][:12])
def test_published_outputs(case: dict[str, Any]) -> None:
    given_, between, expected = case["given"], case["intermediary"], case["expected"]
    # Deepest first: then our balanced tree has the published shape.
    leaves = sorted(_leaves(given_["scriptTree"]), key=lambda leaf: -leaf[0])
    internal = bytes.fromhex(given_["internalPubkey"])
    tree = TapTree([leaf for _, _, leaf in leaves]) if leaves else None
    assert (tree.root.hex() if tree else None) == between["merkleRoot"]
    key, parity = tweak_output_key(internal, tree.root if tree else b"")
    assert key.hex() == between["tweakedPubkey"]
    assert taproot_script(key).hex() == expected["scriptPubKey"]
    assert encode_address(taproot_script(key), MAINNET) == expected["bip350Address"]
    for position, (_, number, leaf) in enumerate(leaves):
        assert tree is not None
        assert leaf.hex() == between["leafHashes"][number]
        published = bytes.fromhex(expected["scriptPathControlBlocks"][number])
        control = ControlBlock.parse(published)
        assert control == ControlBlock(control.version, parity, internal, tree.path(position))
        assert control.serialize() == published
        control.verify(key, _script_of(given_["scriptTree"], number))


def _script_of(tree: Any, number: int) -> bytes:
    if isinstance(tree, dict):
        return bytes.fromhex(tree["script"]) if tree["id"] == number else b""
    return b"".join(_script_of(side, number) for side in tree)


@pytest.mark.parametrize("case", SPENDING["inputSpending"], ids=lambda case: str(case["given"]["txinIndex"]))
def test_published_signatures(case: dict[str, Any]) -> None:
    unsigned = Transaction.parse(bytes.fromhex(SPENDING["given"]["rawUnsignedTx"]))
    spent = [
        TxOut(Satoshi(each["amountSats"]), bytes.fromhex(each["scriptPubKey"]))
        for each in SPENDING["given"]["utxosSpent"]
    ]
    given_, between = case["given"], case["intermediary"]
    cache = SighashCache(unsigned, spent)
    for name, ours in (
        ("hashAmounts", cache.amounts),
        ("hashOutputs", cache.outputs),
        ("hashPrevouts", cache.prevouts),
        ("hashScriptPubkeys", cache.scripts),
        ("hashSequences", cache.sequences),
    ):
        assert ours.hex() == SPENDING["intermediary"][name]
    digest = taproot_sighash(cache, given_["txinIndex"], given_["hashType"])
    assert digest.hex() == between["sigHash"]
    key = tweak_secret_key(
        SecretKey(bytes.fromhex(given_["internalPrivkey"])), bytes.fromhex(given_["merkleRoot"] or "")
    )
    assert key.secret.hex() == between["tweakedPrivkey"]
    suffix = bytes((given_["hashType"],)) if given_["hashType"] else b""
    signature = schnorr.sign(key, digest) + suffix
    assert signature.hex() == case["expected"]["witness"][0]
    signed = Transaction.parse(bytes.fromhex(SPENDING["auxiliary"]["fullySignedTx"]))
    assert signed.inputs[given_["txinIndex"]].witness == (signature,)
    assert _verify(signed, spent, given_["txinIndex"])


def _coin(number: int, script: bytes, value: int = 50_000) -> tuple[OutPoint, TxOut]:
    return OutPoint(Txid(sha256(bytes((number,)))), number), TxOut(Satoshi(value), script)


OUTPUTS = [TxOut(Satoshi(20_000), b"\x51\x20" + b"\x08" * 32), TxOut(Satoshi(9_000), b"\x6a\x02hi")]


@pytest.mark.parametrize("hash_type", list(HashType), ids=lambda each: each.name)
def test_the_kernel_accepts_each_hash_type_on_both_paths_and_refuses_any_change(hash_type: HashType) -> None:
    script = build_script(KEY.x_only, Opcode.OP_CHECKSIGVERIFY, b"nonce", Opcode.OP_DROP, Opcode.OP_1)
    output = TaprootOutput.build(KEY.x_only, [b"\x51", script, b"\x52"])
    assert output.tree is not None
    by_key = KeyPath(tweak_secret_key(KEY, output.tree.root), hash_type)
    by_leaf = LeafPath(script, output.control_block(1), KEY, hash_type=hash_type)
    inputs = [Input(*_coin(1, output.script), by_key), Input(*_coin(2, output.script), by_leaf)]
    signed = sign_transaction(build_transaction(inputs, OUTPUTS), inputs)
    spent = [each.output for each in inputs]
    assert signed.weight == estimate_weight(inputs, OUTPUTS)
    assert [_verify(signed, spent, at) for at in range(2)] == [True, True]
    for at in range(2):
        broken = bytearray(signed.inputs[at].witness[0])
        broken[40] ^= 1
        changed = signed.with_witness(at, (bytes(broken), *signed.inputs[at].witness[1:]))
        assert not _verify(changed, spent, at)
    # Only what the hash type covers is covered.
    more = Transaction(signed.inputs, (*signed.outputs, OUTPUTS[0]))
    assert _verify(more, spent, 0) == (hash_type & 3 in (HashType.NONE, HashType.SINGLE))
    joined = Transaction((*signed.inputs, TxIn(OutPoint(Txid(bytes(32)), 7))), signed.outputs)
    assert _verify(joined, [*spent, OUTPUTS[0]], 0) == bool(hash_type & 0x80)


def test_the_kernel_accepts_an_annex_and_a_code_separator() -> None:
    script = build_script(Opcode.OP_CODESEPARATOR, KEY.x_only, Opcode.OP_CHECKSIG)
    output = TaprootOutput.build(NUMS_KEY, [script])
    inputs = [Input(*_coin(1, output.script), None)]
    unsigned = build_transaction(inputs, OUTPUTS)
    annex = b"\x50 an annex"
    digest = taproot_sighash(
        SighashCache(unsigned, [inputs[0].output]), 0, leaf_hash=leaf_hash(script), annex=annex, codeseparator=0
    )
    witness = (schnorr.sign(KEY, digest), script, output.control_block(), annex)
    assert _verify(unsigned.with_witness(0, witness), [inputs[0].output], 0)
    assert not _verify(unsigned.with_witness(0, (*witness[:3], annex + b"!")), [inputs[0].output], 0)
    spend = parse_taproot_witness(witness)
    assert isinstance(spend, ScriptSpend)
    assert (spend.stack, spend.script, spend.annex) == (witness[:1], script, annex)
    spend.control.verify(output.output_key, script)


def test_any_of_ten_thousand_leaves_spends() -> None:
    scripts = [build_script(KEY.x_only, Opcode.OP_CHECKSIGVERIFY, number + 1) for number in range(10_000)]
    output = TaprootOutput.build(NUMS_KEY, scripts)
    blocks = [output.control_block(at) for at in range(len(scripts))]
    assert max(map(len, blocks)) == 33 + 32 * 14
    for at in (0, 7_777, 9_999):
        inputs = [Input(*_coin(1, output.script), LeafPath(scripts[at], blocks[at], KEY))]
        signed = sign_transaction(build_transaction(inputs, OUTPUTS), inputs)
        assert _verify(signed, [inputs[0].output], 0)
        swapped = signed.with_witness(0, (signed.inputs[0].witness[0], scripts[at], blocks[at ^ 1]))
        assert not _verify(swapped, [inputs[0].output], 0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(count=st.integers(1, 70), pick=st.integers(0, 69), bit=st.integers(0, 10_000))
def test_a_control_block_proves_its_leaf_and_nothing_else(count: int, pick: int, bit: int) -> None:
    scripts = [build_script(number, Opcode.OP_DROP, Opcode.OP_1) for number in range(count)]
    output = TaprootOutput.build(KEY.x_only, scripts)
    at = pick % count
    raw = output.control_block(at)
    ControlBlock.parse(raw).verify(output.output_key, scripts[at])
    with pytest.raises(BadControlBlock, match="does not lead"):
        ControlBlock.parse(raw).verify(output.output_key, scripts[at] + b"\x61")
    broken = bytearray(raw)
    broken[bit // 8 % len(raw)] ^= 1 << bit % 8
    with pytest.raises(BadControlBlock):
        ControlBlock.parse(bytes(broken)).verify(output.output_key, scripts[at])


@pytest.mark.parametrize("size", [0, 1, 32, 34, 64, 33 + 32 * 129])
def test_a_control_block_of_impossible_length_is_refused(size: int) -> None:
    with pytest.raises(BadControlBlock, match="impossible length"):
        ControlBlock.parse(bytes(size))


def test_the_order_of_a_branch_does_not_matter() -> None:
    left, right = leaf_hash(b"\x51"), leaf_hash(b"\x52")
    assert branch_hash(left, right) == branch_hash(right, left)


def test_a_witness_is_split_by_its_shape() -> None:
    assert parse_taproot_witness([b"sig"]) == KeySpend(b"sig", None)
    assert parse_taproot_witness([b"sig", b"\x50"]) == KeySpend(b"sig", b"\x50")
    # A single item is never an annex.
    assert parse_taproot_witness([b"\x50"]) == KeySpend(b"\x50", None)
    with pytest.raises(Invalid, match="no witness"):
        parse_taproot_witness([])


def test_what_cannot_be_signed_is_invalid() -> None:
    transaction = Transaction((TxIn(OutPoint(Txid(bytes(32)), 0)), TxIn(OutPoint(Txid(bytes(32)), 1))), (OUTPUTS[0],))
    cache = SighashCache(transaction, OUTPUTS)
    for index, hash_type, why in (
        (2, 0, "no such input"),
        (0, 4, "hash type"),
        (0, 0x80, "hash type"),
        (1, 3, "SINGLE"),
    ):
        with pytest.raises(Invalid, match=why):
            taproot_sighash(cache, index, hash_type)
    with pytest.raises(Invalid, match="each input"):
        SighashCache(transaction, OUTPUTS[:1])
    with pytest.raises(BadKey):
        TaprootOutput.build(b"\xff" * 32)
    with pytest.raises(Invalid, match="no leaves"):
        TaprootOutput.build(KEY.x_only).control_block()
    with pytest.raises(Invalid, match="no such leaf"):
        TaprootOutput.build(KEY.x_only, [b"\x51"]).control_block(1)
