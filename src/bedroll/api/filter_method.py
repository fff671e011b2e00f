"""`eth_newFilter` and its family: changes for clients that poll.

Reads: what the feed tells.  Gives: `TABLE`.
Never: answers for a filter that was forgotten as if nothing had come.  Spec: docs/spec/api-chain.md#filters
"""

from typing import Final

from .error import invalid_params
from .log_method import LogFilter, get_logs, parse_filter
from .method import MethodTable, optional, required
from .quantity import parse_bool, refuse
from .service import Service

TABLE: Final = MethodTable()

_ID_CHARACTERS_MAX: Final = 66


def parse_id(value: object, name: str) -> str:
    """Any word that may have been an id once, here or elsewhere; which filters there are is not for a parser to say."""
    if not isinstance(value, str) or len(value) > _ID_CHARACTERS_MAX:
        raise refuse(name, value, "the id of a filter")
    return value.lower()


_ID: Final = required("filter id", parse_id)


@TABLE.method("eth_newFilter", required("filter", lambda value, name: parse_filter(value, name)))
async def new_filter(service: Service, wanted: LogFilter) -> object:
    """Wait for logs."""
    if wanted.first.hash is not None:
        raise invalid_params("a filter of one block cannot change: use eth_getLogs")
    wanted.check_range()
    return service.filters.add("logs", wanted)


@TABLE.method("eth_newBlockFilter")
async def new_block_filter(service: Service) -> object:
    """Wait for blocks."""
    return service.filters.add("newHeads")


@TABLE.method("eth_newPendingTransactionFilter", optional("full", parse_bool, False))
async def new_pending_filter(service: Service, full: bool) -> object:
    """Wait for transactions that wait: for their hashes or, in full, for all of them."""
    return service.filters.add("newPendingTransactions", full=full)


@TABLE.method("eth_getFilterChanges", _ID)
async def filter_changes(service: Service, name: str) -> object:
    """What came since the last time: logs, hashes of blocks, hashes of transactions or the whole of them."""
    return service.filters.take(name)


@TABLE.method("eth_getFilterLogs", _ID)
async def filter_logs(service: Service, name: str) -> object:
    """All logs that fit, as `eth_getLogs` would give them."""
    wanted = service.filters.find(name).wanted
    if wanted is None:
        raise invalid_params("this is no filter of logs")
    return await get_logs(service, wanted)


@TABLE.method("eth_uninstallFilter", _ID)
async def uninstall_filter(service: Service, name: str) -> object:
    """Wait no longer."""
    return service.filters.remove(name)
