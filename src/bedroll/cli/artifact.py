"""What compilers leave behind: ABIs to decode by, and code to know contracts by.

Reads: JSON files of Foundry, Hardhat and others.  Gives: `Artifacts`, `read_artifacts`.
Never: runs, links or trusts what it reads.  Spec: docs/spec/cli.md#trace
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from bedroll.encoding.json import JsonTooDeep, JsonTooWide, check_json
from bedroll.primitives import Invalid
from bedroll.sdk.abi import AbiMismatch
from bedroll.sdk.signature import SignatureBook, known_signatures, signatures_of_json

from .evm_text import clean
from .output import Output

_FILE_BYTES_MAX: Final = 16 << 20
_FILES_MAX: Final = 10_000
_NESTING_MAX: Final = 256
"""A file may hold the syntax tree of its source."""
_CONTAINERS_MAX: Final = 2_000_000
_SAME_LENGTH_MAX: Final = 64
_NAME_CHARACTERS_MAX: Final = 80

Hole = tuple[int, int]
"""Where a constructor writes into the code, and how many bytes."""


class CodeNames:
    """Names of contracts by their code, whatever their constructors wrote into it."""

    def __init__(self) -> None:
        self._by_length: dict[int, list[tuple[str, bytes, list[Hole]]]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_length)

    def add(self, name: str, code: bytes, holes: list[Hole]) -> None:
        """Know a contract; of several with the same code the first."""
        known = self._by_length.setdefault(len(code), [])
        if len(known) < _SAME_LENGTH_MAX:
            known.append((name, _masked(code, holes), holes))

    def name_of(self, code: bytes) -> str:
        """The contract's name; empty where none is known."""
        found = (name for name, masked, holes in self._by_length.get(len(code), ()) if _masked(code, holes) == masked)
        return next(found, "")


def _masked(code: bytes, holes: list[Hole]) -> bytes:
    made = bytearray(code)
    for start, length in holes:
        made[start : start + length] = bytes(len(made[start : start + length]))
    return bytes(made)


@dataclass(slots=True)
class Artifacts:
    """What is known of contracts.

    Attributes:
        book: Signatures of functions, events and errors, those of the package among them.
        names: Of contracts, by code.
    """

    book: SignatureBook = field(default_factory=lambda: SignatureBook(known_signatures()))
    names: CodeNames = field(default_factory=CodeNames)


def read_artifacts(paths: Iterable[Path], output: Output) -> Artifacts:
    """Read files, and all JSON files of folders; those of folders that hold no ABI are passed over.

    Raises:
        Invalid: A file that was named holds no ABI, or there are too many.
    """
    known = Artifacts()
    for path in paths:
        if path.is_file():
            _add(known, path)
        elif not _add_folder(known, path):
            output.warn(f"no ABI in {path}")
    return known


def _add_folder(known: Artifacts, folder: Path) -> bool:
    has_some = False
    for count, file in enumerate(sorted(folder.rglob("*.json"))):
        if count >= _FILES_MAX:
            raise Invalid("too many files in the folder", folder=folder, limit=_FILES_MAX)
        try:
            has_some |= _add(known, file)
        except Invalid:
            continue
    return has_some


def _add(known: Artifacts, file: Path) -> bool:
    if file.stat().st_size > _FILE_BYTES_MAX:
        raise Invalid("the file is too large for an ABI", file=file, limit_bytes=_FILE_BYTES_MAX)
    try:
        raw = file.read_bytes()
        check_json(raw, _NESTING_MAX, _CONTAINERS_MAX)
        made = msgspec.json.decode(raw)
        signatures = signatures_of_json(made)
    except (msgspec.DecodeError, JsonTooDeep, JsonTooWide, AbiMismatch) as error:
        raise Invalid("the file holds no ABI", file=file, reason=clean(str(error))) from None
    for signature in signatures:
        known.book.add(signature)
    if isinstance(made, Mapping):
        code = _code_of(made)
        if code:
            known.names.add(_name_of(made, file), code, _holes_of(made))
    return bool(signatures)


def _name_of(made: Mapping[str, Any], file: Path) -> str:
    given = made.get("contractName") or made.get("contract")
    return clean(given if isinstance(given, str) else file.stem, _NAME_CHARACTERS_MAX)


def _code_of(made: Mapping[str, Any]) -> bytes:
    """Code as it stands on a chain; empty where there is none, or a library is still to be linked into it."""
    given = made.get("deployedBytecode") or made.get("runtime")
    text = given.get("object") if isinstance(given, Mapping) else given
    if not isinstance(text, str):
        return b""
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return b""


def _holes_of(made: Mapping[str, Any]) -> list[Hole]:
    deployed = made.get("deployedBytecode")
    given = (deployed if isinstance(deployed, Mapping) else made).get("immutableReferences")
    rows = [row for each in given.values() if isinstance(each, list) for row in each] if isinstance(given, dict) else []
    return [
        (row["start"], row["length"])
        for row in rows
        if isinstance(row, Mapping) and _is_place(row.get("start")) and _is_place(row.get("length"))
    ]


def _is_place(number: object) -> bool:
    return isinstance(number, int) and 0 <= number < 1 << 20
