"""Scripts that verify a signature, and the witness items they take.

Reads: messages, signatures, items from anyone.  Gives: script segments with places for keys, items, parsed signatures.
Never: holds a key.  Spec: docs/spec/bitvm.md#winternitz

Items of a digit v of radix 16, bottom first: v mod 8, whether v ≥ 8, the node. Others: v, the node. The script hashes
eight times where v < 8, lists the chain that is left, picks entry v mod 8 from its end and compares it with the key. A
digit is bounded by `OP_MIN` before it picks, so nothing below the list can be picked; `OP_IF` takes only the two
canonical truth values in a tapscript. Revealed digits are therefore always in range, whatever the signer does.

A node has 20 bytes, also where a signer knows a longer preimage: the opponent copies signatures into witnesses of his
own, and an item above 80 bytes does not relay.

The checksum's digits are verified first, most significant first, then the message's, least significant first.
"""

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache

from bedroll.bitcoin.opcode import Opcode as Op
from bedroll.bitcoin.script import build_script
from bedroll.primitives import Invalid

from ..message import NIBBLE, Message
from .key import NODE_BYTES, Signature, all_radices, checksum_radices, digits_with_checksum, public_key_bytes

HALF = NIBBLE // 2
_NODE_CHECK = build_script(Op.OP_SIZE, NODE_BYTES, Op.OP_EQUALVERIFY)


class Mode(Enum):
    """What becomes of the digits."""

    VERIFY = "verify"
    """They are forgotten."""
    REVEAL = "reveal"
    """They stay on the alternative stack, for `extraction`."""


@lru_cache(maxsize=512)
def verification(radices: tuple[int, ...], mode: Mode) -> tuple[bytes, ...]:
    """Script that verifies a signature over digits of these radices, cut where keys stand.

    Keys, 20 bytes each whose push is in the segment before, go between the segments in the order of `key_pieces`.
    """
    checksum = checksum_radices(radices)
    segments, pending = [], b""
    if mode is Mode.VERIFY and checksum[0] == NIBBLE:
        pending = build_script(0, Op.OP_TOALTSTACK)
    for index, radix in enumerate((*checksum, *reversed(radices))):
        begins = index == 0 and radix != NIBBLE
        before, after = _digit(radix, mode, begins=begins, shifts=index < len(checksum) - 1)
        segments.append(pending + before)
        pending = after
    if mode is Mode.VERIFY:
        pending += build_script(Op.OP_FROMALTSTACK, total(radices), Op.OP_NUMEQUALVERIFY)
    return (*segments, pending)


def key_pieces(message: Message, key: bytes) -> tuple[bytes, ...]:
    """A public key in the pieces and the order in which a script holds them.

    Raises:
        Invalid: It has another size than the message's key.
    """
    if len(key) != public_key_bytes(message):
        raise Invalid("public key has a wrong size", label=message.label, size=len(key),
                      limit=public_key_bytes(message))  # fmt: skip
    pieces = [key[at : at + NODE_BYTES] for at in range(0, len(key), NODE_BYTES)]
    count = len(message.radices)
    return (*pieces[count:], *reversed(pieces[:count]))


@lru_cache(maxsize=512)
def extraction(radices: tuple[int, ...]) -> bytes:
    """Script that moves revealed digits to the main stack, first digit deepest, and checks the checksum."""
    checksum = len(checksum_radices(radices))
    parts = [build_script(Op.OP_FROMALTSTACK, Op.OP_DUP)]
    parts += [build_script(Op.OP_FROMALTSTACK, Op.OP_TUCK, Op.OP_ADD)] * (len(radices) - 1)
    parts.append(build_script(*[Op.OP_FROMALTSTACK] * checksum))
    parts += [_TIMES_16 + build_script(Op.OP_ADD)] * (checksum - 1)
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
    groups: list[tuple[bytes, ...]] = []
    digits = digits_with_checksum(message, signature.message)
    for digit, node, radix in zip(digits, signature.nodes, all_radices(message.radices), strict=True):
        if radix == NIBBLE:
            groups.append((_item(digit % HALF), _item(digit // HALF), node))
        else:
            groups.append((_item(digit), node))
    count = len(message.radices)
    return tuple(item for group in (*groups[:count], *reversed(groups[count:])) for item in group)


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
    every, count = all_radices(message.radices), len(message.radices)
    order = (*range(count), *reversed(range(count, len(every))))
    digits, nodes, at = [0] * len(every), [b""] * len(every), 0
    for place in order:
        radix = every[place]
        digit = min(_number(items[at]), (HALF if radix == NIBBLE else radix) - 1)
        at += 1
        if radix == NIBBLE:
            digit += HALF * (_number(items[at]) != 0)
            at += 1
        if digit < 0 or len(items[at]) != NODE_BYTES:
            raise Invalid("signature has a bad digit", label=message.label, digit=digit)
        digits[place], nodes[place] = digit, items[at]
        at += 1
    return Signature(message.join(digits[:count]), tuple(nodes))


def _digit(radix: int, mode: Mode, *, begins: bool, shifts: bool) -> tuple[bytes, bytes]:
    """Script of one digit before and after its key, the push of the key included before.

    Args:
        radix: Of the digit.
        mode: To verify, the sum of digits so far is on the alternative stack.
        begins: Whether there is no sum yet.
        shifts: Whether another digit of the checksum follows: the sum is its value times 16 so far.
    """
    full = radix == NIBBLE
    length = HALF if full else radix
    listing = build_script(Op.OP_DUP, Op.OP_HASH160) * (length - 1)
    bounded = build_script(length - 1, Op.OP_MIN)
    fetched = build_script(length, Op.OP_ROLL) + bounded
    below = build_script(*[Op.OP_HASH160] * HALF)
    parts = [_NODE_CHECK]
    if mode is Mode.REVEAL and full:
        parts += [build_script(Op.OP_SWAP, Op.OP_IF, HALF, Op.OP_ELSE), below, build_script(0, Op.OP_ENDIF, Op.OP_ROT)]
        parts += [bounded, build_script(Op.OP_TUCK, Op.OP_ADD, Op.OP_TOALTSTACK, Op.OP_TOALTSTACK), listing]
        parts.append(build_script(Op.OP_FROMALTSTACK))
    elif mode is Mode.REVEAL:
        parts += [listing, fetched, build_script(Op.OP_DUP, Op.OP_TOALTSTACK)]
    else:
        if full:
            parts.append(build_script(Op.OP_SWAP, Op.OP_IF, Op.OP_FROMALTSTACK, HALF, Op.OP_ADD, Op.OP_TOALTSTACK))
            parts += [build_script(Op.OP_ELSE), below, build_script(Op.OP_ENDIF)]
        parts += [listing, fetched, build_script(Op.OP_DUP)]
        parts.append(b"" if begins else build_script(Op.OP_FROMALTSTACK, Op.OP_ADD))
        parts += [_TIMES_16 if shifts else b"", build_script(Op.OP_TOALTSTACK)]
    parts.append(build_script(Op.OP_PICK) + bytes((NODE_BYTES,)))
    after = [Op.OP_EQUALVERIFY, *[Op.OP_2DROP] * (length // 2), *[Op.OP_DROP] * (length % 2)]
    return b"".join(parts), build_script(*after)


_TIMES_16 = build_script(Op.OP_DUP, Op.OP_ADD) * 4


def _item(value: int) -> bytes:
    return bytes((value,)) if value else b""


def _number(item: bytes) -> int:
    if len(item) > 4:
        raise Invalid("number of a witness is too long", size=len(item), limit=4)
    value = int.from_bytes(item, "little")
    sign = 1 << (8 * len(item) - 1) if item else 0
    return -(value - sign) if value & sign else value
