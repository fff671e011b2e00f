"""From file, environment and flags to one frozen `Config`.

Reads: a TOML file, the environment, flags.  Gives: `load`, `Loaded`.
Never: lets an unknown name pass: a misspelt option is an error.  Spec: docs/spec/config.md#order

A flag is stronger than the environment, the environment than the file, the file than the default.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bedroll.primitives import Misconfigured

from .option import Option, Source, Value
from .table import OPTIONS, SECTIONS, Config

_PREFIX: Final = "BEDROLL_"
_CONFIG_VARIABLE: Final = "BEDROLL_CONFIG"
_FILE_BYTES_MAX: Final = 1 << 20
_MISSPELT: Final = 0.8
"""How alike two names are that one may be meant for the other."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The options, and where each came from."""

    config: Config
    sources: Mapping[str, Source]


def load(
    file: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
    defaults: Mapping[str, Value] | None = None,
) -> Loaded:
    """Put the options together.

    Args:
        file: TOML file; None: the one that `BEDROLL_CONFIG` names, if any.
        environment: Variables; None: those of this process.
        flags: Values given on the command line, by option name.
        defaults: What a command takes instead of the table's defaults.

    Raises:
        Misconfigured: A name is unknown, or a value is not allowed.
    """
    surroundings = os.environ if environment is None else environment
    if file is None and surroundings.get(_CONFIG_VARIABLE):
        file = Path(surroundings[_CONFIG_VARIABLE])
    by_name = {option.name: option for option in OPTIONS}
    values: dict[str, Value] = {option.name: option.default for option in OPTIONS} | dict(defaults or {})
    sources = dict.fromkeys(by_name, Source.DEFAULT)
    for source, given in (
        (Source.FILE, _from_file(file)),
        (Source.ENVIRONMENT, _from_environment(surroundings)),
        (Source.FLAG, dict(flags or {})),
    ):
        for name, value in given.items():
            option = by_name.get(name)
            if option is None:
                raise _unknown(name, source)
            values[name] = option.read(value)
            sources[name] = source
    folder = values["folder"]
    if isinstance(folder, Path):
        values["folder"] = folder.expanduser()
    return Loaded(_build(values), sources)


def _build(values: Mapping[str, Value]) -> Config:
    parts: dict[str, Any] = {}
    for name, value in values.items():
        section, _, key = name.rpartition(".")
        (parts.setdefault(section, {}) if section else parts)[key] = value
    return Config(**{key: SECTIONS[key](**value) if key in SECTIONS else value for key, value in parts.items()})


def _from_file(file: Path | None) -> dict[str, object]:
    if file is None:
        return {}
    try:
        raw = file.read_bytes()
    except OSError as error:
        text = f"the configuration file cannot be read: {error.strerror}"
        raise Misconfigured(text, option="config", value=file, allowed="a readable TOML file") from None
    if len(raw) > _FILE_BYTES_MAX:
        text = f"the configuration file is too large: {len(raw)} bytes"
        raise Misconfigured(text, option="config", value=file, allowed=f"at most {_FILE_BYTES_MAX} bytes")
    try:
        document = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        text = f"the configuration file is not TOML: {error}"
        raise Misconfigured(text, option="config", value=file, allowed="a readable TOML file") from None
    return dict(_flatten(document))


def _flatten(document: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in document.items():
        if isinstance(value, dict) and key in SECTIONS:
            for name, item in value.items():
                yield f"{key}.{name}", item
        else:
            yield key, value


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    by_variable: dict[str, Option] = {option.environment: option for option in OPTIONS}
    given: dict[str, object] = {}
    for variable, value in environment.items():
        if variable.startswith(_PREFIX) and variable != _CONFIG_VARIABLE:
            option = by_variable.get(variable)
            if option is not None:
                given[option.name] = value
            elif _is_meant_for_us(variable, by_variable):
                raise _unknown(variable, Source.ENVIRONMENT)
    return given


def _is_meant_for_us(variable: str, known: Mapping[str, Option]) -> bool:
    """Whether an unknown variable is a misspelt option; others with the prefix belong to tests and crash points."""
    in_section = any(variable.startswith(f"{_PREFIX}{section.upper()}_") for section in SECTIONS)
    names = [name.removeprefix(_PREFIX) for name in known]
    return in_section or bool(difflib.get_close_matches(variable.removeprefix(_PREFIX), names, n=1, cutoff=_MISSPELT))


def _unknown(name: str, source: Source) -> Misconfigured:
    known = [option.environment if source is Source.ENVIRONMENT else option.name for option in OPTIONS]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    text = f"there is no option {name} ({source}){hint}"
    return Misconfigured(text, option=name, value="", allowed=near[0] if near else "docs/howto/configure.md")
