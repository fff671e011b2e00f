"""`rpc.discover`: the API described by itself.

Reads: the table of methods that is served.  Gives: `TABLE`.  Never: makes the document twice.
Spec: docs/spec/api.md#openrpc
"""

from typing import Final

from .method import MethodTable
from .service import Service

TABLE: Final = MethodTable()


@TABLE.method("rpc.discover")
async def discover(service: Service) -> object:
    """The OpenRPC document of this server."""
    return service.document()
