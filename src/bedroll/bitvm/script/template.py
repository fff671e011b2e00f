"""Scripts with places for keys, so that a game's leaves are joins of bytes.

Reads: segments, public keys.  Gives: `Template`, `Keys`.  Never: compiles.
Spec: docs/spec/bitvm.md#leaves
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from bedroll.bitcoin.taproot import TAPSCRIPT
from bedroll.crypto import tagged_hash
from bedroll.encoding import encode_compact_size
from bedroll.primitives import Hash32, Invalid

from ..message import Layout
from ..winternitz import key_pieces

BOTH: Final = "both"
"""Place of the parties' aggregate key."""
CHALLENGER: Final = "challenger"
"""Place of the challenger's key."""
KEY_BYTES: Final = 32


class Keys:
    """All public keys of a game, in the pieces that scripts hold.

    Args:
        layout: Of the game.
        both: Aggregate key of the parties, x only.
        challenger: His key, x only.
        one_time: Public key of each message, by label.

    Raises:
        Invalid: A key is missing, unknown, or has another size than it must.
    """

    def __init__(self, layout: Layout, *, both: bytes, challenger: bytes, one_time: Mapping[str, bytes]) -> None:
        if set(one_time) != set(layout.messages):
            raise Invalid("one-time keys are not those of the game", keys=len(one_time), limit=len(layout.messages))
        for name, key in ((BOTH, both), (CHALLENGER, challenger)):
            if len(key) != KEY_BYTES:
                raise Invalid("key is not x only", name=name, size=len(key), limit=KEY_BYTES)
        self._pieces: dict[str, tuple[bytes, ...]] = {BOTH: (both,), CHALLENGER: (challenger,)}
        for label, message in layout.messages.items():
            self._pieces[label] = key_pieces(message, one_time[label])

    def pieces(self, place: str) -> tuple[bytes, ...]:
        """Keys of one place, in the order in which a script holds them."""
        return self._pieces[place]


@dataclass(frozen=True)
class Template:
    """A script without its keys.

    Attributes:
        segments: What stands before, between and after the keys; the push of each key is included.
        places: Whose keys, in order.
        key_bytes: Size of all keys.
    """

    segments: tuple[bytes, ...]
    places: tuple[str, ...]
    key_bytes: int

    @cached_property
    def size_bytes(self) -> int:
        """Of the script."""
        return sum(map(len, self.segments)) + self.key_bytes

    def parts(self, keys: Keys) -> list[bytes]:
        """The script in pieces."""
        filled: list[bytes] = [b""] * (2 * len(self.segments) - 1)
        filled[0::2] = self.segments
        filled[1::2] = [piece for place in self.places for piece in keys.pieces(place)]
        return filled

    def fill(self, keys: Keys) -> bytes:
        """The script."""
        return b"".join(self.parts(keys))

    def leaf_hash(self, keys: Keys) -> Hash32:
        """Hash of the leaf (BIP-0341), without a second copy of the script."""
        prefix = bytes((TAPSCRIPT,)) + encode_compact_size(self.size_bytes)
        return tagged_hash("TapLeaf", prefix, self.fill(keys))


def join_segments(parts: Iterable[tuple[bytes, ...]]) -> tuple[bytes, ...]:
    """Put segment lists one after another: the end of one and the start of the next grow together."""
    joined: list[bytes] = [b""]
    for part in parts:
        joined[-1] += part[0]
        joined += part[1:]
    return tuple(joined)
