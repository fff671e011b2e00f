"""Lets other processes follow an embedded chain as if it were a bitcoind.

Reads: JSON-RPC from this machine, by cookie.  Gives: `RpcServer`, the part of bitcoind's calls that `rpc` makes.
Never: listens beyond loopback.  Spec: docs/spec/bitcoin.md#client
"""

from .http import RpcServer

__all__ = ["RpcServer"]
