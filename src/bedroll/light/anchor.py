"""What the rules for L1 headers need to know of the blocks up to the anchor.

Reads: headers.  Gives: `AnchorFacts`.  Never: trusts a header that does not lead to the anchor's hash.
Spec: docs/spec/settlement.md#anchor
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from bedroll.crypto import double_sha256
from bedroll.primitives import Invalid, L1Height

PERIOD_BLOCKS: Final = 2_016
"""L1 blocks of one target."""
_TIMES: Final = 11
_HEADER_BYTES: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorFacts:
    """The anchor, and what follows from the headers that end with it.

    Attributes:
        height: L1 height.
        hash: Internal order, 32 bytes.
        times: Of up to 11 headers that end with it, oldest first, seconds.
        bits: Its target, compact.
        period_time: Time of the first block of its period of 2,016, seconds.
        period_bits: Target of that block.
        regular_bits: Target of the newest block that has not the easiest one, or begins the period.
    """

    height: L1Height
    hash: bytes
    times: tuple[int, ...]
    bits: int
    period_time: int
    period_bits: int
    regular_bits: int

    @classmethod
    def of_headers(cls, height: int, headers: Sequence[bytes], limit_bits: int) -> "AnchorFacts":
        """From headers that end with the anchor.

        Args:
            height: Of the anchor.
            headers: 80 bytes each, in order, from the first block of the anchor's period or from ten blocks before the
                anchor, whichever is lower; from block 0 where that is near.
            limit_bits: The easiest target of the network, compact.

        Raises:
            Invalid: They are fewer or more than that, or no chain.
        """
        first = max(0, min(height - height % PERIOD_BLOCKS, height - _TIMES + 1))
        if len(headers) != height - first + 1 or any(len(header) != _HEADER_BYTES for header in headers):
            raise Invalid(
                f"{height - first + 1} headers of 80 bytes lead to the anchor, from height {first}",
                reason="headers",
                given=len(headers),
            )
        for parent, child in pairwise(headers):
            if child[4:36] != double_sha256(parent):
                raise Invalid("the headers before the anchor are no chain", reason="headers")
        begins = headers[height - height % PERIOD_BLOCKS - first]
        period = headers[height - height % PERIOD_BLOCKS - first :]
        regular = next((header for header in reversed(period) if _bits(header) != limit_bits), begins)
        return cls(
            height=L1Height(height),
            hash=bytes(double_sha256(headers[-1])),
            times=tuple(_time(header) for header in headers[-_TIMES:]),
            bits=_bits(headers[-1]),
            period_time=_time(begins),
            period_bits=_bits(begins),
            regular_bits=_bits(regular),
        )


def _time(header: bytes) -> int:
    return int.from_bytes(header[68:72], "little")


def _bits(header: bytes) -> int:
    return int.from_bytes(header[72:76], "little")
