"""Honest play: the message of the next move, from the record and our own run.

Reads: a record, our run.  Gives: a `Message`, a `Refutation` that decides at once, or None: nothing to say.
Never: answers otherwise when asked again with the same record.  Spec: docs/spec/dispute.md#honest-play
"""

from bedroll.primitives import Invalid
from bedroll.riscv import Section

from ..graph.move import Kind, Move
from ..search import Shape, first_digit, second_digit
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
from .refute import ContestRead, Refutation, refute_execute, refute_execute_2
from .run import Run


class NothingTrue(Invalid):
    """The prover's own run has no such hash or row: he claimed what is not so."""


def prover_answer(shape: Shape, run: Run, data: bytes, record: Record, move: Move) -> Message:
    """The prover's message.

    Args:
        shape: Of the search.
        run: Of the claimant; a liar's is another than the truth.
        data: Input of the program.
        record: So far.
        move: To play.

    Raises:
        NothingTrue: The run has no such step.
    """
    if move.kind is Kind.INPUT:
        return InputMessage(data, _hash(run, shape.steps))
    if move.kind is Kind.HASHES:
        digits = record.digits if move.search == 1 else record.digits_2
        return HashesMessage(tuple(_hash(run, point) for point in shape.points(digits)))
    if move.kind is Kind.EXECUTE:
        step = shape.number(record.digits) + 1
        row = run.row_at(step)
        if row is None:
            raise NothingTrue("run has no such step", step=step)
        return ExecuteMessage(record.digits, _hash(run, step - 1), _hash(run, step), row)
    step = shape.number(record.digits_2) + 1
    return Execute2Message(record.digits_2, _hash(run, step - 1), _hash(run, step))


def challenger_answer(
    shape: Shape, run: Run, record: Record, move: Move | None, sections: list[Section]
) -> Message | Refutation | None:
    """The challenger's message, or the refutation that ends the game.

    Args:
        shape: Of the search.
        run: Of the challenger.
        record: So far.
        move: Whose turn it is; None after the last move.
        sections: Of the program.

    Returns:
        None: the prover is right, there is nothing to contest.
    """
    if move is None:
        return refute_execute_2(shape, run, record)
    if move.kind is Kind.DIGIT and move.search == 1:
        return DigitMessage(first_digit(shape, record.digits, record.hashes[-1], run.hash_at))
    found = refute_execute(shape, run, record, sections)
    if move.kind is Kind.OPENING and not isinstance(found, ContestRead):
        return found
    if not isinstance(found, ContestRead):
        return None
    assert record.input is not None
    digit = second_digit(
        shape, found.target - 1, record.hashes, record.digits, record.second, record.digits_2, run.hash_at,
        record.input.final,
    )  # fmt: skip
    if move.kind is Kind.OPENING:
        return OpeningMessage(found.read, found.claimed, digit)
    return DigitMessage(digit)


def _hash(run: Run, step: int) -> bytes:
    found = run.hash_at(step)
    if found is None:
        raise NothingTrue("run has no such step", step=step)
    return found
