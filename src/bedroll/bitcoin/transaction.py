"""Bitcoin transactions: the two serialisations of BIP-0144, identifiers, weight.

Reads: transaction bytes from anyone.  Gives: `Transaction` and its parts, immutable, identifiers kept once computed.
Never: accepts what a valid block cannot hold in form; values and scripts are judged elsewhere.
Spec: docs/spec/bitcoin.md#transaction

```text
transaction = version u32 ‖ [00 01] ‖ inputs ‖ outputs ‖ [witnesses] ‖ lock_time u32
input       = txid 32 ‖ index u32 ‖ sized script_sig ‖ sequence u32
output      = value u64 ‖ sized script
witness     = count ‖ sized item …          one per input; the two bracketed parts stand together or not at all
```
"""

from dataclasses import dataclass, replace
from functools import cached_property
from struct import Struct
from typing import Final, NamedTuple

from bedroll.crypto import double_sha256
from bedroll.encoding import Cursor, Malformed, encode_bytes, encode_compact_size
from bedroll.primitives import COIN, Satoshi, Txid, VSize, Weight, Wtxid

MONEY_MAX: Final = Satoshi(21_000_000 * COIN)
"""No value and no sum of values is larger (consensus)."""
SEQUENCE_FINAL: Final = 0xFFFFFFFF
"""Sequence that turns lock times off and does not signal replacement."""
SEQUENCE_REPLACEABLE: Final = 0xFFFFFFFD
"""Sequence that signals replacement (BIP-0125) and no relative lock (BIP-0068)."""
SIZE_MIN: Final = 60
"""Smallest serialisation without witness: one input, one output, empty scripts, bytes."""
INPUT_SIZE_MIN: Final = 41
OUTPUT_SIZE_MIN: Final = 9

_OUT_POINT: Final = Struct("<32sI")
_NO_WITNESS: Final[tuple[bytes, ...]] = ()


class OutPoint(NamedTuple):
    """Names an output: its transaction and position there."""

    txid: Txid
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs of a name

    def serialize(self) -> bytes:
        """36 bytes, as in an input."""
        return _OUT_POINT.pack(self.txid, self.index)

    def __str__(self) -> str:
        return f"{self.txid[::-1].hex()}:{self.index}"


NULL_OUT_POINT: Final = OutPoint(Txid(bytes(32)), 0xFFFFFFFF)
"""What a coinbase spends."""


class TxIn(NamedTuple):
    """An input.

    Attributes:
        previous: The output it spends.
        script_sig: Empty for native witness outputs.
        sequence: Relative lock (BIP-0068) and replacement signal (BIP-0125).
        witness: Items, bottom of the stack first.
    """

    previous: OutPoint
    script_sig: bytes = b""
    sequence: int = SEQUENCE_REPLACEABLE
    witness: tuple[bytes, ...] = ()


class TxOut(NamedTuple):
    """An output: value in satoshi, and the script that guards it."""

    value: Satoshi
    script: bytes

    def serialize(self) -> bytes:
        """As in a transaction."""
        return self.value.to_bytes(8, "little") + encode_bytes(self.script)


@dataclass(frozen=True)
class Transaction:
    """A transaction.

    Attributes:
        inputs: At least one.
        outputs: At least one.
        version: Unsigned; 2 has relative lock times, 3 is topologically restricted (BIP-0431).
        lock_time: Height below 500,000,000, else seconds.
    """

    inputs: tuple[TxIn, ...]
    outputs: tuple[TxOut, ...]
    version: int = 2
    lock_time: int = 0

    @staticmethod
    def parse(raw: bytes) -> "Transaction":
        """Parse exactly one transaction.

        Raises:
            Malformed: Any byte is out of place; `.offset` says where.
        """
        cursor = Cursor(raw)
        transaction = parse_transaction(cursor)
        cursor.finish()
        return transaction

    @cached_property
    def stripped(self) -> bytes:
        """Serialisation without witnesses: what `txid` hashes."""
        return b"".join((
            self.version.to_bytes(4, "little"),
            self._body,
            self.lock_time.to_bytes(4, "little"),
        ))  # fmt: skip

    @cached_property
    def raw(self) -> bytes:
        """Serialisation with witnesses where there are any: what `wtxid` hashes."""
        if not self.has_witness:
            return self.stripped
        return b"".join((
            self.version.to_bytes(4, "little"),
            b"\x00\x01",
            self._body,
            *(_encode_witness(each.witness) for each in self.inputs),
            self.lock_time.to_bytes(4, "little"),
        ))  # fmt: skip

    @cached_property
    def txid(self) -> Txid:
        """Identifier without witness, internal order."""
        return Txid(double_sha256(self.stripped))

    @cached_property
    def wtxid(self) -> Wtxid:
        """Identifier with witness, internal order."""
        return Wtxid(double_sha256(self.raw)) if self.has_witness else Wtxid(self.txid)

    @cached_property
    def has_witness(self) -> bool:
        """Whether any input has a witness item."""
        return any(each.witness for each in self.inputs)

    @property
    def weight(self) -> Weight:
        """Weight units (BIP-0141)."""
        return Weight(3 * len(self.stripped) + len(self.raw))

    @property
    def vsize(self) -> VSize:
        """Virtual bytes, rounded up."""
        return VSize((self.weight + 3) // 4)

    @property
    def is_coinbase(self) -> bool:
        """Whether it makes new money instead of spending."""
        return len(self.inputs) == 1 and self.inputs[0].previous == NULL_OUT_POINT

    @property
    def output_value(self) -> Satoshi:
        """Sum of the outputs."""
        return Satoshi(sum(each.value for each in self.outputs))

    def out_point(self, index: int) -> OutPoint:
        """Name of one of its outputs."""
        return OutPoint(self.txid, index)

    def with_witness(self, index: int, witness: tuple[bytes, ...]) -> "Transaction":
        """The same transaction with one input's witness replaced; the txid stays."""
        inputs = list(self.inputs)
        inputs[index] = inputs[index]._replace(witness=witness)
        return replace(self, inputs=tuple(inputs))

    @property
    def _body(self) -> bytes:
        parts = [encode_compact_size(len(self.inputs))]
        for each in self.inputs:
            parts += (each.previous.serialize(), encode_bytes(each.script_sig), each.sequence.to_bytes(4, "little"))
        parts.append(encode_compact_size(len(self.outputs)))
        parts += [each.serialize() for each in self.outputs]
        return b"".join(parts)


def parse_transaction(cursor: Cursor) -> Transaction:
    """Parse one transaction and leave the cursor after it.

    Raises:
        Malformed: Any byte is out of place.
    """
    raw, start = cursor.raw, cursor.offset
    version = cursor.u32()
    extended = raw[cursor.offset : cursor.offset + 1] == b"\x00"
    if extended:
        cursor.offset += 1
        if cursor.u8() != 1:
            raise Malformed("transaction has no inputs, or unknown optional fields", offset=cursor.offset - 1)
    body_start = cursor.offset
    inputs = _parse_inputs(cursor)
    outputs = _parse_outputs(cursor)
    body_end = cursor.offset
    if extended:
        inputs = [each._replace(witness=_parse_witness(cursor)) for each in inputs]
        if not any(each.witness for each in inputs):
            raise Malformed("transaction marks witnesses but has none", offset=body_end)
    lock_time = cursor.u32()
    transaction = Transaction(tuple(inputs), tuple(outputs), version, lock_time)
    end = cursor.offset
    # The two serialisations are slices of what was read: keep them instead of building them again.
    kept = transaction.__dict__
    kept["has_witness"] = extended
    kept["raw"] = raw[start:end]
    kept["stripped"] = (
        raw[start : start + 4] + raw[body_start:body_end] + raw[end - 4 : end] if extended else kept["raw"]
    )
    return transaction


def _parse_inputs(cursor: Cursor) -> list[TxIn]:
    count = cursor.count(INPUT_SIZE_MIN)
    if count == 0:
        raise Malformed("transaction has no inputs", offset=cursor.offset - 1)
    inputs = []
    for _ in range(count):
        txid, index = _OUT_POINT.unpack(cursor.take(36))
        inputs.append(TxIn(OutPoint(txid, index), cursor.sized(), cursor.u32(), _NO_WITNESS))
    return inputs


def _parse_outputs(cursor: Cursor) -> list[TxOut]:
    count = cursor.count(OUTPUT_SIZE_MIN)
    if count == 0:
        raise Malformed("transaction has no outputs", offset=cursor.offset - 1)
    outputs = []
    for _ in range(count):
        value = cursor.u64()
        if value > MONEY_MAX:
            raise Malformed("output value is too large", offset=cursor.offset - 8, value=value, limit=MONEY_MAX)
        outputs.append(TxOut(Satoshi(value), cursor.sized()))
    return outputs


def _parse_witness(cursor: Cursor) -> tuple[bytes, ...]:
    return tuple([cursor.sized() for _ in range(cursor.count(1))])


def _encode_witness(items: tuple[bytes, ...]) -> bytes:
    parts = [encode_compact_size(len(items))]
    for item in items:
        parts += (encode_compact_size(len(item)), item)
    return b"".join(parts)
