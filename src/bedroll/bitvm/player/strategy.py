"""What a party says: the honest strategies, behind the port that liars of tests and of the demo implement too.

Reads: a position.  Gives: messages, refutations.  Never: signs or sends.
Spec: docs/spec/dispute.md#honest-play
"""

from typing import Protocol, TypeAlias

from bedroll.riscv import Program

from ..game.answer import challenger_answer, prover_answer
from ..game.fact import Decision
from ..game.record import Message, Record
from ..game.refute import Refutation
from ..game.run import OwnRun, Run
from ..graph import Move, Terms

Said: TypeAlias = Message | Refutation | Decision | None
"""What a party says in its turn."""


class Strategy(Protocol):
    """A party's mind. Asked again with the same record it answers the same."""

    def answer(self, terms: Terms, record: Record, move: Move | None) -> Said:
        """What to say in this turn; None: nothing. `move` is None after the last move."""
        ...


class HonestProver:
    """Answers from his run."""

    def __init__(self, run: Run, data: bytes) -> None:
        """Play for a run.

        Args:
            run: His.
            data: Input of the program: what he claims about.
        """
        self._run = run
        self._data = data

    def answer(self, terms: Terms, record: Record, move: Move | None) -> Said:
        """The message of his move."""
        assert move is not None
        return prover_answer(terms.shape, self._run, self._data, record, move)


class HonestChallenger:
    """Runs the program on the input that the prover committed, and contests what differs."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._sections = program.sections()
        self._runs: dict[tuple[bytes, bytes, int], Run] = {}

    def answer(self, terms: Terms, record: Record, move: Move | None) -> Said:
        """The message of his move, or the refutation that ends the game."""
        assert record.input is not None
        return challenger_answer(terms.shape, self.run(terms, record.input.data), record, move, self._sections)

    def run(self, terms: Terms, data: bytes) -> Run:
        """His own run; computed once."""
        key = (terms.instance_id, data, terms.exponent)
        if key not in self._runs:
            self._runs[key] = OwnRun(self._program, data, instance_id=terms.instance_id, exponent=terms.exponent)
        return self._runs[key]
