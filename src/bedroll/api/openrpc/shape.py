"""Small builders of JSON Schema (draft 7).

Reads: nothing.  Gives: `ref`, `array`, `fields`, `nullable`, `choice`.  Never: leaves an object open unless told.
Spec: docs/spec/api.md#openrpc
"""

from collections.abc import Mapping

Schema = dict[str, object]


def ref(name: str) -> Schema:
    """One of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: Schema, most: int | None = None) -> Schema:
    """A list of one kind of thing."""
    return {"type": "array", "items": items} | ({} if most is None else {"maxItems": most})


def pair(first: Schema, second: Schema) -> Schema:
    """A list of two different things."""
    return {"type": "array", "items": [first, second], "minItems": 2, "maxItems": 2}


def nullable(schema: Schema) -> Schema:
    """The thing or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def choice(*schemas: Schema) -> Schema:
    """One of several things."""
    return {"anyOf": list(schemas)}


def text(pattern: str = "", description: str = "") -> Schema:
    """A string."""
    shown: Schema = {"type": "string"}
    if pattern:
        shown["pattern"] = pattern
    if description:
        shown["description"] = description
    return shown


def fields(
    needed: Mapping[str, Schema], more: Mapping[str, Schema] | None = None, *, is_open: bool = False, about: str = ""
) -> Schema:
    """An object with members that are always there, and members that may be."""
    shown: Schema = {
        "type": "object",
        "properties": {**needed, **(more or {})},
        "required": sorted(needed),
        "additionalProperties": is_open,
    }
    return shown | ({"description": about} if about else {})


def by_key(pattern: str, values: Schema) -> Schema:
    """An object whose members are keys of one kind."""
    return {"type": "object", "patternProperties": {pattern: values}, "additionalProperties": False}
