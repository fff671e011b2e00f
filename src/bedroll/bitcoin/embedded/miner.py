"""Blocks for regtest: coinbase, commitment and search for a nonce.

Reads: a parent, transactions and their fees.  Gives: blocks that BIP-0034, BIP-0054 and BIP-0141 allow.
Never: checks what it puts in.  Spec: docs/spec/bitcoin.md#client
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bedroll.primitives import COIN, BlockHash, Satoshi

from ..block import Block, commitment_script
from ..header import Header
from ..merkle import merkle_root
from ..script import build_script
from ..transaction import NULL_OUT_POINT, Transaction, TxIn, TxOut
from ..work import WORK_RULES

HALVING_INTERVAL: Final = 150
"""Blocks between halvings of the subsidy on regtest."""
BLOCK_VERSION: Final = 0x20000000
COINBASE_SEQUENCE: Final = 0xFFFFFFFE
"""Not final, so that the coinbase's lock time counts (BIP-0054)."""

_RESERVED: Final = bytes(32)
_BITS: Final = WORK_RULES["regtest"].limit_bits


def subsidy(height: int) -> Satoshi:
    """New money in a regtest block."""
    halvings = height // HALVING_INTERVAL
    return Satoshi(50 * COIN >> halvings if halvings < 64 else 0)


def build_block(
    parent: BlockHash,
    height: int,
    time: int,
    script: bytes,
    transactions: Sequence[Transaction] = (),
    fees: int = 0,
    mark: bytes = b"",
) -> Block:
    """Build and mine a block on any parent.

    Args:
        parent: Hash of the block before.
        height: Of the new block.
        time: Of the new block, seconds; later than the median of the eleven before.
        script: Receives subsidy and fees.
        transactions: In an order in which parents come first.
        fees: What they pay together, satoshi.
        mark: Up to 80 bytes that tell this block from another of the same content.
    """
    coinbase = _build_coinbase(height, script, subsidy(height) + fees, transactions, mark)
    everything = (coinbase, *transactions)
    root = merkle_root([each.txid for each in everything])
    for nonce in itertools.count():
        header = Header(BLOCK_VERSION, parent, root, time, _BITS, nonce)
        if header.meets_target():
            return Block(header, everything)
    raise AssertionError  # count() does not end


def _build_coinbase(
    height: int, script: bytes, value: int, transactions: Sequence[Transaction], mark: bytes
) -> Transaction:
    # BIP-0034 asks for the height first; a second push keeps the script at two bytes or more.
    given = TxIn(NULL_OUT_POINT, build_script(height, mark), COINBASE_SEQUENCE, (_RESERVED,))
    outputs = (TxOut(Satoshi(value), script), TxOut(Satoshi(0), commitment_script(transactions, _RESERVED)))
    # BIP-0054: a lock time of the height before makes coinbases of different heights differ.
    return replace(Transaction((given,), outputs), lock_time=height - 1)
