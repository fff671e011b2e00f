"""Schemas of traces: geth's and Parity's.

Reads: nothing.  Gives: `TRACES`.  Never: closes what tracers add members to.  Spec: docs/spec/api-trace.md#traces
"""

from typing import Final

from .shape import Schema, array, choice, fields, nullable, ref, text

_QUANTITY: Final = ref("Quantity")
_DATA: Final = ref("Data")
_ADDRESS: Final = ref("Address")
_HASH: Final = ref("Hash")
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_BOOL: Final[Schema] = {"type": "boolean"}
_OBJECT: Final[Schema] = {"type": "object"}

_FRAME: Final = fields(
    {"type": text(), "from": _ADDRESS, "gas": _QUANTITY, "gasUsed": _QUANTITY, "input": _DATA},
    {
        "to": _ADDRESS,
        "value": _QUANTITY,
        "output": _DATA,
        "error": text(),
        "revertReason": text(),
        "calls": array(ref("CallFrame")),
        "logs": array(_OBJECT),
    },
    is_open=True,
    about="callTracer.",
)
_STEPS: Final = fields(
    {"gas": _COUNT, "failed": {"type": "boolean"}, "returnValue": text(), "structLogs": array(_OBJECT)},
    is_open=True,
    about="The struct logger, which is used where no tracer is named.",
)
_FLAT: Final = fields(
    {
        "action": _OBJECT,
        "subtraces": _COUNT,
        "traceAddress": array(_COUNT),
        "type": {"type": "string", "enum": ["call", "create", "suicide", "reward"]},
    },
    {
        "result": nullable(_OBJECT),
        "error": text(),
        "blockHash": nullable(_HASH),
        "blockNumber": nullable(_COUNT),
        "transactionHash": nullable(_HASH),
        "transactionPosition": nullable(_COUNT),
    },
    about="A call with its place among the calls of its transaction.",
)

TRACES: Final[dict[str, Schema]] = {
    "CallFrame": _FRAME,
    "StepTrace": _STEPS,
    "FlatTrace": _FLAT,
    "GethTrace": choice(ref("StepTrace"), ref("CallFrame"), array(ref("FlatTrace")), _OBJECT),
    "Replay": fields(
        {
            "output": _DATA,
            "trace": array(ref("FlatTrace")),
            "vmTrace": nullable(_OBJECT),
            "stateDiff": nullable(_OBJECT),
        },
        {"transactionHash": _HASH},
    ),
    "Tracing": fields(
        {},
        {
            "tracer": text(),
            "tracerConfig": nullable(_OBJECT),
            "timeout": text(r"^[0-9]{1,6}(\.[0-9]{1,6})?(ms|s|m)$"),
            "limit": _COUNT,
            "reexec": _COUNT,
            **dict.fromkeys(
                ("enableMemory", "disableStack", "disableStorage", "enableReturnData", "disableMemory", "debug"),
                _BOOL,
            ),
            "stateOverrides": ref("StateOverrides"),
            "blockOverrides": ref("BlockOverrides"),
        },
        is_open=True,
        about="geth's options of a trace; overrides with debug_traceCall alone.",
    ),
    "TraceParts": {
        "type": "array",
        "items": {"type": "string", "enum": ["trace", "vmTrace", "stateDiff"]},
        "maxItems": 3,
    },
}
"""Components of traces, by name."""
