"""Blocks of Script by themselves: written over items, run in the interpreter, their results read."""

from collections.abc import Callable, Sequence

from bedroll.bitcoin.script import encode_number
from bedroll.bitvm.interpreter import Cost, Rules, ScriptFailure, execute, run_steps
from bedroll.bitvm.script.assembler import Assembler, Item

Write = Callable[[Assembler, list[Item]], Sequence[Item]]


class Block:
    """A block over some items; what it leaves as results is compared with the stack after a run.

    Args:
        count: Items that it begins with.
        write: Writes it and returns its results.
    """

    def __init__(self, count: int, write: Write) -> None:
        asm = Assembler(count)
        results = list(write(asm, list(asm.stack)))
        self.size_bytes = len(asm.script())
        for item in results:
            asm.to_alt(item)
        asm.drop_top(len(asm.stack))
        for _ in results:
            asm.from_alt()
        self.count = len(results)
        self.script = asm.script()

    def run(self, *numbers: int) -> list[int] | None:
        """Results for items; None where the script fails."""
        items = [encode_number(number) for number in numbers]
        state = None
        try:
            for step in run_steps(self.script, items, rules=Rules()):
                state = step
        except ScriptFailure as failure:
            if failure.reason not in ("CLEANSTACK", "EVAL_FALSE"):
                return None
        assert state is not None
        assert len(state.stack) == self.count
        return [state.number(item) for item in reversed(state.stack)]

    def peak(self, *numbers: int) -> int:
        """Most items at once."""
        items = [encode_number(number) for number in numbers]
        state = None
        try:
            for step in run_steps(self.script, items, rules=Rules()):
                state = step
        except ScriptFailure as failure:
            if failure.reason not in ("CLEANSTACK", "EVAL_FALSE"):
                raise
        assert state is not None
        return state.cost.peak_items


def check(count: int, write: Callable[[Assembler, list[Item]], None]) -> bytes:
    """Script of a block that only checks."""
    asm = Assembler(count)
    write(asm, list(asm.stack))
    return asm.finish()


def passes(script: bytes, *numbers: int) -> Cost | None:
    """What a checking block costs; None where it fails."""
    try:
        return execute(script, [encode_number(number) for number in numbers])
    except ScriptFailure:
        return None
