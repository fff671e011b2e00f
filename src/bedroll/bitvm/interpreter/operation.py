"""Operations on the stack, on numbers and on hashes.

Reads: the state.  Gives: `OPERATIONS`: what each opcode does where its branch runs.
Never: handles branches, signatures or locks.  Spec: docs/spec/bitvm.md#interpreter
"""

import hashlib
from collections.abc import Callable
from typing import Final

from bedroll.bitcoin.opcode import Opcode as Op
from bedroll.bitcoin.script import encode_number

from .state import SMALL, SMALL_BACK, State, truth

Operation = Callable[[State], None]


def _verify(state: State) -> None:
    if not truth(state.pop()):
        raise state.fail("VERIFY")


def _return(state: State) -> None:
    raise state.fail("OP_RETURN")


def _to_alt(state: State) -> None:
    state.alt.append(state.pop())


def _from_alt(state: State) -> None:
    if not state.alt:
        raise state.fail("INVALID_ALTSTACK_OPERATION")
    state.stack.append(state.alt.pop())


def _arrange(size: int, *order: int) -> Operation:
    """Replace the top `size` items (0 deepest) by those of `order`."""

    def arrange(state: State) -> None:
        stack = state.need(size)
        top = stack[-size:]
        stack[-size:] = [top[at] for at in order]

    return arrange


def _dup(state: State) -> None:
    state.stack.append(state.need(1)[-1])


def _drop(state: State) -> None:
    state.pop()


def _two_drop(state: State) -> None:
    del state.need(2)[-2:]


def _over(state: State) -> None:
    state.stack.append(state.need(2)[-2])


def _swap(state: State) -> None:
    stack = state.need(2)
    stack[-1], stack[-2] = stack[-2], stack[-1]


def _rot(state: State) -> None:
    stack = state.need(3)
    stack.append(stack.pop(-3))


def _tuck(state: State) -> None:
    stack = state.need(2)
    stack.insert(-2, stack[-1])


def _if_dup(state: State) -> None:
    item = state.need(1)[-1]
    if truth(item):
        state.stack.append(item)


def _depth(state: State) -> None:
    state.push_number(len(state.stack))


def _pick(state: State) -> None:
    state.need(2)
    index = state.pop_number()
    if not 0 <= index < len(state.stack):
        raise state.fail("INVALID_STACK_OPERATION")
    state.stack.append(state.stack[-1 - index])


def _roll(state: State) -> None:
    state.need(2)
    index = state.pop_number()
    if not 0 <= index < len(state.stack):
        raise state.fail("INVALID_STACK_OPERATION")
    state.stack.append(state.stack.pop(-1 - index))


def _size(state: State) -> None:
    state.push_number(len(state.need(1)[-1]))


def _equal(state: State) -> None:
    stack = state.need(2)
    state.push_number(stack.pop() == stack.pop())


def _equal_verify(state: State) -> None:
    stack = state.need(2)
    if stack.pop() != stack.pop():
        raise state.fail("EQUALVERIFY")


def _unary(compute: Callable[[int], int]) -> Operation:
    def operation(state: State) -> None:
        state.push_number(compute(state.pop_number()))

    return operation


def _binary(compute: Callable[[int, int], int]) -> Operation:
    def operation(state: State) -> None:
        stack = state.need(2)
        second, first = SMALL_BACK.get(stack[-1]), SMALL_BACK.get(stack[-2])
        if second is None or first is None:
            second, first = state.number(stack[-1]), state.number(stack[-2])
        stack.pop()
        found = compute(first, second)
        stack[-1] = SMALL.get(found) or encode_number(found)

    return operation


def _number_equal_verify(state: State) -> None:
    stack = state.need(2)
    second, first = state.number(stack[-1]), state.number(stack[-2])
    del stack[-2:]
    if first != second:
        raise state.fail("NUMEQUALVERIFY")


def _within(state: State) -> None:
    stack = state.need(3)
    value, low, high = (state.number(item) for item in stack[-3:])
    del stack[-3:]
    state.push_number(low <= value < high)


def _hash(digest: Callable[[bytes], bytes]) -> Operation:
    def operation(state: State) -> None:
        state.stack.append(digest(state.pop()))

    return operation


def _sha256(item: bytes) -> bytes:
    return hashlib.sha256(item).digest()


_RIPEMD160: Final = hashlib.new("ripemd160")


def _ripemd160(item: bytes) -> bytes:
    state = _RIPEMD160.copy()
    state.update(item)
    return state.digest()


def _nothing(_state: State) -> None:
    pass


def _upgradable(state: State) -> None:
    if state.rules.policy:
        raise state.fail("DISCOURAGE_UPGRADABLE_NOPS")


OPERATIONS: Final[dict[int, Operation]] = {
    Op.OP_NOP: _nothing,
    Op.OP_VERIFY: _verify,
    Op.OP_RETURN: _return,
    Op.OP_TOALTSTACK: _to_alt,
    Op.OP_FROMALTSTACK: _from_alt,
    Op.OP_2DROP: _two_drop,
    Op.OP_2DUP: _arrange(2, 0, 1, 0, 1),
    Op.OP_3DUP: _arrange(3, 0, 1, 2, 0, 1, 2),
    Op.OP_2OVER: _arrange(4, 0, 1, 2, 3, 0, 1),
    Op.OP_2ROT: _arrange(6, 2, 3, 4, 5, 0, 1),
    Op.OP_2SWAP: _arrange(4, 2, 3, 0, 1),
    Op.OP_IFDUP: _if_dup,
    Op.OP_DEPTH: _depth,
    Op.OP_DROP: _drop,
    Op.OP_DUP: _dup,
    Op.OP_NIP: _arrange(2, 1),
    Op.OP_OVER: _over,
    Op.OP_PICK: _pick,
    Op.OP_ROLL: _roll,
    Op.OP_ROT: _rot,
    Op.OP_SWAP: _swap,
    Op.OP_TUCK: _tuck,
    Op.OP_SIZE: _size,
    Op.OP_EQUAL: _equal,
    Op.OP_EQUALVERIFY: _equal_verify,
    Op.OP_1ADD: _unary(lambda a: a + 1),
    Op.OP_1SUB: _unary(lambda a: a - 1),
    Op.OP_NEGATE: _unary(lambda a: -a),
    Op.OP_ABS: _unary(abs),
    Op.OP_NOT: _unary(lambda a: a == 0),
    Op.OP_0NOTEQUAL: _unary(lambda a: a != 0),
    Op.OP_ADD: _binary(lambda a, b: a + b),
    Op.OP_SUB: _binary(lambda a, b: a - b),
    Op.OP_BOOLAND: _binary(lambda a, b: a != 0 and b != 0),
    Op.OP_BOOLOR: _binary(lambda a, b: a != 0 or b != 0),
    Op.OP_NUMEQUAL: _binary(lambda a, b: a == b),
    Op.OP_NUMEQUALVERIFY: _number_equal_verify,
    Op.OP_NUMNOTEQUAL: _binary(lambda a, b: a != b),
    Op.OP_LESSTHAN: _binary(lambda a, b: a < b),
    Op.OP_GREATERTHAN: _binary(lambda a, b: a > b),
    Op.OP_LESSTHANOREQUAL: _binary(lambda a, b: a <= b),
    Op.OP_GREATERTHANOREQUAL: _binary(lambda a, b: a >= b),
    Op.OP_MIN: _binary(min),
    Op.OP_MAX: _binary(max),
    Op.OP_WITHIN: _within,
    Op.OP_RIPEMD160: _hash(_ripemd160),
    Op.OP_SHA1: _hash(lambda item: hashlib.sha1(item, usedforsecurity=False).digest()),
    Op.OP_SHA256: _hash(_sha256),
    Op.OP_HASH160: _hash(lambda item: _ripemd160(_sha256(item))),
    Op.OP_HASH256: _hash(lambda item: _sha256(_sha256(item))),
    **dict.fromkeys((Op.OP_NOP1, *range(179, 186)), _upgradable),
}
