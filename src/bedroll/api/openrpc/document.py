"""The OpenRPC document of a table of methods.

Reads: a table, schemas, `example.json`.  Gives: `describe`.
Never: says of a method what its declaration does not.  Spec: docs/spec/api.md#openrpc

Names, parameters and their order, what is needed, defaults, summaries and prices come from the declarations. Examples
are recorded by `scripts/openrpc.py` on a chain that is made the same way each time.
"""

import json
from importlib.resources import files
from typing import Final

from bedroll import __version__
from bedroll.primitives import Corrupt

from ..cost import cost_of
from ..guard import KEYED
from ..method import Method, MethodTable
from .component import COMPONENTS
from .parameter import schema_of
from .result import RESULTS
from .shape import Schema, text

OPENRPC: Final = "1.3.2"
_WEBSOCKET: Final[tuple[Schema, ...]] = (
    {
        "name": "eth_subscribe",
        "summary": "Be told of new heads, logs, waiting transactions or synchronisation; over a WebSocket alone.",
        "params": [
            {
                "name": "kind",
                "required": True,
                "schema": {"type": "string", "enum": ["newHeads", "logs", "newPendingTransactions", "syncing"]},
            },
            {
                "name": "option",
                "required": False,
                "schema": {"anyOf": [{"$ref": "#/components/schemas/LogFilter"}, {"type": "boolean"}]},
            },
        ],
        "result": {"name": "result", "schema": text("^0x[0-9a-f]{32}$")},
    },
    {
        "name": "eth_unsubscribe",
        "summary": "Be told no longer; over a WebSocket alone.",
        "params": [{"name": "subscription", "required": True, "schema": text("^0x[0-9a-f]{32}$")}],
        "result": {"name": "result", "schema": {"type": "boolean"}},
    },
)


def describe(table: MethodTable) -> dict[str, object]:
    """The document.

    Raises:
        Corrupt: A method has no schema: a fault of ours that a test finds.
    """
    examples = read_examples()
    shown = [_describe(method, examples.get(name, [])) for name, method in table.methods.items()]
    shown += [{**each, "paramStructure": "by-position", "tags": [{"name": "eth"}]} for each in _WEBSOCKET]
    return {
        "openrpc": OPENRPC,
        "info": {
            "title": "Bedroll",
            "version": __version__,
            "description": "Ethereum's JSON-RPC on a rollup on Bitcoin. What is its own: docs/spec/api.md.",
            "license": {"name": "Apache-2.0"},
        },
        "methods": sorted(shown, key=lambda each: str(each["name"])),
        "components": {"schemas": COMPONENTS},
    }


def read_examples() -> dict[str, list[dict[str, object]]]:
    """Recorded calls by method: `{name, params, result}`."""
    found: dict[str, list[dict[str, object]]] = json.loads(
        files(__package__).joinpath("example.json").read_text(encoding="utf-8")
    )
    return found


def _describe(method: Method, examples: list[dict[str, object]]) -> dict[str, object]:
    if method.name not in RESULTS:
        raise Corrupt("a method's result has no schema", method=method.name)
    shown: dict[str, object] = {
        "name": method.name,
        "summary": " ".join((method.run.__doc__ or "").partition("\n\n")[0].split()),
        "tags": [{"name": method.name.replace(".", "_").partition("_")[0]}],
        "paramStructure": "by-position",
        "params": [
            {"name": each.name, "required": each.needed, "schema": schema_of(method.name, each)}
            for each in method.parameters
        ],
        "result": {"name": "result", "schema": RESULTS[method.name]},
        "x-cost": cost_of(method.name),
    }
    if method.name.startswith(KEYED):
        shown["x-needs-key"] = True
    if examples:
        names = [each.name for each in method.parameters]
        shown["examples"] = [
            {
                "name": each["name"],
                "params": [
                    {"name": name, "value": value}
                    for name, value in zip(names, each["params"], strict=False)  # type: ignore[call-overload]
                ],
                "result": {"name": "result", "value": each["result"]},
            }
            for each in examples
        ]
    return shown
