"""What happens on a devnet, a line for each block and each transaction, as it happens.

Reads: the node's events, traces of the engine.  Gives: `Chronicle`.
Never: makes the chain wait for a terminal or a pipe that nobody reads.  Spec: docs/spec/cli.md#devnet
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec
from rich.text import Text

from bedroll.api.port import BlockAdded, BlockRemoved, ChainEvent
from bedroll.encoding.json import check_json
from bedroll.execution.engine import Block, Engine, Receipt, Transaction
from bedroll.primitives import Invalid, Unavailable
from bedroll.sdk import checksum_address

from .artifact import Artifacts
from .call_frame import CONSOLE, LEVELS_MAX, Explained, console_text, explain, parse_frame
from .evm_text import clean, show_address, show_bitcoin, show_named
from .output import Output

_TRANSACTIONS_MAX: Final = 50
"""Of one block that get a line."""
_TRACED_MAX: Final = 20
"""Transactions of one block that are run again to learn what they printed and why they failed."""
_WAITING_MAX: Final = 1_000
"""Events that wait for the terminal; more are left out, and said to be."""
_UNTRACED_WAITING: Final = 20
"""Beyond this many waiting events nothing is run again: blocks come faster than they can be told."""
_NAMES_MAX: Final = 10_000
_END_SECONDS: Final = 2.0
_TRACE_BYTES_MAX: Final = 4 << 20
_CONTAINERS_MAX: Final = 100_000
_TRACE_SECONDS: Final = 1.0
_TRACER: Final = '{"tracer":"callTracer"}'


@dataclass(slots=True)
class Story:
    """What is told of one transaction.

    Attributes:
        target: What was called or created, in words.
        error: Why it failed; empty where it did not.
        console: Lines that contracts printed.
    """

    transaction: Transaction
    receipt: Receipt
    target: str
    error: str = ""
    console: list[str] = field(default_factory=list)


class Chronicle:
    """Tells of blocks on a thread of its own."""

    def __init__(self, output: Output, engine: Engine, known: Artifacts) -> None:
        self._output = output
        self._engine = engine
        self._book = known.book
        self._code_names = known.names
        self._names: dict[bytes, str] = {}
        self._events: queue.Queue[ChainEvent | None] = queue.Queue(_WAITING_MAX)
        self._left_out = 0
        self._is_over = False
        # Not waited for at the end where it hangs on a pipe that nobody reads.
        self._thread = threading.Thread(target=self._tell_all, name="bedroll-chronicle", daemon=True)

    async def follow(self, subscribe: Callable[[], AsyncIterator[ChainEvent]]) -> None:
        """Take events until cancelled or the node closes."""
        self._thread.start()
        try:
            async for event in subscribe():
                if isinstance(event, BlockAdded | BlockRemoved):
                    self._put(event)
        finally:
            await asyncio.to_thread(self._end)

    def _put(self, event: ChainEvent) -> None:
        try:
            self._events.put_nowait(event)
        except queue.Full:
            self._left_out += 1

    def _end(self) -> None:
        """Tell what still waits, if somebody reads it."""
        with contextlib.suppress(queue.Full):
            self._events.put(None, timeout=_END_SECONDS)
            self._thread.join(_END_SECONDS)
        self._is_over = True

    def _tell_all(self) -> None:
        try:
            while (event := self._events.get()) is not None and not self._is_over:
                if isinstance(event, BlockAdded | BlockRemoved):
                    self.tell(event)
                if self._left_out and self._events.empty():
                    self._output.say(f"{self._left_out:,} blocks are left out here", style="yellow")
                    self._left_out = 0
        except (BrokenPipeError, ValueError):
            # Nobody reads any more; the chain goes on.
            return

    def tell(self, event: BlockAdded | BlockRemoved) -> None:
        """Tell of one block."""
        block, is_removed = event.block, isinstance(event, BlockRemoved)
        stories = [] if is_removed else self.stories(block)
        if self._output.as_json:
            self._output.line(_block_json(block, stories, is_removed=is_removed))
        elif is_removed:
            self._output.say(f"block {block.header.number} left the chain", style="yellow")
        elif len(block.transactions) > block.forced_count or block.forced or block.origin_step:
            self._output.console.print(_block_text(block))
            for story in stories:
                for line in _story_text(story):
                    self._output.console.print(line)
            left = len(block.transactions) - block.forced_count - _TRANSACTIONS_MAX
            if left > 0:
                self._output.say(f"   … {left:,} more transactions", style="bright_black")

    def stories(self, block: Block) -> list[Story]:
        """What its transactions did, the first ones of many; the L1-info call is nobody's."""
        rows = list(enumerate(zip(block.transactions, block.receipts, strict=True)))
        forced = [row for row in rows[: block.forced_count] if row[1][0].kind != 0x7E]
        told = (forced + rows[block.forced_count :])[:_TRANSACTIONS_MAX]
        is_traced = len(told) <= _TRACED_MAX and self._events.qsize() < _UNTRACED_WAITING
        return [self._story(block, index, each, receipt, is_traced=is_traced) for index, (each, receipt) in told]

    def _story(self, block: Block, index: int, each: Transaction, receipt: Receipt, *, is_traced: bool) -> Story:
        story = Story(each, receipt, self._target(each, receipt))
        if each.input and is_traced:
            call = self._call(block.header.number, index)
            if call is not None:
                story.error, story.console = call.error, _console_lines(call)
        if not receipt.status and not story.error:
            story.error = "failed"
        return story

    def _call(self, height: int, index: int) -> Explained | None:
        """The transaction's calls; None where that would cost too much."""
        try:
            raw = self._engine.trace(height, index, _TRACER, result_bytes=_TRACE_BYTES_MAX, seconds=_TRACE_SECONDS)
            check_json(raw, 2 * LEVELS_MAX, _CONTAINERS_MAX)
            return explain(parse_frame(msgspec.json.decode(raw)), self._book)
        except (Invalid, Unavailable):
            return None

    def _target(self, each: Transaction, receipt: Receipt) -> str:
        if each.to is None:
            return f"creates {self._place(receipt.contract)}" if receipt.contract else "creates a contract"
        if not each.input:
            return self._place(each.to)
        known = self._book.call(each.input)
        called = f"{known[0].name}({show_named(known[1])})" if known else f"0x{each.input[:4].hex()}(…)"
        return f"{self._place(each.to)}.{called}"

    def _place(self, address: bytes) -> str:
        """`Name@0x…` where the code is known, else the address."""
        if self._code_names and address not in self._names and len(self._names) < _NAMES_MAX:
            self._names[address] = self._code_names.name_of(self._engine.view().code(address))
        name = self._names.get(address, "")
        return f"{name}@{checksum_address(address)}" if name else show_address(address)


def _console_lines(call: Explained) -> list[str]:
    lines = [console_text(call.input)] if call.to == CONSOLE else []
    for below in call.calls:
        lines += _console_lines(below)
    return lines


def _block_text(block: Block) -> Text:
    header, count = block.header, len(block.transactions) - block.forced_count
    line = Text(f"block {header.number:,}", style="bold")
    facts = [f"{count:,} transaction{'' if count == 1 else 's'}"] if count else []
    if block.forced:
        facts.append(f"{len(block.forced)} forced")
    if header.gas_used:
        facts.append(f"{header.gas_used:,} gas")
    facts.append(f"{'new ' if block.origin_step else ''}origin {block.origin_height:,}")
    return line.append(f"  0x{header.hash.hex()}  {'  '.join(facts)}", style="not bold bright_black")


def _story_text(story: Story) -> list[Text]:
    each, receipt = story.transaction, story.receipt
    line = Text("   ").append("✗ " if story.error else "✓ ", style="red" if story.error else "green")
    line.append(f"0x{each.hash.hex()}", style="cyan").append(f"  {checksum_address(each.sender)} → {story.target}")
    if each.value:
        line.append(f"  {show_bitcoin(each.value)}", style="bold")
    line.append(f"  {receipt.gas_used + receipt.data_gas:,} gas", style="bright_black")
    if story.error:
        line.append(f"  {story.error}", style="bold red")
    return [line, *(Text("     ").append("console.log ", style="magenta").append(text) for text in story.console)]


def _block_json(block: Block, stories: list[Story], *, is_removed: bool) -> dict[str, object]:
    header = block.header
    return {
        "block": header.number,
        "hash": "0x" + header.hash.hex(),
        "transactions": len(block.transactions) - block.forced_count,
        "gas": header.gas_used,
        "origin": block.origin_height,
        "forced": len(block.forced),
        "removed": is_removed,
        "calls": [
            {
                "hash": "0x" + story.transaction.hash.hex(),
                "from": checksum_address(story.transaction.sender),
                "target": clean(story.target, 2_000),
                "valueWei": str(story.transaction.value),
                "gasUsed": story.receipt.gas_used + story.receipt.data_gas,
                "error": story.error or None,
                "console": story.console,
            }
            for story in stories
        ],
    }
