"""The chain as Ethereum's clients see it: JSON-RPC over HTTP and WebSocket on one port.

Reads: requests of strangers, a running node (`bedroll.api.port.Backend`).  Gives: `Server`, `Service`, `Limits`.
Never: holds a rule of the protocol, or trusts a byte of a request.  Spec: docs/spec/api.md
"""

from .dispatch import Dispatcher, method_table
from .error import Code, RpcError
from .limit import Limits
from .server import Server, ServerOptions
from .service import Service

__all__ = ["Code", "Dispatcher", "Limits", "RpcError", "Server", "ServerOptions", "Service", "method_table"]
