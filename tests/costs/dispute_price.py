"""What a dispute costs on Bitcoin: every transaction of the real game, T = 26, at its largest.

Sizes need no signature and no trace: a witness is as large as its leaf and its items, and each item is taken at its
largest. So these are bounds; a played game is a little below (tests/conformance/test_dispute_bitcoind.py).
"""

import hashlib
from functools import cache

from bedroll.bitcoin.script import encode_number
from bedroll.bitcoin.taproot import TaprootOutput
from bedroll.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from bedroll.bitvm.game.book import Book, KeyedBook
from bedroll.bitvm.graph import BURN, MAIN, TIMEOUT, Claim, Graph, Kind, Terms, close_name, gate_output
from bedroll.bitvm.leaf import Keys
from bedroll.bitvm.lie.scene import Scene
from bedroll.bitvm.winternitz.key import NODE_BYTES, all_radices, public_key_bytes
from bedroll.crypto.secp256k1 import SecretKey

EXPONENT = 26
INSTANCE = bytes(32)
SIGNATURE = bytes(64)


@cache
def stage():
    """Graph, leaves and keys of a game whose one-time keys are nobody's."""
    scene = Scene.sample(INSTANCE, EXPONENT)
    book = Book.build(scene.program, EXPONENT, INSTANCE)
    prover, challenger = SecretKey(b"p" * 32), SecretKey(b"c" * 32)
    scripts = [TaprootOutput.build(key.x_only).script for key in (prover, challenger)]
    terms = Terms(INSTANCE, bytes(32), EXPONENT, MAIN, prover.public, challenger.public, *scripts, 20_000_000)
    one_time = {
        label: hashlib.shake_256(label.encode()).digest(public_key_bytes(message))
        for label, message in book.layout.messages.items()
    }
    keys = Keys(book.layout, both=terms.both, challenger=terms.challenger_key[1:], one_time=one_time)
    point = hashlib.sha256(b"claim").digest()
    claim = Claim(OutPoint(point, 0), OutPoint(point, 1), OutPoint(point, 2), TxOut(330, gate_output(terms).script))
    return Graph.build(terms, claim, KeyedBook(book, keys)), book, keys


def largest_items(leaf):
    """Items of a spend by a leaf, each at its largest."""
    items = [encode_number(radix - 1) for hint in leaf.hints for radix in hint.radices]
    for message in leaf.messages:
        for radix in all_radices(message.radices):
            items += [b"\x07", bytes(NODE_BYTES), b"\x01"] if radix == 16 else [b"\x07", bytes(NODE_BYTES)]
    assert len(items) == leaf.items - 1
    return (*items, SIGNATURE)


def spend_vb(transaction, number, leaf):
    """Virtual bytes of a transaction that spends output `number` by a leaf."""
    graph, _, keys = stage()
    witness = (*largest_items(leaf), leaf.script(keys), graph.outputs[number].control_block(leaf.name))
    return transaction.with_witness(0, witness).vsize


def own_spend():
    """The challenger's own transaction, without witness."""
    graph, _, _ = stage()
    return Transaction((TxIn(graph.claim.root),), (TxOut(330, graph.terms.challenger_script),))


@cache
def moves_vb():
    """Largest form of each move, by name."""
    graph, book, _ = stage()
    return {
        move.name: max(
            spend_vb(graph.planned[move.name].transaction, number, leaf) for leaf in book.move_leaves[number].values()
        )
        for number, move in enumerate(graph.terms.moves)
    }


@cache
def facts_vb():
    """Each deciding leaf, by name."""
    _, book, _ = stage()
    return {
        name: spend_vb(own_spend(), number, leaf)
        for number, leaves in enumerate(book.fact_leaves)
        for name, leaf in leaves.items()
    }


def price():
    """The section of `costs.toml`."""
    graph, book, _ = stage()
    moves, facts = moves_vb(), facts_vb()
    kinds = [move.kind for move in graph.terms.moves]
    opening = kinds.index(Kind.OPENING)
    before = sum(moves[move.name] for move in graph.terms.moves[:opening])
    first, last = (max(facts[name] for name in book.fact_leaves[at]) for at in (opening, len(kinds)))
    challenger = [move.name for move in graph.terms.moves if move.mover.value == "challenger"]
    by_key = {
        name: graph.planned[name].transaction.with_witness(0, (SIGNATURE,)).with_witness(1, (SIGNATURE,)).vsize
        for name in (close_name(opening), BURN)
    }
    timeout = own_spend().with_witness(0, (SIGNATURE, bytes(40), graph.outputs[0].control_block(TIMEOUT))).vsize
    prover = sum(size for name, size in moves.items() if name not in challenger)
    return {
        "no_read_vb": before + first,
        "worst_vb": sum(moves.values()) + last,
        "largest_with_child_vb": max(moves.values()),
        "prover_worst_vb": prover + by_key[close_name(opening)],
        "prover_children": len(moves) - len(challenger) + 1,
        "challenger_worst_vb": sum(moves[name] for name in challenger) + max(first, last) + by_key[BURN],
        "challenger_children": len(challenger) + 1,
        "input_vb": moves["input"],
        "hashes_vb": moves["hashes_1_1"],
        "digit_vb": moves["digit_1_1"],
        "execute_vb": moves["execute"],
        "opening_vb": moves["opening"],
        "execute_2_vb": moves["execute_2"],
        "trace_hash_vb": facts["trace_hash"],
        "program_counter_vb": facts["program_counter"],
        "opened_later_write_vb": facts["opened_later_write"],
        "equivocation_vb": max(size for name, size in facts.items() if name.startswith("equivocation")),
        "close_vb": by_key[close_name(opening)],
        "burn_vb": by_key[BURN],
        "timeout_vb": timeout,
    }
