"""`debug_trace…`: what transactions and calls did, as geth's tracers tell it.

Reads: traces of the engine, which are JSON already.  Gives: `TABLE`, `bounds_of`, `traced`.
Never: traces on the loop's thread, or beyond the limits of size and time.  Spec: docs/spec/api-trace.md#traces
"""

import time
from collections.abc import Callable, Sequence
from typing import Final, ParamSpec, TypedDict

import msgspec

from bedroll.execution.engine import View
from bedroll.primitives import Invalid

from .block_tag import LATEST, BlockRef, need_height, parse_block, parse_number, view_at
from .call import CallRequest, blobs_of, parse_call
from .error import Code, RpcError, from_invalid, invalid_params
from .method import MethodTable, optional, required
from .quantity import parse_hash, show_data
from .script import COMMAND
from .service import Service
from .trace_option import DEFAULT, TraceOptions, parse_call_options, parse_options
from .worker import SPENT

TABLE: Final = MethodTable()

P = ParamSpec("P")


class Bounds(TypedDict):
    """What one trace may cost, as the engine takes it."""

    result_bytes: int
    seconds: float


@TABLE.method(
    "debug_traceTransaction",
    required("transaction hash", parse_hash),
    optional("options", parse_options, DEFAULT),
)
async def trace_transaction(service: Service, transaction_hash: bytes, options: TraceOptions) -> object:
    """Trace an included transaction."""
    height, index = find_transaction(service, transaction_hash)
    return await _sealed(service, height, index, options)


@TABLE.method(
    "debug_traceBlockByNumber", required("block number", parse_number), optional("options", parse_options, DEFAULT)
)
async def trace_block_by_number(service: Service, ref: BlockRef, options: TraceOptions) -> object:
    """Trace all transactions of a block."""
    return await _block(service, ref, options)


@TABLE.method("debug_traceBlockByHash", required("block hash", parse_hash), optional("options", parse_options, DEFAULT))
async def trace_block_by_hash(service: Service, block_hash: bytes, options: TraceOptions) -> object:
    """Trace all transactions of a block."""
    return await _block(service, BlockRef(hash=block_hash), options)


@TABLE.method(
    "debug_traceCall",
    required("transaction", lambda value, name: parse_call(value, name, blobs=True)),
    optional("block", parse_block, LATEST),
    optional("options", parse_call_options, DEFAULT),
)
async def trace_call(service: Service, request: CallRequest, ref: BlockRef, options: TraceOptions) -> object:
    """Trace a call on top of a block."""
    request.check_chain(service.backend.network.chain_id)
    view = view_at(service, ref)
    gas = min(request.gas or service.limits.call_gas, service.limits.call_gas)
    bounds, command = bounds_of(service, options.seconds), _command_of(service, options)
    return await traced(service, _paid(run_trace, command), view, request, gas, options, bounds, command)


def run_trace(
    view: View, request: CallRequest, gas: int, options: TraceOptions, bounds: Bounds, command: Sequence[str] = ()
) -> bytes:
    """Trace a call on a view; on a worker's thread."""
    blobs = blobs_of(view, request)
    return view.trace_call(
        sender=request.sender,
        to=request.to,
        data=request.data,
        value=request.value,
        gas_limit=gas,
        gas_price=request.fee_cap or 0,
        access_list=request.access_list,
        authorizations=request.authorizations,
        overrides=options.overrides.state,
        block_overrides=options.overrides.block,
        options=options.core,
        script_command=command,
        **bounds,
        **blobs,
    )


async def _block(service: Service, ref: BlockRef, options: TraceOptions) -> object:
    return await _sealed(service, need_height(service, ref), None, options)


async def _sealed(service: Service, height: int, index: int | None, options: TraceOptions) -> object:
    """Trace a transaction of a sealed block, or all of them."""
    bounds, command = bounds_of(service, options.seconds), _command_of(service, options)
    trace = _paid(service.backend.engine.trace, command)
    return await traced(service, trace, height, index, options.core, script_command=command, **bounds)


def _paid(trace: Callable[P, bytes], command: Sequence[str]) -> Callable[P, bytes]:
    """The same; what another process takes for it is paid like time on the thread that waits for it."""
    if not command:
        return trace
    spent = SPENT.get([])

    def waited(*args: P.args, **kwargs: P.kwargs) -> bytes:
        start = time.monotonic()
        try:
            return trace(*args, **kwargs)
        finally:
            spent.append(time.monotonic() - start)

    return waited


def _command_of(service: Service, options: TraceOptions) -> Sequence[str]:
    """What starts the process for a tracer that the client wrote; empty for another.

    Raises:
        RpcError: This server runs none.
    """
    if not options.is_script:
        return ()
    if not service.limits.trace_scripts:
        raise invalid_params("JavaScript tracers are not enabled: the node's operator sets rpc.trace_scripts")
    return COMMAND


def find_transaction(service: Service, transaction_hash: bytes) -> tuple[int, int]:
    """Height and position of an included transaction.

    Raises:
        RpcError: The chain has none of this hash.
    """
    place = service.backend.engine.find_transaction(transaction_hash)
    if place is None:
        raise RpcError(Code.SERVER, f"transaction not found: {show_data(transaction_hash)}")
    return place


def bounds_of(service: Service, seconds: float | None = None) -> Bounds:
    """The server's bounds; a client may ask for less time."""
    limits = service.limits
    granted = limits.trace_seconds if seconds is None else min(seconds, limits.trace_seconds)
    return Bounds(result_bytes=limits.trace_bytes, seconds=granted)


async def traced(service: Service, function: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs) -> msgspec.Raw:
    """Run a trace on a thread; its JSON goes out as it is.

    Raises:
        RpcError: A bound is reached (-32005), the options cannot be read (-32602), or there is nothing to trace.
    """
    try:
        return msgspec.Raw(await service.worker.run(function, *args, **kwargs))
    except RpcError:
        raise
    except Invalid as error:
        if error.fields.get("reason") == "limit":
            raise RpcError(Code.LIMIT, error.message) from None
        if error.fields.get("reason") == "tracer":
            raise invalid_params(error.message) from None
        raise from_invalid(error) from None
