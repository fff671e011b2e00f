"""Structured data as wallets sign it (EIP-712).

Reads: the JSON document of `eth_signTypedData_v4`.  Gives: `hash_typed_data`.
Never: skips a member that the types declare.  Spec: docs/spec/sdk.md#typed-data
"""

import re
from typing import Any, Final

import msgspec

from bedroll.crypto.keccak import keccak256
from bedroll.primitives import Invalid

_DEPTH_MAX: Final = 16
_INTEGER: Final = re.compile(r"(u?)int(\d{0,3})\Z")
_FIXED: Final = re.compile(r"bytes(\d{1,2})\Z")
_ARRAY: Final = re.compile(r"(.+)\[(\d*)\]\Z")

Types = dict[str, list[dict[str, str]]]


class BadTypedData(Invalid):
    """A document does not follow EIP-712; the message says where."""


def hash_typed_data(document: object) -> bytes:
    """The 32 bytes to sign: keccak(0x1901 ‖ domain separator ‖ hash of the message).

    Args:
        document: An object with types, primaryType, domain and message, or its JSON.

    Raises:
        BadTypedData: It is not one.
    """
    if isinstance(document, str):
        try:
            document = msgspec.json.decode(document)
        except msgspec.DecodeError as error:
            raise BadTypedData(f"typed data is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise BadTypedData("typed data is not an object")
    types = _check_types(document.get("types"))
    primary, domain, message = document.get("primaryType"), document.get("domain"), document.get("message")
    if not isinstance(primary, str) or not isinstance(domain, dict) or not isinstance(message, dict):
        raise BadTypedData("typed data needs primaryType, domain and message")
    separator = _hash_struct(types, "EIP712Domain", domain, 0)
    if primary == "EIP712Domain":
        return keccak256(b"\x19\x01" + separator)
    return keccak256(b"\x19\x01" + separator + _hash_struct(types, primary, message, 0))


def _check_types(given: Any) -> Types:
    if not isinstance(given, dict):
        raise BadTypedData("typed data has no types")
    for name, members in given.items():
        if not isinstance(members, list):
            raise BadTypedData(f"type {name[:40]!r} is not a list of members")
        for member in members:
            if not isinstance(member, dict) or not all(isinstance(member.get(key), str) for key in ("name", "type")):
                raise BadTypedData(f"a member of type {name[:40]!r} has no name or type")
    return given


def _base(kind: str) -> str:
    return kind.split("[", 1)[0]


def _encode_type(types: Types, name: str) -> bytes:
    """Name and members of a struct, then of all structs that it refers to, by name."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in found or current not in types:
            continue
        found.add(current)
        waiting.extend(_base(member["type"]) for member in types[current])
    ordered = [name, *sorted(found - {name})]
    return "".join(
        f"{one}({','.join(member['type'] + ' ' + member['name'] for member in types[one])})" for one in ordered
    ).encode()


def _hash_struct(types: Types, name: str, value: Any, depth: int) -> bytes:
    if name not in types:
        raise BadTypedData(f"type {name[:40]!r} is not declared")
    if not isinstance(value, dict):
        raise BadTypedData(f"a value of type {name[:40]!r} is not an object")
    if depth > _DEPTH_MAX:
        raise BadTypedData("typed data is nested too deep", limit=_DEPTH_MAX)
    parts: list[bytes] = [keccak256(_encode_type(types, name))]
    for member in types[name]:
        if member["name"] not in value:
            raise BadTypedData(f"member {member['name'][:40]!r} of {name[:40]!r} is missing")
        parts.append(_encode_value(types, member["type"], value[member["name"]], depth + 1))
    return keccak256(b"".join(parts))


def _encode_value(types: Types, kind: str, value: Any, depth: int) -> bytes:
    """32 bytes that stand for one member."""
    if array := _ARRAY.match(kind):
        if not isinstance(value, list) or (array[2] and len(value) != int(array[2])):
            raise BadTypedData(f"a value of type {kind[:40]!r} is not an array of that length")
        if depth > _DEPTH_MAX:
            raise BadTypedData("typed data is nested too deep", limit=_DEPTH_MAX)
        return keccak256(b"".join(_encode_value(types, array[1], item, depth + 1) for item in value))
    if kind in types:
        return bytes(32) if value is None else _hash_struct(types, kind, value, depth)
    if kind == "string" and isinstance(value, str):
        return keccak256(value.encode())
    if kind == "bool" and isinstance(value, bool):
        return int(value).to_bytes(32, "big")
    if integer := _INTEGER.match(kind):
        return _encode_integer(kind, value, signed=not integer[1], bits=int(integer[2] or 256))
    return _encode_bytes(kind, value)


def _encode_integer(kind: str, value: Any, *, signed: bool, bits: int) -> bytes:
    try:
        number = int(value, 0) if isinstance(value, str) else value
    except ValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, int) or not 8 <= bits <= 256:
        raise BadTypedData(f"a value of type {kind!r} is not an integer")
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
    if not low <= number < high:
        raise BadTypedData(f"a value of type {kind!r} is out of range", value=number)
    return number.to_bytes(32, "big", signed=signed)


def _encode_bytes(kind: str, value: Any) -> bytes:
    fixed = _FIXED.match(kind)
    if not (fixed or kind in ("bytes", "address")) or not isinstance(value, str) or not value.startswith("0x"):
        raise BadTypedData(f"no value of type {kind[:40]!r}")
    try:
        raw = bytes.fromhex(value[2:])
    except ValueError:
        raise BadTypedData(f"a value of type {kind!r} is not hexadecimal") from None
    if kind == "bytes":
        return keccak256(raw)
    if kind == "address" and len(raw) == 20:
        return raw.rjust(32, b"\0")
    if fixed and len(raw) == int(fixed[1]) <= 32:
        return raw.ljust(32, b"\0")
    raise BadTypedData(f"a value of type {kind!r} has {len(raw)} bytes")
