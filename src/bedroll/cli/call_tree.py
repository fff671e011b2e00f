"""A transaction's calls as a tree in the terminal, and as JSON.

Reads: explained calls.  Gives: `draw`, `calls_json`.
Never: draws more calls or levels than it was told to; says how many it left out.  Spec: docs/spec/cli.md#trace
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from rich.text import Text

from bedroll.sdk import checksum_address

from .call_frame import CONSOLE, Event, Explained, console_text
from .evm_text import show_address, show_bitcoin, show_bytes, show_named

_STYLES: Final = {"staticcall": "static", "delegatecall": "delegate", "callcode": "callcode"}
_DIM: Final = "bright_black"


@dataclass(slots=True)
class _Budget:
    """What may still be drawn."""

    depth: int
    calls: int


@dataclass(slots=True)
class _Node:
    """A line and those below it."""

    line: Text
    below: list["_Node"] = field(default_factory=list)

    def add(self, line: Text) -> "_Node":
        node = _Node(line)
        self.below.append(node)
        return node


def draw(call: Explained, *, depth: int, calls: int) -> Iterator[Text]:
    """The tree of a call, at most `depth` levels and `calls` calls of it, line by line.

    Lines are as long as they are: a folded address could not be copied.
    """
    budget = _Budget(depth, calls - 1)
    tree = _Node(_call_line(call))
    _add_inside(tree, call, 1, budget)
    yield tree.line
    yield from _lines_below(tree, "")


def _lines_below(node: _Node, indent: str) -> Iterator[Text]:
    for number, below in enumerate(node.below, start=1):
        is_last = number == len(node.below)
        yield Text().append(indent + ("└── " if is_last else "├── "), style=_DIM).append_text(below.line)
        yield from _lines_below(below, indent + ("    " if is_last else "│   "))


def _add_inside(tree: _Node, call: Explained, level: int, budget: _Budget) -> None:
    """Calls and events in the order in which they happened, then how the call ended."""
    events = sorted(call.events, key=lambda event: event.position)
    place = 0
    for number, below in enumerate(call.calls):
        while place < len(events) and events[place].position <= number:
            tree.add(_event_line(events[place]))
            place += 1
        if level >= budget.depth or budget.calls <= 0:
            left = sum(1 + _count(each) for each in call.calls[number:])
            tree.add(Text(f"… {left:,} more call{'' if left == 1 else 's'}", style=_DIM))
            break
        budget.calls -= 1
        branch = tree.add(_call_line(below))
        if below.to != CONSOLE:
            _add_inside(branch, below, level + 1, budget)
    for event in events[place:]:
        tree.add(_event_line(event))
    tree.add(_end_line(call))


def _count(call: Explained) -> int:
    return sum(1 + _count(each) for each in call.calls)


def _call_line(call: Explained) -> Text:
    line = Text()
    line.append(f"[{call.gas_used:,}] ", style=_DIM)
    if call.to == CONSOLE:
        return line.append("console.log ", style="magenta").append(console_text(call.input))
    if call.kind.startswith("create"):
        line.append(call.kind, style="yellow")
        if call.to:
            line.append(" ").append(_place(call), style="bold")
        line.append(f" ({len(call.input):,} bytes)", style=_DIM)
        return _with_value(line, call)
    if call.kind == "selfdestruct":
        return _with_value(line.append("selfdestruct to ", style="red").append(show_address(call.to)), call)
    line.append(_place(call), style="bold")
    if call.signature is not None:
        line.append(".").append(call.signature.name, style="green")
        _with_value(line, call)
        line.append(f"({show_named(call.arguments)})")
    elif call.input:
        line.append(".").append(f"0x{call.input[:4].hex()}", style="green")
        _with_value(line, call)
        line.append(f"({show_bytes(call.input[4:], 64)})" if len(call.input) > 4 else "()")
    else:
        line.append(".").append("receive", style="green")
        _with_value(line, call)
        line.append("()")
    if call.kind in _STYLES:
        line.append(f" [{_STYLES[call.kind]}]", style="yellow")
    return line


def _place(call: Explained) -> str:
    """`Name@0x…`, or the address, or its name everywhere."""
    return f"{call.name}@{checksum_address(call.to)}" if call.name else show_address(call.to)


def _with_value(line: Text, call: Explained) -> Text:
    if call.value_wei and call.kind != "delegatecall":
        line.append(f"{{{show_bitcoin(call.value_wei)}}}", style="cyan")
    return line


def _event_line(event: Event) -> Text:
    line = Text("event ", style="blue")
    if event.signature is None:
        topics = ", ".join(show_bytes(topic) for topic in event.topics)
        return line.append(f"[{topics}] {show_bytes(event.data, 128)}", style="default")
    return line.append(event.signature.name, style="bold blue").append(f"({show_named(event.arguments)})", "default")


def _end_line(call: Explained) -> Text:
    if call.error:
        return Text(f"✗ {call.error}", style="bold red")
    line = Text("← ", style=_DIM)
    if call.results:
        return line.append(show_named(call.results), style="default")
    if call.kind.startswith("create"):
        return line.append(f"{len(call.output):,} bytes of code", style="default")
    return line.append(show_bytes(call.output, 128) if call.output else "ok", style="default")


# --- JSON ------------------------------------------------------------------------------------------


def calls_json(call: Explained) -> Iterator[dict[str, object]]:
    """The same for programs, nothing left out: a list and not a tree, for calls nest deeper than readers of JSON bear.

    `place` names a call as Parity's `traceAddress` does: the way to it from the first.
    """
    waiting: list[tuple[tuple[int, ...], Explained]] = [((), call)]
    while waiting:
        place, each = waiting.pop()
        yield {"place": list(place)} | _call_json(each)
        waiting += reversed([((*place, number), below) for number, below in enumerate(each.calls)])


def _call_json(call: Explained) -> dict[str, object]:
    known = call.signature
    return {
        "type": call.kind,
        "from": "0x" + call.sender.hex(),
        "to": "0x" + call.to.hex(),
        "name": call.name or None,
        "valueWei": str(call.value_wei),
        "gas": call.gas,
        "gasUsed": call.gas_used,
        "function": None if known is None else known.text,
        "arguments": None if known is None else [show_named([each]) for each in call.arguments],
        "results": [show_named([each]) for each in call.results],
        "console": console_text(call.input) if call.to == CONSOLE else None,
        "error": call.error or None,
        "input": "0x" + call.input.hex(),
        "output": "0x" + call.output.hex(),
        "events": [_event_json(each) for each in call.events],
    }


def _event_json(event: Event) -> dict[str, object]:
    return {
        "address": "0x" + event.address.hex(),
        "event": None if event.signature is None else event.signature.text,
        "arguments": None if event.signature is None else [show_named([each]) for each in event.arguments],
        "topics": ["0x" + topic.hex() for topic in event.topics],
        "data": "0x" + event.data.hex(),
        "position": event.position,
    }
