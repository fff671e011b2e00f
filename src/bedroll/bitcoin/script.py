"""Scripts: minimal pushes, numbers, elements, and the kinds of output that matter.

Reads: script bytes from anyone.  Gives: elements, `Kind`, and scripts built from parts.
Never: executes a script; consensus is Bitcoin Core's.  Spec: docs/spec/bitcoin.md#script
"""

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from bedroll.encoding import Malformed
from bedroll.primitives import Invalid

from .opcode import SUCCESS, Opcode

PUSH_SIZE_MAX: Final = 520
"""Largest element on the stack, bytes (consensus)."""
NUMBER_SIZE_MAX: Final = 4
"""Largest operand of arithmetic, bytes (consensus)."""
ANCHOR_SCRIPT: Final = b"\x51\x02\x4e\x73"
"""Pay-to-anchor (P2A): anyone can spend it with an empty witness."""


class Element(NamedTuple):
    """One operation of a script.

    Attributes:
        opcode: Its byte; for a direct push the length.
        push: Bytes it puts on the stack as data, None for an operation. `OP_1` and the like are operations.
        offset: Where it begins.
    """

    opcode: int
    push: bytes | None
    offset: int


class Kind(Enum):
    """What an output's script is. Names as Bitcoin Core's `TxoutType`."""

    TAPROOT = "witness_v1_taproot"
    WITNESS_KEY_HASH = "witness_v0_keyhash"
    WITNESS_SCRIPT_HASH = "witness_v0_scripthash"
    KEY_HASH = "pubkeyhash"
    SCRIPT_HASH = "scripthash"
    KEY = "pubkey"
    MULTISIG = "multisig"
    ANCHOR = "anchor"
    DATA = "nulldata"
    WITNESS_UNKNOWN = "witness_unknown"
    NONSTANDARD = "nonstandard"


def build_script(*parts: Opcode | int | bytes) -> bytes:
    """Put a script together: opcodes as they are, numbers and byte strings as minimal pushes.

    >>> build_script(144, Opcode.OP_CHECKSEQUENCEVERIFY, Opcode.OP_DROP, b"ab").hex()
    '029000b275026162'
    """
    return b"".join(
        bytes((part,))
        if isinstance(part, Opcode)
        else encode_push(part)
        if isinstance(part, bytes)
        else encode_push(encode_number(part))
        for part in parts
    )


def encode_push(item: bytes) -> bytes:
    """The shortest operation that pushes `item` (BIP-0062 rule 3; tapscript's MINIMALDATA)."""
    size = len(item)
    if size == 0:
        return b"\x00"
    if size == 1:
        if 1 <= item[0] <= 16:
            return bytes((0x50 + item[0],))
        if item[0] == 0x81:
            return b"\x4f"
    if size < 0x4C:
        return size.to_bytes(1, "little") + item
    if size < 0x100:
        return b"\x4c" + size.to_bytes(1, "little") + item
    if size < 0x10000:
        return b"\x4d" + size.to_bytes(2, "little") + item
    return b"\x4e" + size.to_bytes(4, "little") + item


def encode_number(value: int) -> bytes:
    """Script number: little-endian, sign in the top bit, no needless byte; zero is empty."""
    if value == 0:
        return b""
    size = abs(value).bit_length() // 8 + 1
    return (abs(value) | (1 << (8 * size - 1) if value < 0 else 0)).to_bytes(size, "little")


def decode_number(raw: bytes, size_max: int = NUMBER_SIZE_MAX) -> int:
    """Read a script number.

    Raises:
        Invalid: Longer than `size_max` bytes, or not in its shortest form.
    """
    if len(raw) > size_max:
        raise Invalid("script number is too long", size=len(raw), limit=size_max)
    if not raw:
        return 0
    if raw[-1] & 0x7F == 0 and (len(raw) == 1 or raw[-2] & 0x80 == 0):
        raise Invalid("script number is not in its shortest form", number=raw)
    value = int.from_bytes(raw, "little")
    sign = 1 << (8 * len(raw) - 1)
    return -(value - sign) if value & sign else value


def parse_script(script: bytes) -> Iterator[Element]:
    """Walk a script.

    Raises:
        Malformed: A push is longer than what is left. Elements before it were given.
    """
    offset, size = 0, len(script)
    while offset < size:
        start, code = offset, script[offset]
        offset += 1
        if code > Opcode.OP_PUSHDATA4:
            yield Element(code, None, start)
            continue
        length = code
        if code >= Opcode.OP_PUSHDATA1:
            width = 1 << (code - Opcode.OP_PUSHDATA1)
            length = int.from_bytes(script[offset : offset + width], "little")
            if offset + width > size:
                raise Malformed("script ends inside a push length", offset=start, size=size)
            offset += width
        if offset + length > size:
            raise Malformed("script ends inside a push", offset=start, length=length, left=size - offset)
        yield Element(code, script[offset : offset + length], start)
        offset += length


def is_push_only(script: bytes) -> bool:
    """Whether a script only puts items on the stack (opcodes up to `OP_16`)."""
    try:
        return all(element.opcode <= Opcode.OP_16 for element in parse_script(script))
    except Malformed:
        return False


def is_minimal(element: Element) -> bool:
    """Whether an element is not a push, or the shortest one of its item."""
    if element.push is None:
        return True
    item = element.push
    expected = encode_push(item)
    return expected[0] == element.opcode and len(expected) >= len(item)


def has_success_opcode(script: bytes) -> bool:
    """Whether a tapscript holds an `OP_SUCCESS` before any push that runs over its end (BIP-0342)."""
    try:
        return any(element.opcode in SUCCESS for element in parse_script(script))
    except Malformed:
        return False


def witness_program(script: bytes) -> tuple[int, bytes] | None:
    """Version and program of a witness output (BIP-0141), or None."""
    if not 4 <= len(script) <= 42 or script[1] != len(script) - 2:
        return None
    if script[0] == 0:
        return 0, script[2:]
    return (script[0] - 0x50, script[2:]) if 0x51 <= script[0] <= 0x60 else None


def classify(script: bytes) -> Kind:
    """Kind of an output's script, as Bitcoin Core's `Solver` sees it."""
    program = witness_program(script)
    if program is not None:
        return _classify_program(script, *program)
    size = len(script)
    if size == 23 and script[:2] == b"\xa9\x14" and script[22] == Opcode.OP_EQUAL:
        return Kind.SCRIPT_HASH
    if size == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return Kind.KEY_HASH
    if script[:1] == b"\x6a" and is_push_only(script[1:]):
        return Kind.DATA
    if _is_pay_to_key(script):
        return Kind.KEY
    return Kind.MULTISIG if _is_multisig(script) else Kind.NONSTANDARD


def taproot_script(output_key: bytes) -> bytes:
    """Output script of a taproot key (BIP-0341), the key being x only, 32 bytes."""
    return b"\x51\x20" + output_key


def data_script(*items: bytes) -> bytes:
    """Output script that nobody can spend and that carries `items`."""
    return build_script(Opcode.OP_RETURN, *items)


def is_unspendable(script: bytes) -> bool:
    """Whether an output can never be spent: `OP_RETURN` first, or larger than a script may be."""
    return script[:1] == b"\x6a" or len(script) > 10_000


def _classify_program(script: bytes, version: int, program: bytes) -> Kind:
    if version == 0:
        if len(program) == 20:
            return Kind.WITNESS_KEY_HASH
        return Kind.WITNESS_SCRIPT_HASH if len(program) == 32 else Kind.NONSTANDARD
    if version == 1 and len(program) == 32:
        return Kind.TAPROOT
    return Kind.ANCHOR if script == ANCHOR_SCRIPT else Kind.WITNESS_UNKNOWN


def _is_key(item: bytes) -> bool:
    return (len(item) == 33 and item[0] in (2, 3)) or (len(item) == 65 and item[0] in (4, 6, 7))


def _is_pay_to_key(script: bytes) -> bool:
    if len(script) not in (35, 67) or script[-1] != Opcode.OP_CHECKSIG or script[0] != len(script) - 2:
        return False
    return _is_key(script[1:-1])


def _is_multisig(script: bytes) -> bool:
    if script[-1:] != b"\xae":
        return False
    try:
        elements = list(parse_script(script[:-1]))
    except Malformed:
        return False
    if len(elements) < 3:
        return False
    needed, keys, total = elements[0], elements[1:-1], elements[-1]
    if not (0x51 <= needed.opcode <= 0x60 and 0x51 <= total.opcode <= 0x60):
        return False
    if total.opcode - 0x50 != len(keys) or needed.opcode > total.opcode:
        return False
    return all(key.push is not None and is_minimal(key) and _is_key(key.push) for key in keys)
