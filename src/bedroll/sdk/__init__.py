"""What a program needs to use the chain: keys, signed transactions, a client.

Reads: secret keys, a JSON-RPC address.  Gives: `Account`, `Fees`, `RpcClient`.
Never: keeps a key on disk or shows one.  Spec: docs/spec/sdk.md
"""

from .account import Account, checksum_address
from .client import RpcClient, RpcFailure
from .mnemonic import DEVNET_MNEMONIC, accounts_of

__all__ = ["DEVNET_MNEMONIC", "Account", "RpcClient", "RpcFailure", "accounts_of", "checksum_address"]
