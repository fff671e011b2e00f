"""The rules of execution by name, as `eth_config` tells them.

Reads: nothing.  Gives: `ChainRules`, `precompiles_of`, `system_contracts_of`.
Never: runs anything.  Spec: docs/spec/api-chain.md#rules
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

FORKS: Final = (
    "Frontier",
    "Homestead",
    "Tangerine",
    "Spurious",
    "Byzantium",
    "Petersburg",
    "Istanbul",
    "Berlin",
    "London",
    "Merge",
    "Shanghai",
    "Cancun",
    "Prague",
    "Osaka",
)
"""As the core names them, in order."""
_PRECOMPILES: Final = (
    ("ECREC", 0x01, "Frontier"),
    ("SHA256", 0x02, "Frontier"),
    ("RIPEMD160", 0x03, "Frontier"),
    ("ID", 0x04, "Frontier"),
    ("MODEXP", 0x05, "Byzantium"),
    ("BN254_ADD", 0x06, "Byzantium"),
    ("BN254_MUL", 0x07, "Byzantium"),
    ("BN254_PAIRING", 0x08, "Byzantium"),
    ("BLAKE2F", 0x09, "Istanbul"),
    ("KZG_POINT_EVALUATION", 0x0A, "Cancun"),
    ("BLS12_G1ADD", 0x0B, "Prague"),
    ("BLS12_G1MSM", 0x0C, "Prague"),
    ("BLS12_G2ADD", 0x0D, "Prague"),
    ("BLS12_G2MSM", 0x0E, "Prague"),
    ("BLS12_PAIRING_CHECK", 0x0F, "Prague"),
    ("BLS12_MAP_FP_TO_G1", 0x10, "Prague"),
    ("BLS12_MAP_FP2_TO_G2", 0x11, "Prague"),
    ("P256VERIFY", 0x100, "Osaka"),
)
_SYSTEM_CONTRACTS: Final = (
    ("BEACON_ROOTS_ADDRESS", "000f3df6d732807ef1319fb7b8bb8522d0beac02", "Cancun"),
    ("HISTORY_STORAGE_ADDRESS", "0000f90827f1c53a10cb7a02335b175320002935", "Prague"),
)


def precompiles_of(fork: str) -> dict[str, str]:
    """Addresses of the precompiles that a fork has, by the names of EIP-7910."""
    return {name: f"{number:040x}" for name, number, first in _PRECOMPILES if _since(first, fork)}


def system_contracts_of(fork: str) -> dict[str, str]:
    """The same of contracts that the engine calls or writes itself, whichever chain it is."""
    return {name: address for name, address, first in _SYSTEM_CONTRACTS if _since(first, fork)}


def _since(first: str, fork: str) -> bool:
    return FORKS.index(first) <= FORKS.index(fork)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRules:
    """Rules that are active; the defaults are Bedroll's: Osaka without blobs, deposits and withdrawals.

    Attributes:
        activation_time: Of these rules, seconds; 0: from block 0 on.
        fork_id: CRC-32 of EIP-2124; empty: of the genesis hash alone, as where nothing was ever forked.
        blobs: Target and most a block, and the divisor of their price's exponent; None before there were any.
        precompiles: Addresses by the names of EIP-7910.
        system_contracts: The same of contracts that the engine calls or writes itself.
    """

    activation_time: int = 0
    fork_id: bytes = b""
    blobs: tuple[int, int, int] | None = (0, 0, 5_007_716)
    precompiles: Mapping[str, str] = field(default_factory=lambda: precompiles_of(FORKS[-1]))
    system_contracts: Mapping[str, str] = field(default_factory=lambda: system_contracts_of(FORKS[-1]))
