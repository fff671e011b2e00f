"""A prover who says what his run says, consistently, but for what a lie changes.

Reads: a run.  Gives: `Claimant`, `Mute`, `Late`.  Never: knows how he will be caught.
Spec: docs/spec/dispute.md#lies
"""

from collections.abc import Callable
from dataclasses import replace

from ..game.answer import NothingTrue, prover_answer
from ..game.record import Execute2Message, ExecuteMessage, Message, Record
from ..game.refute import selected
from ..game.run import Run
from ..graph import Move, Terms
from ..player.strategy import Said, Strategy

Change = Callable[[Terms, Record, Move, Message], Message]
"""What a lie makes of a message."""


def unchanged(terms: Terms, record: Record, move: Move, message: Message) -> Message:
    """No change."""
    del terms, record, move
    return message


class Claimant:
    """Answers from a run; signs again the hashes that the digits select, whatever they are worth."""

    def __init__(self, run: Run, data: bytes, change: Change = unchanged) -> None:
        self._run, self._data, self._change = run, data, change

    def answer(self, terms: Terms, record: Record, move: Move | None) -> Said:
        """The message of his move; None where even he has nothing to say."""
        assert move is not None
        try:
            message = prover_answer(terms.shape, self._run, self._data, record, move)
        except NothingTrue:
            return None
        if isinstance(message, ExecuteMessage):
            left, right = self._hashes(terms, record, message.digits, record.hashes)
            message = replace(message, left=left, right=right)
        elif isinstance(message, Execute2Message):
            left, right = self._hashes(terms, record, message.digits, record.second)
            message = replace(message, left=left, right=right)
        return self._change(terms, record, move, message)

    def _hashes(
        self, terms: Terms, record: Record, digits: tuple[int, ...], hashes: tuple[tuple[bytes, ...], ...]
    ) -> tuple[bytes, bytes]:
        left = selected(terms.shape, self._run, record, digits, hashes, "left")[1]
        return left, selected(terms.shape, self._run, record, digits, hashes, "right")[1]


class Mute:
    """Plays as another, until a move; there he falls silent."""

    def __init__(self, strategy: Strategy, name: str) -> None:
        """Fall silent at a move; "end" is the turn after the last one."""
        self._strategy, self._name = strategy, name

    def answer(self, terms: Terms, record: Record, move: Move | None) -> Said:
        """Nothing from that move on."""
        if (move.name if move is not None else "end") == self._name:
            return None
        return self._strategy.answer(terms, record, move)
