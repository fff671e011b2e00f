"""Signing a graph by both parties (MuSig2, BIP-0327): nonces, then parts, then signatures.

Reads: a graph, the opponent's nonces and parts, entropy from the caller.  Gives: one signature for each slot.
Never: keeps a secret nonce beyond one run, or gives a part for a graph that it did not build itself.
Spec: docs/spec/dispute.md#setup
"""

from collections.abc import Callable, Sequence
from typing import Final

from bedroll.crypto import schnorr, tagged_hash
from bedroll.crypto.musig2 import (
    NONCE_SIZE,
    PARTIAL_SIZE,
    KeyAggregate,
    SecretNonce,
    Session,
    aggregate_nonces,
)
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import Invalid

from .graph import Graph, Slot

SIGNATURE_BYTES: Final = 64


class BadSetup(Invalid):
    """The opponent's message of the setup has a wrong length, or a part of it does not verify."""


class Signing:
    """One party's run over all slots of a graph. A run that is interrupted is thrown away, nonces and all."""

    def __init__(self, graph: Graph, key: SecretKey, entropy: Callable[[int], bytes]) -> None:
        """Make nonces.

        Args:
            graph: Built by this party.
            key: Its secret.
            entropy: Gives so many fresh random bytes.
        """
        keys = graph.terms.aggregate().keys
        if key.public not in keys:
            raise Invalid("key is none of the game's", key=key.public)
        self._graph = graph
        self._key = key
        self._self = keys.index(key.public)
        self._aggregates = _aggregates(graph)
        self._secret = [
            SecretNonce(key, entropy(32), aggregate=self._aggregates[_tweak(slot)], message=slot.digest)
            for slot in graph.slots
        ]
        self._sessions: list[Session] = []
        self._own: list[bytes] = []
        self._theirs: list[bytes] = []

    @property
    def nonces(self) -> bytes:
        """Public nonces, 66 bytes a slot; to be sent."""
        return b"".join(nonce.public for nonce in self._secret)

    def parts(self, nonces: bytes) -> bytes:
        """Our parts, 32 bytes a slot, for the opponent's nonces; once.

        Raises:
            BadSetup: Not one nonce a slot.
            Invalid: A nonce is malformed, or this was called before.
        """
        self._theirs = _split(nonces, NONCE_SIZE, len(self._graph.slots))
        for slot, secret, other in zip(self._graph.slots, self._secret, self._theirs, strict=True):
            total = aggregate_nonces([secret.public, other])
            self._sessions.append(Session(self._aggregates[_tweak(slot)], total, slot.digest))
        self._own = [
            session.sign(secret, self._key) for session, secret in zip(self._sessions, self._secret, strict=True)
        ]
        return b"".join(self._own)

    def signatures(self, parts: bytes) -> bytes:
        """All signatures, 64 bytes a slot, from the opponent's parts.

        Raises:
            BadSetup: Not one part a slot, or one does not verify.
        """
        theirs = _split(parts, PARTIAL_SIZE, len(self._graph.slots))
        if len(self._own) != len(theirs):
            raise Invalid("our own parts come first", parts=len(self._own))
        found = []
        for at, (session, own, other) in enumerate(zip(self._sessions, self._own, theirs, strict=True)):
            if not session.is_valid(other, 1 - self._self, self._theirs[at]):
                slot = self._graph.slots[at]
                raise BadSetup("opponent's part does not verify", transaction=slot.transaction, leaf=slot.leaf)
            pair = [own, other] if self._self == 0 else [other, own]
            found.append(session.aggregate(pair))
        return b"".join(found)


def check_signatures(graph: Graph, signatures: bytes) -> list[bytes]:
    """Split stored signatures, each verified.

    Raises:
        BadSetup: Not one a slot, or one does not verify.
    """
    found = _split(signatures, SIGNATURE_BYTES, len(graph.slots))
    aggregates = _aggregates(graph)
    for slot, signature in zip(graph.slots, found, strict=True):
        if not schnorr.is_valid(aggregates[_tweak(slot)].x_only, slot.digest, signature):
            raise BadSetup("signature does not verify", transaction=slot.transaction, leaf=slot.leaf)
    return found


def _tweak(slot: Slot) -> bytes | None:
    """What distinguishes the key of a slot: none for a leaf, else the Merkle root."""
    return None if slot.leaf is not None else slot.root


def _aggregates(graph: Graph) -> dict[bytes | None, KeyAggregate]:
    found: dict[bytes | None, KeyAggregate] = {None: graph.terms.aggregate()}
    for slot in graph.slots:
        tweak = _tweak(slot)
        if tweak is not None and tweak not in found:
            aggregate = graph.terms.aggregate()
            aggregate.tweak(tagged_hash("TapTweak", graph.terms.both, tweak))
            found[tweak] = aggregate
    return found


def _split(raw: bytes, size: int, count: int) -> list[bytes]:
    if len(raw) != size * count:
        raise BadSetup("message of the setup has a wrong length", size=len(raw), limit=size * count)
    return [raw[at : at + size] for at in range(0, len(raw), size)]


__all__: Sequence[str] = ["SIGNATURE_BYTES", "BadSetup", "Signing", "check_signatures"]
