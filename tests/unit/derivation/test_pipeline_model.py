"""The pipeline and the plain model agree on any history of L1, whatever is inscribed and however L1 reorganises."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bedroll.derivation.verdict import Accepted
from bedroll.protocol import REGTEST
from tests.framework.plain_chain import plain_child
from tests.framework.plain_rollup import LEADER, OTHER, ROTATION, PlainRollup

TIGHT = replace(
    REGTEST,
    parameters=replace(
        REGTEST.parameters, timestamp_lead_max=900, second_blocks_max=2, origin_blocks_max=4, held_batches_max=2
    ),
)
"""Limits so low that random blocks meet them."""
COUNTS = {
    "odd": 0,
    "odd_accepted": 0,
    "honest": 0,
    "accepted": 0,
    "automatic": 0,
    "held": 0,
    "muted": 0,
    "rotated": 0,
    "deep": 0,
    "evidence": 0,
}


class History(RuleBasedStateMachine):
    """Each rule puts something on L1 or takes blocks away; after each block the two must agree."""

    @initialize(network=st.sampled_from([REGTEST, TIGHT]))
    def begin(self, network):
        self.rollup = PlainRollup(network)
        self.parts = []
        self.posted = []
        self.number = 0
        self.rollup.quiet(4)

    @property
    def key(self):
        return LEADER if self.rollup.pipeline.leader == LEADER.x_only else OTHER

    def put(self, *bodies, fee=0):
        self.rollup.stage(*bodies, fee=fee)

    def post(self, batch):
        raw = batch.encode()
        self.posted.append(raw)
        self.put(raw)

    @rule(blocks=st.integers(1, 4), steps=st.integers(1, 4))
    def honest_batch(self, blocks, steps):
        self.post(self.rollup.honest(key=self.key, blocks=blocks, steps=steps))
        before = len(self.rollup.staged)
        self.mine()
        COUNTS["honest"] += 1
        COUNTS["accepted"] += isinstance(self.rollup.verdict(before - 1), Accepted)

    @rule(blocks=st.integers(1, 3))
    def child_before_parent(self, blocks):
        if self.rollup.pipeline.safe.height == 0:
            return
        parent = self.rollup.honest(key=self.key, blocks=blocks)
        child = self.rollup.honest(key=self.key, blocks=blocks, steps=0)
        self.post(child)
        self.mine(keep_private=True)
        COUNTS["held"] += len(self.rollup.pipeline._selector.state.held)
        self.post(parent)

    @rule()
    def lie(self):
        self.post(self.rollup.lying(key=self.key))
        self.mine()
        COUNTS["muted"] += len(self.rollup.pipeline._selector.state.muted)

    @rule(
        shape=st.lists(
            st.tuples(
                st.booleans(), st.sampled_from(["low", "low", "low", "later", "later", "same", "high", "early", "late"])
            ),
            min_size=1,
            max_size=6,
        )
    )
    def odd_blocks(self, shape):
        """Timestamps at and beyond their bounds, origins full, seconds crowded: the hash is right, rules may break."""
        parent = tip = self.rollup.private[-1]
        lead = self.rollup.network.parameters.timestamp_lead_max or 5_000
        rows, made = [], []
        for step, kind in shape:
            step = step or tip.height == 0
            if step and tip.origin_height + 1 > self.rollup.chain.height - 1:
                break
            origin_height = tip.origin_height + step
            if origin_height == self.rollup.chain.anchor_height:
                break
            origin = (origin_height, self.rollup.chain.hash_at(origin_height), self.rollup.forced_of(origin_height))
            median_time = self.rollup.pipeline.origin(origin_height).median_time
            low, high = max(tip.timestamp, median_time), max(tip.timestamp, median_time + lead)
            timestamp = {
                "low": low, "same": tip.timestamp, "high": high, "later": low + 7, "early": low - 1, "late": high + 1,
            }[kind]  # fmt: skip
            rows.append((timestamp, step, []))
            tip = plain_child(tip, timestamp, origin if step else None, False, [])
            made.append(tip)
        if rows:
            self.post(self.rollup.batch(parent, rows, tip.hash, key=self.key))
            before = len(self.rollup.staged)
            self.mine()
            COUNTS["odd"] += 1
            COUNTS["odd_accepted"] += isinstance(self.rollup.verdict(before - 1), Accepted)

    @rule(ahead=st.integers(-3_000, 7_200))
    def odd_time(self, ahead):
        """A header time anywhere above the median of its ancestors, as Bitcoin allows."""
        recent = [self.rollup.history[-1 - back].time for back in range(min(11, len(self.rollup.history)))]
        if recent:
            self.rollup.mine(time=max(sorted(recent)[len(recent) // 2] + 1, recent[0] + ahead))
            self.rollup.compare()

    @rule()
    def wrong_tip_hash(self):
        parent = self.rollup.private[-1]
        rows, _ = self.rollup.grow(parent)
        self.post(self.rollup.batch(parent, rows, bytes(32), key=self.key))

    @rule()
    def stranger(self):
        self.post(self.rollup.honest(key=OTHER if self.key is LEADER else LEADER, parent=self.rollup.private[-1]))
        self.rollup.private = list(self.rollup.executor.blocks)

    @rule()
    def foreign_network(self):
        parent = self.rollup.private[-1]
        rows, made = self.rollup.grow(parent)
        self.put(self.rollup.batch(parent, rows, made[-1].hash, key=self.key, network=1).encode())

    @rule(lead=st.integers(1, 3))
    def origin_too_young(self, lead):
        parent = self.rollup.private[-1]
        youngest = min(self.rollup.chain.height, self.rollup.next_height - 2 + lead)
        blocks = max(1, youngest - parent.origin_height)
        rows, made = self.rollup.grow(parent, blocks=blocks, steps=blocks, youngest=youngest)
        self.put(self.rollup.batch(parent, rows, made[-1].hash, key=self.key).encode())

    @rule(data=st.data())
    def replay(self, data):
        if self.posted:
            self.put(data.draw(st.sampled_from(self.posted)))

    @rule(data=st.data(), parts=st.integers(2, 5))
    def series(self, data, parts):
        batch = self.rollup.honest(key=self.key)
        bodies = data.draw(st.permutations(self.rollup.chunks(batch.encode(), parts)))
        now = data.draw(st.integers(0, len(bodies)))
        for body in bodies[:now]:
            self.put(body)
        self.parts.extend(bodies[now:])

    @rule()
    def rest_of_series(self):
        for body in self.parts:
            self.put(body)
        self.parts = []

    @rule(fee=st.sampled_from([0, 1_000]), copies=st.integers(1, 6))
    def forced(self, fee, copies):
        for _ in range(copies):
            self.put(self.rollup.forced().encode(), self.rollup.forced(b"second").encode(), fee=fee)

    @rule(honest=st.booleans(), step=st.integers(0, 2), network=st.sampled_from([3, 3, 3, 1]))
    def rotate(self, honest, step, network):
        self.number += step
        key = OTHER if self.key is LEADER else LEADER
        signer = ROTATION if honest else LEADER
        self.put(self.rollup.rotate(self.number, key, signer=signer, network=network).encode())
        COUNTS["rotated"] += honest and step > 0

    @rule(honest=st.booleans(), stale=st.booleans())
    def commitment(self, honest, stale):
        parent = self.rollup.private[-1]
        _, made = self.rollup.grow(parent)
        tip = made[-1].hash if honest else bytes(32)
        anchor = bytes(32) if stale else None
        self.put(self.rollup.commitment(parent, tip, 1, key=self.key, anchor=anchor).encode())

    @rule(junk=st.binary(max_size=80))
    def garbage(self, junk):
        self.put(junk)

    @rule(blocks=st.integers(1, 11))
    def silence(self, blocks):
        for _ in range(blocks):
            self.mine()

    @rule(depth=st.integers(1, 10))
    def reorganisation(self, depth):
        while self.rollup.pipeline.hash_at(self.rollup.chain.height - depth) is None:
            depth -= 1
        COUNTS["deep"] += depth > 2
        self.rollup.reorganise(depth)
        self.rollup.staged = []
        self.rollup.compare()

    @rule()
    def restart(self):
        self.rollup.restart()

    def mine(self, keep_private=False):
        private = self.rollup.private
        self.rollup.mine()
        out = self.rollup.compare()
        COUNTS["automatic"] += out.automatic_runs
        COUNTS["evidence"] += out.evidence
        if keep_private:
            self.rollup.private = private

    @invariant()
    def heads_are_in_order(self):
        if hasattr(self, "rollup"):
            finalized = self.rollup.pipeline.finalized
            assert finalized is None or finalized.height <= self.rollup.pipeline.safe.height


def run(examples, steps, machine=History):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_pipeline_and_the_plain_model_agree():
    run(150, 25)
    print(COUNTS)
    assert COUNTS["accepted"] * 2 >= COUNTS["honest"]
    assert COUNTS["odd_accepted"] * 8 >= COUNTS["odd"]
    assert all(COUNTS.values())


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_the_pipeline_and_the_plain_model_agree_for_long():
    run(1_000, 40)
