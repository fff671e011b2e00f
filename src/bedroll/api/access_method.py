"""`eth_createAccessList`: what a transaction touches, found by running it.

Reads: a call and a view of the engine.  Gives: `TABLE`.
Never: changes state.  Spec: docs/spec/api-chain.md#calls
"""

from dataclasses import replace
from typing import Final

import msgspec

from bedroll.protocol import BASE_FEE_VAULT, TIP_VAULT

from .block_tag import LATEST, BlockRef, parse_block, view_at
from .call import CallRequest, parse_call
from .method import MethodTable, optional, required
from .override import Overrides, parse_block_overrides, parse_overrides
from .quantity import show_quantity
from .service import Service
from .state_method import halt_words, run_call
from .trace_method import bounds_of, run_trace, traced
from .trace_option import DEFAULT

TABLE: Final = MethodTable()

_TOUCHED: Final = replace(DEFAULT, core='{"tracer":"prestateTracer"}')
_PRECOMPILES_END: Final = 0x200
"""Every address below is a precompile or may become one; all are warm from the start (EIP-2929)."""


@TABLE.method(
    "eth_createAccessList",
    required("transaction", lambda value, name: parse_call(value, name, blobs=True)),
    optional("block", parse_block, LATEST),
    optional("state overrides", parse_overrides, ""),
    optional("block overrides", parse_block_overrides, ""),
)
async def create_access_list(service: Service, request: CallRequest, ref: BlockRef, state: str, block: str) -> object:
    """Addresses and slots that a call touches and that are not warm anyway, and the gas it uses with that list."""
    request.check_chain(service.backend.network.chain_id)
    view = view_at(service, ref)
    gas = min(request.gas or service.limits.call_gas, service.limits.call_gas)
    overrides = Overrides(state, block)
    options = replace(_TOUCHED, overrides=overrides)
    found = await traced(service, run_trace, view, request, gas, options, bounds_of(service, options.seconds))
    touched = msgspec.json.decode(found, type=dict[str, _Account])
    warm = {request.sender, request.to, TIP_VAULT, BASE_FEE_VAULT}
    listed = [
        (bytes.fromhex(address[2:]), sorted(account.storage))
        for address, account in sorted(touched.items())
        if account.storage or (bytes.fromhex(address[2:]) not in warm and int(address, 16) >= _PRECOMPILES_END)
    ]
    rows = [(address, [bytes.fromhex(slot[2:]) for slot in slots]) for address, slots in listed]
    outcome = await service.worker.run(
        run_call, view, replace(request, access_list=rows), service.limits.call_gas, overrides
    )
    shown = {
        "accessList": [{"address": "0x" + address.hex(), "storageKeys": slots} for address, slots in listed],
        "gasUsed": show_quantity(outcome.gas_used),
    }
    if outcome.status != "success":
        shown["error"] = "execution reverted" if outcome.status == "revert" else halt_words(outcome.reason)
    return shown


class _Account(msgspec.Struct):
    storage: dict[str, object] = {}
