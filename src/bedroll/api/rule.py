"""The rules of execution by name, as `eth_config` tells them.

Reads: nothing.  Gives: `ChainRules`.  Never: runs anything.  Spec: docs/spec/api-chain.md#rules
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_PRECOMPILES: Final = {
    name: f"{number:040x}"
    for name, number in (
        ("ECREC", 0x01),
        ("SHA256", 0x02),
        ("RIPEMD160", 0x03),
        ("ID", 0x04),
        ("MODEXP", 0x05),
        ("BN254_ADD", 0x06),
        ("BN254_MUL", 0x07),
        ("BN254_PAIRING", 0x08),
        ("BLAKE2F", 0x09),
        ("KZG_POINT_EVALUATION", 0x0A),
        ("BLS12_G1ADD", 0x0B),
        ("BLS12_G1MSM", 0x0C),
        ("BLS12_G2ADD", 0x0D),
        ("BLS12_G2MSM", 0x0E),
        ("BLS12_PAIRING_CHECK", 0x0F),
        ("BLS12_MAP_FP_TO_G1", 0x10),
        ("BLS12_MAP_FP2_TO_G2", 0x11),
        ("P256VERIFY", 0x100),
    )
}
_SYSTEM_CONTRACTS: Final = {
    "BEACON_ROOTS_ADDRESS": "000f3df6d732807ef1319fb7b8bb8522d0beac02",
    "HISTORY_STORAGE_ADDRESS": "0000f90827f1c53a10cb7a02335b175320002935",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRules:
    """Rules that are active; the defaults are Bedroll's: Osaka without blobs, deposits and withdrawals.

    Attributes:
        activation_time: Of these rules, seconds; 0: from block 0 on.
        fork_id: CRC-32 of EIP-2124; empty: of the genesis hash alone, as where nothing was ever forked.
        blobs: Target and most a block, and the divisor of their price's exponent.
        precompiles: Addresses by the names of EIP-7910.
        system_contracts: The same of contracts that the engine calls or writes itself.
    """

    activation_time: int = 0
    fork_id: bytes = b""
    blobs: tuple[int, int, int] = (0, 0, 5_007_716)
    precompiles: Mapping[str, str] = field(default_factory=_PRECOMPILES.copy)
    system_contracts: Mapping[str, str] = field(default_factory=_SYSTEM_CONTRACTS.copy)
