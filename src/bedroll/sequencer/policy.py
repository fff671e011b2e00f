"""When a batch or a commitment is due, and how much may wait: pure decisions with the time passed in.

Reads: what is unposted, L1 heights, rates.  Gives: `batch_due`, `commitment_due`, `room_bytes`.
Never: posts.  Spec: docs/spec/sequencer.md#policy
"""

from dataclasses import dataclass

from bedroll.da import BatchForm
from bedroll.primitives import FeeRate, L1Height
from bedroll.protocol import Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPolicy:
    """The operator's choice.

    Attributes:
        age_seconds: A block waits at most about this long before a batch takes it.
        size_bytes: Unposted transactions of this size make a batch due at once.
        fee_rate_high: Above this rate (sat a 1,000 vB) batches wait up to `age_high_seconds` instead.
        age_high_seconds: Longest wait while fees are high.
        commitments: Whether commitments are posted.
        form: In which batches are posted; proven ones wait for somebody's proof.
    """

    age_seconds: float = 600.0
    size_bytes: int = 300_000
    fee_rate_high: int = 100_000
    age_high_seconds: float = 3_600.0
    commitments: bool = True
    form: BatchForm = BatchForm.SIGNED


@dataclass(frozen=True, slots=True, kw_only=True)
class Unposted:
    """What lies between the newest posted block and the tip.

    Attributes:
        blocks: L2 blocks.
        transactions: The leader's transactions in them.
        size_bytes: Their RLP size: an upper bound of what the codec makes of them.
        oldest_seconds: Age of the oldest.
        origins: L1 origins begun in them.
    """

    blocks: int
    transactions: int
    size_bytes: int
    oldest_seconds: float
    origins: int


def batch_due(
    policy: BatchPolicy,
    parameters: Parameters,
    unposted: Unposted,
    *,
    rate: FeeRate,
    l1_tip: L1Height,
    silent_since: L1Height,
) -> str | None:
    """Why a batch is due; None if it is not.

    Silence is a reason of its own: a batch must be accepted before W is over even where nobody sends anything.
    """
    if unposted.blocks == 0:
        return None
    quiet = l1_tip - silent_since
    if quiet >= parameters.auto_block_window // 2:
        return f"silence: {quiet} L1 blocks of {parameters.auto_block_window}"
    if unposted.size_bytes >= policy.size_bytes:
        return f"size: {unposted.size_bytes} bytes"
    if unposted.blocks >= parameters.batch_blocks_max // 2:
        return f"blocks: {unposted.blocks}"
    patience_seconds = policy.age_high_seconds if rate > policy.fee_rate_high else policy.age_seconds
    if unposted.oldest_seconds >= patience_seconds and (unposted.transactions or unposted.origins):
        return f"age: {unposted.oldest_seconds:.0f} s"
    return None


def proofs_are_late(parameters: Parameters, *, l1_tip: L1Height, silent_since: L1Height) -> bool:
    """Whether bodies that no proof came for are posted again with signatures: half of W is over (protocol.md 7)."""
    return l1_tip - silent_since >= parameters.auto_block_window // 2


def commitment_due(
    policy: BatchPolicy, *, uncommitted_blocks: int, l1_tip: L1Height, last_l1: L1Height | None, in_flight: bool
) -> bool:
    """Whether to post a commitment: one an L1 block, none while another one is on its way.

    Args:
        policy: The operator's.
        uncommitted_blocks: L2 blocks above the newest committed or posted one.
        l1_tip: Height of L1.
        last_l1: L1 tip when the last one was made.
        in_flight: Whether an earlier one is unconfirmed and not void.
    """
    return policy.commitments and uncommitted_blocks > 0 and not in_flight and (last_l1 is None or l1_tip > last_l1)


def room_bytes(parameters: Parameters, *, l1_tip: L1Height, silent_since: L1Height) -> int:
    """Bytes of signed batches that fit into a quarter of Bitcoin's room before automatic blocks (protocol.md 7).

    An L1 block has 4,000,000 weight units, one a witness byte; a quarter of that for every block that is left.
    """
    left_blocks = silent_since + parameters.auto_block_window - l1_tip
    return max(0, left_blocks) * 4_000_000 // 4
