"""A writer of Script that knows where every value lies.

Reads: operations on named values.  Gives: script bytes.  Never: lets a script end with anything but one item.
Spec: docs/spec/bitvm.md#blocks

Values are `Item`s. An operand that is an `Item` is used up; `Keep(item)` leaves it in place; a number is pushed. The
writer finds the shortest way to bring operands to the top.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bedroll.bitcoin.opcode import Opcode as Op
from bedroll.bitcoin.script import encode_number, encode_push
from bedroll.primitives import Corrupt


class Item:
    """A value on a stack."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Keep:
    """An operand that stays where it is."""

    item: Item


Operand = Item | Keep | int

_COMMUTATIVE: Final = frozenset(
    {Op.OP_ADD, Op.OP_BOOLAND, Op.OP_BOOLOR, Op.OP_NUMEQUAL, Op.OP_NUMEQUALVERIFY, Op.OP_NUMNOTEQUAL, Op.OP_MIN,
     Op.OP_MAX, Op.OP_EQUAL, Op.OP_EQUALVERIFY}
)  # fmt: skip
_COPY: Final = {0: bytes((Op.OP_DUP,)), 1: bytes((Op.OP_OVER,))}
_MOVE: Final = {0: b"", 1: bytes((Op.OP_SWAP,)), 2: bytes((Op.OP_ROT,))}
_PUSHES: Final = {number: encode_push(encode_number(number)) for number in range(-1, 1_024)}


class Assembler:
    """A script in the making.

    Attributes:
        stack: Main stack as far as it is known, bottom first.
        alt: Alternative stack.
    """

    def __init__(self, items: int = 0) -> None:
        self.stack: list[Item] = [Item() for _ in range(items)]
        self.alt: list[Item] = []
        self._code: list[bytes] = []
        self._bytes: dict[int, bytes] = {code: bytes((code,)) for code in range(256)}

    def script(self) -> bytes:
        """What was written."""
        return b"".join(self._code)

    def emit(self, *codes: int) -> None:
        """Write opcodes whose effect the caller records."""
        self._code += (self._bytes[code] for code in codes)

    def push(self, number: int) -> Item:
        """A constant."""
        self._code.append(_PUSHES.get(number) or encode_push(encode_number(number)))
        item = Item()
        self.stack.append(item)
        return item

    def depth(self, item: Item) -> int:
        """How deep an item lies; 0 is the top."""
        try:
            return len(self.stack) - 1 - self.stack.index(item)
        except ValueError:
            raise Corrupt("a value is used after it was used up", stack=len(self.stack)) from None

    def copy(self, item: Item) -> Item:
        """A second one on top."""
        depth = self.depth(item)
        self._code.append(_COPY.get(depth) or _PUSHES[depth] + b"\x79")
        twin = Item()
        self.stack.append(twin)
        return twin

    def move(self, item: Item) -> Item:
        """Bring to the top."""
        depth = self.depth(item)
        if depth:
            self._code.append(_MOVE.get(depth) or _PUSHES[depth] + b"\x7a")
            self.stack.append(self.stack.pop(-1 - depth))
        return item

    def fetch(self, operand: Operand) -> Item:
        """Bring an operand to the top."""
        if isinstance(operand, int):
            return self.push(operand)
        return self.copy(operand.item) if isinstance(operand, Keep) else self.move(operand)

    def arrange(self, operands: Sequence[Operand], *, any_order: bool = False) -> None:
        """Bring operands to the top, the last one topmost; what lies right already stays."""
        if any_order and self.stack[-2:] == list(operands[::-1]):
            return
        ready = 0
        for count in range(len(operands), 0, -1):
            if self.stack[-count:] == list(operands[:count]):
                ready = count
                break
        for operand in operands[ready:]:
            self.fetch(operand)

    def apply(self, codes: Sequence[int], operands: Sequence[Operand], results: int = 1) -> list[Item]:
        """Bring operands to the top, write opcodes that use them up and leave `results` new items."""
        self.arrange(operands, any_order=len(codes) == 1 and codes[0] in _COMMUTATIVE)
        self.emit(*codes)
        if operands:
            del self.stack[-len(operands) :]
        found = [Item() for _ in range(results)]
        self.stack += found
        return found

    def calc(self, code: int, *operands: Operand) -> Item:
        """One opcode with one result."""
        return self.apply((code,), operands)[0]

    def add(self, *operands: Operand) -> Item:
        """Sum of at least one."""
        total: Operand = operands[0]
        for operand in operands[1:]:
            total = self.calc(Op.OP_ADD, total, operand)
        return total if isinstance(total, Item) else self.fetch(total)

    def sub(self, left: Operand, right: Operand) -> Item:
        """Difference."""
        return self.calc(Op.OP_SUB, left, right)

    def double(self, operand: Operand, times: int = 1) -> Item:
        """The value times 2^times."""
        item = self.fetch(operand)
        if not times:
            return item
        return self.apply((Op.OP_DUP, Op.OP_ADD) * times, (item,))[0]

    def verify(self, operand: Operand) -> None:
        """Fail unless true."""
        self.apply((Op.OP_VERIFY,), (operand,), 0)

    def verify_equal(self, left: Operand, right: Operand) -> None:
        """Fail unless two numbers are equal."""
        self.apply((Op.OP_NUMEQUALVERIFY,), (left, right), 0)

    def to_alt(self, operand: Operand) -> Item:
        """Put away on the alternative stack."""
        item = self.fetch(operand)
        self.emit(Op.OP_TOALTSTACK)
        self.alt.append(self.stack.pop())
        return item

    def from_alt(self) -> Item:
        """Take back what was put away last."""
        self.emit(Op.OP_FROMALTSTACK)
        item = self.alt.pop()
        self.stack.append(item)
        return item

    def drop(self, *items: Item) -> None:
        """Forget items."""
        for item in items:
            if self.depth(item) == 1:
                self.emit(Op.OP_NIP)
                self.stack.pop(-2)
            else:
                self.move(item)
                self.emit(Op.OP_DROP)
                self.stack.pop()

    def drop_top(self, count: int) -> None:
        """Forget the topmost items."""
        self.emit(*[Op.OP_2DROP] * (count // 2), *[Op.OP_DROP] * (count % 2))
        if count:
            del self.stack[-count:]

    def branch(
        self, condition: Operand, then: Callable[[], Sequence[Item]], other: Callable[[], Sequence[Item]]
    ) -> list[Item]:
        """Two ways to the same number of results. Neither may use up what was there before.

        Args:
            condition: 0 or 1, nothing else.
            then: Writes the way of 1 and leaves its results on top, in order.
            other: Writes the way of 0.
        """
        self.apply((Op.OP_IF,), (condition,), 0)
        before = list(self.stack)
        count = self._way(before, then)
        self.stack = list(before)
        mark = len(self._code)
        self.emit(Op.OP_ELSE)
        if self._way(before, other) != count:
            raise Corrupt("the ways of a branch differ", results=count)
        if len(self._code) == mark + 1:
            self._code.pop()
        self.emit(Op.OP_ENDIF)
        found = [Item() for _ in range(count)]
        self.stack = before + found
        return found

    def guard(self, condition: Operand, then: Callable[[], None], other: Callable[[], None] | None = None) -> None:
        """Two ways that only check; what they leave on top is forgotten. Neither may use up what was there before."""

        def way(write: Callable[[], None] | None) -> Callable[[], Sequence[Item]]:
            def checks() -> Sequence[Item]:
                size = len(self.stack)
                if write is not None:
                    write()
                self.drop_top(len(self.stack) - size)
                return ()

            return checks

        self.branch(condition, way(then), way(other))

    def _way(self, before: list[Item], write: Callable[[], Sequence[Item]]) -> int:
        results = list(write())
        self.arrange(results)
        if self.stack != before + results:
            raise Corrupt("a branch leaves more than its results", left=len(self.stack), expected=len(before))
        return len(results)

    def finish(self, result: Operand = 1) -> bytes:
        """Leave nothing but one result."""
        if self.alt:
            raise Corrupt("the alternative stack is not empty", items=len(self.alt))
        if isinstance(result, int):
            self.drop_top(len(self.stack))
            self.push(result)
        else:
            self.to_alt(result)
            self.drop_top(len(self.stack))
            self.from_alt()
        return self.script()
