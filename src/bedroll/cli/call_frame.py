"""The calls of a transaction with what they mean: names, arguments, results, reasons, events.

Reads: what `callTracer` and Parity's list answer, signatures.
Gives: `Frame`, `parse_frame`, `nest_flat`, `Explained`, `explain`, `console_text`.
Never: believes a node that its answer is a trace.  Spec: docs/spec/cli.md#trace
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, Final

import msgspec

from bedroll.api.error import revert_reason
from bedroll.primitives import Unavailable
from bedroll.sdk.signature import Named, Signature, SignatureBook, parse_signature

from .evm_text import clean, show_bytes, show_named, show_value

CONSOLE: Final = bytes.fromhex("000000000000000000636f6e736f6c652e6c6f67")
"""Where Hardhat's and Foundry's `console.log` write."""
LEVELS_MAX: Final = 200
"""Of calls that are read: what decoding JSON bears, which nests twice as deep."""


_QUANTITY_CHARACTERS_MAX: Final = 66
_ADDRESS_BYTES: Final = 20


class LogRow(msgspec.Struct, frozen=True):
    """A log where it was written: after how many calls of its frame."""

    address: str
    topics: list[str]
    data: str = "0x"
    position: str = "0x0"


class Frame(msgspec.Struct, frozen=True, rename={"kind": "type", "sender": "from", "gas_used": "gasUsed"}):
    """One call as geth's `callTracer` describes it."""

    kind: str
    sender: str
    gas_used: str
    gas: str = "0x0"
    to: str = ""
    input: str = "0x"
    output: str = "0x"
    value: str = "0x0"
    error: str = ""
    calls: list["Frame"] = []
    logs: list[LogRow] = []


@dataclass(frozen=True, slots=True)
class Event:
    """A log with its meaning; `signature` None: unknown."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    signature: Signature | None
    arguments: Named
    position: int


@dataclass(frozen=True, slots=True)
class Explained:
    """A call with its meaning.

    Attributes:
        kind: "call", "staticcall", "delegatecall", "callcode", "create", "create2", "selfdestruct".
        signature: Of the function; None where nobody here knows it.
        arguments, results: Decoded; empty where they are not.
        error: Empty where it succeeded.
        calls, events: Of this call, each in its order.
        name: Of the contract; empty where its code is not known.
    """

    kind: str
    sender: bytes
    to: bytes
    value_wei: int
    gas: int
    gas_used: int
    input: bytes
    output: bytes
    signature: Signature | None
    arguments: Named
    results: Named
    error: str
    calls: tuple["Explained", ...]
    events: tuple[Event, ...]
    name: str = ""


def parse_frame(answer: Any) -> Frame:
    """Read what a node answered.

    Raises:
        Unavailable: It is no call trace.
    """
    try:
        return msgspec.convert(answer, Frame)
    except msgspec.ValidationError as error:
        raise Unavailable("the node's answer is not a call trace", reason=clean(str(error))) from None


class _Action(msgspec.Struct, frozen=True, rename={"call_kind": "callType", "sender": "from"}):
    """What a flat trace says of a call or creation before it runs, or of a contract that ends itself."""

    call_kind: str = "call"
    sender: str = "0x"
    to: str = ""
    gas: str = "0x0"
    input: str = "0x"
    init: str = "0x"
    value: str = "0x0"
    address: str = "0x"
    balance: str = "0x0"
    refund_address: str = msgspec.field(default="", name="refundAddress")


class _Result(msgspec.Struct, frozen=True, rename={"gas_used": "gasUsed"}):
    """What it says after it has run."""

    gas_used: str = "0x0"
    output: str = "0x"
    code: str = "0x"
    address: str = ""


class FlatRow(msgspec.Struct, frozen=True, rename={"kind": "type", "place": "traceAddress"}):
    """One call of Parity's flat list."""

    kind: str
    action: _Action
    place: list[int]
    result: _Result | None = None
    error: str = ""


def nest_flat(answer: Any, levels: int) -> tuple[Frame, int]:
    """Calls of a flat list as a tree of at most `levels` levels, and how many lie deeper. It knows no events.

    For calls that nest so deep that JSON which nests as they do is not read.

    Raises:
        Unavailable: It is no such list.
    """
    try:
        rows = msgspec.convert(answer, list[FlatRow])
    except msgspec.ValidationError as error:
        raise Unavailable("the node's answer is not a list of calls", reason=clean(str(error))) from None
    kept = {tuple(row.place): _frame_of(row) for row in rows if len(row.place) < levels}
    if () not in kept:
        raise Unavailable("the node's answer is not a list of calls", reason="no first call")
    for place, frame in kept.items():
        if place and place[:-1] in kept:
            kept[place[:-1]].calls.append(frame)
    return kept[()], len(rows) - len(kept)


def _frame_of(row: FlatRow) -> Frame:
    action, result = row.action, row.result or _Result()
    is_creation, is_end = row.kind == "create", row.kind == "suicide"
    return Frame(
        kind="SELFDESTRUCT" if is_end else "CREATE" if is_creation else action.call_kind,
        sender=action.address if is_end else action.sender,
        gas_used=result.gas_used,
        gas=action.gas,
        to=action.refund_address if is_end else result.address if is_creation else action.to,
        input=action.init if is_creation else action.input,
        output=result.code if is_creation else result.output,
        value=action.balance if is_end else action.value,
        error=row.error,
        calls=[],
    )


def explain(frame: Frame, book: SignatureBook, names: Mapping[bytes, str] | None = None, depth: int = 0) -> Explained:
    """Give a call and all below it their meaning; `names` are of contracts by address.

    Raises:
        Unavailable: The trace nests too deep, or its hexadecimal cannot be read.
    """
    if depth > LEVELS_MAX:
        raise Unavailable("the calls nest deeper than is drawn", limit=LEVELS_MAX)
    kind, given, output = frame.kind.lower(), bytes_of(frame.input), bytes_of(frame.output)
    to = bytes_of(frame.to)
    is_creation = kind.startswith("create")
    known = None if is_creation else book.call(given)
    signature, arguments = known if known is not None else (None, [])
    results = book.results(signature, output) if signature is not None and not frame.error and output else None
    return Explained(
        kind=clean(kind, 20),
        sender=bytes_of(frame.sender),
        to=to,
        value_wei=number_of(frame.value),
        gas=number_of(frame.gas),
        gas_used=number_of(frame.gas_used),
        input=given,
        output=output,
        signature=signature,
        arguments=arguments,
        results=results or [],
        error=reason_of(frame.error, output, book),
        calls=tuple(explain(each, book, names, depth + 1) for each in frame.calls),
        name=(names or {}).get(to, ""),
        events=tuple(_explain_row(row, book) for row in frame.logs),
    )


def _explain_row(row: LogRow, book: SignatureBook) -> Event:
    topics = [bytes_of(topic) for topic in row.topics]
    return explain_log(bytes_of(row.address), topics, bytes_of(row.data), book, number_of(row.position))


def explain_log(address: bytes, topics: list[bytes], data: bytes, book: SignatureBook, position: int = 0) -> Event:
    """Give a log its meaning."""
    known = book.event(topics, data)
    signature, arguments = known if known is not None else (None, [])
    return Event(address, tuple(topics), data, signature, arguments, position)


def reason_of(error: str, output: bytes, book: SignatureBook) -> str:
    """Why a call failed, in words; empty where it did not."""
    if not error:
        return ""
    if not output or "revert" not in error:
        return clean(error)
    text = revert_reason(output)
    if text is not None:
        return f'"{clean(text)}"' if output[:4] == b"\x08\xc3\x79\xa0" else clean(text)
    known = book.error(output)
    if known is not None:
        return f"{known[0].name}({show_named(known[1])})"
    return f"execution reverted with {show_bytes(output)}"


def console_text(data: bytes) -> str:
    """What a contract printed."""
    known = _console_book().call(data)
    if known is None:
        return show_bytes(data)
    shown = (clean(value) if isinstance(value, str) else show_value(each.type, value) for each, value in known[1])
    return " ".join(shown)


@cache
def _console_book() -> SignatureBook:
    """`log` of one to four of the four types that it is declared for, and the older ones for one value."""
    types = ("uint256", "string", "bool", "address")
    lists = [",".join(row) for count in range(5) for row in product(types, repeat=count)]
    lines = [f"function log({row})" for row in [*lists, "int256", "int"]]
    lines += [f"function log{name}({name.lower()})" for name in ("Bytes", *(f"Bytes{n}" for n in range(1, 33)))]
    return SignatureBook(parse_signature(line) for line in lines)


def places_of(frame: Frame, limit: int) -> list[bytes]:
    """Addresses that were called or created, each once, the first ones of many."""
    found: dict[bytes, None] = {}
    waiting = [frame]
    while waiting and len(found) < limit:
        each = waiting.pop()
        place = bytes_of(each.to)
        if len(place) == _ADDRESS_BYTES and place != CONSOLE:
            found[place] = None
        waiting += reversed(each.calls)
    return list(found)


def bytes_of(text: str) -> bytes:
    """Bytes of a node's answer.

    Raises:
        Unavailable: It is no hexadecimal.
    """
    if not isinstance(text, str):
        raise Unavailable("the node's answer cannot be read", reason=f"hexadecimal {clean(str(text), 40)!r}")
    try:
        return bytes.fromhex(text[2:] if text[:2] == "0x" else text)
    except ValueError:
        raise Unavailable("the node's answer is not a call trace", reason=f"hexadecimal {clean(text, 40)!r}") from None


def number_of(text: str) -> int:
    """A quantity of a node's answer.

    Raises:
        Unavailable: It is none.
    """
    try:
        number = int(text, 16)
        if number < 0 or len(text) > _QUANTITY_CHARACTERS_MAX:
            raise ValueError
        return number
    except ValueError:
        raise Unavailable("the node's answer cannot be read", reason=f"quantity {clean(text, 40)!r}") from None
