"""Bytes that stages refer to: waiting chunks, held batches, forced payloads.

Reads: bytes.  Gives: the same bytes for their hash.  Never: decides what is kept (the stages' references do).
Spec: docs/spec/derivation.md#checkpoints
"""

from collections.abc import Iterable

from bedroll.crypto import sha256
from bedroll.primitives import Corrupt


class ObjectTable:
    """Byte strings by SHA-256, each with the newest L1 height whose kept state refers to it."""

    def __init__(self) -> None:
        self._bytes: dict[bytes, bytes] = {}
        self._newest: dict[bytes, int] = {}

    def put(self, raw: bytes, height: int) -> bytes:
        """Keep bytes; returns their reference."""
        reference = bytes(sha256(raw))
        self._bytes[reference] = raw
        self._newest[reference] = height
        return reference

    def get(self, reference: bytes) -> bytes:
        """The bytes of a reference.

        Raises:
            Corrupt: They are not here: whoever stored the state lost its objects.
        """
        raw = self._bytes.get(reference)
        if raw is None:
            raise Corrupt("an object that derivation refers to is missing", reference=reference)
        return raw

    def touch(self, references: Iterable[bytes], height: int) -> None:
        """Say that the state after L1 block `height` refers to these."""
        for reference in references:
            self._newest[reference] = height

    def forget(self, below: int) -> None:
        """Drop what no state at `below` or later refers to."""
        for reference in [reference for reference, newest in self._newest.items() if newest < below]:
            del self._newest[reference]
            del self._bytes[reference]

    def __len__(self) -> int:
        return len(self._bytes)
