"""One option: how it is named everywhere, what it may be, how text becomes a value.

Reads: text and TOML values of an operator.  Gives: `Option`.
Never: takes a value outside the allowed range.  Spec: docs/spec/config.md#options
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from bedroll.primitives import Misconfigured

Value = str | int | float | bool | Path | tuple[str, ...] | None
_KINDS: Final[dict[type, str]] = {Path: "a path", tuple: "a list of strings", str: "text"}
_SIZE: Final = re.compile(r"(\d+)\s*(KiB|MiB|GiB)\Z")
_SIZES: Final = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class Source(StrEnum):
    """Where a value came from, weakest first."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One row of the table.

    Attributes:
        name: Dotted: section and key in TOML.
        kind: Type of the value; `tuple` is a list of strings.
        default: Where nothing is given.
        help: One sentence.
        unit: Of a number; "" if it has none.
        low, high: Inclusive range of a number.
        choices: All that a string may be.
        secret: Never shown, and better not given as a flag.
        aliases: Other flags, as tools that people know have them.
    """

    name: str
    kind: type
    default: Value
    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def environment(self) -> str:
        """Name in the environment."""
        return "BEDROLL_" + self.name.upper().replace(".", "_")

    @property
    def flag(self) -> str:
        """Name on the command line."""
        return "--" + self.name.replace(".", "-").replace("_", "-")

    @property
    def attribute(self) -> str:
        """Name as a Python parameter."""
        return self.name.replace(".", "_")

    @property
    def allowed(self) -> str:
        """What it may be, in words."""
        if self.choices:
            return ", ".join(self.choices)
        if self.kind is bool:
            return "true or false"
        if self.low is not None or self.high is not None:
            unit = f" {self.unit}" if self.unit else ""
            return f"{_show(self.low)} to {_show(self.high)}{unit}"
        return _KINDS.get(self.kind, "a number")

    def read(self, given: object) -> Value:
        """Turn text or a TOML value into the option's value.

        Raises:
            Misconfigured: It is none of the allowed ones.
        """
        value = self._convert(given)
        if self.choices and value not in self.choices:
            raise self._refuse(given)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not value == value or (self.low is not None and value < self.low):
                raise self._refuse(given)
            if self.high is not None and value > self.high:
                raise self._refuse(given)
        return value

    def _convert(self, given: object) -> Value:
        if self.kind is tuple:
            return self._convert_list(given)
        if self.kind is bool:
            return self._convert_bool(given)
        if self.kind in (int, float):
            return self._convert_number(given)
        if not isinstance(given, str | Path):
            raise self._refuse(given)
        return Path(given).expanduser() if self.kind is Path and str(given) else str(given)

    def _convert_list(self, given: object) -> tuple[str, ...]:
        if isinstance(given, str):
            return tuple(part.strip() for part in given.split(",") if part.strip())
        if isinstance(given, list | tuple) and all(isinstance(part, str) for part in given):
            return tuple(given)
        raise self._refuse(given)

    def _convert_bool(self, given: object) -> bool:
        if isinstance(given, bool):
            return given
        if isinstance(given, str) and given.lower() in ("true", "1", "yes", "false", "0", "no"):
            return given.lower() in ("true", "1", "yes")
        raise self._refuse(given)

    def _convert_number(self, given: object) -> int | float:
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            raise self._refuse(given)
        if isinstance(given, str) and self.unit == "bytes" and (size := _SIZE.match(given.strip())):
            return int(size[1]) * _SIZES[size[2]]
        try:
            number = self.kind(given.replace("_", "") if isinstance(given, str) else given)
        except (ValueError, OverflowError):
            raise self._refuse(given) from None
        if self.kind is int and isinstance(given, float) and number != given:
            raise self._refuse(given)
        return float(number) if self.kind is float else int(number)

    def _refuse(self, given: object) -> Misconfigured:
        shown = "(hidden)" if self.secret else given
        return Misconfigured(f"{self.name} cannot be this", option=self.name, value=shown, allowed=self.allowed)


def _show(number: float | None) -> str:
    return "no limit" if number is None else f"{number:,}" if isinstance(number, int) else f"{number:g}"
