"""Methods that hand in transactions; with unlocked keys (a devnet's) also those that sign.

Reads: signed bytes of a stranger.  Gives: `TABLE`, `DEVNET_TABLE`.
Never: signs with a key that is not a devnet's.  Spec: docs/spec/api-chain.md#send
"""

from typing import Final, TypedDict

from bedroll.crypto.keccak import keccak256
from bedroll.primitives import Address, Gas, Wei
from bedroll.sdk import Account
from bedroll.sdk.account import encode_transaction
from bedroll.sdk.typed_data import hash_typed_data

from .block_tag import BlockRef
from .call import CallRequest, parse_call
from .error import Code, RpcError, invalid_params
from .fee_method import suggest_tip
from .method import MethodTable, required
from .quantity import parse_address, parse_data, refuse, show_data, show_quantity
from .service import Service
from .state_method import estimate

TABLE: Final = MethodTable()
DEVNET_TABLE: Final = MethodTable()

_RAW_BYTES_MAX: Final = 3 << 19
"""Room for nine blobs, which are what a transaction of any fork may have."""
_MESSAGE_BYTES_MAX: Final = 1 << 20


def parse_raw(value: object, name: str) -> bytes:
    """Decode the bytes of a signed transaction."""
    return parse_data(value, name, most=_RAW_BYTES_MAX)


def _parse_message(value: object, name: str) -> bytes:
    return parse_data(value, name, most=_MESSAGE_BYTES_MAX)


@TABLE.method("eth_sendRawTransaction", required("transaction", parse_raw))
async def send_raw_transaction(service: Service, raw: bytes) -> object:
    """Hand in a signed transaction; the answer is its hash, and it survives a crash of the node from then on."""
    return show_data(await service.backend.send_transaction(raw))


@TABLE.method("eth_accounts")
async def accounts(service: Service) -> object:
    """Addresses that the server signs for: a devnet's, none elsewhere."""
    return [show_data(address) for address in service.accounts]


@DEVNET_TABLE.method("eth_sendTransaction", required("transaction", lambda value, name: parse_call(value, name)))
async def send_transaction(service: Service, request: CallRequest) -> object:
    """Fill in, sign and hand in a transaction of a funded account."""
    account = _account(service, request.sender)
    raw = account.sign_transaction(**await _fill(service, request))
    return show_data(await service.backend.send_transaction(raw))


@TABLE.method("eth_fillTransaction", required("transaction", lambda value, name: parse_call(value, name)))
async def fill_transaction(service: Service, request: CallRequest) -> object:
    """The transaction with what the sender left out, ready to be signed: `raw` has zeros for a signature."""
    filled = await _fill(service, request)
    access_list = filled["access_list"] or []
    raw = encode_transaction(**filled)
    return {
        "raw": show_data(raw),
        "tx": {
            "type": "0x2",
            "chainId": show_quantity(filled["chain_id"]),
            "nonce": show_quantity(filled["nonce"]),
            "to": None if filled["to"] is None else show_data(filled["to"]),
            "gas": show_quantity(filled["gas_limit"]),
            "gasPrice": None,
            "maxPriorityFeePerGas": show_quantity(filled["max_priority_fee_per_gas"]),
            "maxFeePerGas": show_quantity(filled["max_fee_per_gas"]),
            "value": show_quantity(filled["value"]),
            "input": show_data(filled["data"]),
            "accessList": [
                {"address": show_data(address), "storageKeys": [show_data(key) for key in keys]}
                for address, keys in access_list
            ],
            "v": "0x0",
            "r": "0x0",
            "s": "0x0",
            "yParity": "0x0",
            "hash": show_data(keccak256(raw)),
        },
    }


class _Filled(TypedDict):
    chain_id: int
    nonce: int
    gas_limit: Gas
    max_fee_per_gas: Wei
    max_priority_fee_per_gas: Wei
    to: Address | None
    value: Wei
    data: bytes
    access_list: list[tuple[bytes, list[bytes]]] | None


async def _fill(service: Service, request: CallRequest) -> _Filled:
    """Nonce, fees and gas limit as a wallet would choose them, where the sender did not."""
    backend = service.backend
    request.check_chain(backend.network.chain_id)
    tip = request.max_priority_fee_per_gas
    cap = request.fee_cap
    if tip is None:
        # A gas price is tip and cap at once, as wallets of old mean it.
        tip = request.gas_price if request.gas_price is not None else await suggest_tip(service)
        tip = tip if cap is None else min(tip, cap)
    if cap is None:
        cap = 2 * backend.engine.next_base_fee() + tip
    gas = request.gas if request.gas is not None else await estimate(service, request, BlockRef(tag="pending"))
    return _Filled(
        chain_id=backend.network.chain_id,
        nonce=backend.pending_nonce(request.sender) if request.nonce is None else request.nonce,
        gas_limit=Gas(gas),
        max_fee_per_gas=Wei(cap),
        max_priority_fee_per_gas=Wei(tip),
        to=request.to,
        value=Wei(request.value),
        data=request.data,
        access_list=request.access_list,
    )


@DEVNET_TABLE.method("eth_sign", required("address", parse_address), required("message", _parse_message))
async def sign(service: Service, address: Address, message: bytes) -> object:
    """Sign a message with Ethereum's prefix (EIP-191)."""
    return show_data(_account(service, address).sign_message(message))


@DEVNET_TABLE.method("personal_sign", required("message", _parse_message), required("address", parse_address))
async def personal_sign(service: Service, message: bytes, address: Address) -> object:
    """The same as `eth_sign`, in the order that wallets have."""
    return show_data(_account(service, address).sign_message(message))


@DEVNET_TABLE.method(
    "eth_signTypedData_v4",
    required("address", parse_address),
    required("typed data", lambda value, name: _need_object(value, name)),
)
async def sign_typed_data(service: Service, address: Address, document: object) -> object:
    """Sign structured data (EIP-712)."""
    account = _account(service, address)
    return show_data(account.sign_digest(hash_typed_data(document)))


def _need_object(value: object, name: str) -> object:
    if not isinstance(value, dict | str):
        raise refuse(name, value, "an object, or its JSON in a string")
    return value


def _account(service: Service, address: Address) -> Account:
    if address == bytes(20):
        raise invalid_params("from is missing")
    account = service.accounts.get(address)
    if account is None:
        raise RpcError(Code.SERVER, f"unknown account: 0x{address.hex()}")
    return account
