"""Hints of Execute leaves: carries that Script would have to divide for.

Reads: values of a committed row.  Gives: hints by name.  Never: decides; a wrong hint fails in Script.
Spec: docs/spec/bitvm.md#execute
"""

from collections.abc import Callable, Mapping
from typing import Final

from ...message import Field
from .compute import HIGH_HINTS
from .instruction import Instruction

Values = Mapping[str, Mapping[str, int]]
"""Fields by message label."""

_HALF: Final = 1 << 16
_RADIX: Final = 1 << 31
_HINTS: Final = {
    **dict.fromkeys(("sll", "slli", "mul"), ("carry_0", "carry_1")),
    **dict.fromkeys(("mulh", "mulhsu", "mulhu"), HIGH_HINTS),
    **dict.fromkeys(("div", "divu", "rem", "remu"), ("carry_0",)),
}


def hint_fields(instruction: Instruction) -> tuple[Field, ...]:
    """Hints that an instruction's leaf takes; one item each."""
    return tuple(Field(name, (_RADIX,)) for name in _HINTS.get(instruction.name, ()))


def derive_hints(instruction: Instruction, values: Values) -> dict[str, int]:
    """Hints of a row; zero where the row is wrong anyway or its result goes to x0."""
    name = instruction.name
    if name not in _HINTS:
        return {}
    if not values["write"]["addr"]:
        return dict.fromkeys(_HINTS[name], 0)
    return _DERIVE[name](values, name)


def _shift(values: Values, name: str) -> dict[str, int]:
    amount = values["read_2"]["value"] & 31 if name == "sll" else values["read_pc"]["opcode"] >> 20 & 31
    value = values["read_1"]["value"] << (16 if amount >= 16 else 0)
    low = (value & 0xFFFF) << (amount & 15)
    high = ((value >> 16 & 0xFFFF) << (amount & 15)) + (low >> 16)
    return {"carry_0": low >> 16, "carry_1": high >> 16}


def _limbs(left: int, right: int) -> list[int]:
    """What four columns of the product sum to, as the leaf adds them."""
    limbs = [0] * 4
    for one in range(8):
        for two in range(8):
            place = one + two
            limbs[place // 4] += (left >> 4 * one & 15) * (right >> 4 * two & 15) << 4 * (place % 4)
    return limbs


def _product(values: Values, name: str) -> dict[str, int]:
    limbs = _limbs(values["read_1"]["value"], values["read_2"]["value"])
    carries, lows, carry = [], [], 0
    for limb in limbs:
        carry, low = divmod(limb + carry, _HALF)
        carries.append(carry)
        lows.append(low)
    if name == "mul":
        return {"carry_0": carries[0], "carry_1": carries[1]}
    return dict(zip(HIGH_HINTS, (lows[0], lows[1], *carries[:3]), strict=True))


def _division(values: Values, name: str) -> dict[str, int]:
    divisor = values["read_2"]["value"]
    result, witness = values["write"]["value"], values["witness"]["value"]
    quotient, remainder = (result, witness) if name in ("div", "divu") else (witness, result)
    if name in ("div", "rem"):
        dividend = values["read_1"]["value"]
        differ = (dividend ^ divisor) >> 31
        quotient = -quotient % (1 << 32) if differ else quotient
        remainder = -remainder % (1 << 32) if dividend >> 31 else remainder
        divisor = -divisor % (1 << 32) if divisor >> 31 else divisor
    return {"carry_0": (_limbs(quotient, divisor)[0] + (remainder & 0xFFFF)) >> 16}


_DERIVE: Final[dict[str, Callable[[Values, str], dict[str, int]]]] = {
    **dict.fromkeys(("sll", "slli"), _shift),
    **dict.fromkeys(("mul", "mulh", "mulhsu", "mulhu"), _product),
    **dict.fromkeys(("div", "divu", "rem", "remu"), _division),
}
