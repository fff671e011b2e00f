"""Pipeline and plain model agree on any history with bodies without signatures and proofs, true, false and early."""

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis.stateful import initialize, rule

from bedroll.da import ProofSystem
from bedroll.derivation.verdict import Accepted, Pending
from bedroll.protocol import REGTEST
from tests.framework.plain_rollup import shown
from tests.unit.derivation.test_pipeline_model import COUNTS, History, PlainRollup, run

FEW = replace(
    REGTEST,
    parameters=replace(REGTEST.parameters, proofs_max=3, held_batches_max=2, proofs_required=True, exodus_window=12),
)
SEEN = {"bodies": 0, "proofs": 0, "accepted": 0, "held": 0, "false": 0, "ended": 0}


class ProvenHistory(History):
    """The same histories with bodies and proofs between the rest."""

    @initialize(network=st.sampled_from([REGTEST, FEW]))
    def begin(self, network):
        self.rollup = PlainRollup(network)
        self.parts, self.posted, self.number = [], [], 0
        self.said = []
        self.rollup.quiet(4)

    def prove(self, said, system=ProofSystem.GROTH16):
        at = self.rollup.post_proof(shown(said, system=system))
        private = self.rollup.private
        self.mine()
        verdict = self.rollup.verdict(at)
        SEEN["proofs"] += 1
        SEEN["accepted"] += isinstance(verdict, Accepted)
        SEEN["held"] += isinstance(verdict, Pending)
        SEEN["ended"] += self.rollup.pipeline.ended is not None
        if not isinstance(verdict, Accepted):
            self.rollup.private = private

    @rule(blocks=st.integers(1, 3), steps=st.integers(0, 3), now=st.booleans())
    def body(self, blocks, steps, now):
        steps = max(steps, self.rollup.private[-1].height == 0)
        batch, said = self.rollup.proven(key=self.key, blocks=blocks, steps=steps)
        self.post(batch)
        self.said.append(said)
        SEEN["bodies"] += 1
        private = self.rollup.private
        self.mine()
        self.rollup.private = private
        if now:
            self.prove(said)

    @rule(data=st.data(), system=st.sampled_from(list(ProofSystem)))
    def proof(self, data, system):
        if self.said:
            self.prove(data.draw(st.sampled_from(self.said)), system)

    @rule(data=st.data(), at=st.integers(0, 386))
    def other_statement(self, data, at):
        if self.said:
            said = data.draw(st.sampled_from(self.said))
            self.rollup.post_proof(shown(said[:at] + bytes([said[at] ^ 1]) + said[at + 1 :]))

    @rule(data=st.data(), fee=st.sampled_from([0, 19_999, 20_000]), copies=st.integers(1, 5))
    def false_proof(self, data, fee, copies):
        if self.said:
            said = data.draw(st.sampled_from(self.said))
            for _ in range(copies):
                SEEN["false"] += 1
                self.rollup.post_proof(replace(shown(said), proof=bytes(356)), fee)


def test_the_pipeline_and_the_plain_model_agree_on_proofs():
    run(60, 25, ProvenHistory)
    print(SEEN, COUNTS)
    assert all(SEEN.values())
    assert SEEN["accepted"] * 4 >= SEEN["proofs"]
