"""Leaf scripts that carry bytes, in both carriers.

Reads: a key, a body, a nonce.  Gives: the leaf script.  Never: signs, knows the tree above the leaf.
Spec: docs/spec/da.md#envelopes
"""

from enum import Enum
from typing import Final

from bedroll._core import _native
from bedroll.primitives import Invalid

BODY_MAX: Final = 390_000
"""Bytes of one envelope's body (`reveal_body_max`)."""
NONCE_SIZE: Final = 4
"""Bytes of the nonce that `build_leaf` writes."""
NONCE_MAX: Final = (1 << 32) - 1

_OP_FALSE_IF: Final = b"\x00\x63"
_OP_ENDIF: Final = b"\x68"
_OP_DROP: Final = b"\x75"
_OP_TRUE: Final = b"\x51"
_OP_CHECKSIGVERIFY: Final = b"\xad"


class Carrier(Enum):
    """The two forms of an envelope; equal in meaning, the drop form survives policies that forbid `OP_IF`."""

    BRANCH = 520
    DROP = 255

    @property
    def push_max(self) -> int:
        """Longest push of this form, bytes."""
        return int(self.value)


def build_leaf(key: bytes, body: bytes, nonce: int = 0, carrier: Carrier = Carrier.BRANCH) -> bytes:
    """Leaf script of an envelope.

    The nonce changes nothing but the hash of the leaf: its size is fixed, so sizes and fees do not move while
    someone grinds for a wtxid.

    Args:
        key: x-only key that signs the reveal, 32 bytes.
        body: An object, or a chunk of one.
        nonce: 0 to 2^32 − 1.
        carrier: Form.
    """
    if len(key) != 32:
        raise Invalid("a leaf's key has 32 bytes", size=len(key))
    if len(body) > BODY_MAX:
        raise Invalid("an envelope's body is too long", size=len(body), limit=BODY_MAX)
    if not 0 <= nonce <= NONCE_MAX:
        raise Invalid("a nonce is out of range", nonce=nonce, limit=NONCE_MAX)
    step = carrier.push_max
    pushes = [_push(body[start : start + step]) for start in range(0, len(body), step)]
    if carrier is Carrier.BRANCH:
        carried = _OP_FALSE_IF + b"".join(pushes) + _OP_ENDIF
    else:
        carried = b"".join(push + _OP_DROP for push in pushes)
    tail = _push(nonce.to_bytes(NONCE_SIZE, "little")) + _OP_DROP + _OP_TRUE
    return _push(key) + _OP_CHECKSIGVERIFY + carried + tail


def leaf_size(body_size: int, carrier: Carrier = Carrier.BRANCH) -> int:
    """Bytes of the leaf script of a body; one less at most, where the last push is a single small byte."""
    full, rest = divmod(body_size, carrier.push_max)
    pushes = full * (carrier.push_max + _prefix_size(carrier.push_max))
    if rest:
        pushes += rest + _prefix_size(rest)
    around = 3 if carrier is Carrier.BRANCH else full + (rest > 0)
    return 33 + 1 + pushes + around + 1 + NONCE_SIZE + 2


def parse_leaf(script: bytes) -> bytes:
    """Body of the envelope that a leaf script is.

    Raises:
        Invalid: The script breaks the grammar.
    """
    return _native.parse_envelope(script)


def _prefix_size(size: int) -> int:
    return 1 if size <= 75 else 2 if size <= 255 else 3


def _push(raw: bytes) -> bytes:
    """The only push of `raw` that Bitcoin calls minimal."""
    if not raw:
        return b"\x00"
    if len(raw) == 1 and 1 <= raw[0] <= 16:
        return bytes([0x50 + raw[0]])
    if raw == b"\x81":
        return b"\x4f"
    if len(raw) <= 75:
        return bytes([len(raw)]) + raw
    if len(raw) <= 255:
        return b"\x4c" + bytes([len(raw)]) + raw
    return b"\x4d" + len(raw).to_bytes(2, "little") + raw
