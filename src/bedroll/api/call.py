"""The call object of `eth_call`, `eth_estimateGas` and `eth_sendTransaction`, and state overrides.

Reads: JSON values of a stranger.  Gives: `CallRequest`, `parse_call`, `parse_overrides`.
Never: lets an unknown member pass unseen in an override.  Spec: docs/spec/api.md#calls
"""

import json
from dataclasses import dataclass, field

from bedroll.primitives import Address

from .error import invalid_params
from .quantity import parse_address, parse_data, parse_hash, parse_quantity, refuse, show_data, show_quantity

_INPUT_BYTES_MAX = 1 << 20
_ZERO_ADDRESS = Address(bytes(20))
_FEES = ("gasPrice", "maxFeePerGas", "maxPriorityFeePerGas")
_MEMBERS = frozenset(("from", "to", "gas", *_FEES, "value", "data", "input", "nonce", "accessList", "chainId", "type"))


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
    access_list: list[tuple[bytes, list[bytes]]] = field(default_factory=list)

    @property
    def fee_cap(self) -> int | None:
        """Highest price a gas that the sender would pay, if he named one."""
        return self.gas_price if self.gas_price is not None else self.max_fee_per_gas


def parse_call(value: object, name: str = "transaction") -> CallRequest:
    """Decode a call object. `data` and `input` may both be there if they are equal."""
    if not isinstance(value, dict):
        raise refuse(name, value, "an object")
    given = {key: item for key, item in value.items() if item is not None}
    if given.keys() & {"maxFeePerBlobGas", "blobs", "blobVersionedHashes"}:
        raise invalid_params("blob transactions do not exist on this chain")
    if "authorizationList" in given:
        raise invalid_params("authorizationList is not supported in a call")
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
            ("value", 256),
            ("nonce", 64),
        )
        if key in given
    }
    tip, cap = numbers.get("maxPriorityFeePerGas"), numbers.get("maxFeePerGas")
    if tip is not None and cap is not None and tip > cap:
        raise invalid_params(f"maxFeePerGas ({cap}) < maxPriorityFeePerGas ({tip})")
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
        access_list=_parse_access_list(given.get("accessList", [])),
    )


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


def parse_overrides(value: object) -> str:
    """Check state overrides and write them as the core reads them.

    Returns:
        JSON of address → {balance, nonce, code, state, stateDiff}; "" for none.
    """
    if value is None or value == {}:
        return ""
    if not isinstance(value, dict):
        raise refuse("state overrides", value, "an object")
    checked: dict[str, dict[str, object]] = {}
    for address, change in value.items():
        if not isinstance(change, dict):
            raise refuse("state override", change, "an object")
        checked[show_data(parse_address(address, "state override"))] = _parse_override(change)
    return json.dumps(checked)


def _parse_override(change: dict[str, object]) -> dict[str, object]:
    if change.get("state") is not None and change.get("stateDiff") is not None:
        raise invalid_params("state override has both state and stateDiff")
    shown: dict[str, object] = {}
    for key, item in change.items():
        if item is None:
            continue
        if key == "balance":
            shown[key] = show_quantity(parse_quantity(item, key))
        elif key == "nonce":
            shown[key] = show_quantity(parse_quantity(item, key, bits=64))
        elif key == "code":
            shown[key] = show_data(parse_data(item, key, most=_INPUT_BYTES_MAX))
        elif key in ("state", "stateDiff"):
            if not isinstance(item, dict):
                raise refuse(key, item, "an object")
            slots = {parse_hash(slot, key): parse_hash(word, key) for slot, word in item.items()}
            shown[key] = {show_data(slot): show_data(word) for slot, word in slots.items()}
        else:
            raise invalid_params(f"unknown member {key[:40]!r} of a state override")
    return shown
