"""`eth_simulateV1`: blocks of calls that build on each other's state, on top of a block.

Reads: a request of a stranger.  Gives: `TABLE`, `parse_simulation`.
Never: changes the chain; runs beyond the limits of gas, size and time.  Spec: docs/spec/api-chain.md#simulations

Source: execution-apis, `EthSimulatePayload`; geth where that leaves something open.
"""

import json
from typing import Final

import msgspec

from bedroll.execution.engine import View
from bedroll.primitives import Invalid

from .block_tag import LATEST, BlockRef, parse_block, view_at
from .call import CallRequest, Grant, parse_call
from .error import Code, RpcError, from_invalid, invalid_params
from .limit import Limits
from .method import MethodTable, optional, required
from .override import read_block_overrides, read_state_overrides
from .quantity import parse_bool, refuse, show_data, show_quantity
from .service import Service

TABLE: Final = MethodTable()

BLOCKS_MAX: Final = 256
_FLAGS: Final = ("traceTransfers", "validation", "returnFullTransactions")
_BLOCK_MEMBERS: Final = frozenset(("blockOverrides", "stateOverrides", "calls"))
_CODES: Final = {
    "request": Code.INVALID_PARAMS,
    "timeout": Code.TIMEOUT,
    "nonce_low": Code.NONCE_TOO_LOW,
    "nonce_high": Code.NONCE_TOO_HIGH,
    "nonce_max": Code.INTERNAL,
    "fee": Code.BASE_FEE_TOO_LOW,
    "intrinsic": Code.INTRINSIC_GAS,
    "funds": Code.FUNDS,
    "block_full": Code.BLOCK_GAS,
    "order_number": Code.BLOCK_NUMBER_ORDER,
    "order_time": Code.BLOCK_TIME_ORDER,
    "move_self": Code.PRECOMPILE_TO_ITSELF,
    "code": Code.SENDER_HAS_CODE,
    "init_code": Code.INIT_CODE_SIZE,
    "client_limit": Code.CLIENT_LIMIT,
}
"""The core's short names of rules, and what clients are told; of others -32000."""


def parse_simulation(value: object, name: str = "request") -> str:
    """Check a request and write it as the core reads it."""
    if not isinstance(value, dict):
        raise refuse(name, value, "an object with blockStateCalls")
    given = {key: item for key, item in value.items() if item is not None}
    if unknown := given.keys() - {"blockStateCalls", *_FLAGS}:
        raise invalid_params(f"unknown member {min(unknown)[:40]!r} of {name}")
    blocks = given.get("blockStateCalls", [])
    if not isinstance(blocks, list):
        raise refuse("blockStateCalls", blocks, "an array")
    if len(blocks) > BLOCKS_MAX:
        raise RpcError(Code.CLIENT_LIMIT, f"too many blocks: {len(blocks)}, at most {BLOCKS_MAX}")
    checked: dict[str, object] = {flag: parse_bool(given[flag], flag) for flag in _FLAGS if flag in given}
    checked["blockStateCalls"] = [_read_block(block) for block in blocks]
    return json.dumps(checked)


def _read_block(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise refuse("blockStateCalls", value, "objects of blockOverrides, stateOverrides and calls")
    if unknown := value.keys() - _BLOCK_MEMBERS:
        raise invalid_params(f"unknown member {min(unknown)[:40]!r} of blockStateCalls")
    calls = value.get("calls")
    if calls is not None and not isinstance(calls, list):
        raise refuse("calls", calls, "an array")
    return {
        "blockOverrides": read_block_overrides(value.get("blockOverrides")),
        "stateOverrides": read_state_overrides(value.get("stateOverrides")),
        "calls": [_show_call(parse_call(call, "call", blobs=True)) for call in calls or ()],
    }


def _show_call(request: CallRequest) -> dict[str, object]:
    numbers = {
        "gas": request.gas,
        "nonce": request.nonce,
        "value": request.value,
        "gasPrice": request.gas_price,
        "maxFeePerGas": request.max_fee_per_gas,
        "maxPriorityFeePerGas": request.max_priority_fee_per_gas,
        "maxFeePerBlobGas": request.max_fee_per_blob_gas,
        "chainId": request.chain_id,
    }
    return {
        "from": show_data(request.sender),
        "to": None if request.to is None else show_data(request.to),
        "input": show_data(request.data),
        **{member: show_quantity(number) for member, number in numbers.items() if number is not None},
        "accessList": [
            {"address": show_data(address), "storageKeys": [show_data(key) for key in keys]}
            for address, keys in request.access_list
        ],
        "authorizationList": [_show_grant(grant) for grant in request.authorizations],
        **({"blobVersionedHashes": [show_data(one) for one in request.blob_hashes]} if request.blob_hashes else {}),
    }


def _show_grant(grant: Grant) -> dict[str, str]:
    chain_id, address, nonce, y_parity, r, s = grant
    return {
        "chainId": show_quantity(chain_id),
        "address": show_data(address),
        "nonce": show_quantity(nonce),
        "yParity": show_quantity(y_parity),
        "r": show_quantity(r),
        "s": show_quantity(s),
    }


@TABLE.method("eth_simulateV1", required("request", parse_simulation), optional("block", parse_block, LATEST))
async def simulate(service: Service, request: str, ref: BlockRef) -> object:
    """Run blocks of calls on top of a block; the blocks with what each call did. `pending` is the newest block here."""
    view = view_at(service, LATEST if ref.tag == "pending" else ref)
    return await service.worker.run(run_simulation, view, request, service.limits)


def run_simulation(view: View, request: str, limits: Limits) -> msgspec.Raw:
    """Simulate on a view; on a worker's thread. The core's JSON goes out as it is.

    Raises:
        RpcError: With the codes of execution-apis.
    """
    try:
        told = view.simulate(
            request,
            gas=limits.call_gas,
            result_bytes=limits.trace_bytes,
            seconds=limits.trace_seconds,
            changes_max=limits.proof_changes,
        )
    except Invalid as error:
        code = _CODES.get(str(error.fields.get("reason")))
        if code is None:
            raise from_invalid(error) from None
        raise RpcError(code, error.message) from None
    return msgspec.Raw(told)
