"""Scripts that verify a signature, and the witness items they take.

Reads: messages, signatures, items from anyone.  Gives: script segments with places for keys, items, parsed signatures.
Never: holds a key.  Spec: docs/spec/bitvm.md#winternitz

Items of a digit v of radix 16, bottom first: v mod 8, the node, whether v ≥ 8. Others: v, the node. The script hashes
eight times where v < 8, lists the chain that is left, picks entry v mod 8 from its end and compares it with the key. A
digit is bounded by `OP_MIN` before it picks, so nothing below the list can be picked; `OP_IF` takes only the two
canonical truth values in a tapscript. Revealed digits are therefore always in range, whatever the signer does.

A node has 20 bytes, also where a signer knows a longer preimage: the opponent copies signatures into witnesses of his
own, and an item above 80 bytes does not relay.
"""

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache

from bedroll.bitcoin.opcode import Opcode as Op
from bedroll.bitcoin.script import build_script
from bedroll.primitives import Invalid

from ..message import NIBBLE, Message
from .key import NODE_BYTES, Signature, all_radices, checksum_radices, digits_with_checksum

HALF = NIBBLE // 2
_NODE_ON_TOP = build_script(Op.OP_SIZE, NODE_BYTES, Op.OP_EQUALVERIFY)
_NODE_UNDER_FLAG = build_script(Op.OP_OVER) + _NODE_ON_TOP + build_script(Op.OP_DROP)


class Mode(Enum):
    """What becomes of the digits."""

    VERIFY = "verify"
    """They are forgotten."""
    REVEAL = "reveal"
    """They stay on the alternative stack, for `extraction`."""


@lru_cache(maxsize=512)
def verification(radices: tuple[int, ...], mode: Mode) -> tuple[bytes, ...]:
    """Script that verifies a signature over digits of these radices, cut where keys stand.

    Keys, 20 bytes each with their push, go between the segments, in the public key's order reversed: the last digit of
    the checksum is verified first, as its items are on top.
    """
    every, checksum = all_radices(radices), len(checksum_radices(radices))
    segments, pending = [], build_script(0, Op.OP_TOALTSTACK) if mode is Mode.VERIFY else b""
    for index, radix in enumerate(reversed(every)):
        weight = index if index < checksum else 0
        before, after = _digit(radix, weight, mode)
        segments.append(pending + before)
        pending = after
    if mode is Mode.VERIFY:
        pending += build_script(Op.OP_FROMALTSTACK, total(radices), Op.OP_NUMEQUALVERIFY)
    return (*segments, pending)


@lru_cache(maxsize=512)
def extraction(radices: tuple[int, ...]) -> bytes:
    """Script that moves revealed digits to the main stack, first digit deepest, and checks the checksum."""
    checksum = len(checksum_radices(radices))
    parts = [build_script(Op.OP_FROMALTSTACK, Op.OP_DUP)]
    parts += [build_script(Op.OP_FROMALTSTACK, Op.OP_TUCK, Op.OP_ADD)] * (len(radices) - 1)
    parts.append(build_script(Op.OP_FROMALTSTACK))
    parts += [_times_16(1) + build_script(Op.OP_FROMALTSTACK, Op.OP_ADD)] * (checksum - 1)
    parts.append(build_script(Op.OP_ADD, total(radices), Op.OP_NUMEQUALVERIFY))
    return b"".join(parts)


def total(radices: tuple[int, ...]) -> int:
    """Sum of a message's digits and its checksum, whatever the message."""
    return sum(radix - 1 for radix in radices)


def witness_items(message: Message, signature: Signature) -> tuple[bytes, ...]:
    """Items of a signature, bottom first.

    Raises:
        Invalid: The bytes are no such message.
    """
    items: list[bytes] = []
    digits = digits_with_checksum(message, signature.message)
    for digit, node, radix in zip(digits, signature.nodes, all_radices(message.radices), strict=True):
        if radix == NIBBLE:
            items += (_item(digit % HALF), node, _item(digit // HALF))
        else:
            items += (_item(digit), node)
    return tuple(items)


def witness_size(message: Message) -> int:
    """Items of a signature."""
    return sum(3 if radix == NIBBLE else 2 for radix in all_radices(message.radices))


def parse_items(message: Message, items: Sequence[bytes]) -> Signature:
    """Signature in items that a script has accepted.

    Raises:
        Invalid: The items are none: number or form. A digit above its range is read as the script reads it.
    """
    if len(items) != witness_size(message):
        raise Invalid("signature has a wrong number of items", label=message.label, size=len(items),
                      limit=witness_size(message))  # fmt: skip
    digits, nodes, at = [], [], 0
    for radix in all_radices(message.radices):
        digit, node = _number(items[at]), items[at + 1]
        digit = min(digit, (HALF if radix == NIBBLE else radix) - 1)
        at += 2
        if radix == NIBBLE:
            digit += HALF * (_number(items[at]) != 0)
            at += 1
        if digit < 0 or len(node) != NODE_BYTES:
            raise Invalid("signature has a bad digit", label=message.label, digit=digit)
        digits.append(digit)
        nodes.append(node)
    return Signature(message.join(digits[: len(message.radices)]), tuple(nodes))


def _digit(radix: int, weight: int, mode: Mode) -> tuple[bytes, bytes]:
    """Script of one digit before and after its key, the push of the key included before."""
    reveal, full = mode is Mode.REVEAL, radix == NIBBLE
    length = HALF if full else radix
    parts: list[bytes] = [_NODE_UNDER_FLAG if full else _NODE_ON_TOP]
    if full and reveal:
        parts.append(
            build_script(Op.OP_IF, HALF, Op.OP_ELSE, *[Op.OP_HASH160] * HALF, 0, Op.OP_ENDIF, Op.OP_TOALTSTACK)
        )
    elif full:
        add = build_script(Op.OP_FROMALTSTACK, HALF * NIBBLE**weight, Op.OP_ADD, Op.OP_TOALTSTACK)
        hashes = build_script(Op.OP_ELSE, *[Op.OP_HASH160] * HALF, Op.OP_ENDIF)
        parts.append(build_script(Op.OP_IF) + add + hashes)
    parts.append(build_script(Op.OP_DUP, Op.OP_HASH160) * (length - 1))
    parts.append(build_script(length, Op.OP_ROLL, length - 1, Op.OP_MIN, Op.OP_DUP))
    if not reveal:
        parts.append(_times_16(weight) + build_script(Op.OP_FROMALTSTACK, Op.OP_ADD))
    elif full:
        parts.append(build_script(Op.OP_FROMALTSTACK, Op.OP_ADD))
    parts.append(build_script(Op.OP_TOALTSTACK, Op.OP_PICK) + bytes((NODE_BYTES,)))
    after = [Op.OP_EQUALVERIFY, *[Op.OP_2DROP] * (length // 2), *[Op.OP_DROP] * (length % 2)]
    return b"".join(parts), build_script(*after)


def _times_16(power: int) -> bytes:
    return build_script(Op.OP_DUP, Op.OP_ADD) * (4 * power)


def _item(value: int) -> bytes:
    return bytes((value,)) if value else b""


def _number(item: bytes) -> int:
    if len(item) > 4:
        raise Invalid("number of a witness is too long", size=len(item), limit=4)
    value = int.from_bytes(item, "little")
    sign = 1 << (8 * len(item) - 1) if item else 0
    return -(value - sign) if value & sign else value
