"""Methods that read state, and run calls on it.

Reads: views of the engine.  Gives: `TABLE`.
Never: changes state.  Spec: docs/spec/api-chain.md#calls
"""

from typing import Final

from bedroll.execution.engine import Outcome, View
from bedroll.primitives import Invalid

from .block_tag import LATEST, BlockRef, parse_block, view_at
from .call import CallRequest, blobs_of, parse_call
from .error import Code, RpcError, from_invalid, invalid_params, reverted
from .method import MethodTable, optional, required
from .override import NONE, Overrides, parse_block_overrides, parse_overrides
from .quantity import parse_address, parse_slot, refuse, show_data, show_quantity
from .service import Service

TABLE: Final = MethodTable()

_ADDRESS: Final = required("address", parse_address)
_BLOCK: Final = optional("block", parse_block, LATEST)
_PROOF_SLOTS_MAX: Final = 1_024
_TRANSFER_GAS: Final = 21_000
"""Below it a client's limit is no limit to an estimate: nothing runs with less."""


@TABLE.method("eth_getBalance", _ADDRESS, _BLOCK)
async def balance(service: Service, address: bytes, ref: BlockRef) -> object:
    """Balance in wei."""
    return show_quantity(view_at(service, ref).balance(address))


@TABLE.method("eth_getCode", _ADDRESS, _BLOCK)
async def code(service: Service, address: bytes, ref: BlockRef) -> object:
    """Code of a contract; empty for other accounts."""
    return show_data(view_at(service, ref).code(address))


@TABLE.method("eth_getAccountInfo", _ADDRESS, _BLOCK)
async def account(service: Service, address: bytes, ref: BlockRef) -> object:
    """Balance, nonce and code as of one block."""
    view = view_at(service, ref)
    return {
        "balance": show_quantity(view.balance(address)),
        "nonce": show_quantity(view.nonce(address)),
        "code": show_data(view.code(address)),
    }


@TABLE.method("eth_getTransactionCount", _ADDRESS, _BLOCK)
async def transaction_count(service: Service, address: bytes, ref: BlockRef) -> object:
    """Nonce; with `pending`, the one that the sender's next transaction takes."""
    if ref.tag == "pending":
        return show_quantity(service.backend.pending_nonce(parse_address(show_data(address))))
    return show_quantity(view_at(service, ref).nonce(address))


@TABLE.method("eth_getStorageAt", _ADDRESS, required("slot", parse_slot), _BLOCK)
async def storage_at(service: Service, address: bytes, slot: int, ref: BlockRef) -> object:
    """A storage word, 32 bytes."""
    return show_data(view_at(service, ref).storage(address, slot))


@TABLE.method(
    "eth_getStorageValues", required("slots by address", lambda value, name: _parse_slot_rows(value, name)), _BLOCK
)
async def storage_values(service: Service, rows: dict[bytes, list[int]], ref: BlockRef) -> object:
    """Storage words of many contracts as of one block."""
    view = view_at(service, ref)
    return await service.worker.run(_read_words, view, rows)


def _read_words(view: View, rows: dict[bytes, list[int]]) -> dict[str, list[str]]:
    return {
        show_data(address): [show_data(view.storage(address, slot)) for slot in slots]
        for address, slots in rows.items()
    }


@TABLE.method(
    "eth_call",
    required("transaction", lambda value, name: parse_call(value, name, blobs=True)),
    _BLOCK,
    optional("state overrides", parse_overrides, ""),
    optional("block overrides", parse_block_overrides, ""),
)
async def call(service: Service, request: CallRequest, ref: BlockRef, state: str, block: str) -> object:
    """Run a call on top of a block and return its output."""
    request.check_chain(service.backend.network.chain_id)
    view = view_at(service, ref)
    outcome = await service.worker.run(run_call, view, request, service.limits.call_gas, Overrides(state, block))
    if outcome.status == "success":
        return show_data(outcome.output)
    raise failed(outcome)


@TABLE.method(
    "eth_estimateGas",
    required("transaction", lambda value, name: parse_call(value, name, blobs=True)),
    _BLOCK,
    optional("state overrides", parse_overrides, ""),
    optional("block overrides", parse_block_overrides, ""),
)
async def estimate_gas(service: Service, request: CallRequest, ref: BlockRef, state: str, block: str) -> object:
    """Least gas limit with which a transaction succeeds, its data gas included."""
    return show_quantity(await estimate(service, request, ref, Overrides(state, block)))


async def estimate(service: Service, request: CallRequest, ref: BlockRef, overrides: Overrides = NONE) -> int:
    """Estimate the gas limit of a transaction.

    Raises:
        RpcError: No limit makes it succeed, or it is for another chain.
    """
    request.check_chain(service.backend.network.chain_id)
    view = view_at(service, ref)
    found = await service.worker.run(_estimate, view, request, service.limits.call_gas, overrides)
    if isinstance(found, int):
        return found
    if found.status == "halt" and found.reason.lower().startswith("outofgas"):
        allowance = min(request.gas or service.limits.call_gas, service.limits.call_gas)
        raise RpcError(Code.SERVER, f"gas required exceeds allowance ({allowance})")
    raise failed(found)


@TABLE.method("eth_getProof", _ADDRESS, required("slots", lambda value, _name: _parse_slots(value)), _BLOCK)
async def proof(service: Service, address: bytes, slots: list[int], ref: BlockRef) -> object:
    """Account and storage with their Merkle proofs (EIP-1186), at any block whose state is kept."""
    view = view_at(service, LATEST if ref.tag == "pending" else ref)
    limit = service.limits.proof_changes
    try:
        found = await service.worker.run(view.proof, address, slots, changes_max=limit)
    except Invalid as refused:
        if refused.fields.get("reason") != "limit":
            raise
        text = f"block {ref} is too far back for a proof: more than {limit} values changed since"
        raise RpcError(Code.LIMIT, text) from None
    account, held, nonce, code_hash, storage_hash, rows = found
    return {
        "address": show_data(address),
        "accountProof": [show_data(node) for node in account],
        "balance": show_quantity(held),
        "nonce": show_quantity(nonce),
        "codeHash": show_data(code_hash),
        "storageHash": show_data(storage_hash),
        "storageProof": [
            {"key": show_quantity(slot), "value": show_quantity(value), "proof": [show_data(node) for node in nodes]}
            for slot, value, nodes in rows
        ],
    }


def failed(outcome: Outcome) -> RpcError:
    """The error of a call that did not succeed."""
    if outcome.status == "revert":
        return reverted(outcome.output)
    return RpcError(Code.SERVER, halt_words(outcome.reason))


def halt_words(reason: str) -> str:
    """What ended a call, in geth's words."""
    return _HALTS.get(reason.lower(), reason or "execution failed")


_HALTS: Final = {
    "outofgas": "out of gas",
    "opcodenotfound": "invalid opcode",
    "invalidfeopcode": "invalid opcode: INVALID",
    "invalidjump": "invalid jump destination",
    "stackunderflow": "stack underflow",
    "stackoverflow": "stack limit reached 1024",
    "calltoodeep": "max call depth exceeded",
    "createcollision": "contract address collision",
    "outoffunds": "insufficient balance for transfer",
}


def run_call(view: View, request: CallRequest, call_gas: int, overrides: Overrides) -> Outcome:
    """Run a call on a view; on a worker's thread."""
    blobs = blobs_of(view, request)
    try:
        return view.call(
            sender=request.sender,
            to=request.to,
            data=request.data,
            value=request.value,
            gas_limit=min(request.gas or call_gas, call_gas),
            gas_price=request.fee_cap or 0,
            access_list=request.access_list,
            authorizations=request.authorizations,
            overrides=overrides.state,
            block_overrides=overrides.block,
            **blobs,
        )
    except Invalid as error:
        raise from_invalid(error) from None


def _estimate(view: View, request: CallRequest, call_gas: int, overrides: Overrides) -> int | Outcome:
    blobs = blobs_of(view, request)
    try:
        return view.estimate_gas(
            sender=request.sender,
            to=request.to,
            data=request.data,
            value=request.value,
            gas_limit=None if request.gas is None or request.gas < _TRANSFER_GAS else min(request.gas, call_gas),
            max_fee_per_gas=request.fee_cap or None,
            access_list=request.access_list,
            authorizations=request.authorizations,
            overrides=overrides.state,
            block_overrides=overrides.block,
            **blobs,
        )
    except Invalid as error:
        raise from_invalid(error) from None


def _parse_slot_rows(value: object, name: str) -> dict[bytes, list[int]]:
    if not isinstance(value, dict):
        raise refuse(name, value, "an object of addresses and their slots")
    rows: dict[bytes, list[int]] = {}
    for address, slots in value.items():
        if not isinstance(slots, list):
            raise refuse(name, slots, "an array of storage slots for each address")
        rows[parse_address(address)] = slots
    total = sum(len(slots) for slots in rows.values())
    if total == 0:
        raise invalid_params("empty request")
    if total > _PROOF_SLOTS_MAX:
        raise invalid_params(f"too many slots: {total}, at most {_PROOF_SLOTS_MAX}")
    return {address: [parse_slot(slot) for slot in slots] for address, slots in rows.items()}


def _parse_slots(value: object) -> list[int]:
    if not isinstance(value, list):
        raise refuse("slots", value, "an array of storage slots")
    if len(value) > _PROOF_SLOTS_MAX:
        raise invalid_params(f"too many slots: {len(value)}, at most {_PROOF_SLOTS_MAX}")
    return [parse_slot(slot) for slot in value]
