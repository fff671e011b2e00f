"""What a client wants of a trace: options of geth's tracers, parts of Parity's, filters of calls.

Reads: JSON values of a stranger.  Gives: `parse_options`, `parse_call_options`, `parse_parts`, `parse_trace_filter`.
Never: lets an unknown option pass unseen.  Spec: docs/spec/api-trace.md#traces
"""

import json
import re
from dataclasses import dataclass
from typing import Final

from .block_tag import LATEST, BlockRef, parse_number
from .error import invalid_params
from .override import NONE, Overrides, parse_block_overrides, parse_overrides
from .quantity import parse_address, parse_bool, parse_quantity, refuse

_FLAGS: Final = (
    "enableMemory",
    "disableMemory",
    "disableStack",
    "disableStorage",
    "enableReturnData",
    "disableReturnData",
    "debug",
)
_MEMBERS: Final = frozenset((*_FLAGS, "limit", "tracer", "tracerConfig", "timeout", "reexec"))
_CALL_MEMBERS: Final = frozenset(("stateOverrides", "blockOverrides"))
_TIMEOUT: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s|m)\Z")
_UNIT_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}
_TRACERS: Final = (
    "callTracer",
    "flatCallTracer",
    "prestateTracer",
    "4byteTracer",
    "noopTracer",
    "muxTracer",
)
_WITHOUT_OPTIONS: Final = ("4byteTracer", "noopTracer")
_SCRIPT_BEGINS: Final = ("{", "(", "/*", "//")
"""A tracer that begins so is JavaScript: an object, or an expression that gives one."""
_PARTS: Final = ("trace", "vmTrace", "stateDiff")
_OPTION_CHARACTERS_MAX: Final = 10_000
_SCRIPT_BYTES_MAX: Final = 64 << 10
_ADDRESSES_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """How to trace.

    Attributes:
        core: Options as the core reads them.
        seconds: Time that the client grants; None: what the server does.
        overrides: Of a call's state and block.
        is_script: The tracer is one that the client wrote.
    """

    core: str = "{}"
    seconds: float | None = None
    overrides: Overrides = NONE
    is_script: bool = False


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """Calls that a client wants.

    Attributes:
        first, last: Blocks.
        senders, recipients: Any of these; none given: anyone.
        both: Sender and recipient must both fit where both are given.
        after: Calls to leave out.
        count: Calls to give; None: all.
    """

    first: BlockRef
    last: BlockRef
    senders: list[bytes]
    recipients: list[bytes]
    both: bool
    after: int
    count: int | None


DEFAULT: Final = TraceOptions()


def parse_options(value: object, name: str = "options") -> TraceOptions:
    """Decode geth's options of a trace."""
    return _options(_members(value, name, _MEMBERS))


def parse_call_options(value: object, name: str = "options") -> TraceOptions:
    """Decode the options of `debug_traceCall`, which may override state and block."""
    given = _members(value, name, _MEMBERS | _CALL_MEMBERS)
    block = parse_block_overrides(given.pop("blockOverrides", None))
    overrides = Overrides(parse_overrides(given.pop("stateOverrides", None)), block)
    options = _options(given)
    return TraceOptions(options.core, options.seconds, overrides, options.is_script)


def _members(value: object, name: str, known: frozenset[str]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise refuse(name, value, "an object")
    given = {key: item for key, item in value.items() if item is not None}
    if unknown := given.keys() - known:
        raise invalid_params(f"unknown member {min(unknown)[:40]!r} of {name}")
    return given


def _options(given: dict[str, object]) -> TraceOptions:
    core: dict[str, object] = {flag: parse_bool(given[flag], flag) for flag in _FLAGS if flag in given}
    limit = given.get("limit", 0)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 0 <= limit < 1 << 63:
        raise refuse("limit", limit, "a number of steps, 0 for all")
    core["limit"] = limit
    tracer, config = given.get("tracer", ""), given.get("tracerConfig")
    if not isinstance(tracer, str):
        raise refuse("tracer", tracer, "a name")
    is_script = bool(tracer) and tracer not in _TRACERS and tracer.lstrip().startswith(_SCRIPT_BEGINS)
    if is_script:
        _check_script(tracer, config)
    elif tracer:
        _check_tracer(tracer, config)
    if tracer:
        core["tracer"] = tracer
    if config is not None:
        core["tracerConfig"] = _inner_configs(config) if tracer == "muxTracer" else config
    text = json.dumps(core)
    if len(text) > _OPTION_CHARACTERS_MAX and not is_script:
        raise invalid_params(f"options of {len(text)} characters, at most {_OPTION_CHARACTERS_MAX}")
    seconds = _parse_timeout(given["timeout"]) if "timeout" in given else None
    return TraceOptions(text, seconds, is_script=is_script)


def _check_script(tracer: str, config: object) -> None:
    size = len(tracer.encode(errors="replace")) + len(json.dumps(config))
    if size > _SCRIPT_BYTES_MAX:
        raise invalid_params(f"a tracer of {size} bytes with its configuration, at most {_SCRIPT_BYTES_MAX}")


def _check_tracer(tracer: str, config: object) -> None:
    if tracer not in _TRACERS:
        text = f"no tracer {tracer[:40]!r}: there are {', '.join(_TRACERS)}, and objects in JavaScript, {{…}}"
        raise invalid_params(text)
    if tracer == "muxTracer":
        if not isinstance(config, dict):
            raise refuse("tracerConfig", config, "an object of tracers and their configurations")
        for inner, inner_config in config.items():
            if inner == "muxTracer":
                raise invalid_params("a muxTracer cannot hold another")
            _check_tracer(inner, inner_config)
    elif config is not None and not isinstance(config, dict):
        raise refuse("tracerConfig", config, "an object")


def _inner_configs(config: object) -> object:
    """Clients write an empty configuration or none, as they like; the core wants one where a tracer has options."""
    if not isinstance(config, dict):
        return config
    return {inner: None if inner in _WITHOUT_OPTIONS else given or {} for inner, given in config.items()}


def _parse_timeout(value: object) -> float:
    found = _TIMEOUT.match(value) if isinstance(value, str) else None
    if found is None:
        raise refuse("timeout", value, "a duration such as 5s, 300ms or 1m")
    return float(found[1]) * _UNIT_SECONDS[found[2]]


def parse_parts(value: object, name: str = "trace types") -> list[str]:
    """Decode which parts of Parity's trace are wanted."""
    if not isinstance(value, list) or len(value) > len(_PARTS):
        raise refuse(name, value, f"an array of {', '.join(_PARTS)}")
    parts: list[str] = []
    for part in value:
        if part not in _PARTS:
            raise refuse(name, part, f"one of {', '.join(_PARTS)}")
        parts.append(str(part))
    return parts


def parse_trace_filter(value: object, name: str = "filter") -> TraceFilter:
    """Decode the filter of `trace_filter`."""
    known = frozenset(("fromBlock", "toBlock", "fromAddress", "toAddress", "mode", "after", "count"))
    given = _members(value, name, known)
    mode = given.get("mode", "intersection")
    if mode not in ("union", "intersection"):
        raise refuse("mode", mode, "union or intersection")
    return TraceFilter(
        first=parse_number(given["fromBlock"], "fromBlock") if "fromBlock" in given else BlockRef(tag="earliest"),
        last=parse_number(given["toBlock"], "toBlock") if "toBlock" in given else LATEST,
        senders=_parse_addresses(given.get("fromAddress", []), "fromAddress"),
        recipients=_parse_addresses(given.get("toAddress", []), "toAddress"),
        both=mode == "intersection",
        after=_parse_count(given.get("after", 0), "after"),
        count=_parse_count(given["count"], "count") if "count" in given else None,
    )


def _parse_addresses(value: object, name: str) -> list[bytes]:
    rows = value if isinstance(value, list) else [value]
    if len(rows) > _ADDRESSES_MAX:
        raise invalid_params(f"too many addresses in {name}: {len(rows)}, at most {_ADDRESSES_MAX}")
    return [parse_address(row, name) for row in rows]


def _parse_count(value: object, name: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return value
    return parse_quantity(value, name, bits=63)
