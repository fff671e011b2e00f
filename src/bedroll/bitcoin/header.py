"""Block headers.

Reads: 80 bytes.  Gives: `Header`, its hash and work.  Never: judges a header by its ancestors (`chain` does).
Spec: docs/spec/bitcoin.md#header
"""

from dataclasses import dataclass
from functools import cached_property
from struct import Struct
from typing import Final

from bedroll.crypto import double_sha256
from bedroll.encoding import Malformed
from bedroll.primitives import BlockHash

from .work import decode_target, work_of_target

HEADER_SIZE: Final = 80
_FORM: Final = Struct("<i32s32sIII")


@dataclass(frozen=True)
class Header:
    """A block header.

    Attributes:
        version: Signed.
        previous: Hash of the block before, internal order.
        merkle_root: Over the txids, internal order.
        time: Seconds, as the miner claims.
        bits: Target in compact form.
        nonce: What the miner searched.
    """

    version: int
    previous: BlockHash
    merkle_root: bytes
    time: int
    bits: int
    nonce: int

    @staticmethod
    def parse(raw: bytes) -> "Header":
        """Parse exactly 80 bytes.

        Raises:
            Malformed: It is another length.
        """
        if len(raw) != HEADER_SIZE:
            raise Malformed("header is not 80 bytes", offset=min(len(raw), HEADER_SIZE), size=len(raw))
        header = Header(*_FORM.unpack(raw))
        header.__dict__["raw"] = raw
        return header

    @cached_property
    def raw(self) -> bytes:
        """80 bytes."""
        return _FORM.pack(self.version, self.previous, self.merkle_root, self.time, self.bits, self.nonce)

    @cached_property
    def hash(self) -> BlockHash:
        """Hash, internal order."""
        return BlockHash(double_sha256(self.raw))

    @property
    def work(self) -> int:
        """Expected hashes to find it; 0 if its target is not one."""
        target = decode_target(self.bits)
        return 0 if target is None else work_of_target(target)

    def meets_target(self) -> bool:
        """Whether the hash is at or below the target that the header itself names."""
        target = decode_target(self.bits)
        return target is not None and int.from_bytes(self.hash, "little") <= target
