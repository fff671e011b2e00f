"""What a transaction pays for its data, and what it pays the leader (protocol.md 6).

Reads: a decoded transaction, base fee, L1 rate.  Gives: data gas, executability, tip.
Never: decides what is included: the engine does; this only says what need not be tried.
Spec: docs/spec/execution.md#fee
"""

from dataclasses import dataclass
from typing import Final

from .engine import Transaction

EVM_GAS_MAX: Final = 1 << 24
"""Most EVM gas of one transaction (EIP-7825); a larger limit is only spent as data gas."""


@dataclass(frozen=True, slots=True)
class FeeRule:
    """What the next transaction in the open block meets.

    Attributes:
        base_fee_wei: Of the open block, wei a gas.
        l1_rate_wei: r, wei a witness byte.
        transfer_bytes: Bytes that 21,000 gas pay for.
    """

    base_fee_wei: int
    l1_rate_wei: int
    transfer_bytes: int

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Base fee, L1 rate and bytes, as the core takes them."""
        return self.base_fee_wei, self.l1_rate_wei, self.transfer_bytes

    def data_gas(self, size_bytes: int) -> int:
        """Gas for the bytes beyond a plain transfer's."""
        beyond_bytes = size_bytes - self.transfer_bytes
        if beyond_bytes <= 0:
            return 0
        return -(-self.l1_rate_wei * beyond_bytes // max(self.base_fee_wei, 1))

    def is_executable(self, transaction: Transaction) -> bool:
        """Whether its fee cap covers the base fee and its gas limit covers data and intrinsic gas."""
        return (
            transaction.max_fee_per_gas >= self.base_fee_wei
            and transaction.gas_limit - self.data_gas(transaction.size) >= transaction.intrinsic_gas
        )

    def evm_gas(self, transaction: Transaction) -> int:
        """EVM gas that it may use: what it needs to be left in the block."""
        return min(transaction.gas_limit - self.data_gas(transaction.size), EVM_GAS_MAX)

    def tip_wei(self, transaction: Transaction) -> int:
        """Tip a gas; negative where the cap is below the base fee."""
        return min(transaction.max_priority_fee_per_gas, transaction.max_fee_per_gas - self.base_fee_wei)


def batch_gas(transaction: Transaction) -> int:
    """What a transaction's gas limit counts against a batch's (protocol.md 2, `batch_limits`)."""
    return min(transaction.gas_limit, EVM_GAS_MAX)


def cost_wei(transaction: Transaction) -> int:
    """Most that a transaction can take from its sender."""
    return transaction.value + transaction.gas_limit * transaction.max_fee_per_gas
