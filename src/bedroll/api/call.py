"""The call object of `eth_call`, `eth_estimateGas` and `eth_sendTransaction`.

Reads: JSON values of a stranger.  Gives: `CallRequest`, `parse_call`, `blobs_of`.
Never: lets an unknown member pass unseen.  Spec: docs/spec/api-chain.md#calls
"""

from dataclasses import dataclass, field
from typing import TypedDict

from bedroll.execution.engine import View
from bedroll.primitives import Address

from .error import Code, RpcError, invalid_params
from .quantity import parse_address, parse_data, parse_hash, parse_quantity, refuse

_INPUT_BYTES_MAX = 1 << 20
_ZERO_ADDRESS = Address(bytes(20))
_FEES = ("gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "maxFeePerBlobGas")
_LISTS = ("accessList", "authorizationList", "blobVersionedHashes")
_MEMBERS = frozenset(("from", "to", "gas", *_FEES, "value", "data", "input", "nonce", *_LISTS, "chainId", "type"))
_SIDECAR = ("blobs", "commitments", "proofs", "cellProofs")
_GRANT_MEMBERS = frozenset(("chainId", "address", "nonce", "yParity", "v", "r", "s"))
_GRANTS_MAX = 1_024
_BLOBS_MAX = 128
NO_BLOBS = "blob transactions do not exist on this chain"

Grant = tuple[int, bytes, int, int, int, int]
"""An authorisation of EIP-7702: chain id, address, nonce, y parity, r, s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """What a client wants to run or send. None: left to us."""

    sender: Address = _ZERO_ADDRESS
    to: Address | None = None
    data: bytes = b""
    value: int = 0
    gas: int | None = None
    gas_price: int | None = None
    max_fee_per_gas: int | None = None
    max_priority_fee_per_gas: int | None = None
    nonce: int | None = None
    chain_id: int | None = None
    access_list: list[tuple[bytes, list[bytes]]] = field(default_factory=list)
    authorizations: list[Grant] = field(default_factory=list)
    blob_hashes: list[bytes] = field(default_factory=list)
    max_fee_per_blob_gas: int | None = None

    @property
    def fee_cap(self) -> int | None:
        """Highest price a gas that the sender would pay, if he named one."""
        return self.gas_price if self.gas_price is not None else self.max_fee_per_gas

    def check_chain(self, chain_id: int) -> None:
        """Refuse what is meant for another chain.

        Raises:
            RpcError: It is.
        """
        if self.chain_id not in (None, chain_id):
            raise RpcError(Code.SERVER, f"chainId does not match node's (have={self.chain_id}, want={chain_id})")


class BlobFields(TypedDict, total=False):
    """What a call says of blobs, as the engine takes it."""

    blob_hashes: list[bytes]
    max_fee_per_blob_gas: int


def blobs_of(view: View, request: CallRequest) -> BlobFields:
    """What a call says of blobs, if anything.

    Raises:
        RpcError: It has some, and the view's block could have none.
    """
    if not request.blob_hashes:
        return {}
    if not view.has_blobs:
        raise invalid_params(NO_BLOBS)
    return {"blob_hashes": request.blob_hashes, "max_fee_per_blob_gas": request.max_fee_per_blob_gas or 0}


def parse_call(value: object, name: str = "transaction", *, blobs: bool = False) -> CallRequest:
    """Decode a call object. `data` and `input` may both be there if they are equal.

    Args:
        value: The object.
        name: What it is called where it cannot be read.
        blobs: Whether blobs may stand in it, or their hashes; who allows them asks whether the chain has any.
    """
    if not isinstance(value, dict):
        raise refuse(name, value, "an object")
    given = {key: item for key, item in value.items() if item is not None}
    if not blobs and given.keys() & {"blobs", "blobVersionedHashes"}:
        raise invalid_params(NO_BLOBS)
    if blobs:
        _pass_sidecar(given)
    unknown = given.keys() - _MEMBERS
    if unknown:
        raise invalid_params(f"unknown member {min(unknown)[:40]!r} of {name}")
    if "gasPrice" in given and given.keys() & {"maxFeePerGas", "maxPriorityFeePerGas"}:
        raise invalid_params("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
    numbers = {
        key: parse_quantity(given[key], key, bits=bits)
        for key, bits in (
            ("gas", 64),
            ("gasPrice", 128),
            ("maxFeePerGas", 128),
            ("maxPriorityFeePerGas", 128),
            ("maxFeePerBlobGas", 128),
            ("value", 256),
            ("nonce", 64),
            ("chainId", 256),
        )
        if key in given
    }
    tip, cap = numbers.get("maxPriorityFeePerGas"), numbers.get("maxFeePerGas")
    if tip is not None and cap is not None and tip > cap:
        raise invalid_params(f"maxFeePerGas ({cap}) < maxPriorityFeePerGas ({tip})")
    grants = _parse_grants(given.get("authorizationList", []))
    hashes = _parse_blob_hashes(given.get("blobVersionedHashes"))
    for member, listed in (("authorizationList", grants), ("blobVersionedHashes", hashes)):
        if listed and "to" not in given:
            raise invalid_params(f"a call with {member} needs a recipient")
    return CallRequest(
        sender=parse_address(given["from"], "from") if "from" in given else _ZERO_ADDRESS,
        to=parse_address(given["to"], "to") if "to" in given else None,
        data=_parse_input(given),
        value=numbers.get("value", 0),
        gas=numbers.get("gas"),
        gas_price=numbers.get("gasPrice"),
        max_fee_per_gas=cap,
        max_priority_fee_per_gas=tip,
        nonce=numbers.get("nonce"),
        chain_id=numbers.get("chainId"),
        access_list=_parse_access_list(given.get("accessList", [])),
        authorizations=grants,
        blob_hashes=hashes,
        max_fee_per_blob_gas=numbers.get("maxFeePerBlobGas"),
    )


def _pass_sidecar(given: dict[str, object]) -> None:
    """Take away what clients that know the blobs send beside their hashes: a call sees the hashes alone."""
    beside = {member: given.pop(member) for member in _SIDECAR if member in given}
    for member, value in beside.items():
        if not isinstance(value, list):
            raise refuse(member, value, "an array")
    if beside and "blobVersionedHashes" not in given:
        raise invalid_params("blobs without blobVersionedHashes")


def _parse_input(given: dict[str, object]) -> bytes:
    found = {parse_data(given[key], key, most=_INPUT_BYTES_MAX) for key in ("input", "data") if key in given}
    if len(found) > 1:
        raise invalid_params('both "data" and "input" are set and not equal')
    return found.pop() if found else b""


def _parse_access_list(value: object) -> list[tuple[bytes, list[bytes]]]:
    if not isinstance(value, list):
        raise refuse("accessList", value, "an array")
    rows: list[tuple[bytes, list[bytes]]] = []
    for row in value:
        if not isinstance(row, dict) or not isinstance(keys := row.get("storageKeys", []), list):
            raise refuse("accessList", row, "objects of address and storageKeys")
        address = parse_address(row.get("address"), "accessList address")
        rows.append((address, [parse_hash(key, "storageKeys") for key in keys]))
    return rows


def _parse_blob_hashes(value: object) -> list[bytes]:
    name = "blobVersionedHashes"
    if value is None:
        return []
    if not isinstance(value, list):
        raise refuse(name, value, "an array")
    if not 1 <= len(value) <= _BLOBS_MAX:
        raise invalid_params(f"{name} has {len(value)} hashes, want 1 to {_BLOBS_MAX}")
    return [parse_hash(one, name) for one in value]


def _parse_grants(value: object) -> list[Grant]:
    name = "authorizationList"
    if not isinstance(value, list):
        raise refuse(name, value, "an array")
    if len(value) > _GRANTS_MAX:
        raise invalid_params(f"too many authorizations: {len(value)}, at most {_GRANTS_MAX}")
    return [_parse_grant(row, name) for row in value]


def _parse_grant(row: object, name: str) -> Grant:
    if not isinstance(row, dict) or not row.keys() <= _GRANT_MEMBERS:
        raise refuse(name, row, "objects of chainId, address, nonce, yParity, r and s")
    return (
        parse_quantity(row.get("chainId"), f"{name} chainId"),
        parse_address(row.get("address"), f"{name} address"),
        parse_quantity(row.get("nonce"), f"{name} nonce", bits=64),
        parse_quantity(row.get("yParity", row.get("v")), f"{name} yParity", bits=8),
        parse_quantity(row.get("r"), f"{name} r"),
        parse_quantity(row.get("s"), f"{name} s"),
    )
