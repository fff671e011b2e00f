"""Running a tapscript from its first byte to its one true item.

Reads: a script and its items.  Gives: `Cost` of a success.
Never: raises anything but `ScriptFailure` for hostile bytes.
Spec: docs/spec/bitvm.md#interpreter
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from bedroll.bitcoin.opcode import Opcode as Op
from bedroll.bitcoin.script import Element, has_success_opcode, is_minimal, parse_script
from bedroll.encoding import Malformed, encode_compact_size

from .failure import ScriptFailure
from .operation import OPERATIONS, Operation
from .rule import (
    ITEM_BYTES_MAX,
    ITEMS_MAX,
    POLICY_ITEM_BYTES_MAX,
    POLICY_WEIGHT_MAX,
    SIGNATURE_COST,
    Context,
    Cost,
    Rules,
)
from .signature import CONTEXT_OPERATIONS
from .state import SMALL, State, truth

_ALL: Final[dict[int, Operation]] = OPERATIONS | CONTEXT_OPERATIONS
_CONDITIONS: Final = (Op.OP_IF, Op.OP_NOTIF, Op.OP_ELSE, Op.OP_ENDIF)
_FORBIDDEN: Final = (Op.OP_VERIF, Op.OP_VERNOTIF)
_CONTROL_BLOCK_BYTES: Final = 33
_RULES: Final = Rules()
_CONTEXT: Final = Context()


def execute(
    script: bytes,
    items: Sequence[bytes],
    *,
    rules: Rules = _RULES,
    context: Context = _CONTEXT,
) -> Cost:
    """Run a script over its items.

    Args:
        script: A tapscript leaf.
        items: Bottom first, without script and control block.
        rules: Whether relay's rules hold too.
        context: What it can see of the transaction.

    Returns:
        What it took.

    Raises:
        ScriptFailure: It does not succeed.
    """
    cost = Cost()
    for state in run_steps(script, items, rules=rules, context=context):
        cost = state.cost
    return cost


def run_steps(
    script: bytes,
    items: Sequence[bytes],
    *,
    rules: Rules = _RULES,
    context: Context = _CONTEXT,
) -> Iterator[State]:
    """Run, and show the state before each operation and at the end; the object is one and the same.

    Raises:
        ScriptFailure: It does not succeed.
    """
    if has_success_opcode(script):
        if rules.policy:
            raise ScriptFailure("DISCOURAGE_OP_SUCCESS")
        yield State(list(items), rules, context, 0)
        return
    state = _begin(script, items, rules, context)
    plan = _plan(script)
    stack, alt, branches, cost = state.stack, state.alt, state.branches, state.cost
    cost.peak_items = len(stack)
    for position, (code, push, operation, minimal) in enumerate(plan):
        yield state
        state.position = position
        if code == -1:
            raise state.fail("BAD_OPCODE")
        if branches and code not in _CONDITIONS and not all(branches):
            if push is not None and len(push) > ITEM_BYTES_MAX:
                raise state.fail("PUSH_SIZE")
            if code in _FORBIDDEN:
                raise state.fail("BAD_OPCODE")
            continue
        cost.operations += 1
        if operation is not None:
            operation(state)
        elif push is not None:
            _push(state, push, minimal)
        elif code in _CONDITIONS:
            _branch(state, code)
        else:
            raise state.fail("BAD_OPCODE")
        size = len(stack) + len(alt)
        if size > cost.peak_items:
            cost.peak_items = size
            if size > ITEMS_MAX:
                raise state.fail("STACK_SIZE")
    state.position = -1
    _finish(state)
    yield state


def _begin(script: bytes, items: Sequence[bytes], rules: Rules, context: Context) -> State:
    if len(items) > ITEMS_MAX:
        raise ScriptFailure("STACK_SIZE", items=len(items), limit=ITEMS_MAX)
    longest, limit = max(map(len, items), default=0), POLICY_ITEM_BYTES_MAX if rules.policy else ITEM_BYTES_MAX
    if longest > limit:
        raise ScriptFailure("PUSH_SIZE", size=longest, limit=limit)
    size = context.witness_bytes
    if size is None:
        size = witness_bytes(script, items)
    if rules.policy and size > POLICY_WEIGHT_MAX:
        raise ScriptFailure("WEIGHT", size=size, limit=POLICY_WEIGHT_MAX)
    return State(list(items), rules, context, size + SIGNATURE_COST)


def witness_bytes(script: bytes, items: Sequence[bytes], control_block: int = _CONTROL_BLOCK_BYTES) -> int:
    """Serialised witness of a spend: count, items, script, control block."""
    sizes = [*map(len, items), len(script), control_block]
    return len(encode_compact_size(len(sizes))) + sum(len(encode_compact_size(size)) + size for size in sizes)


def _push(state: State, push: bytes, minimal: bool) -> None:
    if len(push) > ITEM_BYTES_MAX:
        raise state.fail("PUSH_SIZE")
    if not minimal and state.rules.policy:
        raise state.fail("MINIMALDATA")
    state.stack.append(push)


def _branch(state: State, code: int) -> None:
    branches = state.branches
    if code == Op.OP_ELSE or code == Op.OP_ENDIF:
        if not branches:
            raise state.fail("UNBALANCED_CONDITIONAL")
        if code == Op.OP_ELSE:
            branches[-1] = not branches[-1]
        else:
            branches.pop()
        return
    if not all(branches):
        branches.append(False)
        return
    if not state.stack:
        raise state.fail("UNBALANCED_CONDITIONAL")
    item = state.stack.pop()
    if item not in (b"", b"\x01"):
        raise state.fail("TAPSCRIPT_MINIMALIF")
    branches.append((item == b"\x01") == (code == Op.OP_IF))


def _finish(state: State) -> None:
    if state.branches:
        raise state.fail("UNBALANCED_CONDITIONAL")
    if len(state.stack) != 1:
        raise state.fail("CLEANSTACK")
    if not truth(state.stack[0]):
        raise state.fail("EVAL_FALSE")


Planned = tuple[int, bytes | None, Operation | None, bool]


@lru_cache(maxsize=16)
def _plan(script: bytes) -> tuple[Planned, ...]:
    """Each operation with what it does; a push that runs over the end becomes the code -1."""
    plan: list[Planned] = []
    try:
        for element in parse_script(script):
            plan.append(_PLAIN[element.opcode] if element.push is None else _pushing(element))
    except Malformed:
        plan.append((-1, None, None, True))
    return tuple(plan)


def _pushing(element: Element) -> Planned:
    return element.opcode, element.push, None, is_minimal(element)


def _plain(code: int) -> Planned:
    if code == Op.OP_1NEGATE or Op.OP_1 <= code <= Op.OP_16:
        return code, SMALL[code - (Op.OP_1 - 1)], None, True
    return code, None, _ALL.get(code), True


_PLAIN: Final = tuple(map(_plain, range(256)))
"""What an opcode does that carries no bytes: one object for all of its places in a script."""
