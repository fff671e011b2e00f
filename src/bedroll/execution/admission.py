"""What a transaction must be before it may wait in the mempool; refusals say it in Ethereum's words.

Reads: a decoded transaction, nonce and balance.  Gives: `Refused`, the checks.
Never: knows other transactions.  Spec: docs/spec/execution.md#admission
"""

from typing import Final

from bedroll.primitives import Invalid

from .engine import Transaction
from .fee import cost_wei

INITCODE_BYTES_MAX: Final = 49_152
"""EIP-3860."""
GAS_LIMIT_MAX: Final = 2**63 - 1
"""Above it no engine counts."""
NONCE_MAX: Final = 2**64 - 2
"""EIP-2681."""


class Refused(Invalid):
    """The mempool does not take a transaction; the message is what Ethereum clients say."""


def check_alone(transaction: Transaction, chain_id: int, size_limit_bytes: int, tip_min_wei: int) -> None:
    """Check what the transaction alone decides.

    Raises:
        Refused: It can never be in a block here.
    """
    if len(transaction.raw) > size_limit_bytes:
        raise Refused(f"oversized data: transaction size {len(transaction.raw)}, limit {size_limit_bytes}")
    if transaction.chain_id is None and transaction.to is not None:
        raise Refused("only replay-protected (EIP-155) transactions allowed over RPC")
    if transaction.chain_id not in (None, chain_id):
        raise Refused(f"invalid chain id for signer: have {transaction.chain_id} want {chain_id}")
    if transaction.nonce > NONCE_MAX:
        raise Refused(f"nonce has max value: nonce {transaction.nonce}")
    if transaction.to is None and len(transaction.input) > INITCODE_BYTES_MAX:
        raise Refused(f"max initcode size exceeded: code size {len(transaction.input)}, limit {INITCODE_BYTES_MAX}")
    if transaction.gas_limit > GAS_LIMIT_MAX:
        raise Refused(f"exceeds block gas limit: gas {transaction.gas_limit}, limit {GAS_LIMIT_MAX}")
    if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
        raise Refused(
            "max priority fee per gas higher than max fee per gas: "
            f"maxPriorityFeePerGas: {transaction.max_priority_fee_per_gas}, maxFeePerGas: {transaction.max_fee_per_gas}"
        )
    if transaction.max_priority_fee_per_gas < tip_min_wei:
        raise Refused(
            f"transaction underpriced: tip needed {tip_min_wei}, tip permitted {transaction.max_priority_fee_per_gas}"
        )
    if transaction.gas_limit < transaction.intrinsic_gas:
        raise Refused(f"intrinsic gas too low: gas {transaction.gas_limit}, minimum needed {transaction.intrinsic_gas}")


def check_account(
    transaction: Transaction, *, next_nonce: int, balance_wei: int, waiting_wei: int, nonce_gap: int
) -> None:
    """Check nonce and balance.

    Args:
        transaction: The one at hand.
        next_nonce: Of the sender, inside the open block.
        balance_wei: Of the sender, inside the open block.
        waiting_wei: Most that the sender's other waiting transactions can take.
        nonce_gap: How far beyond `next_nonce` the nonce may lie.

    Raises:
        Refused: The account cannot send it.
    """
    if transaction.nonce < next_nonce:
        raise Refused(f"nonce too low: next nonce {next_nonce}, tx nonce {transaction.nonce}")
    if transaction.nonce > next_nonce + nonce_gap:
        raise Refused(
            f"nonce too high: next nonce {next_nonce}, tx nonce {transaction.nonce}, limit {next_nonce + nonce_gap}"
        )
    cost = cost_wei(transaction)
    if cost > balance_wei:
        raise Refused(
            "insufficient funds for gas * price + value: "
            f"balance {balance_wei}, tx cost {cost}, overshot {cost - balance_wei}"
        )
    if waiting_wei + cost > balance_wei:
        raise Refused(
            "insufficient funds for gas * price + value: "
            f"balance {balance_wei}, queued cost {waiting_wei}, tx cost {cost}, "
            f"overshot {waiting_wei + cost - balance_wei}"
        )
