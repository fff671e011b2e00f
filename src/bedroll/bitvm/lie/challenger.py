"""Lies of a challenger against a true claim.

Reads: a scene.  Gives: strategies by name.  Never: wins.  Spec: docs/spec/dispute.md#lies
"""

from collections.abc import Callable, Iterator
from functools import partial

from bedroll.riscv import Row

from ..game.record import DigitMessage, OpeningMessage, Record
from ..game.refute import (
    Equivocation,
    EquivocationSearch,
    InitialRead,
    OpcodeChunk,
    OpenStep,
    ProgramCounter,
    Refutation,
    TraceHash,
)
from ..game.run import Run
from ..graph import Kind, Move, Terms
from ..player.strategy import HonestChallenger, Said, Strategy
from ..search import Published, Shape
from .claimant import Mute
from .scene import TRUE_WORDS, Scene

Make = Callable[[Scene], Strategy]
Say = Refutation | Callable[[Run, Record, Shape], Refutation]
"""What he contests after Execute, or at the end; it may depend on where he led the search."""


class Doubter:
    """Leads a true claim to a step, contests something there that is true, or opens a read and leads on."""

    def __init__(
        self, scene: Scene, step: int, *, contest: Say | None = None, read: int = 0, target: int = 0,
        last: Say | None = None,
    ) -> None:  # fmt: skip
        """Doubt.

        Args:
            scene: Of the game.
            step: Where the first search is led.
            contest: What is contested after Execute; None: nothing.
            read: Read that is opened; 0: none.
            target: Step that the second search is led to.
            last: What is contested at the end.
        """
        self._run = scene.run_of(TRUE_WORDS)
        self._step, self._contest, self._read, self._target, self._last = step, contest, read, target, last

    def answer(self, terms: Terms, record: Record, move: Move | None) -> Said:
        """The message of his move."""
        shape = terms.shape
        if move is None:
            return self._said(self._last, record, shape)
        if move.kind is Kind.DIGIT:
            step = self._step if move.search == 1 else self._target
            return DigitMessage(shape.digits(step - 1)[move.round - 1])
        if self._read == 0:
            return self._said(self._contest, record, shape)
        assert record.execute is not None
        row = record.execute.row
        read = (row.read_1, row.read_2, row.read_3)[self._read - 1]
        return OpeningMessage(self._read, read, shape.digits(self._target - 1)[0])

    def _said(self, say: Say | None, record: Record, shape: Shape) -> Refutation | None:
        return say(self._run, record, shape) if callable(say) else say


def challenger_lies(rounds: int) -> Iterator[tuple[str, str, Make]]:
    """All lies of a challenger in a game of so many rounds."""
    for name, text, say in _facts():
        yield f"contest_{name}", f"a true row is contested: {text}", partial(_contester, say)
    yield "contest_first_step", "the first step is contested", _first
    yield "contest_last_step", "the last step is contested", _last
    for name, text, say in _lasts():
        yield f"open_{name}", f"a true read is opened, then contested: {text}", partial(_opener, say, 0)
    yield (
        "open_wrong_step",
        "a true read is opened, the search led to a step that writes elsewhere",
        (partial(_opener, _later, 1)),
    )
    yield (
        "open_behind",
        "a true read is opened, the search led behind the disputed step",
        (partial(_opener, _later, 60)),
    )
    for number in range(1, rounds + 1):
        yield f"silent_digit_1_{number}", f"no answer in round {number}", partial(_silent, number)
    yield "silent_opening", "nothing is contested", partial(_contester, None)
    for number in range(2, rounds + 1):
        yield (
            f"silent_digit_2_{number}",
            f"no answer in round {number} of the second search",
            (partial(_silent_opener, f"digit_2_{number}")),
        )
    yield "silent_end", "nothing is contested at the end", partial(_silent_opener, "end")


def _contester(say: Say | None, scene: Scene) -> Strategy:
    return Doubter(scene, _middle(scene), contest=say)


def _first(scene: Scene) -> Strategy:
    return Doubter(scene, 1, contest=TraceHash())


def _last(scene: Scene) -> Strategy:
    return Doubter(scene, 1 << scene.exponent, contest=TraceHash())


def _silent(number: int, scene: Scene) -> Strategy:
    return Mute(HonestChallenger(scene.program), f"digit_1_{number}")


def _silent_opener(name: str, scene: Scene) -> Strategy:
    return Mute(_opener(_later, 0, scene), name)


def _middle(scene: Scene) -> int:
    """A step that reads two registers written before and adds them."""
    return scene.step_of(
        scene.run_of(TRUE_WORDS),
        lambda row: row.mnemonic == "add" and row.read_1.last_step > 1 and row.read_2.last_step > 1,
    )


def _opener(say: Say, ahead: int, scene: Scene) -> Strategy:
    step = _middle(scene)
    row = scene.run_of(TRUE_WORDS).trace.row_at(step)
    return Doubter(scene, step, read=1, target=row.read_1.last_step + ahead, last=say)


def _row(run: Run, step: int) -> Row:
    row = run.row_at(step)
    assert row is not None
    return row


def _hash(run: Run, step: int) -> bytes:
    found = run.hash_at(step)
    assert found is not None
    return found


def _found(record: Record, shape: Shape) -> int:
    return shape.number(record.digits) + 1


def _facts() -> Iterator[tuple[str, str, Say]]:
    def program_counter(run: Run, record: Record, shape: Shape) -> Refutation:
        step = _found(record, shape)
        return ProgramCounter(_hash(run, step - 2), _row(run, step - 1))

    def opcode(run: Run, record: Record, shape: Shape) -> Refutation:
        del run, shape
        assert record.execute is not None
        return OpcodeChunk(record.execute.row.read_pc.addr, 0)

    yield "trace_hash", "its hash", TraceHash()
    yield "program_counter", "its address", program_counter
    yield "opcode", "its instruction", opcode
    for kind, address in (("input_word", 0x50000), ("initialized", 0x30000), ("uninitialized", 0xF0000004)):
        yield kind, f"a read as {kind}", InitialRead(2, kind, address)
    for side in ("left", "right"):
        for number, index in ((1, 1), (2, 3)):
            place = Published(number, index)
            yield f"equivocation_{side}_{number}_{index}", f"its {side} hash", Equivocation(1, side, place)


def _later(run: Run, record: Record, shape: Shape) -> Refutation:
    step = shape.number(record.digits_2) + 1
    return OpenStep("later_write", _hash(run, step - 1), _row(run, step))


def _lasts() -> Iterator[tuple[str, str, Say]]:
    def opened(why: str, run: Run, record: Record, shape: Shape) -> Refutation:
        step = shape.number(record.digits_2) + 1
        return OpenStep(why, _hash(run, step - 1), _row(run, step))

    for why, text in (
        ("later_write", "a later write"),
        ("wrong_value", "another write"),
        ("wrong_hash", "another hash"),
    ):
        yield why, text, partial(opened, why)
    yield "search", "the searches differ", EquivocationSearch(2, 1)
    for side in ("left", "right"):
        yield f"equivocation_{side}", f"the {side} hash", Equivocation(2, side, Published(1, 1))
