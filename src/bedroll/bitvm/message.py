"""What is committed by one-time signatures: labels, owners, fields, digits.

Reads: T and the size of the input.  Gives: `Message`, `Layout`.  Never: signs.
Spec: docs/spec/bitvm.md#messages

A message is a row of digits, most significant first, field after field. As bytes each field is big-endian and whole:
a hash is its 20 bytes, a word 4, a step 4 whose leading digit is missing among the digits, an answer 1.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from bedroll.primitives import Invalid
from bedroll.riscv import Row

from .graph.move import Party
from .search import Shape

NIBBLE: Final = 16
"""Values of a digit, but the first of a step and answers."""
HASH_BYTES: Final = 20
WORDS_A_MESSAGE: Final = 8
"""Input words that one message commits."""
INPUT_WORDS_MAX: Final = 32
"""Most words of input: the Input leaf takes all of them within 1,000 items."""


@dataclass(frozen=True, slots=True)
class Field:
    """A number in a message.

    Attributes:
        name: Within the message.
        radices: How many values each digit has, most significant first.
    """

    name: str
    radices: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """Of the number in the message's bytes."""
        return (len(self.radices) + 1) // 2

    def digits(self, value: int) -> tuple[int, ...]:
        """Split a number.

        Raises:
            Invalid: It does not fit.
        """
        found, rest = [], value
        for radix in reversed(self.radices):
            rest, digit = divmod(rest, radix)
            found.append(digit)
        if rest:
            raise Invalid("value does not fit its field", field=self.name, value=value, digits=len(self.radices))
        return tuple(reversed(found))

    def number(self, digits: Sequence[int]) -> int:
        """Join digits that are in range."""
        value = 0
        for radix, digit in zip(self.radices, digits, strict=True):
            value = value * radix + digit
        return value


@dataclass(frozen=True)
class Message:
    """What one one-time key signs.

    Attributes:
        label: Of its key, unique in a game.
        owner: Who signs it.
        fields: In order.
    """

    label: str
    owner: Party
    fields: tuple[Field, ...]

    @cached_property
    def radices(self) -> tuple[int, ...]:
        """Of all digits."""
        return tuple(radix for field in self.fields for radix in field.radices)

    @cached_property
    def size_bytes(self) -> int:
        """Of the message."""
        return sum(field.size_bytes for field in self.fields)

    def encode(self, **values: int) -> bytes:
        """Message bytes of its fields' values.

        Raises:
            Invalid: A field is missing, unknown, or out of range.
        """
        if set(values) != {field.name for field in self.fields}:
            raise Invalid("fields are not those of the message", label=self.label, fields=sorted(values))
        for field in self.fields:
            field.digits(values[field.name])
        return b"".join(values[field.name].to_bytes(field.size_bytes, "big") for field in self.fields)

    def decode(self, raw: bytes) -> dict[str, int]:
        """Values of its fields.

        Raises:
            Invalid: The length is wrong, or a field is out of range.
        """
        return {field.name: value for field, value in self._split(raw)}

    def digits(self, raw: bytes) -> tuple[int, ...]:
        """All digits of a message.

        Raises:
            Invalid: The length is wrong, or a field is out of range.
        """
        return tuple(digit for field, value in self._split(raw) for digit in field.digits(value))

    def join(self, digits: Sequence[int]) -> bytes:
        """Message bytes of digits that are in range."""
        parts, at = [], 0
        for field in self.fields:
            value = field.number(digits[at : at + len(field.radices)])
            parts.append(value.to_bytes(field.size_bytes, "big"))
            at += len(field.radices)
        return b"".join(parts)

    def _split(self, raw: bytes) -> Iterator[tuple[Field, int]]:
        if len(raw) != self.size_bytes:
            raise Invalid("message has a wrong length", label=self.label, size=len(raw), limit=self.size_bytes)
        at = 0
        for field in self.fields:
            value = int.from_bytes(raw[at : at + field.size_bytes], "big")
            field.digits(value)
            yield field, value
            at += field.size_bytes


def _nibbles(name: str, count: int) -> Field:
    return Field(name, (NIBBLE,) * count)


def word(name: str) -> Field:
    """A field of 32 bits."""
    return _nibbles(name, 8)


def step_field(name: str, exponent: int) -> Field:
    """A field of T bits."""
    rest = exponent % 4
    return Field(name, ((1 << rest,) if rest else ()) + (NIBBLE,) * (exponent // 4))


def hash_message(label: str, owner: Party = Party.PROVER) -> Message:
    """A message that is one hash of the chain."""
    return Message(label, owner, (_nibbles("hash", 2 * HASH_BYTES),))


@dataclass(frozen=True)
class Layout:
    """All messages of a game.

    Attributes:
        shape: Of its search.
        input_words: Words of the program's input, in order; each as the big-endian reading of its 4 bytes.
    """

    shape: Shape
    input_words: int

    def __post_init__(self) -> None:
        if not 0 <= self.input_words <= INPUT_WORDS_MAX:
            raise Invalid("input is too long for the game", value=self.input_words, limit=INPUT_WORDS_MAX)

    @cached_property
    def messages(self) -> Mapping[str, Message]:
        """By label."""
        every = [*self.input, *self._row(), *self._hashes(), *self._second()]
        return {message.label: message for message in every}

    @cached_property
    def input(self) -> tuple[Message, ...]:
        """Input, 8 words a message, then the claimed last hash."""
        left, found = self.input_words, list[Message]()
        while left:
            count = min(left, WORDS_A_MESSAGE)
            label = f"proof_{len(found)}"
            found.append(Message(label, Party.PROVER, (_nibbles("bytes", 8 * count),)))
            left -= count
        return (*found, hash_message("end_hash"))

    def of(self, party: Party) -> tuple[Message, ...]:
        """Messages that a party signs, in a fixed order: that in which public keys are exchanged."""
        return tuple(message for message in self.messages.values() if message.owner is party)

    def hash(self, search: int, number: int, index: int) -> Message:
        """Hash `index` of round `number`; round 1 of the second search is that of the first."""
        return self.messages[f"hash_{1 if number == 1 else search}_{number}_{index}"]

    def round(self, search: int, number: int) -> tuple[Message, ...]:
        """All hashes of a round."""
        return tuple(self.hash(search, number, index) for index in range(1, self.shape.arities[number - 1]))

    def digit(self, search: int, number: int) -> Message:
        """The challenger's answer in a round."""
        return self.messages[f"digit_{search}_{number}"]

    def answers(self, search: int) -> tuple[Message, ...]:
        """All answers of a search."""
        return tuple(self.digit(search, number) for number in range(1, self.shape.rounds + 1))

    def _row(self) -> list[Message]:
        step, owner = step_field("step", self.shape.exponent), Party.PROVER
        last = step_field("last_step", self.shape.exponent)
        reads = [Message(f"read_{at}", owner, (word("addr"), word("value"), last)) for at in (1, 2, 3)]
        return [
            Message("step", owner, (step,)), hash_message("left_hash"), hash_message("right_hash"), *reads,
            Message("read_pc", owner, (word("addr"), word("opcode"))),
            Message("write", owner, (word("addr"), word("value"), word("pc"))),
            Message("witness", owner, (word("value"),)),
        ]  # fmt: skip

    def _hashes(self) -> Iterator[Message]:
        for search in (1, 2):
            for number, arity in enumerate(self.shape.arities, 1):
                if (search, number) != (2, 1):
                    yield from (hash_message(f"hash_{search}_{number}_{index}") for index in range(1, arity))
                yield Message(f"digit_{search}_{number}", Party.CHALLENGER, (Field("digit", (arity,)),))

    def _second(self) -> list[Message]:
        step, last = (step_field(name, self.shape.exponent) for name in ("step", "last_step"))
        return [
            Message("opened", Party.CHALLENGER, (word("addr"), word("value"), last)),
            Message("step_2", Party.PROVER, (step,)), hash_message("left_hash_2"), hash_message("right_hash_2"),
        ]  # fmt: skip


def row_messages(layout: Layout, row: Row) -> dict[str, bytes]:
    """Messages of a row, by label: step, reads, read_pc, write, witness. A leaf takes those that it names.

    Raises:
        Invalid: A step of the row is not of this game.
    """
    of = layout.messages
    found = {"step": of["step"].encode(step=row.step - 1)}
    for at, read in enumerate((row.read_1, row.read_2, row.read_3), 1):
        found[f"read_{at}"] = of["read_1"].encode(addr=read.addr, value=read.value, last_step=read.last_step)
    found["read_pc"] = of["read_pc"].encode(addr=row.read_pc.addr, opcode=row.read_pc.opcode)
    found["write"] = of["write"].encode(addr=row.write.addr, value=row.write.value, pc=row.write_pc)
    # A division into x0 has no quotient to check a remainder by: what nobody checks is zero.
    found["witness"] = of["witness"].encode(value=row.witness if row.write.addr else 0)
    return found
