"""Targets, work, and when the target changes.

Reads: compact targets, times of ancestors.  Gives: targets, work, the next compact target.
Never: floats.  Spec: docs/spec/bitcoin.md#work
"""

from dataclasses import dataclass
from typing import Final

RETARGET_INTERVAL: Final = 2_016
"""Blocks between changes of the target (consensus)."""
RETARGET_TIMESPAN: Final = 14 * 24 * 3_600
"""What these blocks should take, seconds (consensus)."""
MIN_DIFFICULTY_GAP: Final = 2 * 600
"""On testnets a block this much later than its parent, seconds, may have the easiest target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRule:
    """How a Bitcoin network sets its target.

    Attributes:
        limit: Easiest target.
        limit_bits: The same, compact.
        easy_blocks: Whether a late block may have the easiest target (testnets).
        fixed: Whether the target never changes (regtest).
        first_of_period: BIP-0094: a retarget starts from the first block's target, not the last's (testnet4).
        version_heights: From these heights on a header's version is at least 2, 3, 4 (BIP-0034, 66, 65).
    """

    limit: int
    limit_bits: int
    easy_blocks: bool = False
    fixed: bool = False
    first_of_period: bool = False
    version_heights: tuple[int, int, int] = (1, 1, 1)


WORK_RULES: Final = {
    "main": WorkRule(limit=2**224 - 1, limit_bits=0x1D00FFFF, version_heights=(227_931, 363_725, 388_381)),
    "testnet4": WorkRule(limit=2**224 - 1, limit_bits=0x1D00FFFF, easy_blocks=True, first_of_period=True),
    "regtest": WorkRule(limit=2**255 - 1, limit_bits=0x207FFFFF, easy_blocks=True, fixed=True),
}
"""By the name that `getblockchaininfo` gives the network."""


def decode_target(bits: int) -> int | None:
    """Target of a compact form; None where it is negative, zero or above 2^256 − 1."""
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    target = mantissa >> 8 * (3 - exponent) if exponent <= 3 else mantissa << 8 * (exponent - 3)
    if bits & 0x800000 or target == 0 or target >> 256:
        return None
    return target


def encode_target(target: int) -> int:
    """Compact form: rounds down to three significant bytes."""
    size = (target.bit_length() + 7) // 8
    mantissa = target << 8 * (3 - size) if size <= 3 else target >> 8 * (size - 3)
    if mantissa & 0x800000:
        mantissa >>= 8
        size += 1
    return size << 24 | mantissa


def work_of_target(target: int) -> int:
    """Hashes one expects to need for a target: 2^256 / (target + 1), rounded down."""
    return (1 << 256) // (target + 1)


def retarget(rule: WorkRule, bits: int, first_time: int, last_time: int) -> int:
    """Compact target of the next period.

    Args:
        rule: Of the network.
        bits: Compact target that the period is judged from: its last block's, or its first's under BIP-0094.
        first_time: Time of the period's first block, seconds.
        last_time: Time of its last block, seconds.
    """
    if rule.fixed:
        return bits
    timespan = min(max(last_time - first_time, RETARGET_TIMESPAN // 4), RETARGET_TIMESPAN * 4)
    target = decode_target(bits) or 0
    return encode_target(min(target * timespan // RETARGET_TIMESPAN, rule.limit))
