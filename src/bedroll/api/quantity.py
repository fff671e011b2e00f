"""Ethereum's two encodings in JSON: quantities and bytes.

Reads: JSON values of a stranger.  Gives: `parse_…`, `show_…`.
Never: accepts a second spelling of a quantity.  Spec: docs/spec/api.md#encodings

A *quantity* is `0x` and hexadecimal digits without leading zeros (zero is `0x0`). *Data* is `0x` and two digits a byte.
Parsers raise `RpcError` (-32602) that names the parameter and shows the beginning of what was given.
"""

import re
from typing import Final

from bedroll.primitives import Address, Hash32

from .error import RpcError, invalid_params

_QUANTITY: Final = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]*)\Z")
_DATA: Final = re.compile(r"0x((?:[0-9a-fA-F]{2})*)\Z")
_SLOT: Final = re.compile(r"0x[0-9a-fA-F]{1,64}\Z")
_SHOWN_CHARACTERS: Final = 40


def show_quantity(value: int) -> str:
    """Encode a non-negative integer."""
    return hex(value)


def show_data(value: bytes) -> str:
    """Encode bytes."""
    return "0x" + value.hex()


def show_reversed(value: bytes) -> str:
    """A Bitcoin hash as Bitcoin tools display it: reversed, without prefix."""
    return value[::-1].hex()


def parse_quantity(value: object, name: str = "quantity", *, bits: int = 256) -> int:
    """Decode a quantity of at most `bits` bits."""
    if not isinstance(value, str) or len(value) > 66 or not _QUANTITY.match(value):
        raise refuse(name, value, "a quantity: 0x and hexadecimal digits without leading zeros")
    number = int(value, 16)
    if number >> bits:
        raise refuse(name, value, f"at most {bits} bits")
    return number


def parse_data(value: object, name: str = "data", *, size: int | None = None, most: int | None = None) -> bytes:
    """Decode bytes: exactly `size`, or at most `most` of them."""
    if not isinstance(value, str) or not (found := _DATA.match(value)):
        raise refuse(name, value, "bytes: 0x and two hexadecimal digits for each")
    data = bytes.fromhex(found[1])
    if size is not None and len(data) != size:
        raise refuse(name, value, f"{size} bytes, not {len(data)}")
    if most is not None and len(data) > most:
        raise refuse(name, value, f"at most {most} bytes, not {len(data)}")
    return data


def parse_address(value: object, name: str = "address") -> Address:
    """Decode an address; a checksum in its letters (EIP-55) is not looked at."""
    return Address(parse_data(value, name, size=20))


def parse_hash(value: object, name: str = "hash") -> Hash32:
    """Decode 32 bytes."""
    return Hash32(parse_data(value, name, size=32))


def parse_slot(value: object, name: str = "slot") -> int:
    """Decode a storage slot: any number of digits up to 64, as clients write it (`0x0`, 32 bytes)."""
    if not isinstance(value, str) or not _SLOT.match(value):
        raise refuse(name, value, "a storage slot: 0x and 1 to 64 hexadecimal digits")
    return int(value, 16)


def parse_bool(value: object, name: str = "flag") -> bool:
    """Decode a truth value."""
    if not isinstance(value, bool):
        raise refuse(name, value, "true or false")
    return value


def refuse(name: str, value: object, wanted: str) -> RpcError:
    """Build the error for a parameter that cannot be read."""
    shown = repr(value) if isinstance(value, str | int | float | bool | None) else f"a JSON {_kind(value)}"
    if len(shown) > _SHOWN_CHARACTERS:
        shown = shown[:_SHOWN_CHARACTERS] + "…"
    return invalid_params(f"invalid {name}: got {shown}, want {wanted}")


def _kind(value: object) -> str:
    return "array" if isinstance(value, list) else "object"
