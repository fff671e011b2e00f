"""Tapscript leaves in real spends, judged by Bitcoin Core's own code."""

import ctypes
from collections.abc import Sequence

import pbk
import pbk.capi.bindings as kernel
from pbk.script import PrecomputedTransactionData, ScriptVerificationFlags

from bedroll.bitcoin.sighash import SighashCache, taproot_sighash
from bedroll.bitcoin.taproot import TaprootOutput, leaf_hash
from bedroll.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from bedroll.bitvm.interpreter import Context
from bedroll.crypto import schnorr, sha256
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import Satoshi, Txid

SECRET = SecretKey(sha256(b"a signer of tests"))
INTERNAL = SecretKey(sha256(b"an internal key of tests")).x_only


class Spend:
    """A transaction that spends one leaf: what a script can see of it, and Core's verdict.

    Args:
        script: The leaf.
        version: Of the transaction.
        sequence: Of its input.
        lock_time: Of the transaction.
    """

    def __init__(self, script: bytes, *, version: int = 2, sequence: int = 0xFFFFFFFD, lock_time: int = 0) -> None:
        self.script = script
        self.output = TaprootOutput.build(INTERNAL, [script])
        self.spent = TxOut(Satoshi(100_000), self.output.script)
        inputs = (TxIn(OutPoint(Txid(bytes(31) + b"\1"), 0), sequence=sequence),)
        self.transaction = Transaction(inputs, (TxOut(Satoshi(50_000), self.output.script),), version, lock_time)
        self.cache = SighashCache(self.transaction, [self.spent])
        self.control = self.output.control_block()

    def signature(self, separator: int = 0xFFFFFFFF) -> bytes:
        """By the signer of tests."""
        digest = taproot_sighash(self.cache, 0, leaf_hash=leaf_hash(self.script), codeseparator=separator)
        return schnorr.sign(SECRET, digest, bytes(32))

    def context(self, items: Sequence[bytes]) -> Context:
        """For the interpreter."""
        signed = self.filled(items)

        def check(key: bytes, signature: bytes, separator: int) -> bool:
            if len(signature) == 65 and signature[64] == 0:
                return False
            hash_type = signature[64] if len(signature) == 65 else 0
            if hash_type not in (0, 1, 2, 3, 0x81, 0x82, 0x83):
                return False
            digest = taproot_sighash(
                self.cache, 0, hash_type, leaf_hash=leaf_hash(self.script), codeseparator=separator
            )
            return schnorr.is_valid(key, digest, signature[:64])

        size = len(signed.raw) - len(signed.stripped) - 2
        transaction = self.transaction
        return Context(
            check, transaction.version, transaction.lock_time, transaction.inputs[0].sequence, witness_bytes=size
        )

    def filled(self, items: Sequence[bytes]) -> Transaction:
        """The transaction with its witness."""
        return self.transaction.with_witness(0, (*items, self.script, self.control))

    def is_valid(self, items: Sequence[bytes]) -> bool:
        """Core's verdict, consensus rules only."""
        raw = self.filled(items).raw
        buffer = (ctypes.c_ubyte * len(raw)).from_buffer_copy(raw)
        theirs = pbk.Transaction._from_handle(kernel.btck_transaction_create(buffer, len(raw)))
        outputs = [pbk.TransactionOutput(pbk.ScriptPubkey(self.spent.script), self.spent.value)]
        checked = PrecomputedTransactionData(theirs, outputs)
        return bool(outputs[0].script_pubkey.verify(self.spent.value, theirs, checked, 0, ScriptVerificationFlags.ALL))
