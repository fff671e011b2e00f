"""Shows that a game's graph is what its design says: order, values, versions, windows; and that both sides sign it."""

import hashlib
import random
import time
from dataclasses import replace

import pytest

from bedroll.bitcoin.opcode import Opcode
from bedroll.bitcoin.script import build_script
from bedroll.bitcoin.taproot import TaprootOutput, leaf_hash
from bedroll.bitcoin.transaction import OutPoint, TxOut
from bedroll.bitvm.graph import (
    MAIN,
    REGTEST,
    BadSetup,
    Claim,
    Clock,
    Graph,
    Kind,
    Party,
    Signing,
    Terms,
    check_signatures,
    close_name,
    gate_output,
    moves,
)
from bedroll.bitvm.search import Shape
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import Invalid

PROVER, CHALLENGER = SecretKey(b"p" * 32), SecretKey(b"c" * 32)


class PlainLeaves:
    """One leaf a move and a fact leaf or two; they commit to nothing."""

    def __init__(self, terms):
        self.terms = terms

    def moves(self, number):
        kind = self.terms.moves[number].kind
        count = 3 if kind is Kind.EXECUTE else 1
        return {
            f"{kind}.{at}": leaf_hash(
                build_script(number * 10 + at, Opcode.OP_DROP, self.terms.both, Opcode.OP_CHECKSIG)
            )
            for at in range(count)
        }

    def facts(self, number):
        if number < len(self.terms.moves) and self.terms.moves[number].kind is not Kind.OPENING:
            return {}
        return {"fact": leaf_hash(build_script(self.terms.challenger_key[1:], Opcode.OP_CHECKSIG))}


def make_terms(exponent=26, clock=MAIN):
    return Terms(
        instance_id=bytes(32), program=bytes(32), exponent=exponent, clock=clock,
        prover_key=PROVER.public, challenger_key=CHALLENGER.public,
        prover_script=TaprootOutput.build(PROVER.x_only).script,
        challenger_script=TaprootOutput.build(CHALLENGER.x_only).script, bond_sat=19_000_000,
    )  # fmt: skip


def make_graph(terms):
    point = hashlib.sha256(b"claim").digest()
    claim = Claim(OutPoint(point, 0), OutPoint(point, 1), OutPoint(point, 2), TxOut(330, gate_output(terms).script))
    return Graph.build(terms, claim, PlainLeaves(terms))


def test_the_real_game_has_38_moves_and_the_windows_of_its_design():
    found = moves(Shape(26))
    assert len(found) == 38
    assert [move.kind for move in found[:4]] == [Kind.INPUT, Kind.HASHES, Kind.DIGIT, Kind.HASHES]
    assert [move.name for move in found[18:23]] == ["digit_1_9", "execute", "opening", "hashes_2_2", "digit_2_2"]
    assert found[-1].name == "execute_2"
    assert make_terms().burn_blocks == 1_476 + 144 * 38 + 288 == 7_236
    assert make_terms(clock=REGTEST).burn_blocks == 44 + 12 * 38 + 24 == 524
    assert len({move.name for move in found}) == 38


def test_every_planned_transaction_has_the_form_that_relays_with_a_child():
    graph = make_graph(make_terms())
    for step in graph.planned.values():
        transaction = step.transaction
        assert transaction.version == 3
        assert sum(each.value for each in step.spent) == transaction.output_value
        assert [each.value for each in transaction.outputs].count(0) == 1
        assert transaction.outputs[-1].script == bytes.fromhex("51024e73")
        assert all(each.value >= 330 for each in transaction.outputs[:-1])


def test_close_waits_for_the_challengers_window_and_burn_for_all():
    graph = make_graph(make_terms())
    turns = [number for number in range(39) if close_name(number) in graph.planned]
    assert len(turns) == 19
    assert turns[-1] == 38
    assert all(number == 38 or graph.terms.moves[number].mover is Party.CHALLENGER for number in turns)
    for number in turns:
        close = graph.planned[close_name(number)].transaction
        assert close.inputs[0].previous == graph.game_point(number)
        assert close.inputs[0].sequence == 144
        assert close.inputs[1].previous == graph.claim.gate
    burn = graph.planned["burn"].transaction
    assert [each.previous for each in burn.inputs] == [graph.claim.gate, graph.claim.prize]
    assert burn.inputs[0].sequence == 7_236


def test_moves_follow_each_other():
    graph = make_graph(make_terms(exponent=8, clock=REGTEST))
    point = graph.claim.root
    for number, move in enumerate(graph.terms.moves):
        step = graph.planned[move.name]
        assert step.transaction.inputs[0].previous == point == graph.game_point(number)
        point = step.transaction.out_point(0)
        assert graph.by_txid[step.txid] == move.name
    assert graph.game_point(len(graph.terms.moves)) == point


def both(graph, seed=7):
    rng = random.Random(seed)
    return Signing(graph, PROVER, rng.randbytes), Signing(graph, CHALLENGER, rng.randbytes)


def test_both_parties_get_the_same_signatures_and_every_one_verifies():
    graph = make_graph(make_terms())
    begun = time.process_time()
    prover, challenger = both(graph)
    ours, theirs = prover.parts(challenger.nonces), challenger.parts(prover.nonces)
    signatures = prover.signatures(theirs)
    assert challenger.signatures(ours) == signatures
    assert len(check_signatures(graph, signatures)) == len(graph.slots)
    print(f"{len(graph.slots)} slots, both sides: {time.process_time() - begun:.2f} s")


def test_a_part_or_nonce_that_is_wrong_is_refused_by_name():
    graph = make_graph(make_terms(exponent=3, clock=REGTEST))
    prover, challenger = both(graph)
    with pytest.raises(BadSetup, match="wrong length"):
        prover.parts(challenger.nonces[:-1])
    ours, theirs = prover.parts(challenger.nonces), challenger.parts(prover.nonces)
    broken = bytearray(theirs)
    broken[33] ^= 1
    with pytest.raises(BadSetup, match="does not verify") as refusal:
        prover.signatures(bytes(broken))
    assert refusal.value.transaction == graph.slots[1].transaction
    assert challenger.signatures(ours)
    with pytest.raises(Invalid, match="used before"):
        prover.parts(challenger.nonces)
    with pytest.raises(BadSetup):
        check_signatures(graph, bytes(64 * len(graph.slots)))


def test_another_term_or_claim_makes_another_graph():
    terms = make_terms(exponent=3, clock=REGTEST)
    digests = {make_graph(terms).digest, make_graph(terms).digest}
    assert len(digests) == 1
    for other in (
        replace(terms, instance_id=b"x" * 32), replace(terms, bond_sat=330), replace(terms, exponent=4),
        replace(terms, clock=Clock(13, 2, 4, 44)), replace(terms, prover_script=terms.challenger_script),
    ):  # fmt: skip
        digests.add(make_graph(other).digest)
    assert len(digests) == 6


@pytest.mark.parametrize("change", [
    {"instance_id": b""}, {"bond_sat": 329}, {"challenger_key": PROVER.public}, {"prover_script": b"\x6a"},
    {"exponent": 1}, {"clock": Clock(1_600, 6, 36, 4_000)}, {"prover_key": b"\x02" * 32},
])  # fmt: skip
def test_impossible_terms_are_refused(change):
    with pytest.raises(Invalid):
        replace(make_terms(), **change)


def test_a_clock_without_time_to_act_is_refused():
    with pytest.raises(Invalid, match="no block is left"):
        Clock(10, 6, 4, 44)
    with pytest.raises(Invalid):
        Clock(10, 0, 4, 44)


def test_a_prize_that_one_party_could_take_is_refused():
    terms = make_terms(exponent=3, clock=REGTEST)
    claim = make_graph(terms).claim
    with pytest.raises(Invalid, match="prize"):
        Graph.build(terms, replace(claim, prize_output=TxOut(330, terms.prover_script)), PlainLeaves(terms))
