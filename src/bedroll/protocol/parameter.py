"""The table of consensus parameters: name, unit, reason.

Reads: nothing.  Gives: `Parameters`.  Never: a default, so that each network states every number.
Spec: docs/spec/protocol.md#parameters
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Numbers of one network. Windows are counted in L1 blocks, never in time (L1 intervals have no bound)."""

    finality_depth: int
    """C: an L1 block is used as origin only at this depth, L1 blocks."""
    max_origin_lag: int
    """L: a batch is current if its last origin lies at most this far behind its height − C, L1 blocks."""
    proof_ttl: int
    """V: how long a body or a series of chunks waits for its proof or its rest, L1 blocks."""
    auto_block_window: int
    """W: silence after which forced-only blocks are derived, L1 blocks."""
    auto_block_step: int
    """Between further runs of automatic blocks, L1 blocks."""
    open_sequencing_window: int
    """M: silence of the scheduled leader after which any key may post, L1 blocks."""
    epoch_length: int
    """Length of one leader schedule, L1 blocks."""
    exodus_window: int
    """X: blocks in which the proven head did not advance before the end, L1 blocks."""
    block_gas_limit: int
    """EVM gas of an L2 block; data gas is outside."""
    batch_gas_limit: int
    """EVM gas limits of a batch's transactions, summed."""
    batch_blocks_max: int
    """L2 blocks in a batch."""
    origin_blocks_max: int
    """L2 blocks with one origin, batches together."""
    second_blocks_max: int
    """Consecutive L2 blocks that share a timestamp."""
    timestamp_lead_max: int | None
    """How far a timestamp may lie above the origin's median time, seconds; None: unbounded (regtest)."""
    forced_gas_limit: int
    """G_f: gas of the forced part of one L2 block."""
    forced_message_gas_limit: int
    """Gas limit of one forced message."""
    forced_gas_min: int
    """What every forced message is charged at least, gas."""
    forced_size_max: int
    """Payload of one forced message, bytes."""
    forced_fee: int
    """Paid to the provably unspendable output by a forced message, satoshi."""
    proof_fee: int
    """Paid to the same output by a proof, and by a stranger's batch in open sequencing, satoshi."""
    proofs_max: int
    """Proofs that are verified in one L1 block."""
    reveal_body_max: int
    """Bytes of one reveal's envelope body."""
    object_size_max: int
    """Bytes of one object."""
    expanded_size_max: int
    """Bytes of a decoded batch."""
    chunks_max: int
    """Chunks of one series."""
    pending_size_max: int
    """Bytes of all waiting series."""
    chunk_charge_min: int
    """What a chunk counts at least against `pending_size_max`, bytes."""
    held_batches_max: int
    """Batches that wait for their parent."""
    commitment_age_max: int
    """A commitment is void unless included this many L1 blocks after its anchor."""
    tag: bytes
    """Prefix of the wtxid (internal order) of a relevant transaction."""
    upgrade_delay: int
    """Between an upgrade's inscription and its activation, L1 blocks."""
    transfer_bytes: int
    """What 21,000 gas pays for, bytes on Bitcoin."""
    l1_rate_window: int
    """Origins whose fees make the L1 rate."""
    l1_rate_min: int
    """Lowest L1 rate, sat/vB."""
    l1_rate_max: int
    """Highest L1 rate, sat/vB."""
    proof_systems: tuple[int, ...]
    """Systems whose proofs count: 1 Groth16, 2 compressed."""
    proofs_required: bool
    """Whether `finalized` needs a proof, and whether the end (exodus) exists."""
    automatic_blocks_per_origin_max: int
    """Automatic blocks of one origin while the queue of forced messages is not empty."""
