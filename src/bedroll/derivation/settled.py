"""What a settlement proof says.

Reads: public values of the settlement program.  Gives: `SettledStatement`.  Never: trusts a proof.
Spec: docs/spec/settlement.md#statement
"""

from dataclasses import dataclass
from typing import Final

from bedroll.primitives import Invalid

SETTLED_SIZE: Final = 362
"""Bytes of the public values of the settlement program."""
_VERSION: Final = 0x81


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledStatement:
    """Public values of the settlement program.

    Attributes:
        network: Number of the network.
        parameters: Digest of what two runs must agree on.
        batch_key, settlement_key: Verification keys of the programs, eight words each.
        l1_hash: Newest L1 block, internal order.
        l1_height: Its height.
        l1_work: Of the L1 blocks from the anchor's child on.
        tip: Hash of the L2 tip.
        height: Its height.
        state_root: Its accounts.
        origin_height: L1 height of its origin.
        state: Digest of what the next run is given.
    """

    network: int
    parameters: bytes
    batch_key: bytes
    settlement_key: bytes
    l1_hash: bytes
    l1_height: int
    l1_work: int
    tip: bytes
    height: int
    state_root: bytes
    origin_height: int
    state: bytes


def parse_settled(values: bytes) -> SettledStatement:
    """Read public values of the settlement program.

    Raises:
        Invalid: They are none of this version.
    """
    if len(values) != SETTLED_SIZE or values[0] != _VERSION:
        raise Invalid("public values are no settlement statement of this version", size=len(values), limit=SETTLED_SIZE)
    place = 2

    def take(size: int) -> bytes:
        nonlocal place
        place += size
        return values[place - size : place]

    parameters, batch_key, settlement_key = take(32), take(32), take(32)
    l1_hash, l1_height, l1_work = take(32), int.from_bytes(take(8), "big"), int.from_bytes(take(32), "big")
    tip, height, state_root, origin_height = take(32), int.from_bytes(take(8), "big"), take(32), take(8)
    return SettledStatement(
        network=values[1],
        parameters=parameters,
        batch_key=batch_key,
        settlement_key=settlement_key,
        l1_hash=l1_hash,
        l1_height=l1_height,
        l1_work=l1_work,
        tip=tip,
        height=height,
        state_root=state_root,
        origin_height=int.from_bytes(origin_height, "big"),
        state=values[-32:],
    )
