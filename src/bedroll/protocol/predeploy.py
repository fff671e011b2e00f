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

SYSTEM_CALLER: Final = Address(bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe"))
"""Caller of system calls (EIP-4788)."""
