"""Moves as signed messages: which labels a move carries, and back.

Reads: values of a record, message bytes by label.  Gives: message bytes by label, values of a record.
Never: signs, or checks a signature.  Spec: docs/spec/dispute.md#moves
"""

from collections.abc import Mapping

from bedroll.primitives import Invalid
from bedroll.riscv import Read, ReadPc, Row, Write

from ..graph.move import Kind, Move
from ..message import Layout, row_messages
from .record import (
    DigitMessage,
    Execute2Message,
    ExecuteMessage,
    HashesMessage,
    InputMessage,
    Message,
    OpeningMessage,
    Record,
)

_NO_READ = Read(0, 0, 0)


def encode(layout: Layout, move: Move, message: Message) -> dict[str, bytes]:
    """Messages that the mover signs, by label. Copies of the opponent's signatures are not among them.

    Raises:
        Invalid: A value does not fit, or the message is of another kind than the move.
    """
    of = layout.messages
    match message:
        case InputMessage():
            return _encode_input(layout, message)
        case HashesMessage():
            round_ = layout.round(move.search, move.round)
            return {each.label: given for each, given in zip(round_, message.hashes, strict=True)}
        case DigitMessage():
            each = layout.digit(move.search, move.round)
            return {each.label: each.encode(digit=message.digit)}
        case ExecuteMessage():
            return row_messages(layout, message.row) | {"left_hash": message.left, "right_hash": message.right}
        case OpeningMessage():
            read = message.value
            opened = of["opened"].encode(addr=read.addr, value=read.value, last_step=read.last_step)
            return {"opened": opened, "digit_2_1": layout.digit(2, 1).encode(digit=message.digit)}
    number = layout.shape.number(message.digits)
    return {
        "step_2": of["step_2"].encode(step=number), "left_hash_2": message.left, "right_hash_2": message.right,
    }  # fmt: skip


def decode(layout: Layout, move: Move, record: Record, found: Mapping[str, bytes]) -> Message:
    """The value that a confirmed move carries.

    Args:
        layout: Of the game.
        move: That was played.
        record: Before it.
        found: Messages by label, as its witness shows them.

    Raises:
        Invalid: A message is missing or malformed; a leaf that was executed lets none pass.
    """
    of = layout.messages
    if move.kind is Kind.INPUT:
        data = b"".join(_take(found, each.label) for each in layout.input[:-1])
        return InputMessage(data, _take(found, "end_hash"))
    if move.kind is Kind.HASHES:
        return HashesMessage(tuple(_take(found, each.label) for each in layout.round(move.search, move.round)))
    if move.kind is Kind.DIGIT:
        each = layout.digit(move.search, move.round)
        return DigitMessage(each.decode(_take(found, each.label))["digit"])
    if move.kind is Kind.EXECUTE:
        return ExecuteMessage(
            record.digits, _take(found, "left_hash"), _take(found, "right_hash"), _decode_row(layout, found)
        )
    if move.kind is Kind.OPENING:
        fields = of["opened"].decode(_take(found, "opened"))
        digit = layout.digit(2, 1).decode(_take(found, "digit_2_1"))["digit"]
        read = Read(fields["addr"], fields["value"], fields["last_step"])
        assert record.execute is not None
        row = record.execute.row
        number = next((at for at, each in enumerate((row.read_1, row.read_2, row.read_3), 1) if each == read), 0)
        return OpeningMessage(number, read, digit)
    return Execute2Message(record.digits_2, _take(found, "left_hash_2"), _take(found, "right_hash_2"))


def _encode_input(layout: Layout, message: InputMessage) -> dict[str, bytes]:
    data, found, at = message.data, {"end_hash": message.final}, 0
    for each in layout.input[:-1]:
        found[each.label] = data[at : at + each.size_bytes]
        at += each.size_bytes
    if at != len(data):
        raise Invalid("input has another length than the game takes", size=len(data), limit=at)
    return found


def _decode_row(layout: Layout, found: Mapping[str, bytes]) -> Row:
    of = layout.messages
    step = of["step"].decode(_take(found, "step"))["step"] + 1
    one, two, three = (_decode_read(layout, found, label) for label in ("read_1", "read_2", "read_3"))
    pc = of["read_pc"].decode(_take(found, "read_pc"))
    write = of["write"].decode(_take(found, "write"))
    witness = of["witness"].decode(found["witness"])["value"] if "witness" in found else 0
    return Row(
        step, one, two, three, ReadPc(pc["addr"], pc["opcode"]), Write(write["addr"], write["value"]), write["pc"],
        witness,
    )  # fmt: skip


def _decode_read(layout: Layout, found: Mapping[str, bytes], label: str) -> Read:
    if label not in found:
        return _NO_READ
    fields = layout.messages[label].decode(found[label])
    return Read(fields["addr"], fields["value"], fields["last_step"])


def _take(found: Mapping[str, bytes], label: str) -> bytes:
    if label not in found:
        raise Invalid("move lacks a message", label=label)
    return found[label]
