"""A cursor over bytes that nobody vouches for.

Reads: one byte string, front to back.  Gives: integers and slices, each bound-checked before it is taken.
Never: looks past the end or accepts a length that is longer than what is left.  Spec: docs/spec/encoding.md#cursor
"""

from struct import Struct
from typing import Final

from bedroll.primitives import Invalid

COMPACT_SIZE_MAX: Final = 0x02000000
"""Largest compact size that counts bytes or elements (Bitcoin Core: MAX_SIZE)."""

_U16: Final = Struct("<H")
_U32: Final = Struct("<I")
_U64: Final = Struct("<Q")


class Malformed(Invalid):
    """Bytes are not an encoding of what they should be; `.offset` is where."""

    offset: int

    def __init__(self, message: str, *, offset: int, **fields: object) -> None:
        super().__init__(message, offset=offset, **fields)


class Cursor:
    """Position in a byte string.

    Attributes:
        raw: The whole string.
        offset: Next byte to read.
    """

    __slots__ = ("offset", "raw", "size")

    def __init__(self, raw: bytes, offset: int = 0) -> None:
        self.raw = raw
        self.offset = offset
        self.size = len(raw)

    def left(self) -> int:
        """Bytes not read yet."""
        return self.size - self.offset

    def take(self, length: int) -> bytes:
        """Read exactly `length` bytes."""
        start = self.offset
        end = start + length
        if end > self.size:
            raise Malformed("bytes end early", offset=start, wanted=length, left=self.size - start)
        self.offset = end
        return self.raw[start:end]

    def u8(self) -> int:
        """Read one byte."""
        start = self.offset
        if start >= self.size:
            raise Malformed("bytes end early", offset=start, wanted=1, left=0)
        self.offset = start + 1
        return self.raw[start]

    def u16(self) -> int:
        """Read two bytes, little-endian."""
        return self._integer(_U16, 2)

    def u32(self) -> int:
        """Read four bytes, little-endian."""
        return self._integer(_U32, 4)

    def u64(self) -> int:
        """Read eight bytes, little-endian."""
        return self._integer(_U64, 8)

    def compact_size(self, limit: int = COMPACT_SIZE_MAX) -> int:
        """Read a compact size in its shortest form.

        Args:
            limit: Largest value that is accepted.
        """
        start = self.offset
        if start >= self.size:
            raise Malformed("bytes end early", offset=start, wanted=1, left=0)
        value = self.raw[start]
        self.offset = start + 1
        if value >= 0xFD:
            if value == 0xFD:
                value, least = self.u16(), 0xFD
            elif value == 0xFE:
                value, least = self.u32(), 0x10000
            else:
                value, least = self.u64(), 0x100000000
            if value < least:
                raise Malformed("compact size is not in its shortest form", offset=start, value=value)
        if value > limit:
            raise Malformed("compact size is too large", offset=start, value=value, limit=limit)
        return value

    def count(self, element_size: int) -> int:
        """Read a compact size that counts elements of at least `element_size` bytes, all of which must follow."""
        return self.compact_size((self.size - self.offset) // element_size)

    def sized(self) -> bytes:
        """Read a compact size and that many bytes."""
        return self.take(self.compact_size())

    def finish(self) -> None:
        """Refuse bytes that were not read."""
        if self.offset != self.size:
            raise Malformed("bytes follow the end", offset=self.offset, left=self.size - self.offset)

    def _integer(self, form: Struct, length: int) -> int:
        start = self.offset
        if start + length > self.size:
            raise Malformed("bytes end early", offset=start, wanted=length, left=self.size - start)
        self.offset = start + length
        value: int = form.unpack_from(self.raw, start)[0]
        return value
