"""Settlement proofs on Bitcoin: which count, that they change no block, and that they are unwound and restored.

Statements are real runs of the settlement program over the same L1; the proof system is a stand-in.
"""

import random
from dataclasses import replace

import msgspec
import pytest

from bedroll.crypto import sha256
from bedroll.da import ProofSystem, StatementKind, split
from bedroll.derivation import Accepted, Pipeline, Rejected
from bedroll.derivation.checkpoint import decode_state
from bedroll.derivation.record import ObjectJudged, SettlementAdvanced
from bedroll.derivation.settlement_desk import SettlementTerms
from bedroll.light import BlockZero, parameters_of
from bedroll.protocol import REGTEST
from tests.framework.l1_chain import Grinder
from tests.framework.plain_rollup import PlainRollup, shown
from tests.framework.plain_settlement import BATCH_KEY, SETTLEMENT_KEY
from tests.framework.settled_file import SettledSite, StandIn
from tests.framework.settling_site import anchor_of
from tests.framework.site import HOLDERS, Wallet, new_rollup

P = REGTEST.parameters
REACH = P.auto_block_window + P.finality_depth


class JudgingSite(SettledSite):
    """Settles, and judges the settlement proofs that it finds."""

    def new_pipeline(self):
        self.verifier = StandIn()
        parameters = parameters_of(self.genesis, anchor_of(self.chain), BlockZero.of(self.genesis))
        terms = SettlementTerms(
            parameters=bytes(sha256(parameters)), batch_key=BATCH_KEY, settlement_key=SETTLEMENT_KEY
        )
        pipeline = Pipeline(
            self.genesis,
            self.chain.anchor_times,
            self.executor,
            verifier=self.verifier,
            on_question=self.ask,
            terms=terms,
        )
        self.executor.use_origins(pipeline.origin)
        return pipeline

    def said(self, height):
        """What the program says after the L1 block at a height."""
        return self.steps[height - self.chain.anchor_height - 1].statement


def settlement(values, **options):
    return shown(values, statement=StatementKind.SETTLEMENT, **options)


@pytest.fixture
def leader(tmp_path):
    made = new_rollup(tmp_path / "leader")
    payer = Wallet(HOLDERS[0])
    made.seal([payer.sign(value=5)])
    made.post(made.batch())
    made.seal([payer.sign(value=6)])
    made.post(made.batch())
    yield made
    made.close()


@pytest.fixture
def site(leader, tmp_path):
    made = JudgingSite(tmp_path / "site", leader.genesis, leader.chain)
    made.follow()
    yield made
    made.close()


def post(leader, site, *objects, fee=P.proof_fee):
    """One L1 block with these objects; what became of each."""
    leader.post(*objects, fee=fee)
    before = len(site.records)
    site.follow()
    return [each.verdict for each in site.records[before:] if isinstance(each, ObjectJudged)]


def test_a_proof_of_this_chain_is_accepted_and_changes_no_block(leader, site):
    height, safe = leader.chain.height, site.pipeline.safe
    proof = settlement(site.said(height))
    assert post(leader, site, proof) == [Accepted(0, safe.height)]
    settled = site.pipeline.settled
    assert (settled.l1_height, settled.l1_hash) == (height, leader.chain.hash_at(height))
    assert (settled.height, settled.hash) == (safe.height, safe.hash)
    assert site.pipeline.object_bytes(settled.object_id) == proof.encode()
    assert site.pipeline.safe == safe
    assert site.pipeline.proven.height == 0, "proofs of batches have a head of their own"
    (record,) = [each for each in site.records if isinstance(each, SettlementAdvanced)]
    assert (record.l1_height, record.l2_height) == (height, safe.height)


def test_a_proof_of_block_0_counts(leader, site):
    assert post(leader, site, settlement(site.said(leader.chain.anchor_height + 2))) == [Accepted(0, 0)]


def test_only_a_later_one_takes_its_place(leader, site):
    height = leader.chain.height
    assert post(leader, site, settlement(site.said(height))) == [Accepted(0, 2)]
    for older in (height, height - 1):
        (verdict,) = post(leader, site, settlement(site.said(older)))
        assert verdict == Rejected(f"another one speaks up to L1 block {height} already")
    newest = leader.chain.height
    assert post(leader, site, settlement(site.said(newest))) == [Accepted(0, 2)]
    assert site.pipeline.settled.l1_height == newest


def flipped(values, place):
    return values[:place] + bytes([values[place] ^ 1]) + values[place + 1 :]


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (lambda values: values[:-1], "no settlement statement"),
        (lambda values: flipped(values, 0), "no settlement statement"),
        (lambda values: flipped(values, 1), "another chain"),
        (lambda values: flipped(values, 2), "another chain"),
        (lambda values: flipped(values, 34), "other programs"),
        (lambda values: flipped(values, 66), "other programs"),
        (lambda values: flipped(values, 98), "not of the best chain"),
        (lambda values: flipped(values, 130), "speaks up to L1 block"),
    ],
)
def test_what_cannot_count_is_not_verified(leader, site, forge, words):
    (verdict,) = post(leader, site, settlement(forge(site.said(leader.chain.height))))
    assert words in verdict.reason
    assert site.verifier.asked == 0
    assert site.pipeline.settled is None


def test_a_fee_a_system_and_a_proof_are_asked_for(leader, site):
    said = site.said(leader.chain.height)
    assert post(leader, site, settlement(said), fee=P.proof_fee - 1) == [Rejected("it pays 19999 sat, a proof 20000")]
    false = replace(settlement(said), proof=bytes(356))
    assert post(leader, site, false) == [Rejected("it does not show what it says")]
    assert site.verifier.asked == 1


@pytest.mark.parametrize("place", [170, 202, 209])
def test_another_tip_is_refused_where_nothing_proves_it(leader, site, place):
    """One that is proved ends derivation (test_divergence.py); so a proof is looked at, in its turn."""
    said = flipped(site.said(leader.chain.height), place)
    false = replace(settlement(said), proof=bytes(356))
    assert post(leader, site, false) == [Rejected("its tip is not of the derived chain")]
    assert site.verifier.asked == 1
    assert site.pipeline.settled is None


def test_a_network_says_which_systems_it_takes(leader, site, monkeypatch):
    numbers = replace(P, proof_systems=(1,))
    monkeypatch.setattr(site.pipeline._settlement, "_network", replace(REGTEST, parameters=numbers))
    proof = settlement(site.said(leader.chain.height), system=ProofSystem.COMPRESSED, size=3_000)
    assert post(leader, site, proof) == [Rejected("this network takes no compressed proofs")]


def test_a_compressed_proof_in_parts_is_accepted(leader, site):
    proof = settlement(site.said(leader.chain.height), system=ProofSystem.COMPRESSED, size=30_000)
    parts = split(proof.encode(), 12_000)
    verdicts = post(leader, site, *parts)
    assert Accepted(0, 2) in verdicts


def test_a_proof_reaches_no_further_back_than_a_reorganisation(leader, site):
    height = leader.chain.height
    for _ in range(REACH - 1):
        leader.chain.mine()
    site.follow()
    assert post(leader, site, settlement(site.said(height))) == [Accepted(0, 2)]
    leader.chain.fork(leader.chain.height - 1)
    leader.chain.mine()
    (verdict,) = judged_on(site, leader.chain, settlement(site.said(height)))
    assert "speaks up to L1 block" in verdict.reason


def judged_on(site, chain, proof):
    """Unwind to the fork, then a block with the proof."""
    site.pipeline.unwind(chain.height - 1)
    del site.steps[chain.height - 1 - chain.anchor_height :]
    site.settlement.last = site.steps[-1]
    site.follow()
    chain.mine(Grinder(P.tag).carry(proof.encode(), fee=P.proof_fee))
    before = len(site.records)
    site.follow()
    return [each.verdict for each in site.records[before:] if isinstance(each, ObjectJudged)]


def test_so_many_are_verified_in_a_block_and_no_more(leader, site, monkeypatch):
    monkeypatch.setattr(site.pipeline._settlement, "_network", replace(REGTEST, parameters=replace(P, proofs_max=2)))
    said = site.said(leader.chain.height)
    false = [replace(settlement(said), proof=bytes(355) + bytes([each])) for each in range(4)]
    verdicts = post(leader, site, *false)
    assert site.verifier.asked == 2
    assert [each.reason for each in verdicts[2:]] == ["64 proofs were looked at in this block"] * 2
    assert post(leader, site, settlement(site.said(leader.chain.height))) == [Accepted(0, 2)], (
        "the next block begins anew"
    )


def test_they_take_no_turn_of_a_batchs_proof():
    """The settlement program does not know of them: what counts for batches must not depend on them."""
    rollup = PlainRollup()
    rollup.quiet(4)
    for salt in range(P.proofs_max + 1):
        rollup.stage(settlement(bytes([0x81]) + bytes(360) + bytes([salt])).encode(), fee=P.proof_fee)
    batch, said = rollup.proven()
    rollup.stage(batch.encode())
    rollup.mine()
    rollup.stage(shown(said).encode(), fee=P.proof_fee)
    rollup.mine()
    assert rollup.verdict() == Accepted(1, 1)
    rollup.compare()


def test_an_unwound_proof_is_forgotten_and_the_one_before_stands_again(leader, site):
    first = leader.chain.height
    post(leader, site, settlement(site.said(first)))
    before = site.pipeline.settled
    fork = leader.chain.height
    post(leader, site, settlement(site.said(fork)))
    assert site.pipeline.settled.l1_height == fork
    site.pipeline.unwind(fork)
    assert site.pipeline.settled == before
    assert site.pipeline.object_bytes(before.object_id)
    site.pipeline.unwind(first)
    assert site.pipeline.settled is None


def test_a_restored_pipeline_has_the_proof(leader, site):
    post(leader, site, settlement(site.said(leader.chain.height)))
    checkpoint = site.pipeline.checkpoint()
    settled = site.pipeline.settled
    assert settled.object_id in checkpoint.references
    again = JudgingSite.new_pipeline(site)
    assert again.restore([checkpoint], site.pipeline.object_bytes)
    assert again.settled == settled
    assert again.object_bytes(settled.object_id) == site.pipeline.object_bytes(settled.object_id)


def test_a_node_that_knows_no_programs_goes_on_without():
    rollup = PlainRollup()
    rollup.quiet(4)
    rollup.stage(settlement(bytes(362)).encode(), fee=P.proof_fee)
    rollup.mine()
    assert rollup.verdict() == Rejected("this node judges no settlement proofs")
    rollup.compare()


def test_no_statement_raises(leader, site):
    chance, said = random.Random(9), site.said(leader.chain.height)
    proofs = []
    for _ in range(60):
        values = bytearray(said)
        for _ in range(chance.randrange(1, 4)):
            values[chance.randrange(len(values))] = chance.choice((0, 1, 255, chance.randrange(256)))
        proofs.append(settlement(bytes(values)))
    safe = site.pipeline.safe
    assert len(post(leader, site, *proofs)) == 60
    assert site.pipeline.safe == safe


def test_a_checkpoint_of_an_older_store_has_no_settled_tip(leader, site):
    post(leader, site, settlement(site.said(leader.chain.height)))
    fields = msgspec.msgpack.decode(site.pipeline.checkpoint().state)
    assert decode_state(msgspec.msgpack.encode(fields)).settled == site.pipeline._settlement.state
    assert decode_state(msgspec.msgpack.encode(fields[:-1])).settled.tip is None
