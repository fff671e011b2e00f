"""A settlement proof with the headers that place it, in one file.

Reads: bytes from anyone.  Gives: `ProofFile`.
Never: allocates by what a length promises; judges what it holds (`view_of_proof` does).
Spec: docs/spec/light.md#proof-file
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from bedroll.crypto import sha256
from bedroll.da import Proof, ProofSystem, StatementKind
from bedroll.primitives import Invalid

MAGIC: Final = b"BEDROLL\x00settled"
VERSION: Final = 1
VALUES_BYTES_MAX: Final = 1_024
PROOF_BYTES_MAX: Final = 2 << 20
BLOCK_BYTES_MAX: Final = 1_024
PERIOD_HEADERS_MAX: Final = 2_016 + 10
"""Headers that lead to a block: those of its period, or ten before it."""
LATER_HEADERS_MAX: Final = 52_560
"""Headers after the settled block: a year of them."""
_HEADER: Final = 80
_CHECKSUM: Final = 32
FILE_BYTES_MAX: Final = (
    len(MAGIC) + 3 + 2 + VALUES_BYTES_MAX + 4 + PROOF_BYTES_MAX + 2 + BLOCK_BYTES_MAX
    + 2 * (2 + _HEADER * PERIOD_HEADERS_MAX) + 4 + _HEADER * LATER_HEADERS_MAX + _CHECKSUM
)  # fmt: skip
"""The largest file there can be, 6.7 MB."""


class BadProofFile(Invalid):
    """A proof file does not hold; `.reason` is the part that is wrong, in one or two words."""

    reason: str


def refuse(reason: str, message: str, **fields: object) -> NoReturn:
    """Say which part of a file is wrong.

    Raises:
        BadProofFile: Always.
    """
    raise BadProofFile(message, reason=reason, **fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFile:
    """What a file holds, unjudged.

    Attributes:
        network: Number of the network.
        system: By what the proof shows its public values.
        values: Public values of the settlement program.
        proof: What shows them.
        block: RLP of the header of the L2 tip.
        anchor: L1 headers that end with the chain's anchor, from the first of its period or the tenth before it on.
        settled: The same of the L1 block up to which the proof speaks.
        later: L1 headers after that one.
    """

    network: int
    system: ProofSystem
    values: bytes
    proof: bytes = field(repr=False)
    block: bytes = field(repr=False)
    anchor: tuple[bytes, ...] = field(repr=False)
    settled: tuple[bytes, ...] = field(repr=False)
    later: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def object(self) -> Proof:
        """The proof as it stands on Bitcoin."""
        return Proof(
            statement=StatementKind.SETTLEMENT, system=self.system, public_values=self.values, proof=self.proof
        )

    def encode(self) -> bytes:
        """The file's bytes.

        Raises:
            BadProofFile: A part is empty or larger than a file may hold.
        """
        parts = [MAGIC, bytes([VERSION, self.network, self.system])]
        for name, part, width, most in (
            ("public values", self.values, 2, VALUES_BYTES_MAX),
            ("proof", self.proof, 4, PROOF_BYTES_MAX),
            ("block", self.block, 2, BLOCK_BYTES_MAX),
        ):
            _need(name, len(part), 1, most)
            parts += [len(part).to_bytes(width, "big"), part]
        for name, headers, width, least, most in (
            ("anchor headers", self.anchor, 2, 1, PERIOD_HEADERS_MAX),
            ("settled headers", self.settled, 2, 1, PERIOD_HEADERS_MAX),
            ("later headers", self.later, 4, 0, LATER_HEADERS_MAX),
        ):
            _need(name, len(headers), least, most)
            if any(len(header) != _HEADER for header in headers):
                refuse(name, "a Bitcoin header has 80 bytes")
            parts += [len(headers).to_bytes(width, "big"), *headers]
        raw = b"".join(parts)
        return raw + sha256(raw)

    @classmethod
    def decode(cls, raw: bytes) -> "ProofFile":
        """Read a file.

        Raises:
            BadProofFile: It is none, of another version, cut, damaged, or beyond a limit.
        """
        if raw[: len(MAGIC)] != MAGIC:
            refuse("format", "this is no settlement proof file", begins=raw[: len(MAGIC)])
        if len(raw) > FILE_BYTES_MAX:
            refuse("size", "the file is larger than a proof file can be", value=len(raw), limit=FILE_BYTES_MAX)
        reader = _Reader(raw, len(MAGIC))
        version, network, system = reader.take("version", 3)
        if version != VERSION:
            refuse("version", "the file is of another version", value=version, limit=VERSION)
        if system not in set(ProofSystem):
            refuse("proof system", "there is no such proof system", value=system, allowed=[*map(int, ProofSystem)])
        read = cls(
            network=network,
            system=ProofSystem(system),
            values=reader.part("public values", 2, VALUES_BYTES_MAX),
            proof=reader.part("proof", 4, PROOF_BYTES_MAX),
            block=reader.part("block", 2, BLOCK_BYTES_MAX),
            anchor=reader.headers("anchor headers", 2, 1, PERIOD_HEADERS_MAX),
            settled=reader.headers("settled headers", 2, 1, PERIOD_HEADERS_MAX),
            later=reader.headers("later headers", 4, 0, LATER_HEADERS_MAX),
        )
        end = reader.place
        if reader.take("checksum", _CHECKSUM) != sha256(raw[:end]):
            refuse("checksum", "the file is damaged: its checksum is another")
        if len(raw) != reader.place:
            refuse("size", "bytes follow the file's end", value=len(raw), limit=reader.place)
        return read


def split_headers(raw: bytes) -> tuple[bytes, ...]:
    """Headers of 80 bytes that lie one after another.

    Raises:
        BadProofFile: They do not fill the bytes, or are more than a file may hold.
    """
    if len(raw) % _HEADER:
        refuse("later headers", "headers have 80 bytes each, one after another", value=len(raw))
    _need("later headers", len(raw) // _HEADER, 0, LATER_HEADERS_MAX)
    return tuple([raw[at : at + _HEADER] for at in range(0, len(raw), _HEADER)])


def join_headers(headers: Sequence[bytes]) -> bytes:
    """The same the other way round."""
    return b"".join(headers)


def _need(name: str, count: int, least: int, most: int) -> None:
    if not least <= count <= most:
        refuse(name, f"a file holds {least} to {most} of the {name}", value=count, limit=most)


class _Reader:
    def __init__(self, raw: bytes, place: int) -> None:
        self._raw = raw
        self.place = place

    def take(self, name: str, size: int) -> bytes:
        if len(self._raw) - self.place < size:
            refuse("cut", f"the file ends inside its {name}", value=len(self._raw) - self.place, limit=size)
        self.place += size
        return self._raw[self.place - size : self.place]

    def part(self, name: str, width: int, most: int) -> bytes:
        size = int.from_bytes(self.take(name, width), "big")
        _need(name, size, 1, most)
        return self.take(name, size)

    def headers(self, name: str, width: int, least: int, most: int) -> tuple[bytes, ...]:
        count = int.from_bytes(self.take(name, width), "big")
        _need(name, count, least, most)
        raw = self.take(name, _HEADER * count)
        return tuple([raw[at : at + _HEADER] for at in range(0, len(raw), _HEADER)])
