"""Objects: the messages of the protocol on Bitcoin, each with one byte string for one meaning.

Reads: bodies of envelopes and of complete series.  Gives: typed objects, their bytes, what is signed.
Never: knows a height, or whether a key may speak.  Spec: docs/spec/da.md#objects
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, TypeVar, cast

from bedroll._core import _native
from bedroll.crypto import schnorr, sha256
from bedroll.primitives import Hash32, Invalid

UNSIGNED: Final = bytes(64)
"""Stands where a signature will be."""
_T = TypeVar("_T")


class BatchForm(IntEnum):
    """How a batch shows that its transactions were signed: by their signatures, or by a `Proof`."""

    SIGNED = 0
    PROVEN = 1


class StatementKind(IntEnum):
    """What a proof is about."""

    BATCH = 1
    SETTLEMENT = 2


class ProofSystem(IntEnum):
    """By what a proof shows its public values."""

    GROTH16 = 1
    COMPRESSED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchHeader:
    """What a leader signs about a run of L2 blocks.

    Attributes:
        network: Number of the network.
        parent_l2_hash: Hash of the L2 block before the first.
        first_height: L2 height of the first block.
        block_count: 1 to 10,000.
        first_origin, last_origin: L1 heights of the origins of first and last block.
        tip_l2_hash: Hash of the last block.
        body_hash: SHA-256 of the body.
        form: What the body leaves out.
    """

    network: int
    parent_l2_hash: bytes
    first_height: int
    block_count: int
    first_origin: int
    last_origin: int
    tip_l2_hash: bytes
    body_hash: bytes
    form: BatchForm = BatchForm.SIGNED

    def encode(self) -> bytes:
        """118 bytes, as on the wire."""
        return self._written()[0]

    def signing_hash(self) -> Hash32:
        """Tagged hash `bedroll/batch` of the encoding."""
        return Hash32(self._written()[1])

    def id(self) -> bytes:
        """Name of the header: `signing_hash`, which no two headers share."""
        return self.signing_hash()

    def _written(self) -> tuple[bytes, bytes]:
        return _checked(
            lambda: _native.encode_batch_header(
                self.network,
                self.parent_l2_hash,
                self.first_height,
                self.block_count,
                self.first_origin,
                self.last_origin,
                self.tip_l2_hash,
                self.body_hash,
                int(self.form),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A run of L2 blocks as posted; kind 1.

    Attributes:
        header: What is signed.
        leader_key: x-only key of the signer, 32 bytes.
        signature: BIP-0340, over `header.signing_hash()`.
        body: What the codec decodes; it hashes to the header's `body_hash`.
    """

    header: BatchHeader
    leader_key: bytes
    signature: bytes = UNSIGNED
    body: bytes = field(repr=False)

    def encode(self) -> bytes:
        """The object's bytes."""
        header = self.header.encode()
        return _checked(lambda: _native.encode_batch_object(header, self.leader_key, self.signature, self.body))

    def signing_hash(self) -> Hash32:
        """Of the header."""
        return self.header.signing_hash()

    def is_signed_by(self, key: bytes) -> bool:
        """Whether `key` is named as the signer and the signature is its own."""
        return self.leader_key == key and schnorr.is_valid(key, self.signing_hash(), self.signature)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A leader's promise of blocks; kind 2. It changes nothing that is derived.

    Attributes:
        parent_tip: Hash of the L2 block before the first promised one.
        new_tip: Hash of the last promised one.
        block_count: At least 1.
        last_origin: L1 height of the last block's origin.
        anchor_hash: A recent L1 block; the promise is void in a chain without it.
        signature: Of the leader.
    """

    parent_tip: bytes
    new_tip: bytes
    block_count: int
    last_origin: int
    anchor_hash: bytes
    signature: bytes = UNSIGNED

    def encode(self) -> bytes:
        """The object's bytes, 170."""
        return self._written()[0]

    def signing_hash(self) -> Hash32:
        """Tagged hash `bedroll/commitment` of the fields before the signature."""
        return Hash32(self._written()[1])

    def is_signed_by(self, key: bytes) -> bool:
        """Whether the signature is the key's."""
        return schnorr.is_valid(key, self.signing_hash(), self.signature)

    def _written(self) -> tuple[bytes, bytes]:
        return _checked(
            lambda: _native.encode_commitment_object(
                self.parent_tip, self.new_tip, self.block_count, self.last_origin, self.anchor_hash, self.signature
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Forced:
    """A message that derivation must include; kind 3.

    Attributes:
        network: Number of the network. Another one than this makes the message ineligible, not the object invalid.
        payload: A raw signed L2 transaction, of any bytes.
    """

    network: int
    payload: bytes = field(repr=False)

    def encode(self) -> bytes:
        """The object's bytes."""
        return _checked(lambda: _native.encode_forced_object(self.network, self.payload))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A part of an object that is larger than one envelope; kind 4. A parsed one belongs to its root.

    Attributes:
        root: Names the series, 32 bytes.
        index: From 0.
        count: 2 to 16.
        path: Neighbours from the leaf up, 32 bytes each.
        data: The part.
    """

    root: bytes
    index: int
    count: int
    path: tuple[bytes, ...]
    data: bytes = field(repr=False)

    def encode(self) -> bytes:
        """The object's bytes."""
        path = list(self.path)
        return _checked(lambda: _native.encode_chunk_object(self.root, self.index, self.count, path, self.data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A validity proof; kind 5. Anyone may post one, for a fee.

    Attributes:
        statement: What it is about.
        system: By what it shows it.
        public_values: What it says, 1 to 1,024 bytes (docs/spec/proof.md).
        proof: What shows it: 356 bytes for Groth16, up to 2 MiB compressed.
    """

    statement: StatementKind
    system: ProofSystem
    public_values: bytes
    proof: bytes = field(repr=False)

    def encode(self) -> bytes:
        """The object's bytes."""
        return _checked(
            lambda: _native.encode_proof_object(int(self.statement), int(self.system), self.public_values, self.proof)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotate:
    """A new leader key; kind 6.

    Attributes:
        network: Number of the network.
        n: Above the highest included one.
        key: x-only key, 32 bytes.
        signature: Of the rotation key.
    """

    network: int
    n: int
    key: bytes
    signature: bytes = UNSIGNED

    def encode(self) -> bytes:
        """The object's bytes, 103."""
        return self._written()[0]

    def signing_hash(self) -> Hash32:
        """Tagged hash `bedroll/rotate` of the fields before the signature."""
        return Hash32(self._written()[1])

    def is_signed_by(self, rotation_key: bytes) -> bool:
        """Whether the signature is the key's."""
        return schnorr.is_valid(rotation_key, self.signing_hash(), self.signature)

    def _written(self) -> tuple[bytes, bytes]:
        return _checked(lambda: _native.encode_rotate_object(self.network, self.n, self.key, self.signature))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """New rules from an L1 height on; kind 7.

    Attributes:
        network: Number of the network.
        n: Above the highest included one.
        rules: SHA-256 of the document that states the rules.
        activation_height: First L1 height under them.
        rotation_signature, upgrade_signature: Of both keys, over the same hash.
    """

    network: int
    n: int
    rules: bytes
    activation_height: int
    rotation_signature: bytes = UNSIGNED
    upgrade_signature: bytes = UNSIGNED

    def encode(self) -> bytes:
        """The object's bytes, 171."""
        return self._written()[0]

    def signing_hash(self) -> Hash32:
        """Tagged hash `bedroll/upgrade` of the fields before the signatures."""
        return Hash32(self._written()[1])

    def is_signed_by(self, rotation_key: bytes, upgrade_key: bytes) -> bool:
        """Whether both signatures are the keys'."""
        digest = self.signing_hash()
        return schnorr.is_valid(rotation_key, digest, self.rotation_signature) and schnorr.is_valid(
            upgrade_key, digest, self.upgrade_signature
        )

    def _written(self) -> tuple[bytes, bytes]:
        return _checked(
            lambda: _native.encode_upgrade_object(
                self.network,
                self.n,
                self.rules,
                self.activation_height,
                self.rotation_signature,
                self.upgrade_signature,
            )
        )


Object = Batch | Commitment | Forced | Chunk | Proof | Rotate | Upgrade
"""Any object. Number 8 (`Exodus`) is reserved and not valid yet."""

_HEADER_FIELDS: Final = (
    "network",
    "parent_l2_hash",
    "first_height",
    "block_count",
    "first_origin",
    "last_origin",
    "tip_l2_hash",
    "body_hash",
)
_KINDS: Final[dict[int, type[Commitment | Forced | Chunk | Proof | Rotate | Upgrade]]] = {
    2: Commitment,
    3: Forced,
    4: Chunk,
    5: Proof,
    6: Rotate,
    7: Upgrade,
}


def parse_object(raw: bytes) -> Object:
    """Parse an object; its `encode()` is `raw`.

    Raises:
        Invalid: The first rule that the bytes break, in fixed words.
    """
    kind, *values = _native.parse_object(raw)
    if kind == 1:
        return _batch(values)
    cls = _KINDS[cast(int, kind)]
    names = list(cls.__dataclass_fields__)
    fields = dict(zip(names, values, strict=True))
    if cls is Chunk:
        fields["path"] = tuple(cast(list[bytes], fields["path"]))
    if cls is Proof:
        fields["statement"] = StatementKind(cast(int, fields["statement"]))
        fields["system"] = ProofSystem(cast(int, fields["system"]))
    return cls(**fields)  # type: ignore[arg-type]


def object_id(raw: bytes) -> Hash32:
    """SHA-256 of an object's bytes: its name everywhere."""
    return sha256(raw)


def _batch(values: list[object]) -> Batch:
    header, leader_key, signature, body = values
    *fields, form = cast(tuple[int | bytes, ...], header)
    named = dict(zip(_HEADER_FIELDS, fields, strict=True))
    return Batch(
        header=BatchHeader(form=BatchForm(cast(int, form)), **named),  # type: ignore[arg-type]
        leader_key=cast(bytes, leader_key),
        signature=cast(bytes, signature),
        body=cast(bytes, body),
    )


def _checked(call: Callable[[], _T]) -> _T:
    """Call the core; a field that does not fit its place on the wire is `Invalid`."""
    try:
        return call()
    except (OverflowError, ValueError, TypeError) as error:
        raise Invalid("a field does not fit its place on the wire", reason=str(error)) from error
