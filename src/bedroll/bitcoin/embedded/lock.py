"""Lock times: whether a transaction may be in the next block.

Reads: a transaction, the coins it spends, times of the chain.  Gives: yes or no.
Never: looks at scripts.  Spec: docs/spec/bitcoin.md#client
"""

from collections.abc import Sequence
from typing import Final

from ..client import Coin
from ..transaction import SEQUENCE_FINAL, Transaction
from .index import CoinIndex

LOCK_TIME_THRESHOLD: Final = 500_000_000
"""Lock times from here on are seconds, below they are heights (consensus)."""
COINBASE_MATURITY_BLOCKS: Final = 100
"""Depth at which a coinbase can be spent (consensus)."""

_RELATIVE_DISABLED: Final = 1 << 31
_RELATIVE_SECONDS: Final = 1 << 22
_RELATIVE_MASK: Final = 0xFFFF
_RELATIVE_SHIFT: Final = 9


def is_final(transaction: Transaction, height: int, median_time: int) -> bool:
    """Whether the absolute lock time allows a block.

    Args:
        transaction: Any.
        height: Of that block.
        median_time: Of the block before it (BIP-0113).
    """
    limit = height if transaction.lock_time < LOCK_TIME_THRESHOLD else median_time
    return transaction.lock_time < limit or all(each.sequence == SEQUENCE_FINAL for each in transaction.inputs)


def is_sequence_final(transaction: Transaction, coins: Sequence[Coin], index: CoinIndex, height: int) -> bool:
    """Whether all relative locks (BIP-0068) allow the block at `height`, the first above the index's tip.

    Args:
        transaction: Any.
        coins: What it spends, in the order of its inputs; unconfirmed ones count as in that block.
        index: Of the chain.
        height: Of that block.
    """
    if transaction.version < 2:
        return True
    now = index.median_time(height - 1)
    for each, coin in zip(transaction.inputs, coins, strict=True):
        if each.sequence & _RELATIVE_DISABLED:
            continue
        confirmed = height if coin.height is None else coin.height
        length = each.sequence & _RELATIVE_MASK
        if each.sequence & _RELATIVE_SECONDS:
            if now < index.median_time(max(confirmed - 1, 0)) + (length << _RELATIVE_SHIFT):
                return False
        elif height < confirmed + length:
            return False
    return True


def is_mature(coin: Coin, height: int) -> bool:
    """Whether a block at `height` may spend the coin."""
    return not coin.coinbase or coin.height is None or height - coin.height >= COINBASE_MATURITY_BLOCKS
