"""A Bitcoin node elsewhere: bitcoind, or an embedded chain that another process serves, by JSON-RPC.

Reads: answers from the network, bounded in size and time.  Gives: `RpcClient`, a `BitcoinClient`.
Never: trusts a node's form; every outage is `Unavailable` with its cause.  Spec: docs/spec/bitcoin.md#client
"""

from .client import RpcClient
from .transport import Access, RpcError

__all__ = ["Access", "RpcClient", "RpcError"]
