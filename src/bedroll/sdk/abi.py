"""Solidity's ABI, read side: types from their names, values from bytes that anybody may have written.

Reads: type names, call data.  Gives: `AbiType`, `parse_type`, `decode_values`.
Never: makes more values than it was allowed, however the offsets of the data point.  Spec: docs/spec/sdk.md#abi

Offsets may point at one place many times, so that a few bytes describe a huge value; libraries follow them. Here every
value and byte given out is counted.
"""

import re
from dataclasses import dataclass
from typing import Final

from bedroll.primitives import Invalid

VALUES_MAX: Final = 4_096
"""Values in one decoding, whole arrays not counted."""
BYTES_MAX: Final = 1 << 20
"""Bytes of all byte strings in one decoding."""
_NESTING_MAX: Final = 16
_NAME_CHARACTERS_MAX: Final = 4_096
_WORD: Final = 32
_ARRAY: Final = re.compile(r"(.+)\[(\d{0,9})\]\Z", re.DOTALL)
_ELEMENTARY: Final = re.compile(r"(u?int|bytes|address|bool|string|function)(\d{0,3})\Z")

AbiValue = int | bool | bytes | str | list["AbiValue"]
"""Numbers, truth, addresses and byte strings, text, arrays and tuples."""


class AbiMismatch(Invalid):
    """Bytes or a type name that are not of the ABI; `.reason` says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class AbiType:
    """One type.

    Attributes:
        name: Canonical, as selectors are made of it.
        kind: "uint", "int", "address", "bool", "bytes", "string", "tuple" or "array".
        size: Bits of a number, bytes of a fixed byte string, elements of a fixed array; 0 where there is no such.
        items: Of a tuple its members, of an array its one element type.
        labels: Names of a tuple's members, as far as they are known.
    """

    name: str
    kind: str
    size: int = 0
    items: tuple["AbiType", ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def is_dynamic(self) -> bool:
        """Whether it lies behind an offset."""
        if self.kind == "array":
            return self.size == 0 or self.items[0].is_dynamic
        if self.kind == "tuple":
            return any(item.is_dynamic for item in self.items)
        return self.kind == "string" or (self.kind == "bytes" and self.size == 0)

    @property
    def head_bytes(self) -> int:
        """Bytes that it takes where it stands."""
        if self.is_dynamic:
            return _WORD
        if self.kind == "array":
            return self.size * self.items[0].head_bytes
        if self.kind == "tuple":
            return sum(item.head_bytes for item in self.items)
        return _WORD


def tuple_type(items: tuple[AbiType, ...], labels: tuple[str, ...] = ()) -> AbiType:
    """The tuple of some types."""
    return AbiType(f"({','.join(item.name for item in items)})", "tuple", items=items, labels=labels)


def array_type(item: AbiType, length: int = 0) -> AbiType:
    """The array of a type; length 0: as long as the data says."""
    return AbiType(f"{item.name}[{length or ''}]", "array", length, (item,))


def parse_type(name: str, nesting: int = 0) -> AbiType:
    """Read a type's name; aliases become canonical.

    Raises:
        AbiMismatch: There is no such type.

    Example:
        >>> parse_type("(address,uint)[]").name
        '(address,uint256)[]'
    """
    if nesting > _NESTING_MAX or len(name) > _NAME_CHARACTERS_MAX:
        raise AbiMismatch("the type nests too deep", reason=f"at most {_NESTING_MAX} levels")
    if array := _ARRAY.match(name):
        length = int(array[2] or "0")
        if array[2] and not length:
            raise AbiMismatch("an array of no elements", reason=name[:80])
        return array_type(parse_type(array[1], nesting + 1), length)
    if name.startswith("(") and name.endswith(")"):
        return tuple_type(tuple(parse_type(part, nesting + 1) for part in split_list(name[1:-1])))
    return _elementary(name)


def _elementary(name: str) -> AbiType:
    found = _ELEMENTARY.match(name)
    if found is None:
        raise AbiMismatch("not a type of the ABI", reason=name[:80])
    kind, digits = found[1], found[2]
    if kind in ("uint", "int"):
        bits = int(digits or "256")
        if bits % 8 == 0 and 8 <= bits <= 256:
            return AbiType(f"{kind}{bits}", kind, bits)
    elif kind == "bytes":
        if not digits or 1 <= int(digits) <= _WORD:
            return AbiType(name, kind, int(digits or "0"))
    elif not digits:
        return AbiType(name, "bytes", 24) if kind == "function" else AbiType(name, kind)
    raise AbiMismatch("not a type of the ABI", reason=name[:80])


def split_list(text: str) -> list[str]:
    """The parts between commas that stand in no parentheses; none of an empty text."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()] if text.strip() else []


def decode_values(types: tuple[AbiType, ...], data: bytes) -> list[AbiValue]:
    """Decode a list of values, as arguments and results are encoded. Bytes behind them are ignored, as contracts do.

    Raises:
        AbiMismatch: The bytes are not of these types, or describe more than is decoded.
    """
    return _Decoder(data).members(types, 0, 0)


class _Decoder:
    """Reads values while both budgets last."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._values_left = VALUES_MAX
        self._bytes_left = BYTES_MAX

    def members(self, types: tuple[AbiType, ...], start: int, nesting: int) -> list[AbiValue]:
        """Values that stand side by side; offsets count from where they begin."""
        found: list[AbiValue] = []
        position = start
        for item in types:
            if item.is_dynamic:
                found.append(self._value(item, start + self._number(position), nesting + 1))
            else:
                found.append(self._value(item, position, nesting + 1))
            position += item.head_bytes
        return found

    def _value(self, item: AbiType, position: int, nesting: int) -> AbiValue:
        self._values_left -= 1
        if self._values_left < 0 or nesting > 2 * _NESTING_MAX:
            raise AbiMismatch("more values than are decoded", reason=f"at most {VALUES_MAX}")
        if item.kind == "tuple":
            return self.members(item.items, position, nesting)
        if item.kind == "array":
            return self._array(item, position, nesting)
        if item.kind == "string" or (item.kind == "bytes" and not item.size):
            raw = self._string(position)
            return raw if item.kind == "bytes" else raw.decode(errors="backslashreplace")
        return self._word(item, self._take(position, _WORD))

    def _array(self, item: AbiType, position: int, nesting: int) -> AbiValue:
        length = item.size
        if not length:
            length = self._number(position)
            position += _WORD
        if length > self._values_left:
            raise AbiMismatch("more values than are decoded", reason=f"an array of {min(length, 1 << 64)}")
        return self.members(item.items * length, position, nesting)

    def _string(self, position: int) -> bytes:
        length = self._number(position)
        self._bytes_left -= length
        if self._bytes_left < 0:
            raise AbiMismatch("more bytes than are decoded", reason=f"at most {BYTES_MAX}")
        return self._take(position + _WORD, length)

    @staticmethod
    def _word(item: AbiType, word: bytes) -> AbiValue:
        if item.kind == "uint":
            number = int.from_bytes(word, "big")
            fits = number < 1 << item.size
            value: AbiValue = number
        elif item.kind == "int":
            number = int.from_bytes(word, "big", signed=True)
            fits = -(1 << item.size - 1) <= number < 1 << item.size - 1
            value = number
        elif item.kind == "bool":
            fits = word[:31] == bytes(31) and word[31] < 2
            value = word[31] == 1
        elif item.kind == "address":
            fits = word[:12] == bytes(12)
            value = word[12:]
        else:
            fits = word[item.size :] == bytes(_WORD - item.size)
            value = word[: item.size]
        if not fits:
            raise AbiMismatch(f"not of type {item.name}", reason=word.hex())
        return value

    def _number(self, position: int) -> int:
        """An offset or a length: never more than there are bytes, whatever is meant by it."""
        number = int.from_bytes(self._take(position, _WORD), "big")
        if number > len(self._data) + self._values_left:
            raise AbiMismatch("points beyond its end", reason=f"{len(self._data)} bytes")
        return number

    def _take(self, position: int, length: int) -> bytes:
        if position + length > len(self._data):
            raise AbiMismatch("ends too early", reason=f"{len(self._data)} bytes")
        return self._data[position : position + length]
