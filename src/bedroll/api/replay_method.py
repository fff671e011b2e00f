"""`trace_call` and its family: what calls and transactions would do, as Parity tells it.

Reads: calls of a stranger, traces of the engine, which are JSON already.  Gives: `TABLE`.
Never: changes state, or runs more calls at a time than the limits say.  Spec: docs/spec/api-trace.md#traces
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from bedroll.crypto.keccak import keccak256
from bedroll.encoding.rlp import decode_rlp, encode_rlp
from bedroll.execution.engine import Transaction, View, decode_transaction
from bedroll.primitives import Address

from .block_tag import LATEST, BlockRef, parse_block, view_at
from .call import CallRequest, parse_call
from .error import invalid_params
from .method import MethodTable, optional, required
from .parity_method import trace_transaction
from .quantity import parse_data, parse_hash, parse_quantity, refuse
from .send_method import parse_raw
from .service import Service
from .trace_method import Bounds, bounds_of, trace_block_by_hash, traced
from .trace_option import DEFAULT, TraceOptions, parse_options, parse_parts

TABLE: Final = MethodTable()

CALLS_MAX: Final = 100
"""Calls of one `trace_callMany`."""
_DEPTH_MAX: Final = 1_024
_BLOCK_BYTES_MAX: Final = 5 << 20

PartedCall = tuple[CallRequest, list[str]]


def parse_calls(value: object, name: str) -> list[PartedCall]:
    """Decode pairs of a call and the parts of its trace that are wanted."""
    if not isinstance(value, list):
        raise refuse(name, value, "an array of pairs of call and trace types")
    if len(value) > CALLS_MAX:
        raise invalid_params(f"too many calls: {len(value)}, at most {CALLS_MAX}")
    calls: list[PartedCall] = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:
            raise refuse(name, pair, "pairs of call and trace types")
        calls.append((parse_call(pair[0]), parse_parts(pair[1])))
    return calls


def parse_trace_address(value: object, name: str) -> list[int]:
    """Decode the place of a call among the calls of a transaction."""
    if not isinstance(value, list) or len(value) > _DEPTH_MAX:
        raise refuse(name, value, f"an array of at most {_DEPTH_MAX} quantities")
    return [parse_quantity(index, name, bits=32) for index in value]


def parse_block_bytes(value: object, name: str) -> bytes:
    """Decode the RLP of a block."""
    return parse_data(value, name, most=_BLOCK_BYTES_MAX)


_PARTS: Final = required("trace types", parse_parts)
_BLOCK: Final = optional("block", parse_block, LATEST)


@TABLE.method("trace_call", required("transaction", parse_call), _PARTS, _BLOCK)
async def trace_call(service: Service, request: CallRequest, parts: list[str], ref: BlockRef) -> object:
    """What a call would do on top of a block."""
    return await _single(service, (request, parts), ref)


@TABLE.method("trace_callMany", required("calls", parse_calls), _BLOCK)
async def trace_call_many(service: Service, calls: list[PartedCall], ref: BlockRef) -> object:
    """What calls would do one after the other, each upon what those before it left."""
    return await _run(service, calls, ref)


@TABLE.method("trace_rawTransaction", required("transaction", parse_raw), _PARTS)
async def trace_raw_transaction(service: Service, raw: bytes, parts: list[str]) -> object:
    """What a signed transaction would do in the open block; it is not handed in."""
    transaction = await service.worker.run(decode_transaction, raw)
    return await _single(service, (call_of(transaction), parts), BlockRef(tag="pending"))


@TABLE.method("trace_get", required("transaction hash", parse_hash), required("trace address", parse_trace_address))
async def trace_get(service: Service, transaction_hash: bytes, address: list[int]) -> object:
    """One call of a transaction, by its place; null if there is none."""
    told = await trace_transaction(service, transaction_hash)
    if not isinstance(told, msgspec.Raw):
        return None
    rows = msgspec.json.decode(told, type=list[msgspec.Raw])
    return next((row for row in rows if msgspec.json.decode(row, type=_Placed).traceAddress == address), None)


@TABLE.method("debug_traceBlock", required("block", parse_block_bytes), optional("options", parse_options, DEFAULT))
async def trace_block_bytes(service: Service, raw: bytes, options: TraceOptions) -> object:
    """Trace a block that is given in its bytes; it must be one of the chain."""
    header = decode_rlp(raw)
    if not isinstance(header, list) or not header or not isinstance(header[0], list):
        raise invalid_params("invalid block: want the RLP list of header, transactions, uncles and withdrawals")
    block_hash = keccak256(encode_rlp(header[0]))
    return await trace_block_by_hash(service, block_hash, options)


def call_of(transaction: Transaction) -> CallRequest:
    """A call that does what a transaction does, without fee and nonce."""
    return CallRequest(
        sender=Address(transaction.sender),
        to=None if transaction.to is None else Address(transaction.to),
        data=transaction.input,
        value=transaction.value,
        gas=transaction.gas_limit,
        access_list=transaction.access_list,
    )


class _Placed(msgspec.Struct):
    traceAddress: list[int]


async def _single(service: Service, call: PartedCall, ref: BlockRef) -> msgspec.Raw:
    (told,) = msgspec.json.decode(await _run(service, [call], ref), type=list[msgspec.Raw])
    return told


async def _run(service: Service, calls: Sequence[PartedCall], ref: BlockRef) -> msgspec.Raw:
    for request, _parts in calls:
        request.check_chain(service.backend.network.chain_id)
    view = view_at(service, ref)
    return await traced(service, _replay, view, calls, service.limits.call_gas, bounds_of(service))


def _replay(view: View, calls: Sequence[PartedCall], call_gas: int, bounds: Bounds) -> bytes:
    rows = [
        (
            request.sender,
            request.to,
            request.data,
            request.value,
            min(request.gas or call_gas, call_gas),
            request.fee_cap or 0,
            request.access_list,
            parts,
            request.authorizations,
        )
        for request, parts in calls
    ]
    return view.replay_calls(rows, overrides="", **bounds)
