"""Addresses of the contracts that stand from genesis, and of the caller of system calls.

Reads: nothing.  Gives: addresses.  Never: holds code (`execution.genesis` does).
Spec: docs/spec/protocol.md#predeploys
"""

from typing import Final

from bedroll.primitives import Address


def _predeploy(number: int) -> Address:
    return Address(bytes.fromhex("bed0") + number.to_bytes(18, "big"))


LIGHT_CLIENT: Final = _predeploy(1)
"""BitcoinLightClient: headers, inclusion checks, the queue of forced messages."""
ADDRESS_BOOK: Final = _predeploy(2)
"""AddressBook: the index of each address that has appeared in an included transaction."""
BASE_FEE_VAULT: Final = _predeploy(3)
"""Receives the base fee, of EVM gas and data gas."""
TIP_VAULT: Final = _predeploy(4)
"""Receives the tips; the coinbase of every block."""
WRAPPED_BITCOIN: Final = _predeploy(5)
"""xBTC: bitcoin as an ERC-20 token with permit."""

CREATE2_DEPLOYER: Final = Address(bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c"))
"""Deploys `salt ‖ code` by CREATE2, as Foundry, Hardhat and viem expect it."""
SAFE_DEPLOYER: Final = Address(bytes.fromhex("914d7fec6aac8cd542e72bca78b30650d45643d7"))
"""The same code where Safe expects it."""
SINGLETON_FACTORY: Final = Address(bytes.fromhex("ce0042b868300000d44a59004da54a005ffdcf9f"))
"""The deployer of ERC-2470."""
MULTICALL: Final = Address(bytes.fromhex("ca11bde05977b3631167028862be2a173976ca11"))
"""Multicall3, as libraries expect it."""

SYSTEM_CALLER: Final = Address(bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe"))
"""Caller of system calls (EIP-4788)."""
