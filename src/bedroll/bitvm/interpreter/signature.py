"""Operations that look at the transaction: signatures and locks.

Reads: the state and its context.  Gives: `CONTEXT_OPERATIONS`.  Never: computes a digest itself.
Spec: docs/spec/bitvm.md#interpreter
"""

from typing import Final

from bedroll.bitcoin.opcode import Opcode as Op

from .operation import Operation
from .rule import LOCK_BYTES_MAX, SIGNATURE_COST
from .state import State, truth

_HEIGHT_LIMIT: Final = 500_000_000
_SEQUENCE_FINAL: Final = 0xFFFFFFFF
_DISABLED: Final = 1 << 31
_SECONDS: Final = 1 << 22
_MASK: Final = 0xFFFF


def _is_signed(state: State, key: bytes, signature: bytes) -> bool:
    """Judge one signature (BIP-0342); an empty one is a plain no, a wrong one ends the script."""
    if signature:
        state.budget -= SIGNATURE_COST
        state.cost.signatures += 1
        if state.budget < 0:
            raise state.fail("TAPSCRIPT_VALIDATION_WEIGHT")
    if not key:
        raise state.fail("TAPSCRIPT_EMPTY_PUBKEY")
    if len(key) != 32:
        if state.rules.policy:
            raise state.fail("DISCOURAGE_UPGRADABLE_PUBKEYTYPE")
        return bool(signature)
    if not signature:
        return False
    if len(signature) not in (64, 65):
        raise state.fail("SCHNORR_SIG_SIZE")
    if not state.context.check_signature(key, signature, state.separator):
        raise state.fail("SCHNORR_SIG")
    return True


def _check_signature(state: State) -> None:
    state.need(2)
    key, signature = state.pop(), state.pop()
    state.push_number(_is_signed(state, key, signature))


def _check_signature_verify(state: State) -> None:
    _check_signature(state)
    if not truth(state.pop()):
        raise state.fail("CHECKSIGVERIFY")


def _check_signature_add(state: State) -> None:
    state.need(3)
    key, count, signature = state.pop(), state.pop_number(), state.pop()
    state.push_number(count + _is_signed(state, key, signature))


def _multisig(state: State) -> None:
    raise state.fail("TAPSCRIPT_CHECKMULTISIG")


def _separator(state: State) -> None:
    state.separator = state.position


def _lock_time(state: State) -> None:
    wanted = state.number(state.need(1)[-1], LOCK_BYTES_MAX)
    if wanted < 0:
        raise state.fail("NEGATIVE_LOCKTIME")
    given = state.context.lock_time
    same_kind = (wanted < _HEIGHT_LIMIT) == (given < _HEIGHT_LIMIT)
    if not same_kind or wanted > given or state.context.sequence == _SEQUENCE_FINAL:
        raise state.fail("UNSATISFIED_LOCKTIME")


def _sequence(state: State) -> None:
    wanted = state.number(state.need(1)[-1], LOCK_BYTES_MAX)
    if wanted < 0:
        raise state.fail("NEGATIVE_LOCKTIME")
    if wanted & _DISABLED:
        return
    given = state.context.sequence
    same_kind = (wanted & _SECONDS) == (given & _SECONDS)
    if state.context.version < 2 or given & _DISABLED or not same_kind or wanted & _MASK > given & _MASK:
        raise state.fail("UNSATISFIED_LOCKTIME")


CONTEXT_OPERATIONS: Final[dict[int, Operation]] = {
    Op.OP_CHECKSIG: _check_signature,
    Op.OP_CHECKSIGVERIFY: _check_signature_verify,
    Op.OP_CHECKSIGADD: _check_signature_add,
    Op.OP_CHECKMULTISIG: _multisig,
    Op.OP_CHECKMULTISIGVERIFY: _multisig,
    Op.OP_CODESEPARATOR: _separator,
    Op.OP_CHECKLOCKTIMEVERIFY: _lock_time,
    Op.OP_CHECKSEQUENCEVERIFY: _sequence,
}
