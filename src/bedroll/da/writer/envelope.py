"""Commit and reveal: the transactions that carry an object, as pure functions.

Reads: an object's parts, a commit.  Gives: envelopes, ground reveals, sizes.
Never: chooses coins (the wallet does), sends, or draws randomness.  Spec: docs/spec/writer.md#transactions

The reveal's wtxid begins with the network's tag. What is ground is the reveal's *signature*: the leaf, and with it
commit and outpoint, stay as they are, so a try costs one BIP-0340 signature and one hash of the reveal.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from bedroll.bitcoin.sighash import SighashCache, taproot_sighash
from bedroll.bitcoin.taproot import TaprootOutput, leaf_hash
from bedroll.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from bedroll.crypto import schnorr
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import Invalid, Satoshi, Txid, VSize
from bedroll.protocol.fee_output import FEE_SCRIPT

from ..envelope import Carrier, build_leaf

KEY_SPEND: Final = (bytes(64),)
"""Witness of a key-path spend, for sizes."""
REVEAL_CHANGE_MIN: Final = Satoshi(330)
"""Least change of a reveal: dust of a taproot output; a child that pays for the reveal hangs on it."""
_TRIES_PER_TAG_VALUE: Final = 64
"""Tries for each value of the tag before giving up: a failure has probability e^-64."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A body in a leaf, and the output that commits to it."""

    key: SecretKey
    leaf: bytes
    output: TaprootOutput
    fee_output_sat: Satoshi

    @staticmethod
    def build(key: SecretKey, body: bytes, fee_output_sat: int = 0, carrier: Carrier = Carrier.BRANCH) -> "Envelope":
        """Put a body under a key.

        Args:
            key: Signs the reveal; of this envelope alone.
            body: An object, or a chunk of one.
            fee_output_sat: What its reveal pays to the fee script; 0 for none.
            carrier: Form of the envelope.
        """
        leaf = build_leaf(key.x_only, body, 0, carrier)
        return Envelope(key, leaf, TaprootOutput.build(key.x_only, [leaf]), Satoshi(fee_output_sat))

    def witness(self, signature: bytes) -> tuple[bytes, ...]:
        """Witness of the reveal's input."""
        return (signature, self.leaf, self.output.control_block())

    def reveal(self, previous: OutPoint, change: TxOut) -> Transaction:
        """The reveal without its signature (zeros stand there, so that sizes are right)."""
        outputs = [change]
        if self.fee_output_sat:
            outputs.insert(0, TxOut(self.fee_output_sat, FEE_SCRIPT))
        return Transaction((TxIn(previous, witness=self.witness(bytes(64))),), tuple(outputs))

    def reveal_size(self, change_script: bytes) -> VSize:
        """Virtual size of the reveal."""
        return self.reveal(OutPoint(_NOWHERE, 0), TxOut(Satoshi(0), change_script)).vsize


_NOWHERE: Final = Txid(bytes(32))


def commit_size(inputs: int, outputs: int) -> VSize:
    """Virtual size of a commit with key-path inputs and taproot outputs."""
    txin = TxIn(OutPoint(_NOWHERE, 0), witness=KEY_SPEND)
    txout = TxOut(Satoshi(0), b"\x51\x20" + bytes(32))
    return Transaction((txin,) * inputs, (txout,) * outputs).vsize


def build_reveal(
    commit: Transaction, index: int, envelope: Envelope, change_script: bytes, fee_sat: int, tag: bytes
) -> Transaction:
    """The reveal of one of a commit's outputs, signed and ground; what is left over comes back as change.

    Raises:
        Invalid: The output holds too little.
    """
    spent = commit.outputs[index]
    left_sat = spent.value - envelope.fee_output_sat - fee_sat
    if left_sat < REVEAL_CHANGE_MIN:
        short_sat = REVEAL_CHANGE_MIN - left_sat
        raise Invalid("a commit's output holds too little", held_sat=spent.value, short_sat=short_sat)
    reveal = envelope.reveal(commit.out_point(index), TxOut(Satoshi(left_sat), change_script))
    return grind(reveal, spent, envelope, tag)


def grind(reveal: Transaction, spent: TxOut, envelope: Envelope, tag: bytes) -> Transaction:
    """Sign a reveal so that its wtxid begins with the tag.

    Raises:
        Invalid: No signature was found; cannot happen but by a broken hash.
    """
    digest = taproot_sighash(SighashCache(reveal, [spent]), 0, leaf_hash=leaf_hash(envelope.leaf))
    unsigned = reveal.raw
    # Two bytes of marker and flag, less four of lock time, then the count of items and the signature's length.
    start = len(reveal.stripped) + 2 - 4 + 2
    head, tail = hashlib.sha256(unsigned[:start]), unsigned[start + 64 :]
    for attempt in range(_TRIES_PER_TAG_VALUE << (8 * len(tag))):
        signature = schnorr.sign(envelope.key, digest, attempt.to_bytes(32, "big"))
        state = head.copy()
        state.update(signature)
        state.update(tail)
        if hashlib.sha256(state.digest()).digest().startswith(tag):
            return reveal.with_witness(0, envelope.witness(signature))
    raise Invalid("no signature leads to the tag", tag=tag)
