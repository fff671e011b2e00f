"""What leaves know of a program: where its memory is, what it declares, where it starts.

Reads: a program, an instance.  Gives: `Ground`.  Never: runs it.  Spec: docs/spec/bitvm.md#programs
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bedroll.primitives import Invalid
from bedroll.riscv import Program
from bedroll.riscv.program import Kind, Section

ADDRESS_LIMIT: Final = (1 << 31) - 4
"""Sections end here at the latest: addresses, and that after the last instruction, are single numbers in Script."""


@dataclass(frozen=True, slots=True)
class Span:
    """Addresses from `start` to before `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Territory:
    """What Execute needs of a program; the same for all instances of one program.

    Attributes:
        entry: Address of the first instruction.
        code: Addresses of instructions.
        loads: What may be loaded from.
        stores: What may be stored to.
    """

    entry: int
    code: Span
    loads: tuple[Span, ...]
    stores: tuple[Span, ...]


@dataclass(frozen=True)
class Ground:
    """A program as leaves see it.

    Attributes:
        territory: What Execute needs.
        code: The instructions.
        input_start: Where the input begins; 0 without one.
        input_words: Words of it.
        declared: Start and contents of sections with contents that may be loaded.
        writable: Starts of those that may be stored to as well.
        start_hash: H_0, 20 bytes.
    """

    territory: Territory
    code: tuple[int, ...]
    input_start: int
    input_words: int
    declared: tuple[tuple[int, tuple[int, ...]], ...]
    writable: frozenset[int]
    start_hash: bytes

    @property
    def known(self) -> tuple[Span, ...]:
        """Addresses whose first value is not simply zero: input and declared contents."""
        spans = [Span(start, start + 4 * len(words)) for start, words in self.declared]
        if self.input_words:
            spans.append(Span(self.input_start, self.input_start + 4 * self.input_words))
        return merge(spans)

    @staticmethod
    def of(program: Program, start_hash: bytes) -> "Ground":
        """Take what is needed from a program.

        Raises:
            Invalid: A section ends above 2^31 − 4.
        """
        sections = program.sections()
        end = max(section.start + section.size_bytes for section in sections)
        if end > ADDRESS_LIMIT:
            raise Invalid("a section ends above what Script can address", value=end, limit=ADDRESS_LIMIT)
        code = next(section for section in sections if section.kind is Kind.CODE)
        given = next((section for section in sections if section.kind is Kind.INPUT), None)
        data = [section for section in sections if section.kind is not Kind.CODE]
        stores = [section for section in data if section.kind in (Kind.READ_WRITE, Kind.STACK)]
        return Ground(
            territory=Territory(program.entry, _span(code), merge(map(_span, data)), merge(map(_span, stores))),
            code=code.words or (),
            input_start=given.start if given else 0,
            input_words=given.size_bytes // 4 if given else 0,
            declared=tuple((each.start, each.words) for each in data if each.words is not None),
            writable=frozenset(each.start for each in stores),
            start_hash=start_hash,
        )


def _span(section: Section) -> Span:
    return Span(section.start, section.start + section.size_bytes)


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same addresses in as few spans as can be, ascending."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)
