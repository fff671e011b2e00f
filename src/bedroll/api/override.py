"""What a client wants to be otherwise in a call: accounts, and fields of the block.

Reads: JSON values of a stranger.  Gives: `Overrides`, `parse_overrides`, `parse_block_overrides`.
Never: lets an unknown member pass unseen.  Spec: docs/spec/api-chain.md#calls
"""

import json
from dataclasses import dataclass
from typing import Final

from .error import invalid_params
from .quantity import parse_address, parse_data, parse_hash, parse_quantity, refuse, show_data, show_quantity

CODE_BYTES_MAX: Final = 1 << 20
_BLOCK_MEMBERS: Final = {
    "number": "number",
    "blockNumber": "number",
    "time": "time",
    "timestamp": "time",
    "gasLimit": "gasLimit",
    "feeRecipient": "feeRecipient",
    "coinbase": "feeRecipient",
    "prevRandao": "prevRandao",
    "random": "prevRandao",
    "baseFeePerGas": "baseFeePerGas",
    "baseFee": "baseFeePerGas",
    "blobBaseFee": "blobBaseFee",
    "difficulty": "difficulty",
    "beaconRoot": "beaconRoot",
    "withdrawals": "withdrawals",
}
"""Every spelling that clients use, to the one of geth."""
_BLOCK_BITS: Final = {"number": 64, "time": 64, "gasLimit": 64, "baseFeePerGas": 64, "blobBaseFee": 128}
_SIMULATED_ONLY: Final = ("beaconRoot", "withdrawals")


@dataclass(frozen=True, slots=True)
class Overrides:
    """Both kinds as the core reads them: JSON, or "" for none."""

    state: str = ""
    block: str = ""


NONE: Final = Overrides()


def parse_overrides(value: object, name: str = "state overrides") -> str:
    """Check state overrides and write them as the core reads them.

    Returns:
        JSON of address → {balance, nonce, code, state, stateDiff, movePrecompileToAddress}; "" for none.
    """
    checked = read_state_overrides(value, name)
    return json.dumps(checked) if checked else ""


def read_state_overrides(value: object, name: str = "stateOverrides") -> dict[str, dict[str, object]]:
    """Check state overrides, by address in one spelling."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refuse(name, value, "an object")
    checked: dict[str, dict[str, object]] = {}
    for address, change in value.items():
        if not isinstance(change, dict):
            raise refuse("state override", change, "an object")
        checked[show_data(parse_address(address, "state override"))] = _read_account(change)
    return checked


def _read_account(change: dict[str, object]) -> dict[str, object]:
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
            shown[key] = show_data(parse_data(item, key, most=CODE_BYTES_MAX))
        elif key == "movePrecompileToAddress":
            shown[key] = show_data(parse_address(item, key))
        elif key in ("state", "stateDiff"):
            if not isinstance(item, dict):
                raise refuse(key, item, "an object")
            slots = {parse_hash(slot, key): parse_hash(word, key) for slot, word in item.items()}
            shown[key] = {show_data(slot): show_data(word) for slot, word in slots.items()}
        else:
            raise invalid_params(f"unknown member {key[:40]!r} of a state override")
    return shown


def parse_block_overrides(value: object, name: str = "block overrides") -> str:
    """Check the block overrides of a call and write them as the core reads them; "" for none."""
    checked = read_block_overrides(value, name)
    for member in _SIMULATED_ONLY:
        if member in checked:
            raise invalid_params(f"block override {member!r} is not supported for this method")
    return json.dumps(checked) if checked else ""


def read_block_overrides(value: object, name: str = "blockOverrides") -> dict[str, str]:
    """Check block overrides, by geth's names. A difficulty is read and changes nothing: there is no proof of work."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refuse(name, value, "an object")
    checked: dict[str, str] = {}
    for key, item in value.items():
        member = _BLOCK_MEMBERS.get(key)
        if member is None:
            raise invalid_params(f"unknown member {key[:40]!r} of {name}")
        if item is None:
            continue
        if member in checked:
            raise invalid_params(f"{name} have {member} twice")
        if member == "withdrawals":
            if item != []:
                raise invalid_params("withdrawals do not exist on this chain")
        elif member == "feeRecipient":
            checked[member] = show_data(parse_address(item, key))
        elif member == "prevRandao":
            checked[member] = show_data(_parse_randao(item, key))
        elif member == "beaconRoot":
            checked[member] = show_data(parse_hash(item, key))
        else:
            number = parse_quantity(item, key, bits=_BLOCK_BITS.get(member, 256))
            if member != "difficulty":
                checked[member] = show_quantity(number)
    return checked


def _parse_randao(value: object, name: str) -> bytes:
    """A hash; some clients write it as a quantity."""
    if isinstance(value, str) and len(value) < 66:
        return parse_quantity(value, name).to_bytes(32, "big")
    return parse_hash(value, name)
