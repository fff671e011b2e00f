"""The networks: parameters and what genesis fixes.

Reads: nothing.  Gives: `MAINNET`, `TESTNET`, `REGTEST`.
Never: knows a host or a key.  Spec: docs/spec/protocol.md#networks
"""

from dataclasses import dataclass, replace
from typing import Final

from bedroll.primitives import Misconfigured

from .parameter import Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network's identity and rules.

    Attributes:
        name: As the operator writes it.
        number: One byte that stands for the network in objects and message ids.
        chain_id: EIP-155 chain id of L2.
        bitcoin: Name of the Bitcoin network, as `getblockchaininfo` says it.
        bech32_prefix: Human-readable part of its addresses (BIP-0173).
        parameters: Consensus numbers.
    """

    name: str
    number: int
    chain_id: int
    bitcoin: str
    bech32_prefix: str
    parameters: Parameters


_MAINNET_PARAMETERS: Final = Parameters(
    finality_depth=6,
    max_origin_lag=12,
    proof_ttl=144,
    auto_block_window=72,
    auto_block_step=6,
    open_sequencing_window=144,
    epoch_length=144,
    exodus_window=4_320,
    block_gas_limit=30_000_000,
    batch_gas_limit=10_000_000_000,
    batch_blocks_max=10_000,
    origin_blocks_max=3_600,
    second_blocks_max=10,
    timestamp_lead_max=4 * 3_600,
    forced_gas_limit=5_000_000,
    forced_message_gas_limit=1_000_000,
    forced_gas_min=50_000,
    forced_size_max=16_000,
    forced_fee=1_000,
    proof_fee=20_000,
    proofs_max=64,
    reveal_body_max=390_000,
    object_size_max=4 << 20,
    expanded_size_max=32 << 20,
    chunks_max=16,
    pending_size_max=64 << 20,
    chunk_charge_min=1_000,
    held_batches_max=16,
    commitment_age_max=6,
    tag=bytes.fromhex("bed0"),
    upgrade_delay=4_320,
    transfer_bytes=75,
    l1_rate_window=144,
    l1_rate_min=1,
    l1_rate_max=200,
    proof_systems=(1,),
    proofs_required=False,
    automatic_blocks_per_origin_max=4,
)

MAINNET: Final = Network(
    name="mainnet",
    number=1,
    chain_id=21_000_100,
    bitcoin="main",
    bech32_prefix="bc",
    parameters=_MAINNET_PARAMETERS,
)
"""Bitcoin itself. Proofs are not required until an `Upgrade` says so."""

TESTNET: Final = Network(
    name="testnet",
    number=2,
    chain_id=21_000_101,
    bitcoin="testnet4",
    bech32_prefix="tb",
    parameters=replace(_MAINNET_PARAMETERS, finality_depth=30),
)
"""testnet4, whose reorganisations run deeper: C is 30 (as others learned there)."""

REGTEST: Final = Network(
    name="regtest",
    number=3,
    chain_id=21_000_102,
    bitcoin="regtest",
    bech32_prefix="bcrt",
    parameters=replace(
        _MAINNET_PARAMETERS,
        finality_depth=2,
        max_origin_lag=4,
        proof_ttl=16,
        auto_block_window=8,
        auto_block_step=2,
        open_sequencing_window=16,
        epoch_length=16,
        exodus_window=40,
        timestamp_lead_max=None,
        proof_systems=(1, 2),
        tag=bytes.fromhex("be"),
        upgrade_delay=20,
    ),
)
"""A chain of one's own: short windows, timestamps unbounded above."""

NETWORKS: Final = {network.name: network for network in (MAINNET, TESTNET, REGTEST)}
"""All networks by name."""


def network_named(name: str) -> Network:
    """Find a network.

    Raises:
        Misconfigured: There is no network of that name.
    """
    found = NETWORKS.get(name)
    if found is None:
        raise Misconfigured(f"there is no network {name!r}", option="network", value=name, allowed=", ".join(NETWORKS))
    return found
