"""Functions, events and errors by name: what a selector or a topic stands for.

Reads: lines as Solidity writes them, JSON ABIs.  Gives: `Signature`, `SignatureBook`, `known_signatures`.
Never: takes a selector for proof: several signatures may share it, and the data decides.
Spec: docs/spec/sdk.md#signature
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Final

from bedroll.crypto.keccak import keccak256

from .abi import AbiMismatch, AbiType, AbiValue, decode_values, parse_type, split_list, tuple_type

_LINE: Final = re.compile(r"(function|event|error)\s+([A-Za-z_$][\w$]{0,255})\((.*)\)\Z", re.ASCII)
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$]{0,255}\Z", re.ASCII)
_PLACES: Final = {"indexed", "memory", "calldata", "storage", "payable"}
_CANDIDATES_MAX: Final = 8
_TOPICS_DYNAMIC: Final = parse_type("bytes32")
"""Of an indexed string, array or tuple the topic is its hash."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument or result; `name` is empty where it has none."""

    name: str
    type: AbiType
    indexed: bool = False


@dataclass(frozen=True)
class Signature:
    """A function, event or error.

    Attributes:
        kind: "function", "event" or "error".
        name: Without arguments.
        inputs, outputs: Arguments and, of a function, results.
    """

    kind: str
    name: str
    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...] = ()

    @cached_property
    def text(self) -> str:
        """Canonical form, what is hashed."""
        return f"{self.name}({','.join(each.type.name for each in self.inputs)})"

    @cached_property
    def topic(self) -> bytes:
        """Hash of the canonical form: an event's first topic; its first 4 bytes are the selector."""
        return keccak256(self.text.encode())

    @property
    def selector(self) -> bytes:
        """Of a function or error."""
        return self.topic[:4]


Named = list[tuple[Parameter, AbiValue]]
"""Values with what they are."""


class SignatureBook:
    """Signatures by selector and by topic; of several with one, the first that the data fits."""

    def __init__(self, signatures: Iterable[Signature] = ()) -> None:
        self._by_selector: dict[tuple[str, bytes], list[Signature]] = {}
        for signature in signatures:
            self.add(signature)

    def add(self, signature: Signature) -> None:
        """Add one; it is asked before those that were added earlier."""
        key = signature.topic if signature.kind == "event" else signature.selector
        known = self._by_selector.setdefault((signature.kind, key), [])
        if signature not in known:
            known.insert(0, signature)
            del known[_CANDIDATES_MAX:]

    def knows(self, signature: Signature) -> bool:
        """Whether one with this canonical form is in it."""
        key = signature.topic if signature.kind == "event" else signature.selector
        return any(each.text == signature.text for each in self._by_selector.get((signature.kind, key), ()))

    def call(self, data: bytes) -> tuple[Signature, Named] | None:
        """The function that call data names, with its arguments."""
        return self._of_selector("function", data)

    def error(self, data: bytes) -> tuple[Signature, Named] | None:
        """The error that a revert's data names, with its arguments."""
        return self._of_selector("error", data)

    def results(self, signature: Signature, data: bytes) -> Named | None:
        """A function's results; None where the data is none of them."""
        return _named(signature.outputs, data)

    def event(self, topics: Sequence[bytes], data: bytes) -> tuple[Signature, Named] | None:
        """The event of a log, with its arguments in their declared order."""
        if not topics:
            return None
        for signature in self._by_selector.get(("event", topics[0]), ()):
            found = _event_values(signature, topics[1:], data)
            if found is not None:
                return signature, found
        return None

    def _of_selector(self, kind: str, data: bytes) -> tuple[Signature, Named] | None:
        for signature in self._by_selector.get((kind, data[:4]), ()):
            found = _named(signature.inputs, data[4:])
            if found is not None:
                return signature, found
        return None


def _named(parameters: tuple[Parameter, ...], data: bytes) -> Named | None:
    try:
        return list(zip(parameters, decode_values(tuple(each.type for each in parameters), data), strict=True))
    except AbiMismatch:
        return None


def _event_values(signature: Signature, topics: Sequence[bytes], data: bytes) -> Named | None:
    indexed = [each for each in signature.inputs if each.indexed]
    if len(indexed) != len(topics):
        return None
    plain = tuple(each.type for each in signature.inputs if not each.indexed)
    try:
        from_data = iter(decode_values(plain, data))
        from_topics = iter([_topic_value(each.type, topic) for each, topic in zip(indexed, topics, strict=True)])
        return [(each, next(from_topics if each.indexed else from_data)) for each in signature.inputs]
    except AbiMismatch:
        return None


def _topic_value(kind: AbiType, topic: bytes) -> AbiValue:
    is_hash = kind.is_dynamic or kind.kind in ("tuple", "array")
    return decode_values((_TOPICS_DYNAMIC if is_hash else kind,), topic)[0]


# --- reading signatures ----------------------------------------------------------------------------


def parse_signature(line: str) -> Signature:
    """Read a line as Solidity writes it: `function transfer(address to, uint256 amount) returns (bool)`.

    Raises:
        AbiMismatch: It is none.
    """
    text, _, results = line.strip().rstrip(";").partition(" returns ")
    found = _LINE.match(text.strip())
    if found is None:
        raise AbiMismatch("not a signature", reason=line[:120])
    outputs = results.strip()
    if outputs and not (outputs.startswith("(") and outputs.endswith(")")):
        raise AbiMismatch("not a signature", reason=line[:120])
    return Signature(found[1], found[2], _parameters(found[3]), _parameters(outputs[1:-1]))


def _parameters(text: str) -> tuple[Parameter, ...]:
    return tuple(_parameter(part) for part in split_list(text))


def _parameter(text: str) -> Parameter:
    """`(address token, uint256 amount)[] indexed rows`: a type, words that say where it lies, a name."""
    end = text.rfind(")") + 1
    kind, _, words = text[end:].strip().partition(" ") if end else text.partition(" ")
    rest = [word for word in words.split() if word not in _PLACES]
    if len(rest) > 1 or (rest and not _IDENTIFIER.match(rest[0])):
        raise AbiMismatch("not a parameter", reason=text[:120])
    name = rest[0] if rest else ""
    if not end:
        return Parameter(name, parse_type(kind), "indexed" in words.split())
    if kind and not kind.startswith("["):
        name, kind = name or kind, ""
    members = _parameters(text[1 : end - 1])
    group = tuple_type(tuple(each.type for each in members), tuple(each.name for each in members))
    return Parameter(name, _with_arrays(group, kind), "indexed" in words.split())


def _with_arrays(group: AbiType, suffix: str) -> AbiType:
    """A tuple with the arrays that its JSON type or its line puts around it, its labels kept."""
    shell = parse_type("bool" + suffix)

    def dress(kind: AbiType) -> AbiType:
        if kind.kind != "array":
            return group
        item = dress(kind.items[0])
        return AbiType(f"{item.name}[{kind.size or ''}]", "array", kind.size, (item,))

    return dress(shell)


def signatures_of_json(entries: object) -> list[Signature]:
    """Signatures of a JSON ABI: a list, or an artifact that holds one under `abi`.

    Raises:
        AbiMismatch: It is no ABI.
    """
    if isinstance(entries, Mapping):
        entries = entries.get("abi")
    if not isinstance(entries, list):
        raise AbiMismatch("not an ABI", reason="neither a list nor an object with one under `abi`")
    return [_of_entry(each) for each in entries if _is_named(each)]


def _is_named(entry: object) -> bool:
    return isinstance(entry, Mapping) and entry.get("type") in ("function", "event", "error")


def _of_entry(entry: Mapping[str, Any]) -> Signature:
    name = entry.get("name")
    if not isinstance(name, str) or not _IDENTIFIER.match(name):
        raise AbiMismatch("not an ABI", reason=f"name {str(name)[:80]!r}")
    return Signature(entry["type"], name, _of_json(entry.get("inputs", []), 0), _of_json(entry.get("outputs", []), 0))


def _of_json(rows: object, nesting: int) -> tuple[Parameter, ...]:
    if not isinstance(rows, list) or nesting > 8:
        raise AbiMismatch("not an ABI", reason="parameters are a list, at most 8 deep")
    found = []
    for row in rows:
        kind = row.get("type") if isinstance(row, Mapping) else None
        name = row.get("name", "") if isinstance(row, Mapping) else None
        if not isinstance(kind, str) or not isinstance(name, str) or (name and not _IDENTIFIER.match(name)):
            raise AbiMismatch("not an ABI", reason=str(row)[:80])
        if kind.startswith("tuple"):
            members = _of_json(row.get("components"), nesting + 1)
            group = tuple_type(tuple(each.type for each in members), tuple(each.name for each in members))
            found.append(Parameter(name, _with_arrays(group, kind[5:]), row.get("indexed") is True))
        else:
            found.append(Parameter(name, parse_type(kind), row.get("indexed") is True))
    return tuple(found)


@cache
def known_signatures() -> tuple[Signature, ...]:
    """Those that come with the package: token standards, what wallets and exchanges use, our own contracts."""
    lines = files("bedroll.sdk").joinpath("signature.txt").read_text().splitlines()
    return tuple(parse_signature(line) for line in lines if line and not line.startswith("#"))
