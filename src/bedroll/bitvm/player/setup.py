"""The setup of a game, one side of it: keys, claim, nonces, parts. Messages are bytes, whoever carries them.

Reads: the opponent's messages.  Gives: ours; at the end, a game that can be played.
Never: gives parts for a graph that it did not build itself and store, or keeps a nonce over a restart.
Spec: docs/spec/dispute.md#setup

```text
offer      one-time public keys, in the layout's order        fixed size
claim      its transaction without witnesses                  each side builds the graph
nonces     graph digest 32 ‖ 66 a slot                        fixed size
parts      32 a slot                                          fixed size
```

After a kill each side begins again where its ledger stands, with new nonces at the latest.
"""

from collections.abc import Callable, Mapping
from typing import Final

from bedroll.bitcoin.transaction import OutPoint, Transaction
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import Invalid, L1Height
from bedroll.storage.crash_point import crash_point

from ..game.book import Book, KeyedBook
from ..graph import (
    GATE_SAT,
    BadSetup,
    Claim,
    Graph,
    Party,
    Signing,
    Terms,
    check_signatures,
    gate_output,
    root_output,
)
from ..leaf import Keys
from ..store import OneTimeStore
from ..winternitz import derive_public_key, public_key_bytes
from .assembly import Sheet
from .ledger import Entry, Ledger

CLAIM_BYTES_MAX: Final = 100_000
"""Longest claim transaction that is parsed."""
DIGEST_BYTES: Final = 32
GENESIS: Final = L1Height(0)


class Setup:
    """One side's setup of one game."""

    def __init__(
        self, terms: Terms, party: Party, key: SecretKey, book: Book, store: OneTimeStore, ledger: Ledger,
        entropy: Callable[[int], bytes], start: L1Height = GENESIS,
    ) -> None:  # fmt: skip
        """Begin, or go on where the ledger stands.

        Args:
            terms: Agreed beforehand.
            party: Who we are.
            key: Our secret.
            book: Leaves of the program.
            store: Our one-time keys.
            ledger: Our games.
            entropy: Gives so many fresh random bytes.
            start: Height of the chain now: no transaction of the game is older.

        Raises:
            Invalid: The key is not the party's.
        """
        if key.public != terms.key(party):
            raise Invalid("key is not the party's", key=key.public)
        ledger.add(terms, party, start)
        self.terms, self.party, self.book = terms, party, book
        self._key, self._store, self._ledger, self._entropy = key, store, ledger, entropy
        self._own: Mapping[str, bytes] | None = None
        self.graph = self._rebuild(ledger.entry(terms.game).claim)
        self._signing: Signing | None = None

    @property
    def done(self) -> bool:
        """Whether the signatures are stored."""
        return self._ledger.entry(self.terms.game).signatures is not None

    def offer(self) -> bytes:
        """Our one-time public keys."""
        return b"".join(self._own_keys().values())

    def accept_offer(self, raw: bytes) -> None:
        """Take in the opponent's.

        Raises:
            BadSetup: The size is wrong.
            AnotherGraph: He gave others before.
        """
        expected = sum(map(public_key_bytes, self.book.layout.of(self.party.other)))
        if len(raw) != expected:
            raise BadSetup("one-time keys have a wrong size", size=len(raw), limit=expected)
        self._ledger.put_keys(self.terms.game, raw)
        crash_point("dispute.after_offer")

    @property
    def leaves(self) -> KeyedBook:
        """Leaves under the keys of both.

        Raises:
            Invalid: The opponent's keys are not here yet.
        """
        opponent = self._ledger.entry(self.terms.game).opponent_keys
        if opponent is None:
            raise Invalid("the opponent's offer comes first", game=self.terms.game)
        keys = join_keys(self.terms, self.book, self.party, self._own_keys(), opponent)
        return KeyedBook(self.book, keys)

    def accept_claim(self, raw: bytes) -> None:
        """Take in the claim's transaction: outputs 0 to 2 are root, gate, prize. Build the graph.

        Raises:
            Invalid: The outputs are not those of the game.
            AnotherGraph: There was another claim before.
        """
        graph = self._build(raw)
        self._ledger.put_claim(self.terms.game, raw, graph.digest)
        self.graph = graph
        # The graph has what is needed of them, and a player may set up many games at once: they follow from the seed.
        self._own = None

    def stored_claim(self) -> bytes | None:
        """The claim's transaction, if it is known."""
        return self._ledger.entry(self.terms.game).claim

    def nonces(self) -> bytes:
        """Our nonces, new at each call."""
        graph = self._graph()
        self._signing = Signing(graph, self._key, self._entropy)
        crash_point("dispute.after_nonce")
        return graph.digest + self._signing.nonces

    def accept_nonces(self, raw: bytes) -> bytes:
        """Our parts, for the opponent's nonces.

        Raises:
            BadSetup: His graph is another one, or the size is wrong.
        """
        graph = self._graph()
        if self._signing is None:
            raise Invalid("our nonces come first", game=self.terms.game)
        if raw[:DIGEST_BYTES] != graph.digest:
            raise BadSetup("the opponent signs another graph", ours=graph.digest, theirs=raw[:DIGEST_BYTES])
        parts = self._signing.parts(raw[DIGEST_BYTES:])
        crash_point("dispute.after_partial")
        return parts

    def accept_parts(self, raw: bytes) -> None:
        """Make and store the signatures.

        Raises:
            BadSetup: A part does not verify.
        """
        if self._signing is None:
            raise Invalid("our nonces come first", game=self.terms.game)
        signatures = self._signing.signatures(raw)
        self._signing = None
        self._ledger.put_signatures(self.terms.game, signatures)
        crash_point("dispute.after_setup")

    def _own_keys(self) -> Mapping[str, bytes]:
        if self._own is None:
            self._own = own_keys(self.terms, self.party, self.book, self._store)
        return self._own

    def _graph(self) -> Graph:
        if self.graph is None:
            raise Invalid("the claim comes first", game=self.terms.game)
        return self.graph

    def _rebuild(self, claim: bytes | None) -> Graph | None:
        return self._build(claim) if claim is not None else None

    def _build(self, raw: bytes) -> Graph:
        return build_graph(self.terms, self.leaves, raw)


def build_graph(terms: Terms, leaves: KeyedBook, raw: bytes) -> Graph:
    """The graph of a claim's transaction.

    Raises:
        Invalid: The transaction is malformed, or its outputs are not those of the game.
    """
    if len(raw) > CLAIM_BYTES_MAX:
        raise Invalid("claim is too long", size=len(raw), limit=CLAIM_BYTES_MAX)
    transaction = Transaction.parse(raw)
    claim = Claim.of(transaction)
    root, gate = transaction.outputs[0], transaction.outputs[1]
    if (root.value, root.script) != (terms.bond_sat, root_output(terms, leaves).script):
        raise Invalid("claim's first output is not the game's root", value=root.value, limit=terms.bond_sat)
    if (gate.value, gate.script) != (GATE_SAT, gate_output(terms).script):
        raise Invalid("claim's second output is not the gate", value=gate.value, limit=GATE_SAT)
    return Graph.build(terms, claim, leaves)


def load_sheet(entry: Entry, book: Book, store: OneTimeStore) -> tuple[Sheet, OutPoint]:
    """What a game's transactions are put together from, out of the ledger; and the first output that the claim spends.

    Raises:
        Invalid: The setup is not done.
        BadSetup: A stored signature does not verify.
    """
    if entry.opponent_keys is None or entry.claim is None or entry.signatures is None:
        raise Invalid("the setup of the game is not done", game=entry.terms.game)
    own = own_keys(entry.terms, entry.party, book, store)
    keys = join_keys(entry.terms, book, entry.party, own, entry.opponent_keys)
    graph = build_graph(entry.terms, KeyedBook(book, keys), entry.claim)
    sheet = Sheet.of(graph, book, keys, check_signatures(graph, entry.signatures))
    return sheet, Transaction.parse(entry.claim).inputs[0].previous


def own_keys(terms: Terms, party: Party, book: Book, store: OneTimeStore) -> Mapping[str, bytes]:
    """Our one-time public keys by label, in the layout's order."""
    return {
        message.label: derive_public_key(store.secret(terms.game, message.label), message)
        for message in book.layout.of(party)
    }


def join_keys(terms: Terms, book: Book, party: Party, own: Mapping[str, bytes], opponent: bytes) -> Keys:
    """Keys of both parties."""
    every, at = dict(own), 0
    for message in book.layout.of(party.other):
        size = public_key_bytes(message)
        every[message.label] = opponent[at : at + size]
        at += size
    return Keys(book.layout, both=terms.both, challenger=terms.challenger_key[1:], one_time=every)


def exchange(one: Setup, other: Setup, claim: Callable[[KeyedBook], bytes]) -> None:
    """Carry every message between two sides in one process.

    Args:
        one: A side.
        other: The other side.
        claim: Builds the claim's transaction once the leaves are known; asked only if neither side has one.
    """
    one.accept_offer(other.offer())
    other.accept_offer(one.offer())
    if one.graph is None or other.graph is None:
        known = one.stored_claim() or other.stored_claim()
        raw = known or claim(one.leaves)
        one.accept_claim(raw)
        other.accept_claim(raw)
    if one.done and other.done:
        return
    first, second = one.nonces(), other.nonces()
    ours, theirs = one.accept_nonces(second), other.accept_nonces(first)
    one.accept_parts(theirs)
    other.accept_parts(ours)
