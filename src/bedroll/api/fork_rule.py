"""The rules of a chain of Ethereum's own, by time: what its fork schedule says (EIP-7910, EIP-6122).

Reads: the schedule of the engine's genesis.  Gives: `ForkSchedule`.
Never: is asked about a chain of Bedroll, whose rules never change.  Spec: docs/spec/api-chain.md#rules
"""

import zlib
from dataclasses import dataclass
from typing import Final, Self

from bedroll.execution.engine import Engine

from .rule import FORKS, ChainRules, precompiles_of, system_contracts_of

_REQUEST_CONTRACTS: Final = {
    "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS": "0000bbddc7ce488642fb579f8b00f3a590007251",
    "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS": "00000961ef480eb55e80d19ad83579a64c007002",
}


@dataclass(frozen=True, slots=True)
class ForkSchedule:
    """Forks of one chain.

    Attributes:
        forks: Name, height or time of each, in order.
        blobs: From which time on, target, most, and the divisor of the price's exponent.
        deposit_contract: Whose logs are deposits.
        genesis_hash, genesis_time: Of block 0.
    """

    forks: list[tuple[str, int | None, int | None]]
    blobs: list[tuple[int, int, int, int]]
    deposit_contract: bytes | None
    genesis_hash: bytes
    genesis_time: int

    @classmethod
    def of(cls, engine: Engine) -> Self | None:
        """The engine's; None where the chain is Bedroll's."""
        schedule, genesis = engine.schedule(), engine.header(0)
        if schedule is None or genesis is None:
            return None
        return cls(*schedule, genesis.hash, genesis.timestamp)

    def around(self, height: int, time: int) -> tuple[ChainRules, ChainRules | None, ChainRules | None]:
        """Rules of the block at a height and time, the next ones, and the last ones that are known."""
        changes = sorted({at for _, _, at in self.forks if at is not None} | {row[0] for row in self.blobs})
        past = [at for at in changes if at <= time]
        ahead = [at for at in changes if at > time]
        now = self.rules_at(height, past[-1] if past else 0)
        if not ahead:
            return now, None, None
        # Whatever comes by time comes after all that came by height.
        highest = max((at for _, at, _ in self.forks if at is not None), default=0)
        return now, self.rules_at(highest, ahead[0]), self.rules_at(highest, ahead[-1])

    def rules_at(self, height: int, time: int) -> ChainRules:
        """Rules that hold since a time, at a height that is not below it."""
        reached = [
            name
            for name, first, start in self.forks
            if (height >= first if first is not None else time >= (start or 0))
        ]
        fork = reached[-1] if reached else FORKS[0]
        blobs = [row[1:] for row in self.blobs if row[0] <= time]
        contracts = system_contracts_of(fork)
        if FORKS.index(fork) >= FORKS.index("Prague"):
            contracts |= _REQUEST_CONTRACTS
            if self.deposit_contract is not None:
                contracts["DEPOSIT_CONTRACT_ADDRESS"] = self.deposit_contract.hex()
        return ChainRules(
            activation_time=0 if time <= self.genesis_time else time,
            fork_id=self.fork_id(height, time),
            blobs=blobs[-1] if blobs else None,
            precompiles=precompiles_of(fork),
            system_contracts=contracts,
        )

    def fork_id(self, height: int, time: int) -> bytes:
        """CRC-32 over the hash of block 0 and all heights and times, after it, at which something changed."""
        heights = {at for _, at, _ in self.forks if at is not None and 0 < at <= height}
        times = {at for _, _, at in self.forks if at is not None} | {row[0] for row in self.blobs}
        passed = [*sorted(heights), *sorted(at for at in times if self.genesis_time < at <= time)]
        checksum = zlib.crc32(self.genesis_hash + b"".join(at.to_bytes(8, "big") for at in passed))
        return checksum.to_bytes(4, "big")
