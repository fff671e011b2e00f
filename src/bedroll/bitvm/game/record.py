"""What has been said in a game: the messages of its moves, as values.

Reads: messages in the order of the moves.  Gives: `Record`.  Never: judges them.
Spec: docs/spec/dispute.md#moves
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from bedroll.primitives import Invalid
from bedroll.riscv import Read, Row

from ..graph.move import Kind, Move


@dataclass(frozen=True, slots=True)
class InputMessage:
    """Input.

    Attributes:
        data: The program's input.
        final: H_{2^T} as claimed.
    """

    data: bytes
    final: bytes


@dataclass(frozen=True, slots=True)
class HashesMessage:
    """A round of the prover."""

    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class DigitMessage:
    """A round of the challenger."""

    digit: int


@dataclass(frozen=True, slots=True)
class ExecuteMessage:
    """Execute.

    Attributes:
        digits: The challenger's, copied.
        left: H_{k−1}, signed again.
        right: H_k, signed again.
        row: Row of step k.
    """

    digits: tuple[int, ...]
    left: bytes
    right: bytes
    row: Row


@dataclass(frozen=True, slots=True)
class OpeningMessage:
    """Opening of the second search.

    Attributes:
        read: Which read of the row, 1 to 3.
        value: That read as it was signed.
        digit: Answer to round 1.
    """

    read: int
    value: Read
    digit: int


@dataclass(frozen=True, slots=True)
class Execute2Message:
    """Execute2.

    Attributes:
        digits: The challenger's of the second search, copied.
        left: H_{t−1}.
        right: H_t.
    """

    digits: tuple[int, ...]
    left: bytes
    right: bytes


Message: TypeAlias = InputMessage | HashesMessage | DigitMessage | ExecuteMessage | OpeningMessage | Execute2Message


@dataclass(frozen=True)
class Record:
    """A game so far.

    Attributes:
        input: Of move Input; None before it.
        hashes: Hashes of the first search, by round.
        digits: Digits of the first search.
        execute: None before Execute.
        opening: None before the opening.
        hashes_2: Hashes of the second search from round 2.
        digits_2: Digits of the second search; the first stands in the opening.
        execute_2: None before Execute2.
    """

    input: InputMessage | None = None
    hashes: tuple[tuple[bytes, ...], ...] = ()
    digits: tuple[int, ...] = ()
    execute: ExecuteMessage | None = None
    opening: OpeningMessage | None = None
    hashes_2: tuple[tuple[bytes, ...], ...] = ()
    digits_2: tuple[int, ...] = ()
    execute_2: Execute2Message | None = None

    @property
    def second(self) -> tuple[tuple[bytes, ...], ...]:
        """Hashes of the second search, those of round 1 repeated."""
        return (*self.hashes[:1], *self.hashes_2)

    def heard(self, move: Move, message: Message) -> "Record":
        """The record with one more move.

        Raises:
            Invalid: The message is of another kind than the move.
        """
        match move.kind, message:
            case Kind.INPUT, InputMessage():
                return replace(self, input=message)
            case Kind.HASHES, HashesMessage() if move.search == 1:
                return replace(self, hashes=(*self.hashes, message.hashes))
            case Kind.HASHES, HashesMessage():
                return replace(self, hashes_2=(*self.hashes_2, message.hashes))
            case Kind.DIGIT, DigitMessage() if move.search == 1:
                return replace(self, digits=(*self.digits, message.digit))
            case Kind.DIGIT, DigitMessage():
                return replace(self, digits_2=(*self.digits_2, message.digit))
            case Kind.EXECUTE, ExecuteMessage():
                return replace(self, execute=message)
            case Kind.OPENING, OpeningMessage():
                return replace(self, opening=message, digits_2=(message.digit,))
            case Kind.EXECUTE_2, Execute2Message():
                return replace(self, execute_2=message)
        raise Invalid("message is of another kind than the move", move=move.name, given=type(message).__name__)
