"""`trace_…`: what transactions did, as Parity tells it: calls in a flat list, with changes of state if wanted.

Reads: traces of the engine, which are JSON already.  Gives: `TABLE`.
Never: runs more blocks again than the limit says.  Spec: docs/spec/api-trace.md#traces
"""

from typing import Final

from .block_tag import BlockRef, find_height, need_height, parse_block
from .error import Code, RpcError, invalid_params
from .method import MethodTable, required
from .quantity import parse_hash
from .service import Service
from .trace_method import bounds_of, find_transaction, traced
from .trace_option import TraceFilter, parse_parts, parse_trace_filter

TABLE: Final = MethodTable()

_PARTS: Final = required("trace types", parse_parts)


@TABLE.method("trace_transaction", required("transaction hash", parse_hash))
async def trace_transaction(service: Service, transaction_hash: bytes) -> object:
    """Calls of a transaction; null if the chain has none of this hash."""
    place = service.backend.engine.find_transaction(transaction_hash)
    if place is None:
        return None
    return await traced(service, service.backend.engine.flat_traces, *place, **bounds_of(service))


@TABLE.method("trace_block", required("block", parse_block))
async def trace_block(service: Service, ref: BlockRef) -> object:
    """Calls of all transactions of a block; null if the chain has none such."""
    height = find_height(service, ref)
    if height is None:
        return None
    return await traced(service, service.backend.engine.flat_traces, height, None, **bounds_of(service))


@TABLE.method("trace_replayTransaction", required("transaction hash", parse_hash), _PARTS)
async def replay_transaction(service: Service, transaction_hash: bytes, parts: list[str]) -> object:
    """Output, calls, steps and changes of state of a transaction, as far as wanted."""
    height, index = find_transaction(service, transaction_hash)
    return await traced(service, service.backend.engine.replay, height, index, parts, **bounds_of(service))


@TABLE.method("trace_replayBlockTransactions", required("block", parse_block), _PARTS)
async def replay_block(service: Service, ref: BlockRef, parts: list[str]) -> object:
    """The same of all transactions of a block."""
    height = need_height(service, ref)
    return await traced(service, service.backend.engine.replay, height, None, parts, **bounds_of(service))


@TABLE.method("trace_filter", required("filter", parse_trace_filter))
async def filter_traces(service: Service, wanted: TraceFilter) -> object:
    """Calls in a range of blocks, by who calls and who is called."""
    latest = service.backend.heads().latest.height
    first = need_height(service, wanted.first)
    last = (
        latest if wanted.last.number is not None and wanted.last.number > latest else need_height(service, wanted.last)
    )
    if first > last:
        raise invalid_params(f"invalid block range params: from {first} to {last}")
    most = service.limits.trace_range_blocks
    if last - first >= most:
        raise RpcError(Code.LIMIT, f"block range too large: {last - first + 1} blocks, at most {most}")
    return await traced(
        service,
        service.backend.engine.filter_traces,
        first,
        last,
        senders=wanted.senders,
        recipients=wanted.recipients,
        both=wanted.both,
        after=wanted.after,
        count=wanted.count,
        **bounds_of(service),
    )
