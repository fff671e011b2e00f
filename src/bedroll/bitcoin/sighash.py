"""What a taproot signature signs (BIP-0341, BIP-0342).

Reads: a transaction and the outputs it spends.  Gives: 32-byte digests.
Never: caches across transactions.  Spec: docs/spec/bitcoin.md#sighash
"""

import hashlib
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Final

from bedroll.crypto import sha256, tagged_hash
from bedroll.encoding import encode_bytes
from bedroll.primitives import Hash32, Invalid

from .transaction import Transaction, TxOut

NO_CODESEPARATOR: Final = 0xFFFFFFFF
"""Position of the last executed `OP_CODESEPARATOR` where there was none."""


class HashType(IntEnum):
    """Which parts of the transaction a signature covers; every other byte is invalid."""

    DEFAULT = 0x00
    ALL = 0x01
    NONE = 0x02
    SINGLE = 0x03
    ALL_ANYONECANPAY = 0x81
    NONE_ANYONECANPAY = 0x82
    SINGLE_ANYONECANPAY = 0x83


_HASH_TYPES: Final = frozenset(int(each) for each in HashType)


class SighashCache:
    """Digests that all inputs of one transaction share.

    Attributes:
        transaction: What is signed; its witnesses do not matter.
        spent: The outputs its inputs spend, in order.
    """

    __slots__ = ("amounts", "outputs", "prevouts", "scripts", "sequences", "spent", "transaction")

    def __init__(self, transaction: Transaction, spent: Sequence[TxOut]) -> None:
        if len(spent) != len(transaction.inputs):
            raise Invalid("each input spends one output", inputs=len(transaction.inputs), spent=len(spent))
        self.transaction = transaction
        self.spent = tuple(spent)
        self.prevouts = _digest(each.previous.serialize() for each in transaction.inputs)
        self.amounts = _digest(each.value.to_bytes(8, "little") for each in spent)
        self.scripts = _digest(encode_bytes(each.script) for each in spent)
        self.sequences = _digest(each.sequence.to_bytes(4, "little") for each in transaction.inputs)
        self.outputs = _digest(each.serialize() for each in transaction.outputs)


def taproot_sighash(
    cache: SighashCache,
    index: int,
    hash_type: int = HashType.DEFAULT,
    *,
    leaf_hash: bytes | None = None,
    annex: bytes | None = None,
    codeseparator: int = NO_CODESEPARATOR,
) -> Hash32:
    """Digest that the signature of one input signs.

    Args:
        cache: Of the transaction.
        index: Of the input.
        hash_type: One of `HashType`.
        leaf_hash: Of the executed leaf for a script-path spend; None for the key path.
        annex: With its 0x50 prefix, or None.
        codeseparator: Position, in opcodes, of the last executed one in the leaf.

    Raises:
        Invalid: No such input, an undefined hash type, or SINGLE without an output of that index.
    """
    transaction = cache.transaction
    if not 0 <= index < len(transaction.inputs):
        raise Invalid("no such input", index=index, inputs=len(transaction.inputs))
    if hash_type not in _HASH_TYPES:
        raise Invalid("undefined hash type", hash_type=hash_type)
    anyone_can_pay, covers = hash_type & 0x80, hash_type & 3
    message = bytearray((0, hash_type))
    message += transaction.version.to_bytes(4, "little") + transaction.lock_time.to_bytes(4, "little")
    if not anyone_can_pay:
        message += cache.prevouts + cache.amounts + cache.scripts + cache.sequences
    if covers in (HashType.DEFAULT, HashType.ALL):
        message += cache.outputs
    message.append((2 if leaf_hash is not None else 0) | (annex is not None))
    if anyone_can_pay:
        mine, spent = transaction.inputs[index], cache.spent[index]
        message += mine.previous.serialize() + spent.serialize() + mine.sequence.to_bytes(4, "little")
    else:
        message += index.to_bytes(4, "little")
    if annex is not None:
        message += sha256(encode_bytes(annex))
    if covers == HashType.SINGLE:
        if index >= len(transaction.outputs):
            raise Invalid("SINGLE signs an output that is not there", index=index, outputs=len(transaction.outputs))
        message += sha256(transaction.outputs[index].serialize())
    if leaf_hash is not None:
        message += leaf_hash + b"\x00" + codeseparator.to_bytes(4, "little")
    return tagged_hash("TapSighash", bytes(message))


def _digest(parts: Iterable[bytes]) -> bytes:
    state = hashlib.sha256()
    for part in parts:
        state.update(part)
    return state.digest()
