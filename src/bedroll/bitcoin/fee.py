"""Fees: rates, dust, and what a replacement or a child must pay.

Reads: sizes, weights, rates.  Gives: satoshi, always rounded against us.
Never: estimates the market; a node does.  Spec: docs/spec/bitcoin.md#fee
"""

from collections.abc import Iterable
from typing import Final

from bedroll.primitives import FeeRate, Satoshi, VSize, Weight

from .script import is_unspendable, witness_program
from .transaction import TxOut

MIN_RELAY_RATE: Final = FeeRate(100)
"""Below this nodes do not relay (Bitcoin Core ≥ 29.1: `-minrelaytxfee`), satoshi for 1,000 vB."""
INCREMENTAL_RATE: Final = FeeRate(100)
"""What a replacement pays for its own relay on top (`-incrementalrelayfee`), satoshi for 1,000 vB."""
DUST_RATE: Final = FeeRate(3_000)
"""Rate at which spending an output must be worth it (`-dustrelayfee`), satoshi for 1,000 vB."""

_SPEND_SIZE_LEGACY: Final = 32 + 4 + 1 + 107 + 4
_SPEND_SIZE_WITNESS: Final = 32 + 4 + 1 + 107 // 4 + 4


def fee_of(size: VSize, rate: FeeRate) -> Satoshi:
    """Fee of a size at a rate, rounded up."""
    return Satoshi(-(-size * rate // 1_000))


def rate_of(fee: Satoshi, size: VSize) -> FeeRate:
    """Rate that a fee pays for a size, rounded down."""
    return FeeRate(fee * 1_000 // size)


def vsize_of(weight: Weight) -> VSize:
    """Virtual bytes of a weight, rounded up."""
    return VSize((weight + 3) // 4)


def dust_limit(script: bytes) -> Satoshi:
    """Least value of an output that relays: 330 for taproot, 294 for a witness key hash, 240 for an anchor.

    An output that cannot be spent has none.
    """
    if is_unspendable(script):
        return Satoshi(0)
    spend = _SPEND_SIZE_LEGACY if witness_program(script) is None else _SPEND_SIZE_WITNESS
    return fee_of(VSize(len(TxOut(Satoshi(0), script).serialize()) + spend), DUST_RATE)


def replacement_fee(evicted: Iterable[Satoshi], size: VSize, rate: FeeRate = INCREMENTAL_RATE) -> Satoshi:
    """Least fee of a replacement (BIP-0125 rules 3 and 4).

    Args:
        evicted: Fees of every transaction that leaves: the replaced ones and all their descendants.
        size: Of the replacement.
        rate: Incremental relay rate of the node.
    """
    return Satoshi(sum(evicted) + fee_of(size, rate))


def child_fee(parent_fee: Satoshi, parent_size: VSize, child_size: VSize, rate: FeeRate) -> Satoshi:
    """Fee of a child that lifts parent and child together to a rate, and pays at least for itself.

    Args:
        parent_fee: Of all unconfirmed ancestors together.
        parent_size: Of all unconfirmed ancestors together.
        child_size: Of the child.
        rate: Wanted for the package.
    """
    package = fee_of(VSize(parent_size + child_size), rate)
    return Satoshi(max(package - parent_fee, fee_of(child_size, rate)))
