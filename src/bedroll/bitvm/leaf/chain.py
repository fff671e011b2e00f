"""Leaves that hash: a row's place in the chain, shown by opening a signed hash.

Reads: a layout.  Gives: leaves.  Never: takes a digit from the challenger without bounding it.
Spec: docs/spec/bitvm.md#facts

H_i = BLAKE3(0x01 ‖ H_{i−1} ‖ write_addr ‖ write_value ‖ write_pc)[:20]. What the challenger opens is unsigned: hints,
one item a nibble. Two openings of one hash are a collision.
"""

from collections.abc import Callable
from functools import lru_cache

from bedroll.bitcoin.opcode import Opcode as Op

from ..message import HASH_BYTES, NIBBLE, Field, Layout, word
from ..script.assembler import Item, Keep, Operand
from ..script.blake3 import hash_block, push_tables
from ..script.second.blake3 import hash_block_bits
from .leaf import CHALLENGER, Leaf, build_leaf
from .reveal import Revealed, differ

MESSAGE_BYTES = 33
STEP_TAG: list[Operand] = [0, 1]
OPENED = (Field("before", (NIBBLE,) * (2 * HASH_BYTES)), word("addr"), word("value"), word("pc"))
"""Hints of an opened hash: the hash before, and the row's write and write_pc."""


def opening_hints(before: bytes, addr: int, value: int, pc: int) -> dict[str, int]:
    """Hints that open the hash after a row."""
    return {"before": int.from_bytes(before, "big"), "addr": addr, "value": value, "pc": pc}


Hasher = Callable[[Revealed, list[Item]], list[Item]]
"""Writes the hash of a step's message: its nibbles, each with 1 added."""


def table_hash(shown: Revealed, message: list[Item]) -> list[Item]:
    """The form of the game. Everything on the stack is lifted over the tables first."""
    asm = shown.asm
    count = len(asm.stack)
    for _ in range(count):
        asm.to_alt(asm.stack[-1])
    push_tables(asm)
    for _ in range(count):
        asm.from_alt()
    return hash_block(asm, [*STEP_TAG, *message], MESSAGE_BYTES)


def _opened(shown: Revealed) -> list[Item]:
    """All nibbles of the hints, bounded."""
    asm = shown.asm
    found = [item for hint in OPENED for item in shown.hints[hint.name]]
    for item in found:
        asm.verify(asm.calc(Op.OP_WITHIN, Keep(item), 0, NIBBLE))
    return found


def bit_hash(shown: Revealed, message: list[Item]) -> list[Item]:
    """The second form, for comparison only."""
    asm = shown.asm
    return [asm.calc(Op.OP_1ADD, nibble) for nibble in hash_block_bits(asm, [*STEP_TAG, *message], MESSAGE_BYTES)]


def _verify_hash(shown: Revealed, message: list[Item], label: str, hasher: Hasher) -> None:
    """The message hashes to a signed hash."""
    asm = shown.asm
    expected = shown.digits[label, "hash"]
    for found, digit in zip(hasher(shown, message), expected, strict=True):
        asm.verify_equal(found, asm.calc(Op.OP_1ADD, digit))


@lru_cache(maxsize=8)
def trace_hash_leaf(layout: Layout, hasher: Hasher = table_hash) -> Leaf:
    """H_k is not the hash of H_{k−1} and the row."""
    messages = tuple(layout.messages[label] for label in ("right_hash", "left_hash", "write"))
    shown = Revealed.of(messages)
    asm = shown.asm
    digits = [*shown.digits["left_hash", "hash"]]
    for field in ("addr", "value", "pc"):
        digits += shown.digits["write", field]
    found = hasher(shown, digits)
    expected = [asm.calc(Op.OP_1ADD, digit) for digit in shown.digits["right_hash", "hash"]]
    asm.verify(differ(asm, found, expected))
    return build_leaf(
        "trace_hash", "right_hash is not the hash of left_hash and write", CHALLENGER, revealed=messages,
        body=asm.finish(),
    )  # fmt: skip


@lru_cache(maxsize=8)
def program_counter_leaf(layout: Layout, hasher: Hasher = table_hash) -> Leaf:
    """The row before k, opened from H_{k−1}, leads to another instruction. H_0 has another tag: it does not open."""
    messages = tuple(layout.messages[label] for label in ("left_hash", "read_pc"))
    shown = Revealed.of(messages, OPENED)
    message = _opened(shown)
    shown.verify_differ([Keep(item) for item in shown.hints["pc"]], shown.digits["read_pc", "addr"])
    _verify_hash(shown, message, "left_hash", hasher)
    return build_leaf(
        "program_counter", "the row before leads to another address than read_pc", CHALLENGER, revealed=messages,
        hints=OPENED, body=shown.asm.finish(),
    )  # fmt: skip


@lru_cache(maxsize=8)
def opened_leaves(layout: Layout, hasher: Hasher = table_hash) -> tuple[Leaf, ...]:
    """The three leaves that open H_t after the second search."""
    return _later_write(layout, hasher), _wrong_value(layout, hasher), _wrong_hash(layout, hasher)


def _later_write(layout: Layout, hasher: Hasher) -> Leaf:
    messages = tuple(layout.messages[label] for label in ("right_hash_2", "opened", "step", "step_2"))
    shown = Revealed.of(messages, OPENED)
    asm = shown.asm
    now = Keep(shown.number("step_2", "step"))
    asm.verify(asm.calc(Op.OP_LESSTHAN, now, shown.number("step", "step")))
    asm.verify(asm.calc(Op.OP_LESSTHANOREQUAL, shown.number("opened", "last_step"), now))
    message = _opened(shown)
    for one, two in zip(shown.hints["addr"], shown.digits["opened", "addr"], strict=True):
        asm.verify_equal(Keep(one), two)
    _verify_hash(shown, message, "right_hash_2", hasher)
    return build_leaf(
        "opened_later_write", "row t with s < t < k writes the address that was read", CHALLENGER,
        revealed=messages, hints=OPENED, body=asm.finish(),
    )  # fmt: skip


def _wrong_value(layout: Layout, hasher: Hasher) -> Leaf:
    messages = tuple(layout.messages[label] for label in ("right_hash_2", "opened", "step_2"))
    shown = Revealed.of(messages, OPENED)
    asm = shown.asm
    now = asm.add(shown.number("step_2", "step"), 1)
    asm.verify_equal(shown.number("opened", "last_step"), now)
    message = _opened(shown)
    written = [Keep(item) for item in (*shown.hints["addr"], *shown.hints["value"])]
    shown.verify_differ(written, [*shown.digits["opened", "addr"], *shown.digits["opened", "value"]])
    _verify_hash(shown, message, "right_hash_2", hasher)
    return build_leaf(
        "opened_wrong_value", "row t = s does not write what was read", CHALLENGER,
        revealed=messages, hints=OPENED, body=asm.finish(),
    )  # fmt: skip


def _wrong_hash(layout: Layout, hasher: Hasher) -> Leaf:
    messages = tuple(layout.messages[label] for label in ("right_hash_2", "left_hash_2"))
    shown = Revealed.of(messages, OPENED)
    message = _opened(shown)
    shown.verify_differ([Keep(item) for item in shown.hints["before"]], shown.digits["left_hash_2", "hash"])
    _verify_hash(shown, message, "right_hash_2", hasher)
    return build_leaf(
        "opened_wrong_hash", "H_t opens to another hash than the signed H_{t−1}", CHALLENGER,
        revealed=messages, hints=OPENED, body=shown.asm.finish(),
    )  # fmt: skip
